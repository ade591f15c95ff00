package trending

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// start runs the service until the test ends and returns its address.
func start(t *testing.T, storeURL, busURL string, peers map[string]string) string {
	t.Helper()
	return chassistest.Start(t, chassis.Config{Name: "trending", StoreURL: storeURL, BusURL: busURL, Peers: peers}, Run)
}

// history is what happened, in order, and what sells best then: six products sell, the least of them is not shown, and
// two sell as well as each other.
func history(t *testing.T) (events []streams.Event, want shop.TopSellers) {
	t.Helper()
	for _, id := range []string{"p-1", "p-2", "p-3", "p-4", "p-5"} { // p-6 is not known
		events = append(events, chassistest.Event(t, shop.Catalog, shop.ProductListed, id, 1, shop.Product{ID: id, Name: "Old " + id}))
	}
	for i, n := range []int{2, 4, 3, 4, 1, 5} {
		product := fmt.Sprintf("p-%d", i+1)
		for k := range n {
			o := shop.Order{ID: fmt.Sprintf("o-%d-%d", i, k), ProductID: product, Status: shop.Placed}
			events = append(events, chassistest.Event(t, shop.Orders, shop.OrderPlaced, o.ID, 1, o))
			o.Status = shop.Confirmed
			events = append(events, chassistest.Event(t, shop.Orders, shop.OrderConfirmed, o.ID, 2, o))
		}
		refused := shop.Order{ID: fmt.Sprintf("r-%d", i), ProductID: product, Status: shop.Refused}
		events = append(events, chassistest.Event(t, shop.Orders, shop.OrderRefused, refused.ID, 2, refused))
	}
	events = append(events, chassistest.Event(t, shop.Catalog, shop.ProductChanged, "p-2", 2, shop.Product{ID: "p-2", Name: "New p-2"}))
	return events, shop.TopSellers{Sellers: []shop.Seller{
		{ProductID: "p-6", Orders: 5},
		{ProductID: "p-2", ProductName: "New p-2", Orders: 4},
		{ProductID: "p-4", ProductName: "Old p-4", Orders: 4},
		{ProductID: "p-3", ProductName: "Old p-3", Orders: 3},
		{ProductID: "p-1", ProductName: "Old p-1", Orders: 2},
	}}
}

// TestCopies: each confirmed order counts once, however often and in which order the events come.
func TestCopies(t *testing.T) {
	bus := streamstest.Start(t)
	events, want := history(t)
	chassistest.InAnyOrder(t, events, func(t *testing.T, events []streams.Event) {
		bus.Wipe()
		url := start(t, storestest.Redis(t), bus.URL(), nil)
		chassistest.Apply(t, bus.Client(), events)
		var got shop.TopSellers
		if status := chassistest.Get(url+"/copies/top", &got); status != http.StatusOK || !reflect.DeepEqual(got, want) {
			t.Errorf("%d %+v\nwant %+v", status, got, want)
		}
	})
}

// TestNothingSold: before the first order the list is empty, not null.
func TestNothingSold(t *testing.T) {
	url := start(t, storestest.Redis(t), "redis://"+chassistest.Unused(t), nil)
	var got shop.TopSellers
	if status := chassistest.Get(url+"/copies/top", &got); status != http.StatusOK || got.Sellers == nil || len(got.Sellers) != 0 {
		t.Errorf("%d %+v", status, got)
	}
}

