package catalog

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams/streamstest"
)

// begin starts a job.
func begin(t *testing.T, url, job string) {
	t.Helper()
	if status := chassistest.Call(url, http.MethodPost, chassis.JobsPath+job, nil, nil); status != http.StatusAccepted {
		t.Fatalf("%s: %d, want 202", job, status)
	}
}

// ended waits for the end of a job, for as long as it gets on.
func ended(t *testing.T, url, job string) chassis.Progress {
	t.Helper()
	p := chassis.Progress{State: chassis.JobRunning, Done: -1}
	for p.State == chassis.JobRunning {
		last := p.Done
		chassistest.Eventually(t, job+" gets on", func() bool {
			return chassistest.Get(url+chassis.JobsPath+job, &p) == http.StatusOK && (p.State != chassis.JobRunning || p.Done > last)
		})
	}
	return p
}

// migrated runs a job and wants it to be done.
func migrated(t *testing.T, url string, to schema) chassis.Progress {
	t.Helper()
	job := fmt.Sprintf("schema-%d", to)
	begin(t, url, job)
	p := ended(t, url, job)
	if p.State != chassis.JobDone || p.Said != say[to] || p.Done != p.Total {
		t.Fatalf("%s: %+v", job, p)
	}
	return p
}

// shapes counts the documents that have exactly the fields of each schema.
func shapes(t *testing.T, products *mongo.Collection) map[schema]int {
	t.Helper()
	found, err := products.Find(t.Context(), bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	var docs []bson.M
	if err := found.All(t.Context(), &docs); err != nil {
		t.Fatal(err)
	}
	n := map[schema]int{}
	for _, doc := range docs {
		var fields []string
		for name := range doc {
			if name != "outbox" {
				fields = append(fields, name)
			}
		}
		slices.Sort(fields)
		switch got := strings.Join(fields, " "); got {
		case "_id category description name price_cents version":
			n[schema1]++
		case "_id category description net_cents title vat_cents version":
			n[schema2]++
		default:
			t.Fatalf("a product with the fields %s", got)
		}
	}
	return n
}

// body is an answer as it is.
func body(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", url, resp.StatusCode, err)
	}
	return string(b)
}

