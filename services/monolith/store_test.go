package monolith

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
)

// requests is one of each route, none of which its own body or path fails.
var requests = []struct{ method, path, body string }{
	{"POST", "/users", `{"name": "Ada", "email": "ada@example.com"}`},
	{"GET", "/users/u-001", ""},
	{"GET", "/products", ""},
	{"GET", "/products?ids=p-01", ""},
	{"GET", "/products/p-01", ""},
	{"PUT", "/products/p-01/price", `{"price_cents": 5}`},
	{"GET", "/stock/p-01", ""},
	{"POST", "/orders", `{"user_id": "u-001", "product_id": "p-01", "quantity": 1}`},
	{"GET", "/orders?user=u-001", ""},
	{"GET", "/orders/o-1", ""},
	{"GET", "/purchases/u-001", ""},
	{"GET", "/top", ""},
}

// unavailable sends every request at once and wants 503 to each, in words, within a second or so.
func unavailable(t *testing.T, url, detail string) {
	t.Helper()
	var wg sync.WaitGroup
	for _, r := range requests {
		wg.Go(func() {
			began := time.Now()
			var p chassis.Problem
			status := chassistest.Call(url, r.method, "/monolith"+r.path, r.body, &p)
			took := time.Since(began)
			if status != http.StatusServiceUnavailable || p.Detail != detail || took > 3000*time.Millisecond {
				t.Errorf("%s %s: %d %q after %v, want 503 %q", r.method, r.path, status, p.Detail, took, detail)
			}
		})
	}
	wg.Wait()
}

// TestDeadStore: it starts without its store, lives and says so, and goes on by itself when the store comes and comes back.
func TestDeadStore(t *testing.T) {
	server := storestest.Start(t, stores.Postgres)
	server.Kill()
	url := start(t, server.URL)
	buy := func(id string) int {
		return chassistest.Call(url, http.MethodPost, "/monolith/orders", shop.NewOrder{ID: id, UserID: "u-001", ProductID: "p-01", Quantity: 1}, nil)
	}
	dead := func(detail string) {
		t.Helper()
		chassistest.NotReady(t, url)
		unavailable(t, url, detail)
		if status := chassistest.Get(url+"/healthz", nil); status != http.StatusOK {
			t.Errorf("healthz with a dead store: %d, want 200", status)
		}
	}
	dead("its store has not answered yet")
	server.Start(t)
	chassistest.Ready(t, url)
	if status := buy("o-1"); status != http.StatusCreated {
		t.Errorf("buy: %d", status)
	}
	server.Kill()
	dead("its store does not answer")
	server.Start(t)
	chassistest.Eventually(t, "an order is placed again", func() bool { return buy("o-2") == http.StatusCreated })
	if l := level(t, url); l.Reserved != 2 {
		t.Errorf("%+v, want 2 reserved", l)
	}
}

// TestSilentStore: a database that is there and does not answer is told to every caller within a second.
func TestSilentStore(t *testing.T) {
	silent := "postgres://shop@" + chassistest.Silent(t) + "/shop?sslmode=disable"
	url := startWith(t, silent, func(s *store) { s.made.Store(true) }) // it answered once
	unavailable(t, url, "its store does not answer")
}

// TestLeftTransaction: a transaction whose client went silent in its midst does not hold its product for ever.
func TestLeftTransaction(t *testing.T) {
	var s *store
	url := startWith(t, storestest.Postgres(t), func(made *store) { s = made })
	chassistest.Ready(t, url)
	tx, err := s.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), "select from stock where product_id = 'p-01' for update"); err != nil {
		t.Fatal(err)
	}
	buy := func() int {
		return chassistest.Call(url, http.MethodPost, "/monolith/orders", shop.NewOrder{UserID: "u-001", ProductID: "p-01", Quantity: 1}, nil)
	}
	if status := buy(); status != http.StatusServiceUnavailable {
		t.Errorf("buy what another holds: %d, want 503", status)
	}
	chassistest.Eventually(t, "it can be bought", func() bool { return buy() == http.StatusCreated })
	if l := level(t, url); l.Reserved != 1 {
		t.Errorf("%+v, want 1 reserved", l)
	}
}

// TestForeignKeys: the database itself takes no order of nobody or for nothing.
func TestForeignKeys(t *testing.T) {
	var s *store
	url := startWith(t, storestest.Postgres(t), func(made *store) { s = made })
	chassistest.Ready(t, url)
	for _, c := range []struct{ user, product, want string }{
		{"nobody", "p-01", "orders_user_id_fkey"},
		{"u-001", "nothing", "orders_product_id_fkey"},
		{"u-001", "p-01", ""},
	} {
		_, err := s.pool.Exec(t.Context(), "insert into orders values ('o-1', $1, $2, '', 1, 1, 'confirmed', '', now(), 1)", c.user, c.product)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("order of %s for %s: %v, want %q", c.user, c.product, err, c.want)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, address := range []string{"postgres://%zz", "redis://127.0.0.1:1"} {
		cfg := chassis.Config{Name: "monolith", Addr: "127.0.0.1:0", StoreURL: address, Log: slog.New(slog.DiscardHandler)}
		if err := Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "address of its store") {
			t.Errorf("%q was taken: %v", address, err)
		}
	}
}
