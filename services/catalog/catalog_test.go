package catalog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// patience is how long a test waits for what has to happen.
const patience = 10 * time.Second

// start runs the service until the test ends and returns its address.
func start(t *testing.T, storeURL, busURL string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	cfg := chassis.Config{Name: "catalog", Addr: addr, StoreURL: storeURL, BusURL: busURL, Log: slog.New(slog.DiscardHandler)}
	go func() { ended <- Run(ctx, cfg) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	url := "http://" + addr
	eventually(t, "it listens", func() bool { return call(url, http.MethodGet, "/healthz", nil, nil) == http.StatusOK })
	return url
}

// call asks and decodes the answer; its status, 0 for none.
func call(base, method, path string, in, out any) int {
	var body bytes.Buffer
	if text, ok := in.(string); ok {
		body.WriteString(text)
	} else if in != nil {
		_ = json.NewEncoder(&body).Encode(in)
	}
	req, err := http.NewRequest(method, base+path, &body)
	if err != nil {
		return 0
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if out != nil && json.NewDecoder(resp.Body).Decode(out) != nil {
		return 0
	}
	return resp.StatusCode
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// events waits for n events on the stream catalog and returns them.
func events(t *testing.T, bus *redis.Client, n int) []streams.Event {
	t.Helper()
	var list []streams.Event
	eventually(t, fmt.Sprintf("%d events", n), func() bool {
		entries, err := bus.XRange(t.Context(), shop.Catalog, "-", "+").Result()
		if err != nil || len(entries) < n {
			return false
		}
		list = nil
		for _, e := range entries {
			event, err := streams.ParseEvent([]byte(e.Values[streams.Field].(string)))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, event)
		}
		return true
	})
	return list
}

// products asks for a list.
func products(t *testing.T, url, path string) []shop.Product {
	t.Helper()
	var answer struct{ Products []shop.Product }
	if status := call(url, http.MethodGet, path, nil, &answer); status != http.StatusOK || answer.Products == nil {
		t.Fatalf("%s: %d %v", path, status, answer.Products)
	}
	return answer.Products
}

func price(cents any) string { return fmt.Sprintf(`{"price_cents": %v}`, cents) }

func ready(t *testing.T, url string) {
	t.Helper()
	eventually(t, "it is ready", func() bool { return call(url, http.MethodGet, "/readyz", nil, nil) == http.StatusOK })
}

func TestCatalog(t *testing.T) {
	bus := streamstest.Start(t)
	store := storestest.Mongo(t)
	url := start(t, store, bus.URL())
	seed := shop.Products()

	told := events(t, bus.Client(), len(seed))
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
	ready(t, url)
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
	if status := call(url, http.MethodGet, "/sync/products?ids="+strings.Repeat("p-01,", maxList), nil, nil); status != http.StatusBadRequest {
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
		if status := call(url, c.method, c.path, c.body, nil); status != c.want {
			t.Errorf("%s %s %s: %d, want %d", c.method, c.path, c.body, status, c.want)
		}
	}

	var got shop.Product
	for i, cents := range []int64{1, maxPrice, maxPrice, 700} { // the second time, a price is no change
		version := []int64{2, 3, 3, 4}[i]
		status := call(url, http.MethodPut, "/"+[]string{"sync", "copies"}[i%2]+"/products/p-01/price", price(cents), &got)
		if status != http.StatusOK || got.PriceCents != cents || got.Version != version || got.Name != seed[0].Name {
			t.Errorf("price %d: %d %+v", cents, status, got)
		}
	}
	changed := events(t, bus.Client(), len(seed)+3)
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
	ready(t, other)
	if status := call(other, http.MethodGet, "/copies/products/p-01", nil, &got); status != http.StatusOK || got.PriceCents != 700 || got.Version != 4 {
		t.Errorf("at the other replica: %d %+v", status, got)
	}
	if status := call(other, http.MethodPut, "/sync/products/p-02/price", price(5), nil); status != http.StatusOK {
		t.Errorf("price at the other replica: %d", status)
	}
	if told = events(t, bus.Client(), len(seed)+4); len(told) != len(seed)+4 || told[len(told)-1].Subject != "p-02" {
		t.Errorf("%d events, want %d that end in p-02", len(told), len(seed)+4)
	}
}

// TestConcurrentChanges: whoever is answered 200 has made a version of his own, and its event comes in order.
func TestConcurrentChanges(t *testing.T) {
	bus := streamstest.Start(t)
	url := start(t, storestest.Mongo(t), bus.URL())
	ready(t, url)
	const writers = 8
	versions := make([]int64, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			var p shop.Product
			if call(url, http.MethodPut, "/sync/products/p-03/price", price(10_000+i), &p) == http.StatusOK {
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
	told := events(t, bus.Client(), len(shop.Products())+writers)
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
	_, err := storestest.Database(t, store).Collection(collection).InsertOne(t.Context(), document{stands, bson.A{}})
	if err != nil {
		t.Fatal(err)
	}
	url := start(t, store, bus.URL())
	told := events(t, bus.Client(), len(shop.Products())-1)
	if len(told) != len(shop.Products())-1 || slices.ContainsFunc(told, func(e streams.Event) bool { return e.Subject == stands.ID }) {
		t.Errorf("%d events: %+v", len(told), told)
	}
	want := shop.Products()
	want[4] = stands
	ready(t, url)
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
		return call(url, http.MethodPut, "/copies/products/p-24/price", price(cents), nil)
	}
	waiting := func() (status int, w chassis.Waiting) {
		status = call(url, http.MethodGet, chassis.OutboxPath, nil, &w)
		return status, w
	}
	dead := func() {
		t.Helper()
		if status := call(url, http.MethodGet, "/readyz", nil, nil); status != http.StatusServiceUnavailable {
			t.Errorf("readyz with a dead store: %d, want 503", status)
		}
		if status, _ := waiting(); status != http.StatusServiceUnavailable {
			t.Errorf("outbox with a dead store: %d, want 503", status)
		}
		began := time.Now()
		if status := set(1); status != http.StatusServiceUnavailable {
			t.Errorf("price with a dead store: %d, want 503", status)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("price with a dead store took %v", took)
		}
		if status := call(url, http.MethodGet, "/healthz", nil, nil); status != http.StatusOK {
			t.Errorf("healthz with a dead store: %d, want 200", status)
		}
	}
	dead()
	store.Start(t)
	eventually(t, "prices change with a dead bus", func() bool { return set(2) == http.StatusOK })
	store.Kill()
	dead()
	store.Start(t)
	eventually(t, "prices change again", func() bool { return set(3) == http.StatusOK })
	if status, left := waiting(); status != http.StatusOK || left.Waiting != len(shop.Products())+2 || left.Oldest == nil || time.Since(*left.Oldest) > patience {
		t.Errorf("outbox with a dead bus: %d %+v, want %d", status, left, len(shop.Products())+2)
	}
	bus.Start()
	eventually(t, "nothing waits", func() bool {
		status, left := waiting()
		return status == http.StatusOK && left.Waiting == 0 && left.Oldest == nil
	})
	told := events(t, bus.Client(), len(shop.Products())+2)
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
