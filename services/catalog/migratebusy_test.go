package catalog

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestMigrationUnderTraffic: while the products are migrated there and back, every request is answered, every change is
// kept, and the events of each product come in order, one of each version.
func TestMigrationUnderTraffic(t *testing.T) {
	bus := streamstest.Start(t)
	storeURL := storestest.Mongo(t)
	docs := storestest.Database(t, storeURL).Collection(collection)
	const more = 26
	fill(t, docs, more)
	url := start(t, storeURL, bus.URL())
	other := start(t, storeURL, bus.URL()) // a replica
	chassistest.Ready(t, url)
	chassistest.Ready(t, other)

	const writers = 2
	var (
		wg      sync.WaitGroup
		last    [writers]shop.Product
		changes [writers]int
		reads   atomic.Int64
	)
	ctx, stop := context.WithCancel(t.Context())
	defer func() {
		stop()
		wg.Wait()
	}()
	for w := range writers {
		id := shop.Products()[w].ID
		at := []string{url, other}[w%2]
		wg.Go(func() {
			for i := range chassistest.Paced(ctx, 20*time.Millisecond) {
				i++ // the seed is version 1
				path, body := "price", price(1000+i)
				if i%2 == 0 {
					path, body = "name", fmt.Sprintf(`{"name": "Name %d"}`, i)
				}
				var p shop.Product
				if status := chassistest.Call(at, http.MethodPut, "/sync/products/"+id+"/"+path, body, &p); status != http.StatusOK || p.Version != int64(i+1) {
					t.Errorf("change %d of %s: %d %+v", i, id, status, p)
					return
				}
				last[w], changes[w] = p, i
			}
		})
	}
	for _, at := range []string{url, other} {
		wg.Go(func() {
			for range chassistest.Paced(ctx, 20*time.Millisecond) {
				var all struct{ Products []shop.Product }
				status := chassistest.Get(at+"/sync/products", &all)
				if status != http.StatusOK || len(all.Products) != len(shop.Products())+more ||
					slices.ContainsFunc(all.Products, func(p shop.Product) bool { return p.Name == "" || p.PriceCents == 0 || p.Version == 0 }) {
					t.Errorf("list: %d, %d products", status, len(all.Products))
					return
				}
				var p shop.ProductV2
				if status := chassistest.Get(at+"/sync/v2/products/p-01", &p); status != http.StatusOK || p.Title == "" || p.NetCents == 0 {
					t.Errorf("version 2: %d %+v", status, p)
					return
				}
				reads.Add(1)
			}
		})
	}
	for _, to := range []schema{schema2, schema1} {
		if p := migrated(t, url, to); p.Done != int64(len(shop.Products())+more) {
			t.Errorf("schema %d: %+v", to, p)
		}
		if n := shapes(t, docs); n[to] != len(shop.Products())+more {
			t.Errorf("schema %d: %v", to, n)
		}
	}
	stop()
	wg.Wait()
	n := len(shop.Products())
	for w := range writers {
		n += changes[w]
		var p shop.Product
		if status := chassistest.Get(other+"/sync/products/"+last[w].ID, &p); status != http.StatusOK || p != last[w] || changes[w] == 0 {
			t.Errorf("%d changes of %s: it is %+v, want %+v", changes[w], last[w].ID, p, last[w])
		}
	}
	t.Logf("%v changes, %d reads", changes, reads.Load())
	chassistest.NoneWaiting(t, url)
	versions := map[string]int64{}
	v1 := 0
	for _, e := range chassistest.AwaitTold(t, bus.Client(), shop.Catalog, n) {
		if strings.HasSuffix(e.Type, ".v2") {
			continue
		}
		v1++
		if versions[e.Subject]++; e.Version != versions[e.Subject] {
			t.Fatalf("%s: version %d comes as number %d", e.Subject, e.Version, versions[e.Subject])
		}
	}
	if v1 != n {
		t.Errorf("%d events of version 1, want %d", v1, n)
	}
}

// TestHalfMigrated: where a migration was cut off the service answers from both schemas, and finishes what was begun.
func TestHalfMigrated(t *testing.T) {
	for _, to := range []schema{schema2, schema1} {
		storeURL, bus := storestest.Mongo(t), streamstest.Start(t)
		db := storestest.Database(t, storeURL)
		s := &store{products: db.Collection(collection), schemas: db.Collection(schemaCollection)}
		if err := s.want(t.Context(), to); err != nil {
			t.Fatal(err)
		}
		for i, p := range shop.Products() {
			r := record{p, to}
			if i%2 == 0 {
				r.schema = other(to)
			}
			if _, err := s.products.InsertOne(t.Context(), r.document(nil)); err != nil {
				t.Fatal(err)
			}
		}
		url := start(t, storeURL, bus.URL())
		chassistest.Ready(t, url)
		if got := products(t, url, "/sync/products"); !slices.Equal(got, shop.Products()) {
			t.Errorf("all: %+v", got)
		}
		chassistest.Eventually(t, "the migration is finished", func() bool { return shapes(t, s.products)[to] == len(shop.Products()) })
		if n := bus.Client().XLen(t.Context(), shop.Catalog).Val(); n != 0 {
			t.Errorf("%d events of what has not changed", n)
		}
	}
}

// TestStoreDiesInMigration: the job fails and says so; run again it finishes, and nothing is lost.
func TestStoreDiesInMigration(t *testing.T) {
	store, bus := storestest.Start(t, stores.MongoDB), streamstest.Start(t)
	docs := storestest.Database(t, store.URL).Collection(collection)
	const more = 300
	fill(t, docs, more)
	url := start(t, store.URL, bus.URL())
	chassistest.Ready(t, url)
	chassistest.Begin(t, url, "schema-2")
	var p chassis.Progress
	chassistest.Eventually(t, "some are migrated", func() bool {
		return chassistest.Get(url+chassis.JobsPath+"schema-2", &p) == http.StatusOK && p.Done > 20
	})
	store.Kill()
	if p = chassistest.Ended(t, url, "schema-2"); p.State != chassis.JobFailed || p.Said == "" || p.Done >= p.Total {
		t.Fatalf("with a dead store: %+v", p)
	}
	store.Start(t)
	chassistest.Ready(t, url)
	if n := shapes(t, docs); n[schema1] == 0 || n[schema2] == 0 || n[schema1]+n[schema2] != len(shop.Products())+more {
		t.Fatalf("cut off in the middle: %v", n)
	}
	var one shop.Product
	if status := chassistest.Call(url, http.MethodPut, "/sync/products/p-01/price", price(7), &one); status != http.StatusOK || one.Version != 2 {
		t.Errorf("a change in the middle: %d %+v", status, one)
	}
	migrated(t, url, schema2)
	if n := shapes(t, docs); n[schema2] != len(shop.Products())+more {
		t.Errorf("in the end: %v", n)
	}
	if status := chassistest.Get(url+"/sync/products/x-0299", &one); status != http.StatusOK || one.PriceCents != 300 {
		t.Errorf("%d %+v", status, one)
	}
}
