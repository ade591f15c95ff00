package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// start runs the service until the test ends and returns its address.
func start(t *testing.T, storeURL, busURL string) string {
	t.Helper()
	return chassistest.Start(t, chassis.Config{Name: "catalog", StoreURL: storeURL, BusURL: busURL}, Run)
}

// products asks for a list.
func products(t *testing.T, url, path string) []shop.Product {
	t.Helper()
	var answer struct{ Products []shop.Product }
	if status := chassistest.Get(url+path, &answer); status != http.StatusOK || answer.Products == nil {
		t.Fatalf("%s: %d %v", path, status, answer.Products)
	}
	return answer.Products
}

func price(cents any) string { return fmt.Sprintf(`{"price_cents": %v}`, cents) }

func TestCatalog(t *testing.T) {
	bus := streamstest.Start(t)
	store := storestest.Mongo(t)
	url := start(t, store, bus.URL())
	seed := shop.Products()

	told := chassistest.AwaitTold(t, bus.Client(), shop.Catalog, len(seed))
	for _, p := range seed {
		i := slices.IndexFunc(told, func(e streams.Event) bool { return e.Subject == p.ID })
		if i < 0 {
			t.Fatalf("no event of %s", p.ID)
		}
		var got shop.Product
		if err := json.Unmarshal(told[i].Data, &got); err != nil {
			t.Fatal(err)
		}
		if e := told[i]; got != p || e.Type != shop.ProductListed || e.Source != "catalog" || e.Version != 1 {
			t.Errorf("event %+v of %+v, want %+v", e, got, p)
		}
	}
	chassistest.Ready(t, url)
	if got := products(t, url, "/sync/products"); !slices.Equal(got, seed) {
		t.Errorf("all: %+v", got)
	}
	if got := products(t, url, "/copies/products?ids=p-09,p-02,nothing,p-02,a%20b"); !slices.Equal(got, []shop.Product{seed[1], seed[8]}) {
		t.Errorf("by ids: %+v", got)
	}
	over := chassistest.BusCaller(t, bus.URL(), "catalog")
	var some struct{ Products []shop.Product }
	err := over.Call(t.Context(), "catalog", http.MethodGet, "/bus/products?ids=p-09,p-02", nil, &some)
	if err != nil || !slices.Equal(some.Products, []shop.Product{seed[1], seed[8]}) {
		t.Errorf("by ids over the bus: %v %+v", err, some)
	}
	var one shop.Product
	if err := over.Call(t.Context(), "catalog", http.MethodGet, "/bus/products/p-02", nil, &one); err != nil || one != seed[1] {
		t.Errorf("one over the bus: %v %+v", err, one)
	}
	for _, pattern := range chassis.ServicePatterns() {
		if got := products(t, url, "/"+pattern+"/products"); !slices.Equal(got, seed) {
			t.Errorf("all, in the pattern %s: %+v", pattern, got)
		}
	}
	if got := products(t, url, "/sync/products?ids="); len(got) != 0 {
		t.Errorf("of no ids: %+v", got)
	}
	if status := chassistest.Get(url+"/sync/products?ids="+strings.Repeat("p-01,", maxList), nil); status != http.StatusBadRequest {
		t.Errorf("too many ids: %d, want 400", status)
	}

	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/sync/products/p-99", "", 404},
		{"GET", "/copies/products/%00", "", 404},
		{"PUT", "/sync/products/p-99/price", price(100), 404},
		{"PUT", "/copies/products/p-01/price", price(0), 400},
		{"PUT", "/copies/products/p-01/price", price(-1), 400},
		{"PUT", "/copies/products/p-01/price", price(maxPrice + 1), 400},
		{"PUT", "/copies/products/p-01/price", price(1.5), 400},
		{"PUT", "/copies/products/p-01/price", `{"price": 5}`, 400},
		{"PUT", "/copies/products/p-01/price", "{}", 400},
		{"PUT", "/copies/products/p-01/price", "", 400},
	} {
		if status := chassistest.Call(url, c.method, c.path, c.body, nil); status != c.want {
			t.Errorf("%s %s %s: %d, want %d", c.method, c.path, c.body, status, c.want)
		}
	}

	var got shop.Product
	for i, cents := range []int64{1, maxPrice, maxPrice, 700} { // the second time, a price is no change
		version := []int64{2, 3, 3, 4}[i]
		status := chassistest.Call(url, http.MethodPut, "/"+[]string{"sync", "copies"}[i%2]+"/products/p-01/price", price(cents), &got)
		if status != http.StatusOK || got.PriceCents != cents || got.Version != version || got.Name != seed[0].Name {
			t.Errorf("price %d: %d %+v", cents, status, got)
		}
	}
	changed := chassistest.AwaitTold(t, bus.Client(), shop.Catalog, len(seed)+3)
	if len(changed) != len(seed)+3 {
		t.Fatalf("%d events, want %d", len(changed), len(seed)+3)
	}
	for i, e := range changed[len(seed):] {
		var p shop.Product
		if err := json.Unmarshal(e.Data, &p); err != nil {
			t.Fatal(err)
		}
		if e.Type != shop.ProductChanged || e.Subject != "p-01" || e.Version != int64(i+2) || p.Version != e.Version ||
			p.PriceCents != []int64{1, maxPrice, 700}[i] || p.Name != seed[0].Name {
			t.Errorf("change %d: %+v of %+v", i, e, p)
		}
	}
	for _, path := range []string{"/sync/products/p-01", "/sync/products"} {
		resp, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !bytes.Contains(body, []byte("p-01")) || bytes.Contains(body, []byte("outbox")) {
			t.Errorf("%s: %v in %s", path, err, body)
		}
	}

	// A second replica neither lists again nor takes back a price.
	other := start(t, store, bus.URL())
	chassistest.Ready(t, other)
	if status := chassistest.Get(other+"/copies/products/p-01", &got); status != http.StatusOK || got.PriceCents != 700 || got.Version != 4 {
		t.Errorf("at the other replica: %d %+v", status, got)
	}
	if status := chassistest.Call(other, http.MethodPut, "/sync/products/p-02/price", price(5), nil); status != http.StatusOK {
		t.Errorf("price at the other replica: %d", status)
	}
	if told = chassistest.AwaitTold(t, bus.Client(), shop.Catalog, len(seed)+4); len(told) != len(seed)+4 || told[len(told)-1].Subject != "p-02" {
		t.Errorf("%d events, want %d that end in p-02", len(told), len(seed)+4)
	}
}

