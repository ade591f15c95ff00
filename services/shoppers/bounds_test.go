package shoppers

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stillup/stillup/services/chassis"
)

// slowShop answers each request after as long as takes says of its peer and path, and counts.
type slowShop struct {
	takes func(peer, path string) time.Duration

	mu       sync.Mutex
	made     map[string]int // by "METHOD /pattern/what"
	underWay map[string]int
	most     map[string]int // under way at one time
}

func newSlowShop(takes func(peer, path string) time.Duration) *slowShop {
	return &slowShop{takes: takes, made: map[string]int{}, underWay: map[string]int{}, most: map[string]int{}}
}

func (s *slowShop) call(_ context.Context, peer, method, path string, _, _ any) error {
	parts := strings.SplitN(path, "/", 4)
	key := method + " /" + parts[1] + "/" + parts[2]
	s.mu.Lock()
	s.made[key]++
	s.underWay[key]++
	s.most[key] = max(s.most[key], s.underWay[key])
	s.mu.Unlock()
	took := s.takes(peer, path)
	time.Sleep(took) // the bubble's clock
	s.mu.Lock()
	s.underWay[key]--
	s.mu.Unlock()
	if took >= chassis.CallTimeout {
		return errors.New("no answer in time")
	}
	return nil
}

// total is all requests made.
func (s *slowShop) total() (n int64) {
	for _, made := range s.made {
		n += int64(made)
	}
	return n
}

// traffic runs shoppers of the shop for so long at a rate, and then until the last journey ends.
func traffic(t *testing.T, shop *slowShop, rate float64, long time.Duration) *shoppers {
	s := newShoppers(shop.call, slog.New(slog.DiscardHandler), []string{"u-001"}, products)
	s.pacer.set(rate)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.journeys(ctx, rand.NewPCG(7, 7)) }()
	time.Sleep(long) // here and below the bubble's clock
	s.pacer.set(0)
	time.Sleep(time.Minute)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	return s
}

const stepsOfJourney = 0.2 + 4 + 0.5 // on average, of the initial mix

// TestHungPeer: a service that hangs in one pattern holds 3 requests of each of its features; all other requests are made
// as ever, and those that are not are counted.
func TestHungPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate, seconds = 100, 30
		shop := newSlowShop(func(peer, path string) time.Duration {
			if peer == "stock" && strings.HasPrefix(path, "/sync/") {
				return chassis.CallTimeout
			}
			return 5 * time.Millisecond
		})
		s := traffic(t, shop, rate, seconds*time.Second)
		const hung = "GET /sync/stock"
		if shop.most[hung] != maxUnderWay {
			t.Errorf("%d requests are under way to what hangs, want %d", shop.most[hung], maxUnderWay)
		}
		if got := shop.made[hung]; got > maxUnderWay*(seconds+1) || got < maxUnderWay*(seconds-2) {
			t.Errorf("%d requests are made to what hangs, want %d a second", got, maxUnderWay)
		}
		inPattern := shop.made["GET /sync/products"] // each journey browses
		for pattern, journeys := range map[string]int{"sync": inPattern, "bus": shop.made["GET /bus/products"], "monolith": shop.made["GET /monolith/products"]} {
			if want := rate * seconds / 5.0; math.Abs(float64(journeys)-want) > want/5 {
				t.Errorf("%d journeys in %s, want %v", journeys, pattern, want)
			}
			for _, key := range []string{"POST /" + pattern + "/orders", "GET /" + pattern + "/purchases", "GET /" + pattern + "/stock"} {
				if key != hung && shop.made[key] != journeys {
					t.Errorf("%s is made %d times in %d journeys", key, shop.made[key], journeys)
				}
			}
		}
		if got, want := s.bounds.droppedSoFar(), int64(inPattern-shop.made[hung]); got != want || want == 0 {
			t.Errorf("%d requests are dropped, want %d", got, want)
		}
	})
}

// TestAllHang: with every peer silent the rate is kept, no more is under way than the bounds allow, and what is made and
// what is dropped is all that was planned.
func TestAllHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const seconds = 20
		shop := newSlowShop(func(string, string) time.Duration { return chassis.CallTimeout })
		s := traffic(t, shop, maxRate, seconds*time.Second)
		for key, most := range shop.most {
			if most > maxUnderWay {
				t.Errorf("%d requests %s are under way at once", most, key)
			}
		}
		if len(shop.most) != len(patterns)*len(features) {
			t.Errorf("%d features in patterns are tried: %v", len(shop.most), shop.made)
		}
		dropped := s.bounds.droppedSoFar()
		// Within a journey: one more or less of what is begun.
		if got, want := float64(shop.total()+dropped), maxRate*seconds*stepsOfJourney; math.Abs(got-want) > 2*float64(len(features)) {
			t.Errorf("%d are made and %d dropped, together %v, want %v", shop.total(), dropped, got, want)
		}
		if most := int64(maxUnderWay * len(patterns) * len(features) * (seconds + 1)); shop.total() > most {
			t.Errorf("%d are made, want %d at most", shop.total(), most)
		}
	})
}

// TestHealthyShop: of one that answers in 10 ms nothing is dropped at a tenth of the highest rate, and a few in a hundred
// requests at the highest, where by chance many of one kind come together.
func TestHealthyShop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := newSlowShop(func(string, string) time.Duration { return 10 * time.Millisecond })
		if n := traffic(t, shop, maxRate/10, 10*time.Second).bounds.droppedSoFar(); n != 0 {
			t.Errorf("%d requests are dropped", n)
		}
		made := shop.total()
		n := traffic(t, shop, maxRate, 10*time.Second).bounds.droppedSoFar()
		if made = shop.total() - made; n*20 > made {
			t.Errorf("%d requests are dropped at the highest rate, %d made", n, made)
		}
	})
}

// TestJourneysAreBound: the requests of a journey above the bound are dropped.
func TestJourneysAreBound(t *testing.T) {
	b := newBounds(slog.New(slog.DiscardHandler))
	for range maxJourneys {
		if !b.begin(4) {
			t.Fatal("a journey below the bound does not begin")
		}
	}
	if b.begin(4) || b.droppedSoFar() != 4 {
		t.Errorf("one more begins, or %d are dropped", b.droppedSoFar())
	}
	b.end()
	if !b.begin(4) {
		t.Error("none begins after another ended")
	}
}

// TestPrices: the same change goes to the catalogue and to the monolith, whatever becomes of the other.
func TestPrices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type change struct {
			peer, path string
			body       any
		}
		var mu sync.Mutex
		var changes []change
		s := newShoppers(func(_ context.Context, peer, _, path string, in, _ any) error {
			mu.Lock()
			defer mu.Unlock()
			_, product, _ := strings.Cut(path[1:], "/")
			changes = append(changes, change{peer, product, in})
			if len(changes)%3 == 0 { // sometimes the one, sometimes the other
				return errors.New("down")
			}
			return nil
		}, slog.New(slog.DiscardHandler), []string{"u-001"}, products)
		ctx, cancel := context.WithTimeout(t.Context(), 20*priceEvery+time.Second)
		defer cancel()
		if err := s.changePrices(ctx); err != nil {
			t.Error(err)
		}
		if len(changes) != 40 {
			t.Fatalf("%d changes in %v", len(changes), 20*priceEvery)
		}
		for i := 0; i < len(changes); i += 2 {
			a, b := changes[i], changes[i+1]
			if a.peer == b.peer || a.path != b.path || a.body != b.body {
				t.Errorf("%+v and %+v", a, b)
			}
		}
	})
}
