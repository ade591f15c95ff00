package purchases

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
)

// neighbours are the stores of users, orders and catalog, by node id, and services in one server that answer from the
// same data: u-1 has the orders, u-2 none.
func neighbours(t *testing.T, orders []shop.Order) (others, peers map[string]string) {
	t.Helper()
	others = map[string]string{"users-db": storestest.Postgres(t), "orders-db": storestest.Postgres(t), "catalog-db": storestest.Mongo(t)}
	storestest.ExecFile(t, others["users-db"], "../users/migrations/00001_users.sql")
	storestest.Exec(t, others["users-db"], "insert into users (id, name, email, version) select 'u-' || n, 'Ada', '', 1 "+
		"from generate_series(1, 2) n")
	storestest.ExecFile(t, others["orders-db"], "../orders/schema.sql")
	for _, o := range orders {
		storestest.Exec(t, others["orders-db"], "insert into orders (id, user_id, product_id, product_name, price_cents, quantity, "+
			"status, reason, placed_at, version) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			o.ID, o.UserID, o.ProductID, o.ProductName, o.PriceCents, o.Quantity, o.Status, o.Reason, o.PlacedAt, o.Version)
	}
	_, err := storestest.Database(t, others["catalog-db"]).Collection("products").InsertOne(t.Context(), bson.M{"_id": "p-2", "name": "Lamp",
		"category": "desk", "description": "", "price_cents": 100, "version": 2, "outbox": bson.A{bson.M{"id": "e", "event": "{}"}}})
	if err != nil {
		t.Fatal(err)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /sync/users/{id}", func(w http.ResponseWriter, r *http.Request) {
		if id := r.PathValue("id"); id == "u-1" || id == "u-2" {
			_ = chassis.WriteJSON(w, http.StatusOK, shop.User{ID: id, Name: "Ada"})
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	mux.HandleFunc("GET /sync/orders", func(w http.ResponseWriter, r *http.Request) {
		list := []shop.Order{}
		if r.FormValue("user") == "u-1" {
			list = orders
		}
		_ = chassis.WriteJSON(w, http.StatusOK, map[string]any{"orders": list})
	})
	mux.HandleFunc("GET /sync/products", func(w http.ResponseWriter, r *http.Request) {
		_ = chassis.WriteJSON(w, http.StatusOK, map[string]any{"products": []shop.Product{{ID: "p-2", Name: "Lamp"}}})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return others, map[string]string{shop.Users: server.URL, shop.Orders: server.URL, shop.Catalog: server.URL}
}

// startShared runs the service, which reaches into the stores of others, without its own and without the bus.
func startShared(t *testing.T, others, peers map[string]string) string {
	t.Helper()
	return chassistest.Start(t, chassis.Config{Name: "purchases", StoreURL: "mongodb://" + chassistest.Unused(t),
		BusURL: "redis://" + chassistest.Unused(t), Peers: peers, OtherStores: others}, Run)
}

// TestShared: the answers are those of the synchronous form over the same data, and the own store need not be there.
func TestShared(t *testing.T) {
	var orders []shop.Order // newest first, two of one moment among them
	for i := range 6 {
		o := shop.Order{ID: fmt.Sprint("o-", 9-i), UserID: "u-1", ProductID: fmt.Sprint("p-", i%2+1), ProductName: "as ordered", PriceCents: 100,
			Quantity: 2, Status: shop.Confirmed, PlacedAt: noon.Add(-time.Duration(i/2) * time.Millisecond), Version: 1}
		switch i {
		case 1:
			o.Status, o.Reason = shop.Refused, "sold out"
		case 2:
			o.Status = shop.Placed
		}
		orders = append(orders, o)
	}
	others, peers := neighbours(t, orders)
	url := startShared(t, others, peers)
	for user, want := range map[string]struct{ status, orders int }{
		"u-1": {http.StatusOK, 5}, "u-2": {http.StatusOK, 0}, "u-9": {http.StatusNotFound, 0}, "%00": {http.StatusNotFound, 0},
	} {
		var got, sync struct {
			shop.Purchases
			Detail string `json:"detail"`
		}
		status, of := chassistest.Get(url+"/shared/purchases/"+user, &got), chassistest.Get(url+"/sync/purchases/"+user, &sync)
		if status != want.status || len(got.Purchases.Purchases) != want.orders {
			t.Errorf("%s: %d %+v", user, status, got)
		}
		if status != of || !reflect.DeepEqual(got, sync) || got.Purchases.Purchases == nil != (status == http.StatusNotFound) {
			t.Errorf("%s: %d %+v\nsync %d %+v", user, status, got, of, sync)
		}
	}
}

// TestSharedWithoutStores: each of the stores is needed, also for a user without orders; the one that is missing is
// named, within about a second.
func TestSharedWithoutStores(t *testing.T) {
	there, _ := neighbours(t, nil)
	for _, missing := range chassistest.MissingStores(t, "purchases", there) {
		url := startShared(t, missing.Others, nil)
		began := time.Now()
		var p chassis.Problem
		status := chassistest.Get(url+"/shared/purchases/u-2", &p)
		missing.Check(t, status, p, time.Since(began))
	}
}

// TestSharedSchema: where an owner's schema has changed the answer is an error that names the field, never an empty name,
// and it is an answer again once the field is back.
func TestSharedSchema(t *testing.T) {
	others, _ := neighbours(t, nil)
	url := startShared(t, others, nil)
	products := storestest.Database(t, others["catalog-db"]).Collection("products")
	steps := []struct {
		name   string
		do     func()
		status int
		detail string
	}{
		{"before", func() {}, http.StatusOK, ""},
		{"catalog's has changed", func() { storestest.RenameField(t, products, "name", "title") }, http.StatusBadGateway, `catalog-db: product p-2 has no field "name"`},
		{"it is rolled back", func() { storestest.RenameField(t, products, "title", "name") }, http.StatusOK, ""},
		{"users' has changed", func() { storestest.Exec(t, others["users-db"], "alter table users rename name to given_name") }, http.StatusBadGateway,
			`users-db refused the request: column "name" does not exist`},
		{"it is rolled back", func() { storestest.Exec(t, others["users-db"], "alter table users rename given_name to name") }, http.StatusOK, ""},
	}
	for _, s := range steps {
		s.do()
		var got struct {
			UserName string `json:"user_name"`
			Detail   string `json:"detail"`
		}
		if status := chassistest.Get(url+"/shared/purchases/u-1", &got); status != s.status || got.Detail != s.detail || status == http.StatusOK && got.UserName != "Ada" {
			t.Errorf("%s: %d %+v", s.name, status, got)
		}
	}
}
