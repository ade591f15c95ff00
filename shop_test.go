package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/viz/world"
)

// TestShop is what a new user does with curl: see all up, buy, break a service, break the bus, and see it converge.
func TestShop(t *testing.T) {
	l := startLab(t)
	product := shop.Products()[0].ID

	t.Run("an order is confirmed and reaches the buyer's purchases", func(t *testing.T) {
		l.t = t
		var o shop.Order
		l.eventually(5*time.Second, "orders knows the user and the product", func() error {
			_, err := l.call(http.MethodPost, l.url("orders")+"/copies/orders", shop.NewOrder{UserID: "u-001", ProductID: product, Quantity: 1}, &o)
			return err
		})
		l.eventually(5*time.Second, "confirmed in purchases", func() error { return l.purchased("u-001", o.ID) })
	})
	t.Run("every cell works", func(t *testing.T) {
		l.t = t
		l.eventually(15*time.Second, "every cell works", func() error {
			for _, f := range l.system.Features {
				for _, p := range l.system.Patterns {
					if err := l.cell(f.ID, p.ID, world.Works); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
	t.Run("catalog dies: requests to it fail, own copies work", func(t *testing.T) {
		l.t = t
		l.do("catalog", "kill")
		l.eventually(2*time.Second, "sync my-purchases fails", func() error { return l.cell("my-purchases", "sync", world.Fails) })
		if err := l.cell("my-purchases", "copies", world.Works); err != nil {
			t.Error(err)
		}
		l.eventually(2*time.Second, "the reason names catalog", func() error {
			var f struct{ Cells []world.Cell }
			if _, err := l.call(http.MethodGet, "/api/v1/features", nil, &f); err != nil {
				return err
			}
			for _, c := range f.Cells {
				if c.Feature == "buy" && c.Pattern == "sync" && strings.Contains(c.LastError, "catalog refused the connection") {
					return nil
				}
			}
			return fmt.Errorf("%+v", f.Cells)
		})
		l.do("catalog", "start")
		l.eventually(5*time.Second, "sync my-purchases works again", func() error { return l.cell("my-purchases", "sync", world.Works) })
	})
	t.Run("the bus dies: sign-up answers, the outbox holds, then everything converges", func(t *testing.T) {
		l.t = t
		l.do("bus", "kill")
		var u shop.User
		if _, err := l.call(http.MethodPost, l.url("users")+"/copies/users", shop.User{ID: "u-bus-dead", Name: "Ada", Email: "ada@example.com"}, &u); err != nil {
			t.Fatal(err)
		}
		o := l.buy("u-002", product)
		if _, err := l.call(http.MethodGet, l.url("purchases")+"/copies/purchases/u-bus-dead", nil, nil); err == nil {
			t.Error("purchases knows a user whose event cannot have come yet")
		}
		l.eventually(5*time.Second, "copies are stale, more so each moment, because of the bus", func() error {
			cells, err := l.cells()
			i := slices.IndexFunc(cells, func(c world.Cell) bool { return c.Feature == "my-purchases" && c.Pattern == "copies" })
			if err == nil && (i < 0 || cells[i].State != world.Stale || cells[i].StaleMS < 2000 || !slices.Contains(cells[i].Because, "bus")) {
				err = fmt.Errorf("%+v", cells)
			}
			return err
		})
		l.do("bus", "start")
		l.eventually(10*time.Second, "the new user arrives", func() error {
			_, err := l.call(http.MethodGet, l.url("purchases")+"/copies/purchases/u-bus-dead", nil, nil)
			return err
		})
		l.eventually(10*time.Second, "the order is confirmed", func() error { return l.purchased("u-002", o.ID) })
	})
	t.Run("restore brings all back", func(t *testing.T) {
		l.t = t
		for _, n := range []string{"orders", "stock-db", "bus"} {
			l.do(n, "kill")
		}
		if _, err := l.call(http.MethodPost, "/api/v1/restore", nil, nil); err != nil {
			t.Fatal(err)
		}
		if err := l.allUp(); err != nil {
			t.Error(err)
		}
	})
	l.t = t
	l.settled()
}

// buy places an order in copies.
func (l *lab) buy(user, product string) shop.Order {
	l.t.Helper()
	var o shop.Order
	if _, err := l.call(http.MethodPost, l.url("orders")+"/copies/orders", shop.NewOrder{UserID: user, ProductID: product, Quantity: 1}, &o); err != nil {
		l.t.Fatal(err)
	}
	return o
}

// purchased checks that the order stands confirmed among the user's purchases, once.
func (l *lab) purchased(user, order string) error {
	var p shop.Purchases
	if _, err := l.call(http.MethodGet, l.url("purchases")+"/copies/purchases/"+user, nil, &p); err != nil {
		return err
	}
	found := 0
	for _, o := range p.Purchases {
		if o.ID == order && o.Status == shop.Confirmed {
			found++
		}
	}
	if found != 1 {
		return fmt.Errorf("order %s is %d times confirmed among %d purchases of %s", order, found, len(p.Purchases), user)
	}
	return nil
}
