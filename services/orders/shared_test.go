package orders

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// neighbours are the stores of users, catalog and stock, by node id, filled with what newPeers answers: one user, and the
// products p-1, of which there are ten, and p-gone.
func neighbours(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{"users-db": storestest.Postgres(t), "catalog-db": storestest.Mongo(t), "stock-db": storestest.Redis(t)}
	storestest.ExecFile(t, all["users-db"], "../users/migrations/00001_users.sql")
	storestest.Exec(t, all["users-db"], "insert into users (id, name, email, version) values ('u-1', 'Ada', 'ada@example.com', 1)")
	products := storestest.Database(t, all["catalog-db"]).Collection("products")
	for _, id := range []string{"p-1", "p-gone", "p-new"} {
		_, err := products.InsertOne(t.Context(), bson.M{"_id": id, "name": "Moka pot", "category": "kitchen", "description": "",
			"price_cents": 300, "version": 1, "outbox": bson.A{bson.M{"id": "e", "event": "{}"}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	fill(t, all["stock-db"])
	return all
}

// fill puts on the shelf of stock's store at url what there is of the products.
func fill(t *testing.T, url string) *redis.Client {
	t.Helper()
	rdb := stockAt(t, url)
	for product, units := range map[string]int{"p-1": 10, "p-gone": 0} {
		if err := rdb.HSet(t.Context(), "level:"+product, "level", units, "reserved", 0, "delivered", units, "version", 1).Err(); err != nil {
			t.Fatal(err)
		}
	}
	return rdb
}

func stockAt(t *testing.T, url string) *redis.Client {
	t.Helper()
	rdb, err := streams.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rdb.Close() })
	return rdb
}

func source(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// reserveAsStock runs stock's own script; no delivery comes.
func reserveAsStock(t *testing.T, rdb *redis.Client, order, product string, units int) string {
	t.Helper()
	plain, err := json.Marshal(shop.Reservation{OrderID: order, ProductID: product, Quantity: int64(units)})
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{"level:" + product, "reservations", "reservations:orders", "outbox"}
	res, err := redis.NewScript(string(source(t, "../stock/reserve.lua"))).Run(t.Context(), rdb, keys,
		order, product, units, plain, 200_000, "{", "{", 0, 0, "{").Slice()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%v %v", res...)
}

// startShared runs the service, which reaches into the stores of others and may ask peers.
func startShared(t *testing.T, own, busURL string, peers, others map[string]string) string {
	t.Helper()
	return chassistest.Start(t, chassis.Config{Name: "orders", StoreURL: own, BusURL: busURL, Peers: peers, OtherStores: others}, Run)
}

// TestShared: what is answered and kept is what the synchronous form answers and keeps over the same data.
func TestShared(t *testing.T) {
	server := streamstest.Start(t)
	own, others := storestest.Postgres(t), neighbours(t)
	url := startShared(t, own, server.URL(), newPeers(t, chassis.Sync, server.URL()).addresses(), others)
	chassistest.Ready(t, url)
	for _, c := range []struct {
		name   string
		in     shop.NewOrder // its id ends so
		status int
	}{
		{"buy", shop.NewOrder{ID: "1", UserID: "u-1", ProductID: "p-1", Quantity: 2}, http.StatusCreated},
		{"same id again", shop.NewOrder{ID: "1", UserID: "u-1", ProductID: "p-1", Quantity: 2}, http.StatusOK},
		{"buy more", shop.NewOrder{ID: "2", UserID: "u-1", ProductID: "p-1", Quantity: 1}, http.StatusCreated},
		{"unknown user", shop.NewOrder{ID: "3", UserID: "nobody", ProductID: "p-1", Quantity: 1}, http.StatusNotFound},
		{"unknown product", shop.NewOrder{ID: "3", UserID: "u-1", ProductID: "nothing", Quantity: 1}, http.StatusNotFound},
		{"sold out", shop.NewOrder{ID: "4", UserID: "u-1", ProductID: "p-gone", Quantity: 1}, http.StatusConflict},
		{"sold out again", shop.NewOrder{ID: "4", UserID: "u-1", ProductID: "p-gone", Quantity: 1}, http.StatusOK},
		{"no quantity", shop.NewOrder{ID: "5", UserID: "u-1", ProductID: "p-1"}, http.StatusBadRequest},
	} {
		got := map[string]string{} // answer and what is kept, by pattern
		for _, pattern := range []string{chassis.Sync, chassis.Shared} {
			in := c.in
			in.ID = pattern + "-" + in.ID
			var answer, kept map[string]any
			if status := chassistest.Call(url, http.MethodPost, "/"+pattern+"/orders", in, &answer); status != c.status {
				t.Errorf("%s, %s: %d, want %d", c.name, pattern, status, c.status)
			}
			keptAs := chassistest.Get(url+"/sync/orders/"+in.ID, &kept)
			delete(answer, "placed_at")
			delete(kept, "placed_at")
			got[pattern] = strings.ReplaceAll(fmt.Sprint(answer, keptAs, kept), pattern+"-", "")
		}
		if got[chassis.Shared] != got[chassis.Sync] {
			t.Errorf("%s: shared %s\nsync %s", c.name, got[chassis.Shared], got[chassis.Sync])
		}
	}
	var p chassis.Problem
	in := shop.NewOrder{ID: "shared-6", UserID: "u-1", ProductID: "p-new", Quantity: 1}
	status := chassistest.Call(url, http.MethodPost, "/shared/orders", in, &p)
	if status != http.StatusBadGateway || p.Detail != `stock-db holds no level of product "p-new"` {
		t.Errorf("a product that is not on the shelf: %d %q", status, p.Detail)
	}
	wantTold(t, server.Client(), "order.confirmed.v1 sync-1 1 ", "order.confirmed.v1 shared-1 1 ", "order.confirmed.v1 sync-2 1 ",
		"order.confirmed.v1 shared-2 1 ", "order.refused.v1 sync-4 1 sold out", "order.refused.v1 shared-4 1 sold out")

	// Stock's store is left as stock's own script leaves it, the events apart.
	want, got := fill(t, storestest.Redis(t)), stockAt(t, others["stock-db"])
	reserveAsStock(t, want, "shared-1", "p-1", 2)
	reserveAsStock(t, want, "shared-2", "p-1", 1)
	reserveAsStock(t, want, "shared-4", "p-gone", 1)
	wantSameStock(t, got, want)
	if n := got.Exists(t.Context(), "outbox").Val(); n != 0 {
		t.Error("an event was written for stock to tell")
	}
	if state := reserveAsStock(t, got, "shared-1", "p-1", 2); state != "reserved 0" {
		t.Errorf("stock takes the reservation for %q", state)
	}

	t.Run("a reservation whose order cannot be stored is given back", func(t *testing.T) {
		storestest.Exec(t, own, "alter table orders add check (id <> 'shared-7')")
		status := chassistest.Call(url, http.MethodPost, "/shared/orders", shop.NewOrder{ID: "shared-7", UserID: "u-1", ProductID: "p-1", Quantity: 3}, nil)
		if status != http.StatusInternalServerError {
			t.Errorf("buy: %d, want 500", status)
		}
		reserveAsStock(t, want, "shared-7", "p-1", 3)
		release := redis.NewScript(string(source(t, "../stock/release.lua")))
		if err := release.Run(t.Context(), want, []string{"reservations", "outbox"}, "shared-7", "level:", "{").Err(); err != nil {
			t.Fatal(err)
		}
		wantSameStock(t, got, want)
	})
}

// wantSameStock compares what two stores of stock hold of p-1 and of all reservations.
func wantSameStock(t *testing.T, got, want *redis.Client) {
	t.Helper()
	for _, key := range []string{"level:p-1", "reservations"} {
		g, w := got.HGetAll(t.Context(), key).Val(), want.HGetAll(t.Context(), key).Val()
		if !maps.Equal(g, w) || len(w) == 0 {
			t.Errorf("%s is %v, want %v", key, g, w)
		}
	}
	g, w := got.LRange(t.Context(), "reservations:orders", 0, -1).Val(), want.LRange(t.Context(), "reservations:orders", 0, -1).Val()
	if !reflect.DeepEqual(g, w) {
		t.Errorf("orders %v, want %v", g, w)
	}
}

// TestSharedWithoutStores: each of the stores is needed; the one that is missing is named, within about a second.
func TestSharedWithoutStores(t *testing.T) {
	server := streamstest.Start(t)
	own, there := storestest.Postgres(t), neighbours(t)
	for _, missing := range chassistest.MissingStores(t, "orders", there) {
		url := startShared(t, own, server.URL(), nil, missing.Others)
		chassistest.Ready(t, url)
		began := time.Now()
		var p chassis.Problem
		in := shop.NewOrder{ID: "o-1", UserID: "u-1", ProductID: "p-1", Quantity: 1}
		status := chassistest.Call(url, http.MethodPost, "/shared/orders", in, &p)
		missing.Check(t, status, p, time.Since(began))
		if status := chassistest.Get(url+"/sync/orders/o-1", nil); status != http.StatusNotFound {
			t.Errorf("%s: the order is kept, %d", p.Detail, status)
		}
	}
}

// TestSharedSchema: where catalog's schema has changed nothing is bought, above all not for nothing: the error names the field.
// Once the field is back one can buy again.
func TestSharedSchema(t *testing.T) {
	server := streamstest.Start(t)
	others := neighbours(t)
	url := startShared(t, storestest.Postgres(t), server.URL(), nil, others)
	chassistest.Ready(t, url)
	products := storestest.Database(t, others["catalog-db"]).Collection("products")
	in := shop.NewOrder{ID: "o-1", UserID: "u-1", ProductID: "p-1", Quantity: 1}
	for _, field := range []string{"name", "price_cents"} {
		storestest.RenameField(t, products, field, "moved")
		var p chassis.Problem
		status := chassistest.Call(url, http.MethodPost, "/shared/orders", in, &p)
		if want := fmt.Sprintf("catalog-db: product p-1 has no field %q", field); status != http.StatusBadGateway || p.Detail != want {
			t.Errorf("%d %q, want 502 %q", status, p.Detail, want)
		}
		storestest.RenameField(t, products, "moved", field)
	}
	if reserved := stockAt(t, others["stock-db"]).HLen(t.Context(), "reservations").Val(); reserved != 0 {
		t.Errorf("%d reservations", reserved)
	}
	var o shop.Order
	if status := chassistest.Call(url, http.MethodPost, "/shared/orders", in, &o); status != http.StatusCreated || o.PriceCents != 300 || o.ProductName != "Moka pot" {
		t.Errorf("rolled back: %d %+v", status, o)
	}
}
