package stock

import (
	"encoding/json"
	"fmt"
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
func start(t *testing.T, storeURL, busURL string) string {
	t.Helper()
	return chassistest.Start(t, chassis.Config{Name: "stock", StoreURL: storeURL, BusURL: busURL}, Run)
}

// said is what stock said on its stream about each of the subjects, "type reason".
func said(t *testing.T, bus *redis.Client, subjects ...string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, e := range chassistest.Told(t, bus, shop.Stock) {
		var r shop.Reservation
		if err := json.Unmarshal(e.Data, &r); err != nil {
			t.Fatal(err)
		}
		all[e.Subject] = append(all[e.Subject], fmt.Sprintf("%s %d %s", e.Type, r.Quantity, r.Reason))
	}
	some := map[string][]string{}
	for _, s := range subjects {
		if all[s] != nil {
			some[s] = all[s]
		}
	}
	return some
}

func TestRequests(t *testing.T) {
	server := streamstest.Start(t)
	bus := server.Client()
	storeURL := storestest.Redis(t)
	url := start(t, storeURL, server.URL())
	chassistest.Ready(t, url)
	chassistest.Tell(t, bus, shop.Catalog, shop.ProductListed, "p-01", 1, shop.Product{ID: "p-01", Name: "Kettle"})
	chassistest.Tell(t, bus, shop.Catalog, shop.ProductChanged, "p-01", 2, shop.Product{ID: "p-01", Name: "Big kettle"})
	chassistest.Applied(t, bus, shop.Catalog, 2)

	store, err := streams.Open(storeURL)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	// So few units are there only as long as it takes to deliver more.
	if err := store.HSet(t.Context(), levelKey+"p-05", "level", 5, "delivered", 5).Err(); err != nil {
		t.Fatal(err)
	}

	held := shop.Reservation{OrderID: "o-1", ProductID: "p-01", Quantity: 3}
	for _, c := range []struct {
		method, path string
		in           any
		want         int
		detail       string
	}{
		{"POST", "/sync/reservations", held, 201, ""},
		{"POST", "/copies/reservations", held, 201, ""},
		{"POST", "/sync/reservations", shop.Reservation{OrderID: "o-2", ProductID: "p-99", Quantity: 1}, 404, `unknown product "p-99"`},
		{"POST", "/sync/reservations", shop.Reservation{OrderID: "o-4", ProductID: "p-05", Quantity: 6}, 409, "p-05: sold out"},
		{"POST", "/copies/reservations", shop.Reservation{OrderID: "o-4", ProductID: "p-05", Quantity: 6}, 409, "p-05: sold out"},
		{"POST", "/sync/reservations", shop.Reservation{OrderID: "", ProductID: "p-01", Quantity: 1}, 400, "order_id: 1 to 64 letters, digits, dots, dashes and underscores"},
		{"POST", "/sync/reservations", shop.Reservation{OrderID: "o|3", ProductID: "p-01", Quantity: 1}, 400, "order_id: 1 to 64 letters, digits, dots, dashes and underscores"},
		{"POST", "/sync/reservations", shop.Reservation{OrderID: "o-3", ProductID: `p"01`, Quantity: 1}, 400, "product_id: 1 to 64 letters, digits, dots, dashes and underscores"},
		{"POST", "/sync/reservations", shop.Reservation{OrderID: "o-3", ProductID: "p-01"}, 400, "quantity: 1 to 100"},
		{"POST", "/sync/reservations", shop.Reservation{OrderID: "o-3", ProductID: "p-01", Quantity: 101}, 400, "quantity: 1 to 100"},
		{"GET", "/sync/stock/p-99", nil, 404, `unknown product "p-99"`},
		{"GET", "/copies/stock/%00", nil, 404, `unknown product "\x00"`},
	} {
		var got struct {
			shop.Reservation
			Detail string `json:"detail"`
		}
		status := chassistest.Call(url, c.method, c.path, c.in, &got)
		if status != c.want || got.Detail != c.detail || status == 201 && got.Reservation != held {
			t.Errorf("%s %s %v: %d %+v, want %d", c.method, c.path, c.in, status, got, c.want)
		}
	}
	over := chassistest.BusCaller(t, server.URL(), "stock")
	var again shop.Reservation
	if err := over.Call(t.Context(), "stock", http.MethodPost, "/bus/reservations", held, &again); err != nil || again != held {
		t.Errorf("the same over the bus: %v %+v", err, again)
	}
	out := shop.Reservation{OrderID: "o-4", ProductID: "p-05", Quantity: 6}
	const refusal = "stock answered 409: p-05: sold out"
	if err := over.Call(t.Context(), "stock", http.MethodPost, "/bus/reservations", out, nil); err == nil || err.Error() != refusal {
		t.Errorf("sold out over the bus: %v", err)
	}
	if err := over.Call(t.Context(), "stock", http.MethodDelete, "/bus/reservations/o-none", nil, nil); err != nil {
		t.Errorf("release nothing over the bus: %v", err)
	}
	var level shop.Level
	want := shop.Level{ProductID: "p-01", ProductName: "Big kettle", Level: seeded - 3, Reserved: 3, Delivered: seeded}
	for _, pattern := range chassis.ServicePatterns() {
		if status := chassistest.Get(url+"/"+pattern+"/stock/p-01", &level); status != http.StatusOK || level != want {
			t.Errorf("level in the pattern %s: %d %+v", pattern, status, level)
		}
	}
	for _, pattern := range []string{"sync", "copies"} { // the second time, there is nothing to give back
		if status := chassistest.Call(url, http.MethodDelete, "/"+pattern+"/reservations/o-1", nil, nil); status != http.StatusNoContent {
			t.Errorf("release: %d", status)
		}
	}
	want.Level, want.Reserved = seeded, 0
	if status := chassistest.Get(url+"/sync/stock/p-01", &level); status != http.StatusOK || level != want {
		t.Errorf("level after the release: %d %+v", status, level)
	}
	events := map[string][]string{
		"o-1": {shop.StockReserved + " 3 ", shop.StockReleased + " 3 "},
		"o-2": {shop.StockRefused + " 1 " + unknownProduct},
		"o-4": {shop.StockRefused + " 6 " + soldOut},
	}
	chassistest.Eventually(t, "its events are told", func() bool {
		return fmt.Sprint(said(t, bus, "o-1", "o-2", "o-3", "o-4", "o|3")) == fmt.Sprint(events)
	})
}

// TestOrders: each placed order is answered once, also where it is told again; one that cannot be right is not.
func TestOrders(t *testing.T) {
	server := streamstest.Start(t)
	bus := server.Client()
	place := func(id, product string, quantity int64) {
		o := shop.Order{ID: id, ProductID: product, Quantity: quantity, Status: shop.Placed}
		chassistest.Tell(t, bus, shop.Orders, shop.OrderPlaced, id, 1, o)
	}
	url := start(t, storestest.Redis(t), server.URL())
	place("o-1", "p-02", 4)
	place("o-2", "p-99", 1)
	place("o-1", "p-02", 4)
	place("o-3", "p-02", 0)
	place("o-2", "p-99", 1)
	chassistest.Tell(t, bus, shop.Orders, shop.OrderConfirmed, "o-4", 2, shop.Order{ID: "o-4", ProductID: "p-02", Quantity: 1})
	place("o-5", "p-02", 1)
	chassistest.Applied(t, bus, shop.Orders, 7)
	want := map[string][]string{
		"o-1": {shop.StockReserved + " 4 "},
		"o-2": {shop.StockRefused + " 1 " + unknownProduct},
		"o-5": {shop.StockReserved + " 1 "},
	}
	chassistest.Eventually(t, "they are answered", func() bool {
		return fmt.Sprint(said(t, bus, "o-1", "o-2", "o-3", "o-4", "o-5")) == fmt.Sprint(want)
	})
	var level shop.Level
	chassistest.Get(url+"/sync/stock/p-02", &level)
	if level.Reserved != 5 || level.Level != seeded-5 {
		t.Errorf("%+v", level)
	}
}

// TestDeadStore: it starts without its store and without the bus, and goes on by itself when they come, and come back.
func TestDeadStore(t *testing.T) {
	store := storestest.Start(t, stores.Redis)
	bus := streamstest.Start(t)
	store.Kill()
	bus.Kill()
	url := start(t, store.URL, bus.URL())
	reserve := func(order string) int {
		return chassistest.Call(url, http.MethodPost, "/sync/reservations", shop.Reservation{OrderID: order, ProductID: "p-03", Quantity: 1}, nil)
	}
	dead := func() {
		t.Helper()
		if status := chassistest.Get(url+"/readyz", nil); status != http.StatusServiceUnavailable {
			t.Errorf("readyz with a dead store: %d, want 503", status)
		}
		if status, _ := chassistest.Waiting(url); status != http.StatusServiceUnavailable {
			t.Errorf("outbox with a dead store: %d, want 503", status)
		}
		began := time.Now()
		if status := reserve("o-1"); status != http.StatusServiceUnavailable {
			t.Errorf("reservation with a dead store: %d, want 503", status)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("reservation with a dead store took %v", took)
		}
	}
	dead()
	store.Start(t)
	chassistest.Eventually(t, "units are held with a dead bus", func() bool { return reserve("o-2") == http.StatusCreated })
	store.Kill()
	dead()
	store.Start(t)
	chassistest.Eventually(t, "units are held again", func() bool { return reserve("o-3") == http.StatusCreated })
	chassistest.WantWaiting(t, url, len(shop.Products())+2)
	bus.Start()
	chassistest.NoneWaiting(t, url)
	rdb := bus.Client()
	want := map[string][]string{"o-2": {shop.StockReserved + " 1 "}, "o-3": {shop.StockReserved + " 1 "}}
	chassistest.Eventually(t, "its events are told", func() bool {
		got := said(t, rdb, "o-2", "o-3")
		return fmt.Sprint(got) == fmt.Sprint(want)
	})
	if got := said(t, rdb, "p-03"); len(got["p-03"]) != 1 {
		t.Errorf("p-03 was delivered %d times, want once", len(got["p-03"]))
	}
}

// TestPausedStore: a store that is there and silent is told within the second, and what was asked of it meanwhile is done
// once at most.
func TestPausedStore(t *testing.T) {
	store, bus := streamstest.Start(t), streamstest.Start(t)
	url := start(t, store.URL(), bus.URL())
	chassistest.Ready(t, url)
	r := shop.Reservation{OrderID: "o-1", ProductID: "p-03", Quantity: 1}
	store.Pause()
	began := time.Now()
	var problem chassis.Problem
	status := chassistest.Call(url, http.MethodPost, "/sync/reservations", r, &problem)
	if status != http.StatusServiceUnavailable || problem.Detail != "its store does not answer" {
		t.Errorf("%d %+v", status, problem)
	}
	if took := time.Since(began); took > 2500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	store.Resume()
	chassistest.Eventually(t, "units are held", func() bool {
		return chassistest.Call(url, http.MethodPost, "/sync/reservations", r, nil) == http.StatusCreated
	})
	var level shop.Level
	if chassistest.Get(url+"/sync/stock/p-03", &level); level.Reserved != 1 {
		t.Errorf("%+v", level)
	}
}

func TestAddress(t *testing.T) {
	for _, address := range []string{"", "mongodb://127.0.0.1:1", "redis://%zz"} {
		if err := Run(t.Context(), chassis.Config{Name: "stock", Addr: "127.0.0.1:0", StoreURL: address, BusURL: "redis://127.0.0.1:1"}); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
}