// TestConcurrentChanges: whoever is answered 200 has made a version of his own, and its event comes in order.
func TestConcurrentChanges(t *testing.T) {
	bus := streamstest.Start(t)
	url := start(t, storestest.Mongo(t), bus.URL())
	chassistest.Ready(t, url)
	const writers = 8
	versions := make([]int64, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			var p shop.Product
			if chassistest.Call(url, http.MethodPut, "/sync/products/p-03/price", price(10_000+i), &p) == http.StatusOK {
				versions[i] = p.Version
			}
		})
	}
	wg.Wait()
	slices.Sort(versions)
	for i, v := range versions {
		if v != int64(i+2) {
			t.Fatalf("versions %v, want 2 to %d", versions, writers+1)
		}
	}
	told := chassistest.AwaitTold(t, bus.Client(), shop.Catalog, len(shop.Products())+writers)
	var last int64
	for _, e := range told {
		if e.Subject == "p-03" {
			if e.Version != last+1 {
				t.Errorf("version %d after %d", e.Version, last)
			}
			last = e.Version
		}
	}
	if last != writers+1 {
		t.Errorf("events end at version %d, want %d", last, writers+1)
	}
}

// TestHalfSeed: a seed that was interrupted is completed, and what stands of it is left as it is.
func TestHalfSeed(t *testing.T) {
	bus := streamstest.Start(t)
	store := storestest.Mongo(t)
	stands := shop.Products()[4]
	stands.PriceCents, stands.Version = 9, 3
	_, err := storestest.Database(t, store).Collection(collection).InsertOne(t.Context(), record{stands, schema1}.document(nil))
	if err != nil {
		t.Fatal(err)
	}
	url := start(t, store, bus.URL())
	told := chassistest.AwaitTold(t, bus.Client(), shop.Catalog, len(shop.Products())-1)
	if len(told) != len(shop.Products())-1 || slices.ContainsFunc(told, func(e streams.Event) bool { return e.Subject == stands.ID }) {
		t.Errorf("%d events: %+v", len(told), told)
	}
	want := shop.Products()
	want[4] = stands
	chassistest.Ready(t, url)
	if got := products(t, url, "/copies/products"); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

// TestDeadStore: it starts without its store and without the bus, and goes on by itself when they come, and come back.
func TestDeadStore(t *testing.T) {
	store := storestest.Start(t, stores.MongoDB)
	bus := streamstest.Start(t)
	store.Kill()
	bus.Kill()
	url := start(t, store.URL, bus.URL())
	set := func(cents int) int {
		return chassistest.Call(url, http.MethodPut, "/copies/products/p-24/price", price(cents), nil)
	}
	dead := func() {
		t.Helper()
		if status := chassistest.Get(url+"/readyz", nil); status != http.StatusServiceUnavailable {
			t.Errorf("readyz with a dead store: %d, want 503", status)
		}
		if status, _ := chassistest.Waiting(url); status != http.StatusServiceUnavailable {
			t.Errorf("outbox with a dead store: %d, want 503", status)
		}
		began := time.Now()
		if status := set(1); status != http.StatusServiceUnavailable {
			t.Errorf("price with a dead store: %d, want 503", status)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("price with a dead store took %v", took)
		}
		if status := chassistest.Get(url+"/healthz", nil); status != http.StatusOK {
			t.Errorf("healthz with a dead store: %d, want 200", status)
		}
	}
	dead()
	store.Start(t)
	chassistest.Eventually(t, "prices change with a dead bus", func() bool { return set(2) == http.StatusOK })
	store.Kill()
	dead()
	store.Start(t)
	chassistest.Eventually(t, "prices change again", func() bool { return set(3) == http.StatusOK })
	chassistest.WantWaiting(t, url, len(shop.Products())+2)
	bus.Start()
	chassistest.NoneWaiting(t, url)
	told := chassistest.AwaitTold(t, bus.Client(), shop.Catalog, len(shop.Products())+2)
	var versions []int64
	for _, e := range told {
		if e.Subject == "p-24" {
			versions = append(versions, e.Version)
		}
	}
	if !slices.Equal(versions, []int64{1, 2, 3}) {
		t.Errorf("events of versions %v", versions)
	}
}

func TestAddress(t *testing.T) {
	for _, address := range []string{"", "mongodb://127.0.0.1:1", "postgres://127.0.0.1:1/shop", "mongodb://%zz/shop"} {
		if err := Run(t.Context(), chassis.Config{Name: "catalog", Addr: "127.0.0.1:0", StoreURL: address}); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
}
