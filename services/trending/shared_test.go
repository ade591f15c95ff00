package trending

import (
	"context"
	"maps"
	"net"
	"net/http"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
)

// neighbours are the stores of orders and catalog, by node id, filled with what history tells: orders by order, products
// in their last version.
func neighbours(t *testing.T) (others map[string]string, want shop.TopSellers) {
	t.Helper()
	others = map[string]string{"orders-db": storestest.Postgres(t), "catalog-db": storestest.Mongo(t)}
	schema, err := os.ReadFile("../orders/schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), others["orders-db"])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(string(schema))
	products := storestest.Database(t, others["catalog-db"]).Collection("products")
	_, want = history()
	for i, n := range []int{2, 4, 3, 4, 1, 5} { // as in history
		id := "p-" + string(rune('1'+i))
		for status, n := range map[string]int{shop.Confirmed: n, shop.Refused: 9, shop.Placed: 9} {
			exec("insert into orders (id, user_id, product_id, product_name, price_cents, quantity, status, reason, placed_at, version) "+
				"select $1 || $2 || n, 'u-1', $1, 'as ordered', 100, 7, $2, '', now(), 1 from generate_series(1, $3::int) n", id, status, n)
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

// TestShared: the sellers are those that the other forms answer for the same orders, and the own store need not be there.
func TestShared(t *testing.T) {
	others, want := neighbours(t)
	url := startWith(t, chassis.Config{StoreURL: "redis://" + unused(t), BusURL: "redis://" + unused(t), OtherStores: others})
	var got shop.TopSellers
	if status := get(url+"/shared/top", &got); status != http.StatusOK || !reflect.DeepEqual(got, want) {
		t.Errorf("%d %+v\nwant %+v", status, got, want)
	}
	conn, err := pgx.Connect(t.Context(), others["orders-db"])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "delete from orders"); err != nil {
		t.Fatal(err)
	}
	if status := get(url+"/shared/top", &got); status != http.StatusOK || got.Sellers == nil || len(got.Sellers) != 0 {
		t.Errorf("nothing sold: %d %+v, want an empty list", status, got)
	}
	// A change of the owner's schema is the reader's failure.
	if _, err := conn.Exec(t.Context(), "alter table orders rename column product_id to sku"); err != nil {
		t.Fatal(err)
	}
	var p chassis.Problem
	if status := get(url+"/shared/top", &p); status != http.StatusBadGateway ||
		p.Detail != `orders-db refused the request: column "product_id" does not exist` {
		t.Errorf("another schema: %d %q", status, p.Detail)
	}
}

// TestSharedWithoutStores: both stores are needed; the one that is missing is named, within about a second.
func TestSharedWithoutStores(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	there, _ := neighbours(t)
	for node, scheme := range map[string]string{"orders-db": "postgres", "catalog-db": "mongodb"} {
		for address, want := range map[string]struct {
			status int
			detail string
		}{
			unused(t):              {http.StatusBadGateway, node + " refused the connection"},
			silent.Addr().String(): {http.StatusGatewayTimeout, node + " did not answer within 0.9 s"},
			"":                     {http.StatusServiceUnavailable, "trending has no address of " + node + "; give it one in STILLUP_OTHER_STORES"},
		} {
			others := maps.Clone(there)
			delete(others, node)
			if address != "" {
				others[node] = scheme + "://" + address + "/shop"
			}
			url := startWith(t, chassis.Config{StoreURL: "redis://" + unused(t), BusURL: "redis://" + unused(t), OtherStores: others})
			began := time.Now()
			var p chassis.Problem
			if status := get(url+"/shared/top", &p); status != want.status || p.Detail != want.detail {
				t.Errorf("%d %q, want %d %q", status, p.Detail, want.status, want.detail)
			}
			if took := time.Since(began); took > 1200*time.Millisecond {
				t.Errorf("%s: it took %v", want.detail, took)
			}
		}
	}
}
