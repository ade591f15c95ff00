package catalog

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams/streamstest"
)

// migrated has the service change its schema.
func migrated(t *testing.T, url string, to schema) chassis.Progress {
	t.Helper()
	return chassistest.Finished(t, url, fmt.Sprintf("schema-%d", to), say[to])
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
				list = append(list, chassistest.Body(t, url+"/"+pattern+path))
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

// TestRepublishAtSchema2: every product is told of again in both versions; then comes the marker.
func TestRepublishAtSchema2(t *testing.T) {
	bus := streamstest.Start(t)
	url := start(t, storestest.Mongo(t), bus.URL())
	seed := shop.Products()
	chassistest.AwaitTold(t, bus.Client(), shop.Catalog, len(seed))
	migrated(t, url, schema2)
	chassistest.Begin(t, url, chassis.RepublishJob)
	if p := chassistest.Ended(t, url, chassis.RepublishJob); p.State != chassis.JobDone || p.Done != int64(len(seed)) {
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