// TestSchemas: both versions of the API answer the same at both schemas; a change is told in version 1, and at schema 2 in
// version 2 too.
func TestSchemas(t *testing.T) {
	bus := streamstest.Start(t)
	storeURL := storestest.Mongo(t)
	docs := storestest.Database(t, storeURL).Collection(collection)
	url := start(t, storeURL, bus.URL())
	chassistest.Ready(t, url)
	all := len(shop.Products())
	paths := []string{"/products", "/products?ids=p-01,p-09,none", "/products/p-07", "/v2/products", "/v2/products?ids=p-01,p-09,none", "/v2/products/p-07"}
	answers := func() (list []string) {
		for _, pattern := range chassis.ServicePatterns() {
			for _, path := range paths {
				list = append(list, body(t, url+"/"+pattern+path))
			}
		}
		return list
	}
	before := answers()
	var v2 shop.ProductV2
	seventh := shop.Products()[6]
	if err := json.Unmarshal([]byte(before[5]), &v2); err != nil || v2 != seventh.V2() || strings.Contains(before[5], "price_cents") {
		t.Errorf("version 2: %v %s", err, before[5])
	}
	if status := chassistest.Get(url+"/sync/v2/products/none", nil); status != http.StatusNotFound {
		t.Errorf("version 2 of an unknown product: %d", status)
	}

	if p := migrated(t, url, schema2); p.Done != int64(all) {
		t.Errorf("%+v", p)
	}
	if n := shapes(t, docs); n[schema2] != all || n[schema1] != 0 {
		t.Errorf("after the migration: %v", n)
	}
	if now := answers(); !slices.Equal(now, before) {
		t.Errorf("answers at schema 2:\n%s\nbefore:\n%s", now, before)
	}
	if p := migrated(t, url, schema2); p.Done != 0 {
		t.Errorf("migrated again: %+v", p)
	}

	put := func(path, body string) (p shop.Product) {
		t.Helper()
		if status := chassistest.Call(url, http.MethodPut, "/copies/products/p-07/"+path, body, &p); status != http.StatusOK {
			t.Fatalf("%s %s: %d", path, body, status)
		}
		return p
	}
	want := seventh
	want.Name, want.Version = "Fountain pen", 2
	for range 2 { // the second time it is no change
		if got := put("name", `{"name": " Fountain pen "}`); got != want {
			t.Errorf("renamed: %+v, want %+v", got, want)
		}
	}
	want.PriceCents, want.Version = 101, 3
	if got := put("price", price(101)); got != want {
		t.Errorf("price: %+v, want %+v", got, want)
	}
	if n := shapes(t, docs); n[schema2] != all {
		t.Errorf("after changes: %v", n)
	}
	migrated(t, url, schema1)
	if n := shapes(t, docs); n[schema1] != all || n[schema2] != 0 {
		t.Errorf("rolled back: %v", n)
	}
	want.Name, want.Version = "Pen", 4
	if got := put("name", `{"name": "Pen"}`); got != want {
		t.Errorf("renamed at schema 1: %+v, want %+v", got, want)
	}

	told := chassistest.AwaitTold(t, bus.Client(), shop.Catalog, all+5)[all:]
	var got []string
	for _, e := range told {
		var p shop.Product
		if e.Type == shop.ProductChangedV2 {
			var v2 shop.ProductV2
			if err := json.Unmarshal(e.Data, &v2); err != nil {
				t.Fatal(err)
			}
			p = v2.V1()
		} else if err := json.Unmarshal(e.Data, &p); err != nil {
			t.Fatal(err)
		}
		if e.Version != p.Version || e.Subject != p.ID {
			t.Errorf("event %+v", e)
		}
		got = append(got, fmt.Sprint(e.Type, " ", p.Version, " ", p.Name, " ", p.PriceCents))
	}
	if want := []string{"product.changed.v2 2 Fountain pen 2950", "product.changed.v1 2 Fountain pen 2950",
		"product.changed.v2 3 Fountain pen 101", "product.changed.v1 3 Fountain pen 101", "product.changed.v1 4 Pen 101"}; !slices.Equal(got, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRename(t *testing.T) {
	url := start(t, storestest.Mongo(t), streamstest.Start(t).URL())
	chassistest.Ready(t, url)
	for _, c := range []struct {
		path, body string
		want       int
	}{
		{"p-01", `{"name": "Pot"}`, 200},
		{"p-99", `{"name": "Pot"}`, 404},
		{"%00", `{"name": "Pot"}`, 404},
		{"p-01", `{"name": ""}`, 400},
		{"p-01", `{"name": " "}`, 400},
		{"p-01", `{"name": "a\u0000b"}`, 400},
		{"p-01", `{"name": "` + strings.Repeat("ë", 101) + `"}`, 400},
		{"p-01", `{"name": 1}`, 400},
		{"p-01", `{"title": "Pot"}`, 400},
		{"p-01", `{}`, 400},
		{"p-01", "", 400},
	} {
		if status := chassistest.Call(url, http.MethodPut, "/sync/products/"+c.path+"/name", c.body, nil); status != c.want {
			t.Errorf("%s %s: %d, want %d", c.path, c.body, status, c.want)
		}
	}
}

// TestSeedAtSchema2: what is listed once schema 2 is wanted has it at once, and is told in both versions.
func TestSeedAtSchema2(t *testing.T) {
	bus := streamstest.Start(t)
	storeURL := storestest.Mongo(t)
	db := storestest.Database(t, storeURL)
	if err := (&store{schemas: db.Collection(schemaCollection)}).want(t.Context(), schema2); err != nil {
		t.Fatal(err)
	}
	url := start(t, storeURL, bus.URL())
	all := len(shop.Products())
	told := chassistest.AwaitTold(t, bus.Client(), shop.Catalog, 2*all)
	types := map[string]int{}
	for _, e := range told {
		types[e.Type]++
	}
	if types[shop.ProductListed] != all || types[shop.ProductListedV2] != all {
		t.Errorf("told %v", types)
	}
	chassistest.Ready(t, url)
	if got := products(t, url, "/sync/products"); !slices.Equal(got, shop.Products()) {
		t.Errorf("all: %+v", got)
	}
	if n := shapes(t, db.Collection(collection)); n[schema2] != all {
		t.Errorf("%v", n)
	}
}

// fill lists n products more.
func fill(t *testing.T, products *mongo.Collection, n int) {
	t.Helper()
	docs := make([]document, n)
	for i := range docs {
		docs[i] = record{shop.Product{ID: fmt.Sprintf("x-%04d", i), Name: "Thing", Category: "desk", PriceCents: int64(i + 1), Version: 1}, schema1}.document(nil)
	}
	for part := range slices.Chunk(docs, 100) {
		if _, err := products.InsertMany(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
}

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
		stop    atomic.Bool
		wg      sync.WaitGroup
		last    [writers]shop.Product
		changes [writers]int
		reads   atomic.Int64
	)
	defer func() {
		stop.Store(true)
		wg.Wait()
	}()
	// pause leaves the machine time for others between two requests; false at the end.
	pause := func() bool {
		time.Sleep(20 * time.Millisecond)
		return !stop.Load()
	}
	for w := range writers {
		id := shop.Products()[w].ID
		at := []string{url, other}[w%2]
		wg.Go(func() {
			for i := 1; pause(); i++ {
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
			for pause() {
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
	stop.Store(true)
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
	begin(t, url, "schema-2")
	var p chassis.Progress
	chassistest.Eventually(t, "some are migrated", func() bool {
		return chassistest.Get(url+chassis.JobsPath+"schema-2", &p) == http.StatusOK && p.Done > 20
	})
	store.Kill()
	if p = ended(t, url, "schema-2"); p.State != chassis.JobFailed || p.Said == "" || p.Done >= p.Total {
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

// TestRepublishAtSchema2: every product is told of again in both versions; then comes the marker.
func TestRepublishAtSchema2(t *testing.T) {
	bus := streamstest.Start(t)
	url := start(t, storestest.Mongo(t), bus.URL())
	seed := shop.Products()
	chassistest.AwaitTold(t, bus.Client(), shop.Catalog, len(seed))
	migrated(t, url, schema2)
	begin(t, url, chassis.RepublishJob)
	if p := ended(t, url, chassis.RepublishJob); p.State != chassis.JobDone || p.Done != int64(len(seed)) {
		t.Errorf("%+v", p)
	}
	told := chassistest.AwaitTold(t, bus.Client(), shop.Catalog, 3*len(seed)+1)
	versions := map[string]int{}
	for _, e := range told[len(seed) : 3*len(seed)] {
		versions[e.Type]++
	}
	if versions[shop.ProductListed] != len(seed) || versions[shop.ProductListedV2] != len(seed) || told[3*len(seed)].Type != "catalog.republished.v1" {
		t.Errorf("%v, then %s", versions, told[3*len(seed)].Type)
	}
}
