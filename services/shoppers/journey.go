package shoppers

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sort"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

// names are those of new users.
var names = [...]string{"Ada", "Bela", "Chidi", "Dora", "Emre", "Fatma", "Goran", "Hana", "Ivo", "Jun", "Kofi", "Lena",
	"Mira", "Noor", "Olga", "Pablo", "Quim", "Rosa", "Sami", "Tove", "Uma", "Vera", "Wim", "Xenia", "Yuki", "Zoe"}

// shoppers are all who shop at one time.
type shoppers struct {
	call     call
	log      *slog.Logger
	pacer    *pacer
	bounds   *bounds
	users    []string
	products []shop.Product
	sold     []float64 // by product: the share of sales up to and with it, the last is 1

	mu  sync.Mutex // also held while the pacer is set, so that a change is seen whole
	mix *mix
}

// call makes one request to a peer, as [chassis.Client.Call] does.
type call func(ctx context.Context, peer, method, path string, in, out any) error

func newShoppers(call call, log *slog.Logger, users []string, products []shop.Product) *shoppers {
	return &shoppers{call: call, log: log, pacer: newPacer(initialRate), bounds: newBounds(log), users: users,
		products: products, sold: popularity(len(products)), mix: initialMix()}
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

// journeys begins journeys at the set rate until ctx ends, and then waits for those on their way. Chance is drawn from
// source, here alone.
func (s *shoppers) journeys(ctx context.Context, source rand.Source) error {
	r := rand.New(source)
	number := 0
	var wg sync.WaitGroup
	s.pacer.run(ctx, func() {
		number++
		steps := s.plan(number, r)
		if !s.bounds.begin(len(steps)) {
			return
		}
		wg.Go(func() {
			defer s.bounds.end()
			s.journey(ctx, steps)
		})
	})
	wg.Wait()
	return nil
}

// step is one request of a journey.
type step struct {
	cell
	peer, method, path string
	body               any
}

// journey makes the requests of one shopper, one after another. One that fails, or has no place within its bound, does not
// keep the shopper from the next, so that each feature goes on being used. Once ctx ends it stops after the request on its
// way, which is not cut off: its failure would be ours.
func (s *shoppers) journey(ctx context.Context, steps []step) {
	whole := context.WithoutCancel(ctx)
	for _, st := range steps {
		if ctx.Err() != nil {
			return
		}
		if !s.bounds.enter(st.cell) {
			continue
		}
		err := s.call(whole, st.peer, st.method, st.path, st.body, nil)
		s.bounds.leave(st.cell)
		if err != nil {
			s.log.Debug("step failed", "method", st.method, "path", st.path, "err", err)
		}
	}
}

// plan is the journey of this number, from 1: its steps, all of one pattern, by one of the users and for one product.
func (s *shoppers) plan(number int, r *rand.Rand) []step {
	s.mu.Lock()
	m := s.mix
	s.mu.Unlock()
	pattern := m.pattern(r)
	user, product := s.users[r.IntN(len(s.users))], s.product(r).ID
	var steps []step
	add := func(feature, service, method, path string, body any) {
		if !m.uses(feature, number) {
			return
		}
		if pattern == chassis.Monolith { // one process serves all
			service = chassis.Monolith
		}
		steps = append(steps, step{cell{feature, pattern}, service, method, "/" + pattern + path, body})
	}
	add(signUp, "users", http.MethodPost, "/users", newUser(r))
	add(browse, "catalog", http.MethodGet, "/products", nil)
	add(checkStock, "stock", http.MethodGet, "/stock/"+product, nil)
	add(buy, "orders", http.MethodPost, "/orders", shop.NewOrder{ID: "o-" + uuid.NewString(), UserID: user, ProductID: product,
		Quantity: 1 + r.Int64N(2)})
	add(myPurchases, "purchases", http.MethodGet, "/purchases/"+user, nil)
	add(topSellers, "trending", http.MethodGet, "/top", nil)
	return steps
}

// product picks one, the popular ones more often.
func (s *shoppers) product(r *rand.Rand) shop.Product {
	return s.products[sort.SearchFloat64s(s.sold[:len(s.sold)-1], r.Float64())]
}

func newUser(r *rand.Rand) shop.User {
	name, id := names[r.IntN(len(names))], uuid.NewString()
	return shop.User{ID: "s-" + id, Name: name, Email: strings.ToLower(name) + "." + id[:8] + "@example.com"}
}
