package recommendations

import (
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// start runs the service until the test ends and returns its address.
func start(t *testing.T, storeURL, busURL string) string {
	t.Helper()
	return chassistest.Start(t, chassis.Config{Name: "recommendations", StoreURL: storeURL, BusURL: busURL}, Run)
}

// open is the store at url, as the service uses it.
func open(t *testing.T, url string) basket {
	t.Helper()
	rdb, err := streams.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rdb.Close() })
	return basket{rdb}
}

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// confirmed is that an order was confirmed which was placed so many minutes after noon.
func confirmed(t *testing.T, id, user, product string, minute int) streams.Event {
	t.Helper()
	return chassistest.Event(t, shop.Orders, shop.OrderConfirmed, id, 2, shop.Order{ID: id, UserID: user, ProductID: product,
		Status: shop.Confirmed, PlacedAt: noon.Add(time.Duration(minute) * time.Minute)})
}

func archived(t *testing.T, id string) streams.Event {
	t.Helper()
	return chassistest.Event(t, shop.Orders, shop.OrderArchived, id, 3, map[string]string{"id": id})
}

// history is what happened, and what is bought with p-1 then.
func history(t *testing.T) (events []streams.Event, want shop.Recommendations) {
	t.Helper()
	for _, id := range []string{"p-1", "p-2", "p-3", "p-4", "p-5", "p-6", "p-8"} { // p-7 is not known
		events = append(events, chassistest.Event(t, shop.Catalog, shop.ProductListed, id, 1, shop.Product{ID: id, Name: "Old " + id}))
	}
	n := 0
	buys := func(user string, products ...string) {
		for _, p := range products {
			n++
			events = append(events, confirmed(t, fmt.Sprintf("o-%d", n), user, p, n))
		}
	}
	buys("ada", "p-1", "p-2", "p-3", "p-1", "p-2") // what is bought twice counts once
	buys("bob", "p-2", "p-1", "p-7", "p-5")
	buys("cleo", "p-3", "p-2") // without p-1
	buys("dora", "p-1", "p-2", "p-4", "p-6", "p-7")
	buys("emil", "p-1")
	// The newest 20 orders of fay are without p-8, which she bought first.
	buys("fay", "p-8", "p-1")
	for range keepOrders - 1 {
		buys("fay", "p-3")
	}
	// gus bought p-8 with p-1, and that order is archived; of p-5 he has another order.
	buys("gus", "p-8", "p-5", "p-1", "p-5")
	events = append(events, archived(t, fmt.Sprintf("o-%d", n-3)), archived(t, fmt.Sprintf("o-%d", n-2)), archived(t, "o-unheard-of"))
	refused := shop.Order{ID: "r-1", UserID: "emil", ProductID: "p-8", Status: shop.Refused}
	events = append(events,
		chassistest.Event(t, shop.Orders, shop.OrderRefused, "r-1", 2, refused),
		chassistest.Event(t, shop.Catalog, shop.ProductChanged, "p-2", 2, shop.Product{ID: "p-2", Name: "New p-2"}))
	return events, shop.Recommendations{ProductID: "p-1", ProductName: "Old p-1", With: []shop.Together{
		{ProductID: "p-2", ProductName: "New p-2", Together: 3},
		{ProductID: "p-3", ProductName: "Old p-3", Together: 2},
		{ProductID: "p-5", ProductName: "Old p-5", Together: 2},
		{ProductID: "p-7", Together: 2},
		{ProductID: "p-4", ProductName: "Old p-4", Together: 1},
	}}
}

// copyOf is the read model as its rebuild sees it.
func copyOf(b basket) basketCopy { return basketCopy{chassis.RedisMark{Client: b.rdb}, b} }

// TestCopies: the answer and the digest are the same however often and in which order the events come, all of which were
// there before the service was.
func TestCopies(t *testing.T) {
	bus := streamstest.Start(t)
	events, want := history(t)
	digests := map[string]bool{}
	chassistest.InAnyOrder(t, events, func(t *testing.T, events []streams.Event) {
		bus.Wipe()
		count := map[string]int64{}
		for _, e := range events {
			if _, err := streams.Publish(t.Context(), bus.Client(), e.Source, e); err != nil {
				t.Fatal(err)
			}
			count[e.Source]++
		}
		store := storestest.Redis(t)
		url := start(t, store, bus.URL())
		for stream, n := range count {
			chassistest.Applied(t, bus.Client(), stream, n)
		}
		var got shop.Recommendations
		if status := chassistest.Get(url+"/copies/recommendations/p-1", &got); status != http.StatusOK || !reflect.DeepEqual(got, want) {
			t.Errorf("%d %+v\nwant %+v", status, got, want)
		}
		b := open(t, store)
		d, err := copyOf(b).Digest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		digests[d.String()] = true
		if n := b.rdb.ZCard(t.Context(), userKey+"fay").Val(); n != keepOrders {
			t.Errorf("%d orders of fay are kept, want %d", n, keepOrders)
		}
		// ada 5, bob 4, cleo 2, dora 5, emil 1, fay 20, gus 4 without 2
		if n := b.rdb.HLen(t.Context(), ordersKey).Val(); n != 39 {
			t.Errorf("%d orders are kept, want 39", n)
		}
		if err := b.rdb.ZScore(t.Context(), pairsKey+"p-8", "p-1").Err(); err == nil {
			t.Error("p-8 still counts with p-1")
		}
	})
	if len(digests) != 1 {
		t.Errorf("the same events gave the digests %v", digests)
	}
}

