package shoppers

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

// random draws the same in each run, and otherwise in each call.
func random() *rand.Rand {
	draws++
	return rand.New(rand.NewPCG(draws, 1))
}

var draws uint64

var products = []shop.Product{{ID: "p-01", PriceCents: 1000}, {ID: "p-02", PriceCents: 2000}, {ID: "p-03", PriceCents: 3}}

// peers is all services at one address. It answers what reply says.
type peers struct {
	*httptest.Server
	mu    sync.Mutex
	seen  []string // method and path
	body  []string
	reply func(*http.Request) int
}

func newPeers(t *testing.T, reply func(*http.Request) int) *peers {
	p := &peers{reply: reply}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		p.mu.Lock()
		p.seen, p.body = append(p.seen, r.Method+" "+r.URL.Path), append(p.body, string(b))
		p.mu.Unlock()
		if status := p.reply(r); status != http.StatusOK {
			http.Error(w, "no", status)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *peers) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

func (p *peers) addresses() map[string]string {
	all := map[string]string{}
	for _, name := range []string{"users", "catalog", "stock", "orders", "purchases", "trending", "monolith"} {
		all[name] = p.URL
	}
	return all
}

// shoppersFor are shoppers of the shop at p.
func shoppersFor(t *testing.T, p *peers) *shoppers {
	t.Helper()
	svc, err := chassis.New(chassis.Config{Name: "shoppers", Peers: p.addresses(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return newShoppers(svc.Client.Call, svc.Log, []string{"u-001", "u-002"}, products)
}

// TestStepsAreFeatures: each request of a journey is a feature as the system file describes it, in one pattern, and
// together they use every feature in every pattern.
func TestStepsAreFeatures(t *testing.T) {
	raw, err := os.ReadFile("../system.json")
	if err != nil {
		t.Fatal(err)
	}
	var system struct {
		Patterns []struct {
			ID string `json:"id"`
		} `json:"patterns"`
		Features []struct {
			ID       string `json:"id"`
			Requests map[string]struct {
				Node, Method, Path string
				Body               map[string]any
			} `json:"requests"`
		} `json:"features"`
	}
	if err := json.Unmarshal(raw, &system); err != nil {
		t.Fatal(err)
	}
	hole := regexp.MustCompile(`\\\{[a-z]+\\\}`)
	find := func(st step) (feature, pattern string) {
		for _, f := range system.Features {
			for id, r := range f.Requests {
				path := regexp.MustCompile("^" + hole.ReplaceAllString(regexp.QuoteMeta(r.Path), "[a-z0-9-]+") + "$")
				if r.Node == st.peer && r.Method == st.method && path.MatchString(st.path) {
					return f.ID, id
				}
			}
		}
		t.Fatalf("%+v is no feature", st)
		return "", ""
	}
	s := newShoppers(nil, nil, []string{"u-001"}, products)
	used := map[string]int{}
	for number := range 200 {
		patterns := map[string]bool{}
		for _, st := range s.plan(number+1, random()) {
			feature, pattern := find(st)
			if st.cell != (cell{feature, pattern}) {
				t.Errorf("%s %s counts as %v", st.method, st.path, st.cell)
			}
			used[pattern+" "+feature]++
			patterns[pattern] = true
		}
		if len(patterns) != 1 {
			t.Errorf("journey %d uses the patterns %v", number+1, patterns)
		}
	}
	if len(system.Patterns) != len(patterns) || len(system.Features) != len(features) {
		t.Errorf("the system has %v and %v", system.Patterns, system.Features)
	}
	for i, p := range system.Patterns {
		if p.ID != patterns[i] {
			t.Errorf("pattern %d is %s, want %s", i, patterns[i], p.ID)
		}
		for _, f := range system.Features {
			if used[p.ID+" "+f.ID] == 0 {
				t.Errorf("%s is never used in %s", f.ID, p.ID)
			}
		}
	}
}

// TestJourneyGoesOn: a step that fails does not keep the shopper from the rest, and is not tried again.
func TestJourneyGoesOn(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusConflict, http.StatusBadGateway} {
		p := newPeers(t, func(*http.Request) int { return status })
		s := shoppersFor(t, p)
		s.journey(t.Context(), s.plan(10, random())) // the tenth signs up and looks at the top sellers
		seen := p.requests()
		if len(seen) != len(features) {
			t.Fatalf("answered %d: requests %v", status, seen)
		}
		var got []string
		for _, r := range seen {
			_, rest, _ := strings.Cut(r, "/") // GET /sync/products
			got = append(got, strings.Split(rest, "/")[1])
		}
		if want := []string{"users", "products", "stock", "orders", "purchases", "top"}; !slices.Equal(got, want) {
			t.Errorf("answered %d: requests %v, want %v", status, seen, want)
		}
		var order shop.NewOrder
		if err := json.Unmarshal([]byte(p.body[3]), &order); err != nil {
			t.Fatal(err)
		}
		if order.ID == "" || order.Quantity < 1 || order.Quantity > 2 || !strings.HasSuffix(seen[2], order.ProductID) ||
			!strings.HasSuffix(seen[4], order.UserID) {
			t.Errorf("order %+v in %v", order, seen)
		}
		var user shop.User
		if err := json.Unmarshal([]byte(p.body[0]), &user); err != nil || user.ID == "" || user.Name == "" || !strings.Contains(user.Email, "@") {
			t.Errorf("new user %+v: %v", user, err)
		}
		http.DefaultClient.CloseIdleConnections()
	}
}

// TestJourneyStops: the request on its way gets its answer, no other follows.
func TestJourneyStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	cut := make(chan bool, 1)
	p := newPeers(t, func(r *http.Request) int {
		stop()
		cut <- r.Context().Err() != nil
		return http.StatusOK
	})
	s := shoppersFor(t, p)
	s.journey(ctx, s.plan(1, random()))
	if n := len(p.requests()); n != 1 || <-cut {
		t.Errorf("%d requests were made, or the first was cut off", n)
	}
}

// TestPopularity: the first product sells best, each sells.
func TestPopularity(t *testing.T) {
	s := newShoppers(nil, nil, []string{"u-001"}, products)
	sales, r := map[string]int{}, random()
	for range 3000 {
		sales[s.product(r).ID]++
	}
	if sales["p-01"] <= sales["p-03"] || sales["p-02"] == 0 || sales["p-03"] == 0 {
		t.Errorf("sales: %v", sales)
	}
	for n := range 30 {
		if shares := popularity(n); n > 0 && (shares[n-1] != 1 || !slices.IsSorted(shares)) {
			t.Errorf("shares of %d: %v", n, shares)
		}
	}
}

func TestPriceStaysNear(t *testing.T) {
	for _, p := range append(products, shop.Product{PriceCents: 1}) {
		seen := map[int64]bool{}
		for range 200 {
			price := priceNear(p)
			seen[price] = true
			if tenth := max(1, p.PriceCents/10); price < 1 || price < p.PriceCents-tenth || price > p.PriceCents+tenth {
				t.Errorf("%d became %d", p.PriceCents, price)
			}
		}
		if len(seen) < 2 {
			t.Errorf("%d does not change", p.PriceCents)
		}
	}
}
