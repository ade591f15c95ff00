package shoppers

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

const (
	signUpEvery     = 5 // journeys: one of so many signs up a new user
	topSellersEvery = 2 // journeys: one of so many looks at the top sellers
	dropLogEvery    = 10 * time.Second
)

// names are those of new users.
var names = [...]string{"Ada", "Bela", "Chidi", "Dora", "Emre", "Fatma", "Goran", "Hana", "Ivo", "Jun", "Kofi", "Lena",
	"Mira", "Noor", "Olga", "Pablo", "Quim", "Rosa", "Sami", "Tove", "Uma", "Vera", "Wim", "Xenia", "Yuki", "Zoe"}

// shoppers are all who shop at one time.
type shoppers struct {
	peers    *chassis.Client
	log      *slog.Logger
	pacer    *pacer
	users    []string
	products []shop.Product
	sold     []float64 // by product: the share of sales up to and with it, the last is 1
	inFlight chan struct{}
	dropped  atomic.Int64
}

func newShoppers(peers *chassis.Client, log *slog.Logger, users []string, products []shop.Product) *shoppers {
	return &shoppers{peers: peers, log: log, pacer: newPacer(initialRate), users: users, products: products,
		sold: popularity(len(products)), inFlight: make(chan struct{}, maxInFlight)}
}

// popularity shares the sales among n products in proportion to 1/3, 1/4, 1/5 and so on.
func popularity(n int) []float64 {
	shares, sum := make([]float64, n), 0.0
	for k := range shares {
		sum += 1 / float64(k+3)
		shares[k] = sum
	}
	for k := range shares {
		shares[k] /= sum
	}
	return shares
}

// journeys begins journeys at the set rate until ctx ends, and then waits for those on their way.
func (s *shoppers) journeys(ctx context.Context) error {
	var begun int
	var logged time.Time
	var wg sync.WaitGroup
	s.pacer.run(ctx, func() {
		select {
		case s.inFlight <- struct{}{}:
		default:
			n := s.dropped.Add(1)
			if now := time.Now(); now.Sub(logged) >= dropLogEvery {
				logged = now
				s.log.Warn("journeys are dropped: too many are on their way", "in_flight", maxInFlight, "dropped_so_far", n)
			}
			return
		}
		begun++
		number := begun
		wg.Go(func() {
			defer func() { <-s.inFlight }()
			s.journey(ctx, number)
		})
	})
	wg.Wait()
	return nil
}

// step is one request of a journey.
type step struct {
	peer, method, path string
	body               any
}

// journey makes the requests of one shopper, all in one pattern. One that fails does not keep the shopper from the next, so
// that each feature goes on being used. Once ctx ends it stops after the request on its way, which is not cut off: its
// failure would be ours.
func (s *shoppers) journey(ctx context.Context, number int) {
	whole := context.WithoutCancel(ctx)
	for _, st := range s.steps(number) {
		if ctx.Err() != nil {
			return
		}
		if err := s.peers.Call(whole, st.peer, st.method, st.path, st.body, nil); err != nil {
			s.log.Debug("step failed", "method", st.method, "path", st.path, "err", err)
		}
	}
}

// steps plans the journey of this number, from 1.
func (s *shoppers) steps(number int) []step {
	pattern := "/" + chassis.Sync
	if rand.IntN(2) == 0 {
		pattern = "/" + chassis.Copies
	}
	user := s.users[rand.IntN(len(s.users))]
	product := s.product().ID
	var steps []step
	if number%signUpEvery == 0 {
		steps = append(steps, step{"users", http.MethodPost, pattern + "/users", newUser()})
	}
	steps = append(steps,
		step{"catalog", http.MethodGet, pattern + "/products", nil},
		step{"stock", http.MethodGet, pattern + "/stock/" + product, nil},
		step{"orders", http.MethodPost, pattern + "/orders", shop.NewOrder{ID: "o-" + uuid.NewString(), UserID: user,
			ProductID: product, Quantity: 1 + rand.Int64N(2)}},
		step{"purchases", http.MethodGet, pattern + "/purchases/" + user, nil})
	if number%topSellersEvery == 0 {
		steps = append(steps, step{"trending", http.MethodGet, pattern + "/top", nil})
	}
	return steps
}

// product picks one, the popular ones more often.
func (s *shoppers) product() shop.Product {
	return s.products[sort.SearchFloat64s(s.sold[:len(s.sold)-1], rand.Float64())]
}

func newUser() shop.User {
	name, id := names[rand.IntN(len(names))], uuid.NewString()
	return shop.User{ID: "s-" + id, Name: name, Email: strings.ToLower(name) + "." + id[:8] + "@example.com"}
}
