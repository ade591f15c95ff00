package users

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams/streamstest"
)

// start runs the service until the test ends and returns its address.
func start(t *testing.T, storeURL, busURL string) string {
	t.Helper()
	return chassistest.Start(t, chassis.Config{Name: "users", StoreURL: storeURL, BusURL: busURL}, Run)
}

func TestSignUp(t *testing.T) {
	bus := streamstest.Start(t)
	store := storestest.Postgres(t)
	url := start(t, store, bus.URL())
	seed := shop.SeedUsers()

	told := chassistest.AwaitTold(t, bus.Client(), shop.Users, len(seed))
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
	if status := chassistest.Call(url, http.MethodPost, "/sync/users", ada, &u); status != http.StatusCreated {
		t.Fatalf("sign-up: %d", status)
	}
	if want := (shop.User{ID: "ada", Name: "Ada Ito", Email: "ada@example.com", Version: 1}); u != want {
		t.Errorf("signed up %+v, want %+v", u, want)
	}
	ada.Name = "Another"
	if status := chassistest.Call(url, http.MethodPost, "/copies/users", ada, &again); status != http.StatusOK || again != u {
		t.Errorf("same id again: %d %+v", status, again)
	}
	for _, pattern := range chassis.ServicePatterns() {
		if status := chassistest.Get(url+"/"+pattern+"/users/ada", &got); status != http.StatusOK || got != u {
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
	bo := shop.User{Name: "Bo", Email: "bo@example.com"}
	if status := chassistest.Call(url, http.MethodPost, "/copies/users", bo, &got); status != http.StatusCreated || got.ID == "" {
		t.Errorf("without an id: %d %+v", status, got)
	}
	for _, id := range []string{"nobody", "%00", "a%20b"} {
		if status := chassistest.Get(url+"/sync/users/"+id, nil); status != http.StatusNotFound {
			t.Errorf("get %s: %d, want 404", id, status)
		}
	}
	for _, body := range []string{"", "{", `{"name": "Bo", "email": "bo@example.com", "admin": true}`, `{"name": "", "email": "bo@example.com"}`} {
		if status := chassistest.Call(url, http.MethodPost, "/sync/users", body, nil); status != http.StatusBadRequest {
			t.Errorf("sign-up with %q: %d, want 400", body, status)
		}
	}
	told = chassistest.AwaitTold(t, bus.Client(), shop.Users, len(seed)+2)
	if len(told) != len(seed)+2 || told[len(seed)].Subject != "ada" || told[len(seed)+1].Subject != got.ID {
		t.Errorf("%d events, want %d that end in ada and %s", len(told), len(seed)+2, got.ID)
	}

	// A second replica neither seeds again nor relays what is relayed.
	other := start(t, store, bus.URL())
	chassistest.Ready(t, other)
	cy := shop.User{ID: "cy", Name: "Cy", Email: "cy@example.com"}
	if status := chassistest.Call(other, http.MethodPost, "/sync/users", cy, nil); status != http.StatusCreated {
		t.Errorf("sign-up at the other replica: %d", status)
	}
	if told = chassistest.AwaitTold(t, bus.Client(), shop.Users, len(seed)+3); len(told) != len(seed)+3 {
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
		err := chassis.Invalid(u.Validate())
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
		return chassistest.Call(url, http.MethodPost, "/copies/users", shop.User{ID: id, Name: "Ada", Email: "ada@example.com"}, nil)
	}
	dead := func() {
		t.Helper()
		chassistest.NotReady(t, url)
		if status, _ := chassistest.Waiting(url); status != http.StatusServiceUnavailable {
			t.Errorf("outbox with a dead store: %d, want 503", status)
		}
		began := time.Now()
		if status := signUp("dead"); status != http.StatusServiceUnavailable {
			t.Errorf("sign-up with a dead store: %d, want 503", status)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("sign-up with a dead store took %v", took)
		}
		if status := chassistest.Get(url+"/healthz", nil); status != http.StatusOK {
			t.Errorf("healthz with a dead store: %d, want 200", status)
		}
	}
	dead()
	store.Start(t)
	chassistest.Eventually(t, "sign-up works with a dead bus", func() bool { return signUp("first") == http.StatusCreated })
	store.Kill()
	dead()
	store.Start(t)
	chassistest.Eventually(t, "sign-up works again", func() bool { return signUp("second") == http.StatusCreated })
	const most = 200 // of 202: no more are counted
	chassistest.WantWaiting(t, url, most)
	bus.Start()
	chassistest.NoneWaiting(t, url)
	told := chassistest.AwaitTold(t, bus.Client(), shop.Users, len(shop.SeedUsers())+2)
	if first, second := told[len(told)-2].Subject, told[len(told)-1].Subject; first != "first" || second != "second" {
		t.Errorf("events end in %s and %s", first, second)
	}
}
