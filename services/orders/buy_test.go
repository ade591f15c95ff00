package orders

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams/streamstest"
)

// peers are users, catalog and stock in one server, as orders sees them in one pattern.
type peers struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string // "METHOD path" of each request to stock
	stock func()   // runs before stock answers; may be nil
}

// newPeers runs them over HTTP and, in the pattern bus, over the bus.
func newPeers(t *testing.T, pattern, busURL string) *peers {
	p := &peers{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /"+pattern+"/users/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") != "u-1" {
			problem(w, chassis.Errorf(http.StatusNotFound, "unknown user"))
			return
		}
		_ = chassis.WriteJSON(w, http.StatusOK, shop.User{ID: "u-1", Name: "Ada", Version: 1})
	})
	mux.HandleFunc("GET /"+pattern+"/products/{id}", func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.PathValue("id"), "p-") {
			problem(w, chassis.Errorf(http.StatusNotFound, "unknown product"))
			return
		}
		_ = chassis.WriteJSON(w, http.StatusOK, shop.Product{ID: r.PathValue("id"), Name: "Moka pot", PriceCents: 300, Version: 1})
	})
	mux.HandleFunc("GET /"+pattern+"/products", func(w http.ResponseWriter, r *http.Request) {
		list := []shop.Product{}
		for id := range strings.SplitSeq(r.FormValue("ids"), ",") {
			if id != "p-3" { // catalog has not heard of it
				list = append(list, shop.Product{ID: id, Name: "name of " + id})
			}
		}
		_ = chassis.WriteJSON(w, http.StatusOK, map[string]any{"products": list})
	})
	mux.HandleFunc("/"+pattern+"/reservations", p.reservations)
	mux.HandleFunc("/"+pattern+"/reservations/{order}", p.reservations)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	if pattern == chassis.Bus {
		for _, name := range []string{"users", "catalog", "stock"} {
			chassistest.BusPeer(t, busURL, name, mux)
		}
	}
	return p
}

func (p *peers) reservations(w http.ResponseWriter, r *http.Request) {
	var in shop.Reservation
	_ = json.NewDecoder(r.Body).Decode(&in)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r.Method+" "+r.URL.Path)
	if p.stock != nil {
		p.stock()
	}
	if in.ProductID == "p-gone" {
		problem(w, chassis.Errorf(http.StatusConflict, "sold out"))
		return
	}
	_ = chassis.WriteJSON(w, http.StatusCreated, in)
}

// requests are those to stock since the last call.
func (p *peers) requests() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() { p.asked = nil }()
	return strings.Join(p.asked, ", ")
}

func (p *peers) beforeStock(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stock = do
}

func problem(w http.ResponseWriter, p *chassis.Problem) { _ = chassis.WriteJSON(w, p.Status, p) }

func (p *peers) addresses() map[string]string {
	return map[string]string{"users": p.URL, "catalog": p.URL, "stock": p.URL}
}

func TestSync(t *testing.T) { testPeers(t, chassis.Sync) }
func TestBus(t *testing.T)  { testPeers(t, chassis.Bus) }

// testPeers buys by asking the peers.
func testPeers(t *testing.T, pattern string) {
	server := streamstest.Start(t)
	store := storestest.Postgres(t)
	peers := newPeers(t, pattern, server.URL())
	addresses := peers.addresses()
	if pattern == chassis.Bus {
		addresses = nil
	}
	url := start(t, store, server.URL(), addresses)
	chassistest.Ready(t, url)
	buy := func(in shop.NewOrder, out any) int {
		return chassistest.Call(url, http.MethodPost, "/"+pattern+"/orders", in, out)
	}
	reserve, release := "POST /"+pattern+"/reservations", "DELETE /"+pattern+"/reservations/"

	var o, again shop.Order
	in := shop.NewOrder{ID: "o-1", UserID: "u-1", ProductID: "p-1", Quantity: 2}
	if status := buy(in, &o); status != http.StatusCreated {
		t.Fatalf("buy: %d", status)
	}
	want := shop.Order{ID: "o-1", UserID: "u-1", ProductID: "p-1", ProductName: "Moka pot", PriceCents: 300, Quantity: 2,
		Status: shop.Confirmed, PlacedAt: o.PlacedAt, Version: 1}
	if o != want {
		t.Errorf("bought %+v, want %+v", o, want)
	}
	if got := peers.requests(); got != reserve {
		t.Errorf("stock was asked %q", got)
	}
	if status := buy(in, &again); status != http.StatusOK || again != o {
		t.Errorf("same id again: %d %+v", status, again)
	}

	for _, c := range []struct {
		name   string
		in     any
		status int
		detail string
		stock  string
	}{
		{"unknown user", shop.NewOrder{ID: "o-2", UserID: "nobody", ProductID: "p-1", Quantity: 1}, http.StatusNotFound, `unknown user "nobody"`, ""},
		{"unknown product", shop.NewOrder{ID: "o-2", UserID: "u-1", ProductID: "nothing", Quantity: 1}, http.StatusNotFound, `unknown product "nothing"`, ""},
		{"sold out", shop.NewOrder{ID: "o-3", UserID: "u-1", ProductID: "p-gone", Quantity: 1}, http.StatusConflict, "p-gone: sold out", reserve},
		{"no quantity", shop.NewOrder{ID: "o-2", UserID: "u-1", ProductID: "p-1"}, http.StatusBadRequest, "quantity: a number from 1 to 100", ""},
		{"unknown field", `{"quantity": 1, "colour": "red"}`, http.StatusBadRequest, `the body cannot be read: json: unknown field "colour"`, ""},
	} {
		var p chassis.Problem
		if status := chassistest.Call(url, http.MethodPost, "/"+pattern+"/orders", c.in, &p); status != c.status || p.Detail != c.detail {
			t.Errorf("%s: %d %q, want %d %q", c.name, status, p.Detail, c.status, c.detail)
		}
		if got := peers.requests(); got != c.stock {
			t.Errorf("%s: stock was asked %q, want %q", c.name, got, c.stock)
		}
	}
	if chassistest.Get(url+"/"+pattern+"/orders/o-3", &o); o.Status != shop.Refused || o.Reason != "sold out" || o.Version != 1 {
		t.Errorf("the sold-out order is kept as %+v", o)
	}
	wantTold(t, server.Client(), "order.confirmed.v1 o-1 1 ", "order.refused.v1 o-3 1 sold out")

	t.Run("a reservation whose order cannot be stored is given back", func(t *testing.T) {
		conn, err := pgx.Connect(t.Context(), store)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		rename := func(from, to string) {
			if _, err := conn.Exec(context.Background(), "alter table "+from+" rename to "+to); err != nil {
				t.Error(err)
			}
		}
		peers.beforeStock(func() { rename("orders", "hidden"); peers.stock = nil })
		status := buy(shop.NewOrder{ID: "o-4", UserID: "u-1", ProductID: "p-1", Quantity: 1}, nil)
		rename("hidden", "orders")
		if status != http.StatusInternalServerError {
			t.Errorf("buy: %d, want 500", status)
		}
		if got := peers.requests(); got != reserve+", "+release+"o-4" {
			t.Errorf("stock was asked %q", got)
		}
	})
}

