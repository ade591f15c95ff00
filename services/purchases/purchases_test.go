package purchases

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// start runs the service until the test ends and returns its address.
func start(t *testing.T, storeURL, busURL string, peers map[string]string) string {
	t.Helper()
	return chassistest.Start(t, chassis.Config{Name: "purchases", StoreURL: storeURL, BusURL: busURL, Peers: peers}, Run)
}

// history is what happened, in order, and what u-1 has bought then: of 24 orders every fifth was refused, and p-1 has a
// new name.
func history(t *testing.T) (events []streams.Event, want shop.Purchases) {
	t.Helper()
	product := func(typ, id, name string, version int64) streams.Event {
		return chassistest.Event(t, shop.Catalog, typ, id, version, shop.Product{ID: id, Name: name, Version: version})
	}
	events = []streams.Event{
		chassistest.Event(t, shop.Users, shop.UserRegistered, "u-1", 1, shop.User{ID: "u-1", Name: "Ada", Version: 1}),
		product(shop.ProductListed, "p-1", "Kettle", 1),
		product(shop.ProductListed, "p-2", "Lamp", 1),
	}
	want = shop.Purchases{UserID: "u-1", UserName: "Ada", Purchases: []shop.Order{}}
	for i := range 24 {
		o := shop.Order{ID: fmt.Sprintf("o-%02d", i), UserID: "u-1", ProductID: fmt.Sprintf("p-%d", i%3+1), ProductName: "as ordered",
			PriceCents: 100, Quantity: 2, Status: shop.Placed, PlacedAt: noon.Add(time.Duration(i) * time.Millisecond), Version: 1}
		events = append(events, chassistest.Event(t, shop.Orders, shop.OrderPlaced, o.ID, 1, o))
		if o.Version = 2; i%5 == 4 {
			o.Status, o.Reason = shop.Refused, "sold out"
			events = append(events, chassistest.Event(t, shop.Orders, shop.OrderRefused, o.ID, 2, o))
			continue
		}
		o.Status = shop.Confirmed
		events = append(events, chassistest.Event(t, shop.Orders, shop.OrderConfirmed, o.ID, 2, o))
		switch o.ProductID {
		case "p-1":
			o.ProductName = "Big kettle"
		case "p-2":
			o.ProductName = "Lamp"
		} // p-3 is not known
		want.Purchases = append(want.Purchases, o)
	}
	slices.Reverse(want.Purchases)
	want.Purchases = want.Purchases[:min(len(want.Purchases), shop.PurchasesShown)]
	events = append(events, product(shop.ProductChanged, "p-1", "Big kettle", 2))
	return events, want
}

// TestCopies: shuffled and doubled events make the same copies as ordered ones.
func TestCopies(t *testing.T) {
	bus := streamstest.Start(t)
	events, want := history(t)
	chassistest.InAnyOrder(t, events, func(t *testing.T, events []streams.Event) {
		bus.Wipe()
		url := start(t, storestest.Mongo(t), bus.URL(), nil)
		chassistest.Apply(t, bus.Client(), events)
		chassistest.Ready(t, url)
		var got shop.Purchases
		if status := chassistest.Get(url+"/copies/purchases/u-1", &got); status != http.StatusOK || !reflect.DeepEqual(got, want) {
			t.Errorf("%d %+v\nwant %+v", status, got, want)
		}
		var problem chassis.Problem
		status := chassistest.Get(url+"/copies/purchases/u-9", &problem)
		if status != http.StatusNotFound || problem.Detail != `unknown user "u-9"` {
			t.Errorf("an unknown user is %d %+v", status, problem)
		}
	})
}

// answers are users, orders and catalog in one server, as purchases sees them in one pattern.
func answers(pattern string) http.Handler {
	answer := func(w http.ResponseWriter, v any) { _ = chassis.WriteJSON(w, http.StatusOK, v) }
	mux := http.NewServeMux()
	mux.HandleFunc("GET /"+pattern+"/users/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == "u-9" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		answer(w, shop.User{ID: r.PathValue("id"), Name: "Ada"})
	})
	mux.HandleFunc("GET /"+pattern+"/orders", func(w http.ResponseWriter, r *http.Request) {
		list := []shop.Order{}
		if r.FormValue("user") == "u-1" && r.FormValue("limit") == strconv.Itoa(keepListed) {
			list = []shop.Order{
				{ID: "o-4", ProductID: "p-2", ProductName: "Old lamp", Status: shop.Confirmed},
				{ID: "o-3", ProductID: "p-3", Status: shop.Refused},
				{ID: "o-2", ProductID: "p-9", ProductName: "Gone", Status: shop.Placed},
				{ID: "o-1", ProductID: "p-2", ProductName: "Old lamp", Status: shop.Confirmed},
			}
		}
		answer(w, map[string]any{"orders": list})
	})
	mux.HandleFunc("GET /"+pattern+"/products", func(w http.ResponseWriter, r *http.Request) {
		answer(w, map[string]any{"products": []shop.Product{{ID: "p-2", Name: "Lamp"}}})
	})
	return mux
}