// TestDigest: it changes with what is answered, is another one after a wipe, and is the same again when all is told again.
func TestDigest(t *testing.T) {
	b := open(t, storestest.Redis(t))
	digest := func() string {
		t.Helper()
		d, err := copyOf(b).Digest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return d.String()
	}
	r := &recommendations{basket: b}
	tell := func(events ...streams.Event) {
		t.Helper()
		for _, e := range events {
			if err := r.takes()[e.Type](t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	}
	empty := digest()
	first := []streams.Event{confirmed(t, "o-1", "ada", "p-1", 1), confirmed(t, "o-2", "ada", "p-2", 2),
		chassistest.Event(t, shop.Catalog, shop.ProductListed, "p-1", 1, shop.Product{ID: "p-1", Name: "Kettle"})}
	tell(first...)
	full := digest()
	seen := map[string]string{empty: "nothing", full: "two orders"}
	for what, e := range map[string]streams.Event{
		"a third order":      confirmed(t, "o-3", "ada", "p-3", 3),
		"another name":       chassistest.Event(t, shop.Catalog, shop.ProductChanged, "p-1", 2, shop.Product{ID: "p-1", Name: "Pot"}),
		"one order archived": archived(t, "o-2"),
	} {
		tell(e)
		d := digest()
		if other, twice := seen[d]; twice {
			t.Errorf("%s has the digest of %s", what, other)
		}
		seen[d] = what
	}
	if err := copyOf(b).Wipe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := digest(); d != empty {
		t.Errorf("the digest of a wiped store is %s, want that of an empty one", d)
	}
	tell(first...)
	if d := digest(); d != full {
		t.Errorf("told again, the digest is %s, want %s", d, full)
	}
}

// TestArchivedIsRemembered: an order that comes after it was archived stays out, as long as it is remembered.
func TestArchivedIsRemembered(t *testing.T) {
	b := open(t, storestest.Redis(t))
	order := shop.Order{ID: "o-1", UserID: "ada", ProductID: "p-1", PlacedAt: noon}
	for i := range 3 {
		err := dropScript.Run(t.Context(), b.rdb, []string{ordersKey, userKey, archivedKey, pairsKey}, fmt.Sprintf("o-%d", i), i, 2).Err()
		if err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]int64{"o-0": 1, "o-1": 0, "o-2": 0} { // o-0 is forgotten
		order.ID = id
		if err := b.put(t.Context(), order); err != nil {
			t.Fatal(err)
		}
		if got := b.rdb.HExists(t.Context(), ordersKey, id).Val(); got != (want == 1) {
			t.Errorf("%s is kept: %v", id, got)
		}
	}
	if n := b.rdb.ZCard(t.Context(), archivedKey).Val(); n != 2 {
		t.Errorf("%d archived orders are remembered, want 2", n)
	}
}

// TestUnknown: a product of which there is nothing is 404; one that is known and was bought alone has an empty list.
func TestUnknown(t *testing.T) {
	store := storestest.Redis(t)
	url := start(t, store, "redis://"+chassistest.Unused(t))
	if err := open(t, store).rename(t.Context(), shop.ProductV2{ID: "p-1", Title: "Kettle", Version: 1}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"p-2", "no%20id"} {
		if status := chassistest.Get(url+"/copies/recommendations/"+id, nil); status != http.StatusNotFound {
			t.Errorf("%s: %d", id, status)
		}
	}
	var got shop.Recommendations
	status := chassistest.Get(url+"/copies/recommendations/p-1", &got)
	if status != http.StatusOK || got.ProductName != "Kettle" || got.With == nil || len(got.With) != 0 {
		t.Errorf("%d %+v", status, got)
	}
}

// TestRestart: a service that is started again has what it had, and goes on where it was.
func TestRestart(t *testing.T) {
	bus := streamstest.Start(t)
	events, want := history(t)
	store := storestest.Redis(t)
	half := len(events) / 2
	t.Run("first run", func(t *testing.T) {
		start(t, store, bus.URL())
		chassistest.Apply(t, bus.Client(), events[:half])
	})
	for _, e := range events[half:] {
		if _, err := streams.Publish(t.Context(), bus.Client(), e.Source, e); err != nil {
			t.Fatal(err)
		}
	}
	url := start(t, store, bus.URL())
	chassistest.Eventually(t, "it has all", func() bool {
		var got shop.Recommendations
		return chassistest.Get(url+"/copies/recommendations/p-1", &got) == http.StatusOK && reflect.DeepEqual(got, want)
	})
}

// TestDeadStore: without its store the service lives, says so, and answers within its budget.
func TestDeadStore(t *testing.T) {
	url := start(t, "redis://"+chassistest.Unused(t), "redis://"+chassistest.Unused(t))
	if status := chassistest.Get(url+"/readyz", nil); status != http.StatusServiceUnavailable {
		t.Errorf("readyz is %d", status)
	}
	begun := time.Now()
	var problem chassis.Problem
	status := chassistest.Get(url+"/copies/recommendations/p-1", &problem)
	if status != http.StatusServiceUnavailable || problem.Detail != "its store does not answer" {
		t.Errorf("%d %+v", status, problem)
	}
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
}
