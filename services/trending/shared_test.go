package trending

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
)

// neighbours are the stores of orders and catalog, by node id, filled with what history tells: orders by order, products
// in their last version.
func neighbours(t *testing.T) (others map[string]string, want shop.TopSellers) {
	t.Helper()
	others = map[string]string{"orders-db": storestest.Postgres(t), "catalog-db": storestest.Mongo(t)}
	storestest.ExecFile(t, others["orders-db"], "../orders/schema.sql")
	products := storestest.Database(t, others["catalog-db"]).Collection("products")
	_, want = history(t)
	for i, n := range []int{2, 4, 3, 4, 1, 5} { // as in history
		id := "p-" + string(rune('1'+i))
		for status, n := range map[string]int{shop.Confirmed: n, shop.Refused: 9, shop.Placed: 9} {
			storestest.Exec(t, others["orders-db"], "insert into orders (id, user_id, product_id, product_name, price_cents, quantity, "+
				"status, reason, placed_at, version) select $1 || $2 || n, 'u-1', $1, 'as ordered', 100, 7, $2, '', now(), 1 "+
				"from generate_series(1, $3::int) n", id, status, n)
		}
		name := "Old " + id
		switch id {
		case "p-2":
			name = "New " + id
		case "p-6":
			continue // catalog has not heard of it
		}
		_, err := products.InsertOne(t.Context(), bson.M{"_id": id, "name": name, "category": "desk", "description": "", "price_cents": 100,
			"version": 1, "outbox": bson.A{bson.M{"id": "e", "event": "{}"}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return others, want
}

// startShared runs the service, which reaches into the stores of others, without its own and without the bus.
func startShared(t *testing.T, others map[string]string) string {
	t.Helper()
	return chassistest.Start(t, chassis.Config{Name: "trending", StoreURL: "redis://" + chassistest.Unused(t),
		BusURL: "redis://" + chassistest.Unused(t), OtherStores: others}, Run)
}

// TestShared: the sellers are those that the other forms answer for the same orders, and the own store need not be there.
func TestShared(t *testing.T) {
	others, want := neighbours(t)
	url := startShared(t, others)
	var got shop.TopSellers
	if status := chassistest.Get(url+"/shared/top", &got); status != http.StatusOK || !reflect.DeepEqual(got, want) {
		t.Errorf("%d %+v\nwant %+v", status, got, want)
	}
	storestest.Exec(t, others["orders-db"], "delete from orders")
	if status := chassistest.Get(url+"/shared/top", &got); status != http.StatusOK || got.Sellers == nil || len(got.Sellers) != 0 {
		t.Errorf("nothing sold: %d %+v, want an empty list", status, got)
	}
	// A change of the owner's schema is the reader's failure.
	storestest.Exec(t, others["orders-db"], "alter table orders rename column product_id to sku")
	var p chassis.Problem
	if status := chassistest.Get(url+"/shared/top", &p); status != http.StatusBadGateway ||
		p.Detail != `orders-db refused the request: column "product_id" does not exist` {
		t.Errorf("another schema: %d %q", status, p.Detail)
	}
}

// TestSharedWithoutStores: both stores are needed; the one that is missing is named, within about a second.
func TestSharedWithoutStores(t *testing.T) {
	there, _ := neighbours(t)
	for _, missing := range chassistest.MissingStores(t, "trending", there) {
		url := startShared(t, missing.Others)
		began := time.Now()
		var p chassis.Problem
		status := chassistest.Get(url+"/shared/top", &p)
		missing.Check(t, status, p, time.Since(began))
	}
}

// TestSharedSchema: where catalog's schema has changed the answer is an error that names the field, never an empty name,
// and it is an answer again once the field is back.
func TestSharedSchema(t *testing.T) {
	others, want := neighbours(t)
	url := startShared(t, others)
	products := storestest.Database(t, others["catalog-db"]).Collection("products")
	storestest.RenameField(t, products, "name", "title")
	var p chassis.Problem
	if status := chassistest.Get(url+"/shared/top", &p); status != http.StatusBadGateway || p.Detail != `catalog-db: product p-1 has no field "name"` {
		t.Errorf("another schema: %d %q", status, p.Detail)
	}
	storestest.RenameField(t, products, "title", "name")
	var got shop.TopSellers
	if status := chassistest.Get(url+"/shared/top", &got); status != http.StatusOK || !reflect.DeepEqual(got, want) {
		t.Errorf("rolled back: %d %+v\nwant %+v", status, got, want)
	}
}