// TestSyncWithoutPeers: a peer that refuses the connection is named to the caller.
func TestSyncWithoutPeers(t *testing.T) {
	server := streamstest.Start(t)
	peers := newPeers(t, chassis.Sync, "")
	gone := httptest.NewServer(nil)
	gone.Close()
	addresses := peers.addresses()
	addresses["catalog"] = gone.URL
	url := start(t, storestest.Postgres(t), server.URL(), addresses)
	chassistest.Ready(t, url)
	var p chassis.Problem
	status := chassistest.Call(url, http.MethodPost, "/sync/orders", shop.NewOrder{UserID: "u-1", ProductID: "p-1", Quantity: 1}, &p)
	if status != http.StatusBadGateway || p.Detail != "catalog refused the connection" {
		t.Errorf("buy without catalog: %d %q", status, p.Detail)
	}
	if got := peers.requests(); got != "" {
		t.Errorf("stock was asked %q before the product was known", got)
	}
}

// TestBusWithoutPeers: a peer that is dead is known by its silence alone, and a dead bus at once.
func TestBusWithoutPeers(t *testing.T) {
	server := streamstest.Start(t)
	chassistest.BusPeer(t, server.URL(), "users", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = chassis.WriteJSON(w, http.StatusOK, shop.User{ID: "u-1"})
	}))
	url := start(t, storestest.Postgres(t), server.URL(), nil)
	chassistest.Ready(t, url)
	buy := func() (p chassis.Problem, took time.Duration) {
		begun := time.Now()
		chassistest.Call(url, http.MethodPost, "/bus/orders", shop.NewOrder{UserID: "u-1", ProductID: "p-1", Quantity: 1}, &p)
		return p, time.Since(begun)
	}
	p, took := buy()
	if p.Status != http.StatusGatewayTimeout || p.Detail != "catalog did not answer within 1 s" || took > 2500*time.Millisecond {
		t.Errorf("without catalog: %+v after %v", p, took)
	}
	server.Kill()
	p, took = buy()
	if p.Status != http.StatusBadGateway || p.Detail != "bus refused the connection" || took > 900*time.Millisecond {
		t.Errorf("without the bus: %+v after %v", p, took)
	}
}

func TestSales(t *testing.T) {
	for _, pattern := range []string{chassis.Sync, chassis.Bus} {
		t.Run(pattern, func(t *testing.T) { testSales(t, pattern) })
	}
}

func testSales(t *testing.T, pattern string) {
	server := streamstest.Start(t)
	url := start(t, storestest.Postgres(t), server.URL(), newPeers(t, pattern, server.URL()).addresses())
	chassistest.Ready(t, url)
	top := func() (top shop.TopSellers) {
		t.Helper()
		if status := chassistest.Get(url+"/"+pattern+"/sales", &top); status != http.StatusOK {
			t.Errorf("sales: %d", status)
		}
		return top
	}
	if got := top(); got.Sellers == nil || len(got.Sellers) != 0 {
		t.Errorf("sales of nothing: %+v, want an empty list", got)
	}
	for product, orders := range map[string]int{"p-1": 1, "p-2": 2, "p-3": 3, "p-4": 2, "p-5": 1, "p-6": 1, "p-gone": 3} {
		for range orders {
			chassistest.Call(url, http.MethodPost, "/"+pattern+"/orders", shop.NewOrder{UserID: "u-1", ProductID: product, Quantity: 9}, nil)
		}
	}
	want := []shop.Seller{{ProductID: "p-3", Orders: 3}, {ProductID: "p-2", ProductName: "name of p-2", Orders: 2},
		{ProductID: "p-4", ProductName: "name of p-4", Orders: 2}, {ProductID: "p-1", ProductName: "name of p-1", Orders: 1},
		{ProductID: "p-5", ProductName: "name of p-5", Orders: 1}}
	got := top().Sellers
	if len(got) != len(want) {
		t.Fatalf("sales: %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("seller %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}
