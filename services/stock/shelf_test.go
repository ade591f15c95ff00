package stock

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
)

func newShelf(t *testing.T) shelf {
	t.Helper()
	rdb, err := streams.Open(storestest.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rdb.Close() })
	s := shelf{rdb}
	if err := s.seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// journal reads the outbox; every entry must be an event that the bus takes.
func journal(t *testing.T, rdb *redis.Client) []streams.Event {
	t.Helper()
	return chassistest.Told(t, rdb, outbox.RedisKey)
}

func TestSeedOnce(t *testing.T) {
	s := newShelf(t)
	if err := s.seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(journal(t, s.rdb)); n != len(shop.Products()) {
		t.Errorf("%d events of %d products", n, len(shop.Products()))
	}
	v, err := s.level(t.Context(), "p-01")
	if want := (shop.Level{ProductID: "p-01", Level: seeded, Delivered: seeded}); err != nil || v != want {
		t.Errorf("got %+v, %v", v, err)
	}
}

func TestReserve(t *testing.T) {
	s := newShelf(t)
	seed := len(journal(t, s.rdb))
	steps := []struct {
		name    string
		r       shop.Reservation
		release bool
		state   string
		now     bool
		level   int64
		events  []string
	}{
		{name: "held", r: shop.Reservation{OrderID: "a", ProductID: "p-01", Quantity: 3}, state: reserved, now: true, level: 997, events: []string{shop.StockReserved}},
		{name: "again", r: shop.Reservation{OrderID: "a", ProductID: "p-01", Quantity: 3}, state: reserved, level: 997},
		{name: "unknown product", r: shop.Reservation{OrderID: "b", ProductID: "p-99", Quantity: 1}, state: unknownProduct, now: true, level: 997, events: []string{shop.StockRefused}},
		{name: "given back", r: shop.Reservation{OrderID: "a"}, release: true, now: true, level: 1000, events: []string{shop.StockReleased}},
		{name: "given back again", r: shop.Reservation{OrderID: "a"}, release: true, level: 1000},
		{name: "nothing held", r: shop.Reservation{OrderID: "c"}, release: true, level: 1000},
		{name: "held anew", r: shop.Reservation{OrderID: "a", ProductID: "p-01", Quantity: 985}, state: reserved, now: true, level: 1015, events: []string{shop.StockReserved, shop.StockDelivered}},
		{name: "sold out, so a delivery comes", r: shop.Reservation{OrderID: "d", ProductID: "p-01", Quantity: 1016}, state: soldOut, now: true, level: 2015, events: []string{shop.StockRefused, shop.StockDelivered}},
		{name: "sold out stays so", r: shop.Reservation{OrderID: "d", ProductID: "p-01", Quantity: 1016}, state: soldOut, level: 2015},
	}
	for _, st := range steps {
		before := len(journal(t, s.rdb))
		var state string
		var now bool
		var err error
		if st.release {
			now, err = s.release(t.Context(), st.r.OrderID)
		} else {
			state, now, err = s.reserve(t.Context(), st.r)
		}
		if err != nil || state != st.state || now != st.now {
			t.Errorf("%s: got %q, %v, %v", st.name, state, now, err)
		}
		var types []string
		for _, e := range journal(t, s.rdb)[before:] {
			types = append(types, e.Type)
		}
		if fmt.Sprint(types) != fmt.Sprint(st.events) {
			t.Errorf("%s: events %v, want %v", st.name, types, st.events)
		}
		v, err := s.level(t.Context(), "p-01")
		if err != nil || v.Level != st.level || v.Level+v.Reserved != v.Delivered {
			t.Errorf("%s: %+v, %v, want a level of %d", st.name, v, err, st.level)
		}
	}
	last := map[string]int64{"p-01": 1} // the seed
	for _, e := range journal(t, s.rdb)[seed:] {
		if e.Source != shop.Stock || len(e.Data) == 0 || e.Version <= last[e.Subject] {
			t.Errorf("event %+v after version %d", e, last[e.Subject])
		}
		last[e.Subject] = e.Version
	}
	// A delivery's version is the level's, which every change of it raises; an order's is its reservation's.
	if want := map[string]int64{"a": 3, "b": 1, "d": 1, "p-01": 6}; !maps.Equal(last, want) {
		t.Errorf("versions end at %v, want %v", last, want)
	}
}

// TestNothingGoesMissing: whatever comes at once, what is on the shelf and what is held are what was delivered.
func TestNothingGoesMissing(t *testing.T) {
	s := newShelf(t)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(w)))
			for range 200 {
				order := fmt.Sprint("o-", r.IntN(300))
				var err error
				if r.IntN(4) == 0 {
					_, err = s.release(t.Context(), order)
				} else {
					_, _, err = s.reserve(t.Context(), shop.Reservation{OrderID: order, ProductID: fmt.Sprintf("p-%02d", 1+r.IntN(3)), Quantity: int64(1 + r.IntN(100))})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	held := map[string]int64{}
	all, err := s.rdb.HGetAll(t.Context(), reservationsKey).Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range all {
		var product string
		var units int64
		if n, _ := fmt.Sscanf(text, reserved+"|%4s|%d|", &product, &units); n == 2 {
			held[product] += units
		}
	}
	for _, id := range []string{"p-01", "p-02", "p-03"} {
		v, err := s.level(t.Context(), id)
		if err != nil || v.Level < 0 || v.Level+v.Reserved != v.Delivered || v.Reserved != held[id] {
			t.Errorf("%+v, %v; reservations hold %d", v, err, held[id])
		}
	}
}

// TestRemembered: of many reservations the newest are kept, and a list of as many orders.
func TestRemembered(t *testing.T) {
	s := newShelf(t)
	begin := beginning(event(t.Context(), shop.StockReserved, "o"))
	for i := range 5 {
		err := reserveScript.Run(t.Context(), s.rdb, []string{levelKey + "p-01", reservationsKey, ordersKey, outbox.RedisKey},
			fmt.Sprint("o-", i), "p-01", 1, "{}", 3, begin, begin, low, seeded, begin).Err()
		if err != nil {
			t.Fatal(err)
		}
	}
	kept := s.rdb.HKeys(t.Context(), reservationsKey).Val()
	slices.Sort(kept)
	order := s.rdb.LRange(t.Context(), ordersKey, 0, -1).Val()
	if want := []string{"o-2", "o-3", "o-4"}; !slices.Equal(kept, want) || !slices.Equal(order, want) {
		t.Errorf("kept %v, in order %v, want %v", kept, order, want)
	}
}

func TestRenameKeepsTheNewest(t *testing.T) {
	s := newShelf(t)
	for _, v := range []int64{2, 1, 3, 2} {
		if err := s.rename(t.Context(), shop.ProductV2{ID: "p-01", Title: fmt.Sprint("v", v), Version: v}); err != nil {
			t.Fatal(err)
		}
	}
	if v, err := s.level(t.Context(), "p-01"); err != nil || v.ProductName != "v3" {
		t.Errorf("got %+v, %v", v, err)
	}
}
