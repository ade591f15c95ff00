package users

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// patience is how long a test waits for what has to happen.
const patience = 10 * time.Second

// start runs the service until the test ends and returns its address.
func start(t *testing.T, storeURL, busURL string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	cfg := chassis.Config{Name: "users", Addr: addr, StoreURL: storeURL, BusURL: busURL, Log: slog.New(slog.DiscardHandler)}
	go func() { ended <- Run(ctx, cfg) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	url := "http://" + addr
	eventually(t, "it listens", func() bool { return call(url, http.MethodGet, "/healthz", nil, nil) == http.StatusOK })
	return url
}

// call asks and decodes the answer; its status, 0 for none.
func call(base, method, path string, in, out any) int {
	var body bytes.Buffer
	if text, ok := in.(string); ok {
		body.WriteString(text)
	} else if in != nil {
		_ = json.NewEncoder(&body).Encode(in)
	}
	req, err := http.NewRequest(method, base+path, &body)
	if err != nil {
		return 0
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if out != nil && json.NewDecoder(resp.Body).Decode(out) != nil {
		return 0
	}
	return resp.StatusCode
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// events waits for n events on the stream users and returns them.
func events(t *testing.T, bus *redis.Client, n int) []streams.Event {
	t.Helper()
	var list []streams.Event
	eventually(t, fmt.Sprintf("%d events", n), func() bool {
		entries, err := bus.XRange(t.Context(), shop.Users, "-", "+").Result()
		if err != nil || len(entries) < n {
			return false
		}
		list = nil
		for _, e := range entries {
			event, err := streams.ParseEvent([]byte(e.Values[streams.Field].(string)))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, event)
		}
		return true
	})
	return list
}

func TestSignUp(t *testing.T) {
	bus := streamstest.Start(t)
	store := storestest.Postgres(t)
	url := start(t, store, bus.URL())
	seed := shop.SeedUsers()

	told := events(t, bus.Client(), len(seed))
	if len(told) != len(seed) {
		t.Fatalf("%d events of %d seeded users", len(told), len(seed))
	}
	for i, e := range told {
		var u shop.User
		if err := json.Unmarshal(e.Data, &u); err != nil {
			t.Fatal(err)
		}
		if u != seed[i] || e.Subject != u.ID || e.Type != shop.UserRegistered || e.Source != "users" || e.Version != 1 {
			t.Fatalf("event %d: %+v of %+v", i, e, u)
		}
	}

	var u, again, got shop.User
	ada := shop.User{ID: "ada", Name: " Ada Ito ", Email: "ada@example.com", Version: 7}
	if status := call(url, http.MethodPost, "/sync/users", ada, &u); status != http.StatusCreated {
		t.Fatalf("sign-up: %d", status)
	}
	if want := (shop.User{ID: "ada", Name: "Ada Ito", Email: "ada@example.com", Version: 1}); u != want {
		t.Errorf("signed up %+v, want %+v", u, want)
	}
	ada.Name = "Another"
	if status := call(url, http.MethodPost, "/copies/users", ada, &again); status != http.StatusOK || again != u {
		t.Errorf("same id again: %d %+v", status, again)
	}
	for _, pattern := range chassis.ServicePatterns() {
		if status := call(url, http.MethodGet, "/"+pattern+"/users/ada", nil, &got); status != http.StatusOK || got != u {
			t.Errorf("get in the pattern %s: %d %+v", pattern, status, got)
		}
	}
	over := chassistest.BusCaller(t, bus.URL(), "users")
	got = shop.User{}
	if err := over.Call(t.Context(), "users", http.MethodGet, "/bus/users/ada", nil, &got); err != nil || got != u {
		t.Errorf("get over the bus: %v %+v", err, got)
	}
	const unknown = `users answered 404: unknown user "nobody"`
	if err := over.Call(t.Context(), "users", http.MethodGet, "/bus/users/nobody", nil, nil); err == nil || err.Error() != unknown {
		t.Errorf("get nobody over the bus: %v", err)
	}
	if status := call(url, http.MethodPost, "/copies/users", shop.User{Name: "Bo", Email: "bo@example.com"}, &got); status != http.StatusCreated || got.ID == "" {
		t.Errorf("without an id: %d %+v", status, got)
	}
	for _, id := range []string{"nobody", "%00", "a%20b"} {
		if status := call(url, http.MethodGet, "/sync/users/"+id, nil, nil); status != http.StatusNotFound {
			t.Errorf("get %s: %d, want 404", id, status)
		}
	}
	for _, body := range []string{"", "{", `{"name": "Bo", "email": "bo@example.com", "admin": true}`, `{"name": "", "email": "bo@example.com"}`} {
		if status := call(url, http.MethodPost, "/sync/users", body, nil); status != http.StatusBadRequest {
			t.Errorf("sign-up with %q: %d, want 400", body, status)
		}
	}
	told = events(t, bus.Client(), len(seed)+2)
	if len(told) != len(seed)+2 || told[len(seed)].Subject != "ada" || told[len(seed)+1].Subject != got.ID {
		t.Errorf("%d events, want %d that end in ada and %s", len(told), len(seed)+2, got.ID)
	}

	// A second replica neither seeds again nor relays what is relayed.
	other := start(t, store, bus.URL())
	eventually(t, "the other replica is ready", func() bool { return call(other, http.MethodGet, "/readyz", nil, nil) == http.StatusOK })
	if status := call(other, http.MethodPost, "/sync/users", shop.User{ID: "cy", Name: "Cy", Email: "cy@example.com"}, nil); status != http.StatusCreated {
		t.Errorf("sign-up at the other replica: %d", status)
	}
	if told = events(t, bus.Client(), len(seed)+3); len(told) != len(seed)+3 {
		t.Errorf("%d events, want %d", len(told), len(seed)+3)
	}
}

func TestValidate(t *testing.T) {
	good := shop.User{ID: "u-1", Name: "Zoë O'Brien", Email: "zoe@example.com"}
	for name, c := range map[string]struct {
		change func(*shop.User)
		want   string // begins the detail; empty: it is good
	}{
		"good":              {func(u *shop.User) {}, ""},
		"no id":             {func(u *shop.User) { u.ID = "" }, "id"},
		"id for a path":     {func(u *shop.User) { u.ID = "a/b" }, "id"},
		"long id":           {func(u *shop.User) { u.ID = strings.Repeat("a", 65) }, "id"},
		"no name":           {func(u *shop.User) { u.Name = "" }, "name"},
		"longest name":      {func(u *shop.User) { u.Name = strings.Repeat("ë", 100) }, ""},
		"long name":         {func(u *shop.User) { u.Name = strings.Repeat("ë", 101) }, "name"},
		"zero byte":         {func(u *shop.User) { u.Name = "a\x00b" }, "name"},
		"no address":        {func(u *shop.User) { u.Email = "" }, "email"},
		"half an address":   {func(u *shop.User) { u.Email = "zoe@" }, "email"},
		"named address":     {func(u *shop.User) { u.Email = "Zoë <zoe@example.com>" }, "email"},
		"long address":      {func(u *shop.User) { u.Email = strings.Repeat("a", 250) + "@example.com" }, "email"},
		"address with zero": {func(u *shop.User) { u.Email = "\"a\x00\"@example.com" }, "email"},
	} {
		u := good
		c.change(&u)
		err := validate(u)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		p, ok := err.(*chassis.Problem)
		if !ok || p.Status != http.StatusBadRequest || !strings.HasPrefix(p.Detail, c.want+":") {
			t.Errorf("%s: %v, want 400 about %s", name, err, c.want)
		}
	}
}

// TestDeadStore: it starts without its store and without the bus, and goes on by itself when they come, and come back.
func TestDeadStore(t *testing.T) {
	store := storestest.Start(t, stores.Postgres)
	bus := streamstest.Start(t)
	store.Kill()
	bus.Kill()
	url := start(t, store.URL, bus.URL())
	signUp := func(id string) int {
		return call(url, http.MethodPost, "/copies/users", shop.User{ID: id, Name: "Ada", Email: "ada@example.com"}, nil)
	}
	waiting := func() (status int, w chassis.Waiting) {
		status = call(url, http.MethodGet, chassis.OutboxPath, nil, &w)
		return status, w
	}
	dead := func() {
		t.Helper()
		// The server's workers outlive it by a moment.
		eventually(t, "it is not ready", func() bool {
			return call(url, http.MethodGet, "/readyz", nil, nil) == http.StatusServiceUnavailable
		})
		if status, _ := waiting(); status != http.StatusServiceUnavailable {
			t.Errorf("outbox with a dead store: %d, want 503", status)
		}
		began := time.Now()
		if status := signUp("dead"); status != http.StatusServiceUnavailable {
			t.Errorf("sign-up with a dead store: %d, want 503", status)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("sign-up with a dead store took %v", took)
		}
		if status := call(url, http.MethodGet, "/healthz", nil, nil); status != http.StatusOK {
			t.Errorf("healthz with a dead store: %d, want 200", status)
		}
	}
	dead()
	store.Start(t)
	eventually(t, "sign-up works with a dead bus", func() bool { return signUp("first") == http.StatusCreated })
	store.Kill()
	dead()
	store.Start(t)
	eventually(t, "sign-up works again", func() bool { return signUp("second") == http.StatusCreated })
	const most = 200 // of 202: no more are counted
	if status, left := waiting(); status != http.StatusOK || left.Waiting != most || left.Oldest == nil || time.Since(*left.Oldest) > patience {
		t.Errorf("outbox with a dead bus: %d %+v, want %d", status, left, most)
	}
	bus.Start()
	eventually(t, "nothing waits", func() bool {
		status, left := waiting()
		return status == http.StatusOK && left.Waiting == 0 && left.Oldest == nil
	})
	told := events(t, bus.Client(), len(shop.SeedUsers())+2)
	if first, second := told[len(told)-2].Subject, told[len(told)-1].Subject; first != "first" || second != "second" {
		t.Errorf("events end in %s and %s", first, second)
	}
}