// TestArchived: an order that its owner has dropped counts no more, once, and neither it nor an older one counts again; a
// product without orders is no seller.
func TestArchived(t *testing.T) {
	rdb, err := streams.Open(storestest.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	k, at := ranking{rdb}, func(ms int64) time.Time { return time.UnixMilli(ms) }
	for _, step := range []struct {
		do    func(ctx context.Context, order, product string, placed time.Time) error
		order string
		ms    int64
		want  []shop.Seller
	}{
		{k.count, "a", 10, []shop.Seller{{ProductID: "p-1", Orders: 1}}},
		{k.count, "b", 20, []shop.Seller{{ProductID: "p-1", Orders: 2}}},
		{k.count, "b", 20, []shop.Seller{{ProductID: "p-1", Orders: 2}}},
		{k.archive, "a", 10, []shop.Seller{{ProductID: "p-1", Orders: 1}}},
		{k.archive, "a", 10, []shop.Seller{{ProductID: "p-1", Orders: 1}}},
		{k.count, "a", 10, []shop.Seller{{ProductID: "p-1", Orders: 1}}},
		{k.count, "z", 9, []shop.Seller{{ProductID: "p-1", Orders: 1}}}, // of before, and told of late
		{k.archive, "b", 20, []shop.Seller{}},
		{k.archive, "a", 10, []shop.Seller{}},
		{k.count, "b", 20, []shop.Seller{}},
		{k.count, "c", 30, []shop.Seller{{ProductID: "p-1", Orders: 1}}},
	} {
		if err := step.do(t.Context(), step.order, "p-1", at(step.ms)); err != nil {
			t.Fatal(err)
		}
		if top, err := k.best(t.Context(), shown); err != nil || !slices.Equal(top.Sellers, step.want) {
			t.Errorf("after %s of %d: %+v, %v, want %+v", step.order, step.ms, top.Sellers, err, step.want)
		}
	}
}

// TestPeers: orders' answer is handed on, and the store and the bus need not be there.
func TestPeers(t *testing.T) {
	sales := shop.TopSellers{Sellers: []shop.Seller{{ProductID: "p-1", ProductName: "Kettle", Orders: 3}}}
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/sync/sales" {
			t.Errorf("orders was asked %s %s", r.Method, r.URL)
		}
		_ = chassis.WriteJSON(w, http.StatusOK, sales)
	}))
	defer peer.Close()
	ill := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "away", http.StatusServiceUnavailable)
	}))
	defer ill.Close()
	for _, tt := range []struct {
		name, orders string
		status       int
		detail       string
		want         shop.TopSellers
	}{
		{"there", peer.URL, http.StatusOK, "", sales},
		{"dead", "http://" + chassistest.Unused(t), http.StatusBadGateway, "orders refused the connection", shop.TopSellers{}},
		{"ill", ill.URL, http.StatusBadGateway, "orders answered 503", shop.TopSellers{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := start(t, "redis://"+chassistest.Unused(t), "redis://"+chassistest.Unused(t), map[string]string{shop.Orders: tt.orders})
			var got struct {
				shop.TopSellers
				Detail string `json:"detail"`
			}
			status := chassistest.Get(url+"/sync/top", &got)
			if status != tt.status || got.Detail != tt.detail || !reflect.DeepEqual(got.TopSellers, tt.want) {
				t.Errorf("%d %+v", status, got)
			}
		})
	}
}

// TestBus: over the bus orders asks catalog, so the chain is three deep; whoever is silent at its end is named.
func TestBus(t *testing.T) {
	sales := shop.TopSellers{Sellers: []shop.Seller{{ProductID: "p-1", ProductName: "Kettle", Orders: 3}}}
	for _, tt := range []struct {
		name   string
		orders http.HandlerFunc // nil: it is dead
		status int
		detail string
		want   shop.TopSellers
	}{
		{"there", func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || r.URL.Path != "/bus/sales" {
				t.Errorf("orders was asked %s %s", r.Method, r.URL)
			}
			_ = chassis.WriteJSON(w, http.StatusOK, sales)
		}, http.StatusOK, "", sales},
		{"dead", nil, http.StatusGatewayTimeout, "orders did not answer within 1 s", shop.TopSellers{}},
		{"let down", func(w http.ResponseWriter, _ *http.Request) {
			_ = chassis.WriteJSON(w, http.StatusGatewayTimeout, chassis.Errorf(http.StatusGatewayTimeout, "catalog did not answer within 0.95 s"))
		}, http.StatusBadGateway, "catalog did not answer within 0.95 s, so orders answered 504", shop.TopSellers{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bus := streamstest.Start(t)
			if tt.orders != nil {
				chassistest.BusPeer(t, bus.URL(), shop.Orders, tt.orders)
			}
			url := start(t, "redis://"+chassistest.Unused(t), bus.URL(), nil)
			var got struct {
				shop.TopSellers
				Detail string `json:"detail"`
			}
			status := chassistest.Get(url+"/bus/top", &got)
			if status != tt.status || got.Detail != tt.detail || !reflect.DeepEqual(got.TopSellers, tt.want) {
				t.Errorf("%d %+v", status, got)
			}
		})
	}
}

// TestDeadStore: without its store the service lives, says so, and answers within its budget.
func TestDeadStore(t *testing.T) {
	url := start(t, "redis://"+chassistest.Unused(t), "redis://"+chassistest.Unused(t), nil)
	if status := chassistest.Get(url+"/readyz", nil); status != http.StatusServiceUnavailable {
		t.Errorf("readyz is %d", status)
	}
	begun := time.Now()
	var problem chassis.Problem
	status := chassistest.Get(url+"/copies/top", &problem)
	if status != http.StatusServiceUnavailable || problem.Detail != "its store does not answer" {
		t.Errorf("%d %+v", status, problem)
	}
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestPausedStore: a store that is there and silent is told within the second.
func TestPausedStore(t *testing.T) {
	store := streamstest.Start(t)
	url := start(t, store.URL(), "redis://"+chassistest.Unused(t), nil)
	chassistest.Eventually(t, "it answers", func() bool { return chassistest.Get(url+"/copies/top", nil) == http.StatusOK })
	store.Pause()
	begun := time.Now()
	var problem chassis.Problem
	status := chassistest.Get(url+"/copies/top", &problem)
	if status != http.StatusServiceUnavailable || problem.Detail != "its store does not answer" {
		t.Errorf("%d %+v", status, problem)
	}
	if took := time.Since(begun); took > 2500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	store.Resume()
	chassistest.Eventually(t, "it answers again", func() bool { return chassistest.Get(url+"/copies/top", nil) == http.StatusOK })
}
