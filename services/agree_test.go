package services

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestPatternsAgree: one feature answers the same in all patterns on the same data. The services share theirs; the
// monolith has its own, so each order is placed there too.
func TestPatternsAgree(t *testing.T) {
	urls := runShop(t, streamstest.Start(t).URL(), true)
	patterns := append([]string{chassis.Monolith}, chassis.ServicePatterns()...)
	at := func(service, pattern string) string {
		if pattern == chassis.Monolith {
			service = pattern
		}
		return urls[service] + "/" + pattern
	}
	users, products := shop.SeedUsers(), shop.Products()
	order := func(t *testing.T, pattern string, o shop.NewOrder, want int) {
		t.Helper()
		// The copies of users and products may still be on their way at the very start.
		var status int
		awaitThat(t, fmt.Sprintf("%s answers %d to %+v", pattern, want, o), func() bool {
			status = chassistest.Call(at("orders", pattern), http.MethodPost, "/orders", o, nil)
			return status == want
		})
	}
	t.Run("buy", func(t *testing.T) {
		for i, pattern := range chassis.ServicePatterns() {
			for j := range 6 {
				o := shop.NewOrder{ID: fmt.Sprintf("agree-%d-%d", i, j), UserID: users[j%3].ID, ProductID: products[(i+j*j)%5].ID, Quantity: int64(1 + j)}
				for _, p := range []string{pattern, chassis.Monolith} {
					order(t, p, o, http.StatusCreated)
					order(t, p, o, http.StatusOK) // the same order again is the same order
				}
			}
		}
	})
	t.Run("what cannot be bought", func(t *testing.T) {
		for _, pattern := range patterns {
			for _, bad := range []struct {
				order shop.NewOrder
				want  int
			}{
				{shop.NewOrder{UserID: "nobody", ProductID: products[0].ID, Quantity: 1}, http.StatusNotFound},
				{shop.NewOrder{UserID: users[0].ID, ProductID: "nothing", Quantity: 1}, http.StatusNotFound},
				{shop.NewOrder{UserID: users[0].ID, ProductID: products[0].ID}, http.StatusBadRequest},
				{shop.NewOrder{UserID: users[0].ID, ProductID: products[0].ID, Quantity: shop.MaxQuantity + 1}, http.StatusBadRequest},
				{shop.NewOrder{ID: "no id/", UserID: users[0].ID, ProductID: products[0].ID, Quantity: 1}, http.StatusBadRequest},
			} {
				order(t, pattern, bad.order, bad.want)
			}
		}
	})
	t.Run("reads", func(t *testing.T) {
		for _, get := range []struct{ service, path string }{
			{"purchases", "/purchases/" + users[0].ID}, {"purchases", "/purchases/" + users[2].ID},
			{"purchases", "/purchases/" + users[9].ID}, {"purchases", "/purchases/nobody"},
			{"trending", "/top"}, {"catalog", "/products"}, {"catalog", "/products/" + products[3].ID},
			{"stock", "/stock/" + products[0].ID}, {"users", "/users/" + users[0].ID}, {"orders", "/orders/agree-0-0"},
		} {
			var differ string
			agree := func() bool {
				var first string
				for _, pattern := range patterns {
					var v any
					status := chassistest.Get(at(get.service, pattern)+get.path, &v)
					// They differ by design: an order over events is placed first and confirmed later.
					drop(v, "placed_at", "version")
					b, _ := json.Marshal(v)
					answer := fmt.Sprintf("%d %s", status, b)
					if first == "" {
						first = answer
					}
					if differ = ""; answer != first {
						differ = fmt.Sprintf("%s: %s; %s: %s", patterns[0], first, pattern, answer)
						return false
					}
				}
				return true
			}
			t.Cleanup(func() {
				if differ != "" {
					t.Logf("%s: %s", get.path, differ)
				}
			})
			awaitThat(t, "all patterns agree on "+get.path, agree)
		}
		var p shop.Purchases
		if chassistest.Get(at("purchases", chassis.Bus)+"/purchases/"+users[0].ID, &p); len(p.Purchases) != 8 {
			t.Errorf("%d purchases of %s, want 8", len(p.Purchases), users[0].ID)
		}
	})
}

// drop takes the named fields out of a JSON value, however deep.
func drop(v any, names ...string) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range names {
			delete(v, name)
		}
		for _, e := range v {
			drop(e, names...)
		}
	case []any:
		for _, e := range v {
			drop(e, names...)
		}
	}
}
