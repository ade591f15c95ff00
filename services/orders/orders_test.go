package orders

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
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

// start runs the service until the test ends and returns its address.
func start(t *testing.T, storeURL, busURL string, peers map[string]string) string {
	t.Helper()
	return chassistest.Start(t, chassis.Config{Name: "orders", StoreURL: storeURL, BusURL: busURL, Peers: peers}, Run)
}

// told waits for n events on the stream orders and returns them, each as "type order version reason".
func told(t *testing.T, bus *redis.Client, n int) []string {
	t.Helper()
	var list []string
	for _, e := range chassistest.AwaitTold(t, bus, shop.Orders, n) {
		var o shop.Order
		if err := json.Unmarshal(e.Data, &o); err != nil {
			t.Fatal(err)
		}
		if o.ID != e.Subject || o.Version != e.Version || e.Source != "orders" {
			t.Errorf("event %+v tells of %+v", e, o)
		}
		list = append(list, fmt.Sprintf("%s %s %d %s", e.Type, o.ID, o.Version, o.Reason))
	}
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
	chassistest.Ready(t, url)
	buy := func(in shop.NewOrder, out any) int {
		return chassistest.Call(url, http.MethodPost, "/copies/orders", in, out)
	}
	in := shop.NewOrder{ID: "o-1", UserID: "u-1", ProductID: "p-1", Quantity: 2}

	var p chassis.Problem
	if status := buy(in, &p); status != http.StatusNotFound || p.Detail != `unknown user "u-1"` {
		t.Errorf("without a copy of the user: %d %+v", status, p)
	}
	chassistest.Tell(t, bus, shop.Users, shop.UserRegistered, "u-1", 1, shop.User{ID: "u-1", Name: "Ada"})
	chassistest.Eventually(t, "the user is copied", func() bool { return buy(in, &p) == http.StatusNotFound && p.Detail == `unknown product "p-1"` })

	// The newest version stays, whatever comes later.
	chassistest.Tell(t, bus, shop.Catalog, shop.ProductChanged, "p-1", 3, shop.Product{ID: "p-1", Name: "Moka pot", PriceCents: 300})
	chassistest.Tell(t, bus, shop.Catalog, shop.ProductListed, "p-1", 1, shop.Product{ID: "p-1", Name: "Old pot", PriceCents: 100})
	chassistest.Tell(t, bus, shop.Catalog, shop.ProductListed, "p-2", 1, shop.Product{ID: "p-2", Name: "Ruler", PriceCents: 200})
	other := shop.NewOrder{ID: "o-2", UserID: "u-1", ProductID: "p-2", Quantity: 1}
	chassistest.Applied(t, bus, shop.Catalog, 3)
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
		chassistest.Get(url+"/sync/orders/"+id, &o)
		return fmt.Sprintf("%s %d", o.Status, o.Version)
	}
	chassistest.Tell(t, bus, shop.Stock, shop.StockReserved, "o-elsewhere", 1, shop.Reservation{OrderID: "o-elsewhere"})
	chassistest.Tell(t, bus, shop.Stock, shop.StockReserved, "o-1", 1, shop.Reservation{OrderID: "o-1"})
	chassistest.Eventually(t, "o-1 is confirmed", func() bool { return status("o-1") == "confirmed 2" })
	chassistest.Tell(t, bus, shop.Stock, shop.StockRefused, "o-1", 1, shop.Reservation{OrderID: "o-1", Reason: "sold out"})
	chassistest.Tell(t, bus, shop.Stock, shop.StockRefused, "o-2", 1, shop.Reservation{OrderID: "o-2", Reason: "sold out"})
	chassistest.Eventually(t, "o-2 is refused", func() bool { return status("o-2") == "refused 2" })
	wantTold(t, bus, "order.placed.v1 o-1 1 ", "order.placed.v1 o-2 1 ", "order.confirmed.v1 o-1 2 ", "order.refused.v1 o-2 2 sold out")
	if got := status("o-1"); got != "confirmed 2" {
		t.Errorf("o-1 is %s, want confirmed 2", got)
	}

	var list struct{ Orders []shop.Order }
	if status := chassistest.Get(url+"/copies/orders?user=u-1", &list); status != http.StatusOK || len(list.Orders) != 2 ||
		list.Orders[0].ID != "o-2" || list.Orders[1].ID != "o-1" {
		t.Errorf("list: %d %+v", status, list)
	}
	list.Orders = nil
	if chassistest.Get(url+"/shared/orders?user=u-1&limit=1", &list); len(list.Orders) != 1 || list.Orders[0].Reason != "sold out" {
		t.Errorf("list of one: %+v", list)
	}
	list.Orders = nil
	if chassistest.Get(url+"/sync/orders?user=nobody", &list); list.Orders == nil || len(list.Orders) != 0 {
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
		if status := chassistest.Get(url+path, nil); status != want {
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
		err := chassis.Invalid(c.in.Validate())
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
		return chassistest.Call(url, http.MethodPost, "/copies/orders", shop.NewOrder{ID: id, UserID: "u-1", ProductID: "p-1", Quantity: 1}, nil)
	}
	dead := func() {
		t.Helper()
		chassistest.NotReady(t, url)
		if status, _ := chassistest.Waiting(url); status != http.StatusServiceUnavailable {
			t.Errorf("outbox with a dead store: %d, want 503", status)
		}
		for _, pattern := range []string{chassis.Sync, chassis.Bus, chassis.Copies} {
			in := shop.NewOrder{UserID: "u-1", ProductID: "p-1", Quantity: 1}
			if status := chassistest.Call(url, http.MethodPost, "/"+pattern+"/orders", in, nil); status != http.StatusServiceUnavailable {
				t.Errorf("buy over %s with a dead store: %d, want 503", pattern, status)
			}
		}
		if status := chassistest.Get(url+"/healthz", nil); status != http.StatusOK {
			t.Errorf("healthz with a dead store: %d, want 200", status)
		}
	}
	dead()
	server.Start()
	chassistest.Tell(t, bus, shop.Users, shop.UserRegistered, "u-1", 1, shop.User{ID: "u-1", Name: "Ada"})
	chassistest.Tell(t, bus, shop.Catalog, shop.ProductListed, "p-1", 1, shop.Product{ID: "p-1", Name: "Moka pot", PriceCents: 300})
	store.Start(t)
	chassistest.Eventually(t, "an order is placed from copies", func() bool { return buy("o-1") == http.StatusCreated })
	store.Kill()
	dead()
	chassistest.Tell(t, bus, shop.Stock, shop.StockReserved, "o-1", 1, shop.Reservation{OrderID: "o-1"})
	store.Start(t)
	chassistest.Eventually(t, "another order is placed", func() bool { return buy("o-2") == http.StatusCreated })
	chassistest.Eventually(t, "what came meanwhile is applied", func() bool {
		var o shop.Order
		chassistest.Get(url+"/copies/orders/o-1", &o)
		return o.Status == shop.Confirmed
	})
	if n := bus.Exists(t.Context(), shop.Stock+streams.DeadSuffix, shop.Users+streams.DeadSuffix, shop.Catalog+streams.DeadSuffix).Val(); n != 0 {
		t.Errorf("%d streams of dead letters", n)
	}
}

// TestSilentStore: a database that is there and does not answer holds no caller for longer than about a second.
func TestSilentStore(t *testing.T) {
	s, err := open(chassis.Config{StoreURL: "postgres://shop@" + chassistest.Silent(t) + "/shop?sslmode=disable"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.pool.Close()
	s.made.Store(&journal{}) // it answered once
	began := time.Now()
	_, _, err = s.find(t.Context(), "o-1")
	if took := time.Since(began); err == nil || took > 4*time.Second {
		t.Errorf("error %v after %v", err, took)
	}
}
