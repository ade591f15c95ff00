package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/viz/world"
)

// TestData is what a person does with data on the lab: looks at copies, changes a thing, changes schemas, rebuilds,
// takes the bus's memory, disturbs it, lets a service join. At the end every copy has its owner's digest.
func TestData(t *testing.T) {
	l := startLab(t)
	l.load(map[string]any{"per_second": 10, "features": map[string]float64{"top-sellers": 1}})
	l.eventually(20*time.Second, "every cell works", l.allWork)
	part := func(name string, do func(t *testing.T)) {
		if !t.Run(name, func(t *testing.T) { l.t = t; do(t) }) {
			l.t = t
			l.restore() // the next one begins in good order
		}
		l.t = t
	}
	part("a change goes through, and waits for who is dead", func(t *testing.T) {
		l.eventually(5*time.Second, "all have it", func() error { return l.have("p-03", "Paring knife, 9 cm") })
		l.do("trending", "kill")
		l.action("rename-product", "p-03", map[string]any{"name": "Paring knife, 10 cm"})
		l.eventually(5*time.Second, "all but the dead one's store have it", func() error {
			if err := l.have("p-03", "Paring knife, 10 cm", "trending-db"); err != nil {
				return err
			}
			all, err := l.copies("products", "p-03")
			if err != nil {
				return err
			}
			for _, c := range all {
				if c.Node == "trending-db" && (c.field("name") != "Paring knife, 9 cm" || c.VersionsBehind != 1) {
					return fmt.Errorf("%+v", c)
				}
			}
			return nil
		})
		l.do("trending", "start")
		l.eventually(10*time.Second, "all have it", func() error { return l.have("p-03", "Paring knife, 10 cm") })
		l.do("stock-db", "kill")
		all, err := l.copies("products", "p-03")
		i := slices.IndexFunc(all, func(c copyOf) bool { return c.Node == "stock-db" })
		if err != nil || i < 0 || all[i].Why == "" {
			t.Errorf("a dead store does not say so: %+v %v", all, err)
		}
		l.do("stock-db", "start")
		l.eventually(10*time.Second, "all works again", l.allWork)
	})
	part("the catalogue's schema changes", func(t *testing.T) {
		l.job("catalog-schema-2", 20*time.Second)
		l.eventually(5*time.Second, "the shared database fails, nothing else", func() error {
			return l.cellsAre(func(c world.Cell) bool {
				return c.Pattern == "shared" && (c.Feature == "buy" || c.Feature == "my-purchases" || c.Feature == "top-sellers")
			})
		})
		l.action("rename-product", "p-04", map[string]any{"name": "Loaf tin with lid"})
		l.action("reprice-product", "p-04", map[string]any{"price_cents": 2790})
		l.eventually(10*time.Second, "all have it", func() error { return l.have("p-04", "Loaf tin with lid") })
		l.job("catalog-schema-1", 20*time.Second)
		l.eventually(10*time.Second, "all works again", l.allWork)
	})
	part("the users' schema changes", func(t *testing.T) {
		l.job("users-schema-2", 20*time.Second)
		l.eventually(5*time.Second, "who reads the column fails, nothing else", func() error {
			return l.cellsAre(func(c world.Cell) bool { return c.Pattern == "shared" && c.Feature == "my-purchases" })
		})
		l.job("users-schema-1", 20*time.Second)
		l.eventually(10*time.Second, "all works again", l.allWork)
	})
	for _, id := range []string{"rebuild-purchases", "rebuild-trending", "rebuild-orders-users"} {
		part(id, func(t *testing.T) {
			p := l.job(id, 60*time.Second)
			if p.Before == "" || p.Before != p.After || p.Done == 0 {
				t.Errorf("%+v", p)
			}
			l.eventually(10*time.Second, "all works again", l.allWork)
		})
	}
	for _, c := range []struct {
		name string
		how  map[string]any
	}{{"all", map[string]any{"all": true}}, {"its last 5 seconds", map[string]any{"seconds": 5}}} {
		part("the bus loses "+c.name, func(t *testing.T) {
			l.load(map[string]any{"per_second": 10})
			bus := l.onBus()
			had := bus.XLen(t.Context(), shop.Orders).Val()
			l.eventually(10*time.Second, "events flow", func() error {
				if n := bus.XLen(t.Context(), shop.Orders).Val() - had; n < 20 {
					return fmt.Errorf("%d came", n)
				}
				return nil
			})
			before, err := l.republished()
			if err != nil {
				t.Fatal(err)
			}
			repeats := l.repeats(bus)
			var lost struct {
				Streams []struct {
					Name string
					Lost int64
				}
			}
			if _, err := l.call(http.MethodPost, "/api/v1/bus/lose", c.how, &lost); err != nil {
				t.Fatal(err)
			}
			t.Log(lost)
			l.eventually(10*time.Second, "what was lost is published again", func() error {
				now, err := l.republished()
				for _, s := range lost.Streams {
					if n, owned := now[s.Name]; err == nil && owned && n-before[s.Name] < s.Lost-repeats[s.Name] {
						err = fmt.Errorf("%s lost %d and was published again %d", s.Name, s.Lost, n-before[s.Name])
					} else if s.Name == shop.Orders && s.Lost == 0 {
						t.Fatal("nothing was lost")
					}
				}
				return err
			})
			l.eventually(20*time.Second, "all works again", l.allWork)
			l.settled()
		})
	}
	part("a stream is trimmed before it was read", func(t *testing.T) {
		missed := func(want bool) func() error {
			return func() error {
				var w struct{ Edges []world.Edge }
				if _, err := l.call(http.MethodGet, "/api/v1/world", nil, &w); err != nil {
					return err
				}
				for _, e := range w.Edges {
					if e.ID == "take:orders>purchases" && e.TrimmedUnread == want {
						return nil
					}
				}
				return fmt.Errorf("want trimmed_unread %v", want)
			}
		}
		l.load(map[string]any{"per_second": 10})
		l.do("purchases", "kill")
		// Counted on the bus: what the map says is waiting may be of before the kill.
		bus := l.onBus()
		had := bus.XLen(t.Context(), shop.Orders).Val()
		l.eventually(20*time.Second, "orders come meanwhile", func() error {
			if n := bus.XLen(t.Context(), shop.Orders).Val() - had; n < 20 {
				return fmt.Errorf("%d", n)
			}
			return nil
		})
		if _, err := l.call(http.MethodPost, "/api/v1/streams/orders/trim", map[string]any{"keep": 3}, nil); err != nil {
			t.Fatal(err)
		}
		l.eventually(5*time.Second, "it is said", missed(true))
		l.do("purchases", "start")
		l.eventually(10*time.Second, "it caught up on what there is", func() error {
			n, err := l.waiting("take:orders>purchases")
			if err == nil && n > 5 {
				err = fmt.Errorf("%d wait", n)
			}
			return err
		})
		if err := missed(true)(); err != nil {
			t.Errorf("the hole is forgotten: %v", err)
		}
		l.job("republish-orders", 30*time.Second)
		l.eventually(20*time.Second, "it is healed", missed(false))
		l.settled()
	})
	l.load(map[string]any{"per_second": 10})
	for _, c := range []struct{ how, decided string }{{"malformed", "dead letter"}, {"duplicate", "skipped"}, {"old", "skipped"}, {"huge", "dead letter"}} {
		part("disturbed: "+c.how, func(t *testing.T) {
			var done struct {
				EntryID string `json:"entry_id"`
				Said    string
			}
			if _, err := l.call(http.MethodPost, "/api/v1/streams/catalog/disturb", map[string]any{"how": c.how}, &done); err != nil {
				t.Fatal(err)
			}
			t.Log(done.Said)
			l.eventually(10*time.Second, "every consumer says what it decided", func() error { return l.decided(done.EntryID, c.decided) })
			l.eventually(20*time.Second, "all works", l.allWork)
		})
	}
	part("a service joins", func(t *testing.T) {
		l.action("join-recommendations", "", nil)
		l.eventually(10*time.Second, "it is up", func() error { return l.nodeIs("recommendations", world.Up) })
		l.eventually(20*time.Second, "it answers from history", func() error {
			var a struct{ With []json.RawMessage }
			if _, err := l.call(http.MethodGet, l.url("recommendations")+"/copies/recommendations/p-01", nil, &a); err != nil {
				return err
			}
			if len(a.With) == 0 {
				return errors.New("nothing was bought together with p-01 yet")
			}
			return nil
		})
		l.eventually(10*time.Second, "every cell works", l.allWork)
	})
	l.settled()
}
