package orders

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// patience is how long a test waits for what has to happen.
const patience = 10 * time.Second

// start runs the service until the test ends and returns its address.
func start(t *testing.T, storeURL, busURL string, peers map[string]string) string {
	t.Helper()
	return startWith(t, chassis.Config{StoreURL: storeURL, BusURL: busURL, Peers: peers})
}

// startWith is start with a configuration that lacks only what every test has in common.
func startWith(t *testing.T, cfg chassis.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	cfg.Name, cfg.Addr, cfg.Log = "orders", addr, slog.New(slog.DiscardHandler)
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

// ready waits until the service has its store.
func ready(t *testing.T, url string) {
	t.Helper()
	eventually(t, "it is ready", func() bool { return call(url, http.MethodGet, "/readyz", nil, nil) == http.StatusOK })
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

// tell publishes an event as its owner does.
func tell(t *testing.T, bus *redis.Client, stream, typ, subject string, version int64, payload any) {
	t.Helper()
	data, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	e := streams.Event{ID: fmt.Sprintf("%s-%s-%d", typ, subject, version), Source: stream, Type: typ, Subject: subject,
		Time: time.Now().UTC(), Version: version, Data: data}
	if _, err := streams.Publish(t.Context(), bus, stream, e); err != nil {
		t.Fatal(err)
	}
}

// told waits for n events on the stream orders and returns them, each as "type order version reason".
func told(t *testing.T, bus *redis.Client, n int) []string {
	t.Helper()
	var list []string
	eventually(t, fmt.Sprintf("%d events", n), func() bool {
		entries, err := bus.XRange(t.Context(), shop.Orders, "-", "+").Result()
		if err != nil || len(entries) < n {
			return false
		}
		list = nil
		for _, entry := range entries {
			e, err := streams.ParseEvent([]byte(entry.Values[streams.Field].(string)))
			if err != nil {
				t.Fatal(err)
			}
			var o shop.Order
			if err := json.Unmarshal(e.Data, &o); err != nil {
				t.Fatal(err)
			}
			if o.ID != e.Subject || o.Version != e.Version || e.Source != "orders" {
				t.Errorf("event %+v tells of %+v", e, o)
			}
			list = append(list, fmt.Sprintf("%s %s %d %s", e.Type, o.ID, o.Version, o.Reason))
		}
		return true
	})
	return list
}

func wantTold(t *testing.T, bus *redis.Client, want ...string) {
	t.Helper()
	if got := told(t, bus, len(want)); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("told\n%q, want\n%q", got, want)
	}
}

func TestCopies(t *testing.T) {
	server := streamstest.Start(t)
	bus := server.Client()
	url := start(t, storestest.Postgres(t), server.URL(), nil)
	ready(t, url)
	buy := func(in shop.NewOrder, out any) int { return call(url, http.MethodPost, "/copies/orders", in, out) }
	in := shop.NewOrder{ID: "o-1", UserID: "u-1", ProductID: "p-1", Quantity: 2}

	var p chassis.Problem
	if status := buy(in, &p); status != http.StatusNotFound || p.Detail != `unknown user "u-1"` {
		t.Errorf("without a copy of the user: %d %+v", status, p)
	}
	tell(t, bus, shop.Users, shop.UserRegistered, "u-1", 1, shop.User{ID: "u-1", Name: "Ada"})
	eventually(t, "the user is copied", func() bool { return buy(in, &p) == http.StatusNotFound && p.Detail == `unknown product "p-1"` })

	// The newest version stays, whatever comes later.
	tell(t, bus, shop.Catalog, shop.ProductChanged, "p-1", 3, shop.Product{ID: "p-1", Name: "Moka pot", PriceCents: 300})
	tell(t, bus, shop.Catalog, shop.ProductListed, "p-1", 1, shop.Product{ID: "p-1", Name: "Old pot", PriceCents: 100})
	tell(t, bus, shop.Catalog, shop.ProductListed, "p-2", 1, shop.Product{ID: "p-2", Name: "Ruler", PriceCents: 200})
	other := shop.NewOrder{ID: "o-2", UserID: "u-1", ProductID: "p-2", Quantity: 1}
	eventually(t, "the products are copied and applied", func() bool {
		pending, err := bus.XPending(t.Context(), shop.Catalog, "orders").Result()
		info, err2 := bus.XInfoGroups(t.Context(), shop.Catalog).Result()
		return err == nil && err2 == nil && pending.Count == 0 && info[0].EntriesRead == 3
	})
	var o, again shop.Order
	if status := buy(in, &o); status != http.StatusCreated {
		t.Fatalf("buy: %d", status)
	}
	want := shop.Order{ID: "o-1", UserID: "u-1", ProductID: "p-1", ProductName: "Moka pot", PriceCents: 300, Quantity: 2,
		Status: shop.Placed, PlacedAt: o.PlacedAt, Version: 1}
	if o != want || o.PlacedAt.IsZero() {
		t.Errorf("bought %+v, want %+v", o, want)
	}
	if status := buy(in, &again); status != http.StatusOK || again != o {
		t.Errorf("same id again: %d %+v, want 200 %+v", status, again, o)
	}
	if status := buy(other, nil); status != http.StatusCreated {
		t.Errorf("the other: %d", status)
	}
	wantTold(t, bus, "order.placed.v1 o-1 1 ", "order.placed.v1 o-2 1 ")

	// Stock answers, twice, and for an order that is not here.
	status := func(id string) string {
		var o shop.Order
		call(url, http.MethodGet, "/sync/orders/"+id, nil, &o)
		return fmt.Sprintf("%s %d", o.Status, o.Version)
	}
	tell(t, bus, shop.Stock, shop.StockReserved, "o-elsewhere", 1, shop.Reservation{OrderID: "o-elsewhere"})
	tell(t, bus, shop.Stock, shop.StockReserved, "o-1", 1, shop.Reservation{OrderID: "o-1"})
	eventually(t, "o-1 is confirmed", func() bool { return status("o-1") == "confirmed 2" })
	tell(t, bus, shop.Stock, shop.StockRefused, "o-1", 1, shop.Reservation{OrderID: "o-1", Reason: "sold out"})
	tell(t, bus, shop.Stock, shop.StockRefused, "o-2", 1, shop.Reservation{OrderID: "o-2", Reason: "sold out"})
	eventually(t, "o-2 is refused", func() bool { return status("o-2") == "refused 2" })
	wantTold(t, bus, "order.placed.v1 o-1 1 ", "order.placed.v1 o-2 1 ", "order.confirmed.v1 o-1 2 ", "order.refused.v1 o-2 2 sold out")
	if got := status("o-1"); got != "confirmed 2" {
		t.Errorf("o-1 is %s, want confirmed 2", got)
	}

	var list struct{ Orders []shop.Order }
	if status := call(url, http.MethodGet, "/copies/orders?user=u-1", nil, &list); status != http.StatusOK || len(list.Orders) != 2 ||
		list.Orders[0].ID != "o-2" || list.Orders[1].ID != "o-1" {
		t.Errorf("list: %d %+v", status, list)
	}
	list.Orders = nil
	if call(url, http.MethodGet, "/shared/orders?user=u-1&limit=1", nil, &list); len(list.Orders) != 1 || list.Orders[0].Reason != "sold out" {
		t.Errorf("list of one: %+v", list)
	}
	list.Orders = nil
	if call(url, http.MethodGet, "/sync/orders?user=nobody", nil, &list); list.Orders == nil || len(list.Orders) != 0 {
		t.Errorf("list of nobody: %#v, want an empty list", list)
	}
	for path, want := range map[string]int{
		"/copies/orders":                     http.StatusBadRequest,
		"/copies/orders?user=u-1&limit=0":    http.StatusBadRequest,
		"/copies/orders?user=u-1&limit=101":  http.StatusBadRequest,
		"/copies/orders?user=u-1&limit=many": http.StatusBadRequest,
		"/copies/orders?user=%00":            http.StatusBadRequest,
		"/copies/orders/nothing":             http.StatusNotFound,
		"/copies/orders/%00":                 http.StatusNotFound,
	} {
		if status := call(url, http.MethodGet, path, nil, nil); status != want {
			t.Errorf("GET %s: %d, want %d", path, status, want)
		}
	}
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		in shop.NewOrder
		ok bool
	}{
		"good":          {shop.NewOrder{ID: "o", UserID: "u", ProductID: "p", Quantity: 1}, true},
		"most":          {shop.NewOrder{ID: "o", UserID: "u", ProductID: "p", Quantity: 100}, true},
		"too many":      {shop.NewOrder{ID: "o", UserID: "u", ProductID: "p", Quantity: 101}, false},
		"none":          {shop.NewOrder{ID: "o", UserID: "u", ProductID: "p"}, false},
		"fewer":         {shop.NewOrder{ID: "o", UserID: "u", ProductID: "p", Quantity: -1}, false},
		"no user":       {shop.NewOrder{ID: "o", ProductID: "p", Quantity: 1}, false},
		"no product":    {shop.NewOrder{ID: "o", UserID: "u", Quantity: 1}, false},
		"id for a path": {shop.NewOrder{ID: "../o", UserID: "u", ProductID: "p", Quantity: 1}, false},
		"zero byte":     {shop.NewOrder{ID: "o", UserID: "u\x00", ProductID: "p", Quantity: 1}, false},
	} {
		err := validate(c.in)
		p, isProblem := err.(*chassis.Problem)
		if c.ok && err != nil || !c.ok && (!isProblem || p.Status != http.StatusBadRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDeadStore: it starts without its store and without the bus, and goes on by itself when they come, and come back.
func TestDeadStore(t *testing.T) {
	store := storestest.Start(t, stores.Postgres)
	server := streamstest.Start(t)
	bus := server.Client()
	store.Kill()
	server.Kill()
	url := start(t, store.URL, server.URL(), nil)
	buy := func(id string) int {
		return call(url, http.MethodPost, "/copies/orders", shop.NewOrder{ID: id, UserID: "u-1", ProductID: "p-1", Quantity: 1}, nil)
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
		for _, pattern := range []string{chassis.Sync, chassis.Bus, chassis.Copies} {
			in := shop.NewOrder{UserID: "u-1", ProductID: "p-1", Quantity: 1}
			if status := call(url, http.MethodPost, "/"+pattern+"/orders", in, nil); status != http.StatusServiceUnavailable {
				t.Errorf("buy over %s with a dead store: %d, want 503", pattern, status)
			}
		}
		if status := call(url, http.MethodGet, "/healthz", nil, nil); status != http.StatusOK {
			t.Errorf("healthz with a dead store: %d, want 200", status)
		}
	}
	dead()
	server.Start()
	tell(t, bus, shop.Users, shop.UserRegistered, "u-1", 1, shop.User{ID: "u-1", Name: "Ada"})
	tell(t, bus, shop.Catalog, shop.ProductListed, "p-1", 1, shop.Product{ID: "p-1", Name: "Moka pot", PriceCents: 300})
	store.Start(t)
	eventually(t, "an order is placed from copies", func() bool { return buy("o-1") == http.StatusCreated })
	store.Kill()
	dead()
	tell(t, bus, shop.Stock, shop.StockReserved, "o-1", 1, shop.Reservation{OrderID: "o-1"})
	store.Start(t)
	eventually(t, "another order is placed", func() bool { return buy("o-2") == http.StatusCreated })
	eventually(t, "what came meanwhile is applied", func() bool {
		var o shop.Order
		call(url, http.MethodGet, "/copies/orders/o-1", nil, &o)
		return o.Status == shop.Confirmed
	})
	if n := bus.Exists(t.Context(), shop.Stock+streams.DeadSuffix, shop.Users+streams.DeadSuffix, shop.Catalog+streams.DeadSuffix).Val(); n != 0 {
		t.Errorf("%d streams of dead letters", n)
	}
}

// TestSilentStore: a database that is there and does not answer holds no caller for longer than about a second.
func TestSilentStore(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := open(chassis.Config{StoreURL: "postgres://shop@" + l.Addr().String() + "/shop?sslmode=disable"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.pool.Close()
	s.made.Store(&journal{}) // it answered once
	began := time.Now()
	_, _, err = s.find(t.Context(), "o-1")
	if took := time.Since(began); err == nil || took > 2*time.Second {
		t.Errorf("error %v after %v", err, took)
	}
}