// all is what they tell of u-1.
var all = shop.Purchases{UserID: "u-1", UserName: "Ada", Purchases: []shop.Order{
	{ID: "o-4", ProductID: "p-2", ProductName: "Lamp", Status: shop.Confirmed},
	{ID: "o-2", ProductID: "p-9", ProductName: "Gone", Status: shop.Placed},
	{ID: "o-1", ProductID: "p-2", ProductName: "Lamp", Status: shop.Confirmed},
}}

// TestPeers: the peers' answers are joined, and the store and the bus need not be there.
func TestPeers(t *testing.T) {
	peer := httptest.NewServer(answers(chassis.Sync))
	defer peer.Close()
	nobody := "http://" + chassistest.Unused(t)
	for _, tt := range []struct {
		name, dead, user string
		status           int
		detail           string
		want             shop.Purchases
	}{
		{"all there", "", "u-1", http.StatusOK, "", all},
		{"no orders", "", "u-2", http.StatusOK, "",
			shop.Purchases{UserID: "u-2", UserName: "Ada", Purchases: []shop.Order{}}},
		{"unknown user", "", "u-9", http.StatusNotFound, `unknown user "u-9"`, shop.Purchases{}},
		{"unknown user and no orders service", shop.Orders, "u-9", http.StatusNotFound, `unknown user "u-9"`, shop.Purchases{}},
		{"users dead", shop.Users, "u-1", http.StatusBadGateway, "users refused the connection", shop.Purchases{}},
		{"orders dead", shop.Orders, "u-1", http.StatusBadGateway, "orders refused the connection", shop.Purchases{}},
		{"catalog dead, and nothing to name", shop.Catalog, "u-2", http.StatusBadGateway, "catalog refused the connection", shop.Purchases{}},
		{"catalog dead", shop.Catalog, "u-1", http.StatusBadGateway, "catalog refused the connection", shop.Purchases{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			peers := map[string]string{shop.Users: peer.URL, shop.Orders: peer.URL, shop.Catalog: peer.URL}
			if tt.dead != "" {
				peers[tt.dead] = nobody
			}
			url := start(t, "mongodb://"+chassistest.Unused(t), "redis://"+chassistest.Unused(t), peers)
			var got struct {
				shop.Purchases
				Detail string `json:"detail"`
			}
			status := chassistest.Get(url+"/sync/purchases/"+tt.user, &got)
			if status != tt.status || got.Detail != tt.detail || !reflect.DeepEqual(got.Purchases, tt.want) {
				t.Errorf("%d %+v", status, got)
			}
		})
	}
}

// TestBus: the same over the bus, where a dead peer is silent; the store need not be there.
func TestBus(t *testing.T) {
	owners := []string{shop.Users, shop.Orders, shop.Catalog}
	for _, tt := range []struct {
		name, dead, user string
		status           int
		detail           string
		want             shop.Purchases
	}{
		{"all there", "", "u-1", http.StatusOK, "", all},
		{"unknown user", "", "u-9", http.StatusNotFound, `unknown user "u-9"`, shop.Purchases{}},
		{"orders dead", shop.Orders, "u-1", http.StatusGatewayTimeout, "orders did not answer within 1 s", shop.Purchases{}},
		{"bus dead", "bus", "u-1", http.StatusBadGateway, "bus refused the connection", shop.Purchases{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bus := streamstest.Start(t)
			for _, owner := range owners {
				if owner != tt.dead {
					chassistest.BusPeer(t, bus.URL(), owner, answers(chassis.Bus))
				}
			}
			url := start(t, "mongodb://"+chassistest.Unused(t), bus.URL(), nil)
			if tt.dead == "bus" {
				bus.Kill()
			}
			var got struct {
				shop.Purchases
				Detail string `json:"detail"`
			}
			if tt.dead == "bus" { // a connection that it had before may be met while it dies
				chassistest.Eventually(t, "the bus refuses", func() bool {
					chassistest.Get(url+"/bus/purchases/"+tt.user, &got)
					return got.Detail == tt.detail
				})
			}
			begun := time.Now()
			status := chassistest.Get(url+"/bus/purchases/"+tt.user, &got)
			if status != tt.status || got.Detail != tt.detail || !reflect.DeepEqual(got.Purchases, tt.want) {
				t.Errorf("%d %+v", status, got)
			}
			if took := time.Since(begun); took > 2500*time.Millisecond {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestDeadStore: without its store the service lives, says so, and answers within its budget.
func TestDeadStore(t *testing.T) {
	url := start(t, "mongodb://"+chassistest.Unused(t)+"/shop", "redis://"+chassistest.Unused(t), nil)
	if status := chassistest.Get(url+"/readyz", nil); status != http.StatusServiceUnavailable {
		t.Errorf("readyz is %d", status)
	}
	begun := time.Now()
	var problem chassis.Problem
	status := chassistest.Get(url+"/copies/purchases/u-1", &problem)
	if status != http.StatusServiceUnavailable || problem.Detail != "its store does not answer" {
		t.Errorf("%d %+v", status, problem)
	}
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
}
