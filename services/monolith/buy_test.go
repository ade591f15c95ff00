package monolith

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
)

// shelf sets how many units of a product are left, as if all others had been sold.
func shelf(t *testing.T, s *store, product string, left int64) {
	t.Helper()
	_, err := s.pool.Exec(t.Context(), "update stock set level = $2, reserved = delivered - $2 where product_id = $1", product, left)
	if err != nil {
		t.Fatal(err)
	}
}

// buyers buys one unit of p-01 with each of n orders at the same time and returns how many got each status.
func buyers(url string, n int, id func(i int) string) map[int]int {
	statuses := make([]int, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			in := shop.NewOrder{ID: id(i), UserID: fmt.Sprintf("u-%03d", i+1), ProductID: "p-01", Quantity: 1}
			statuses[i] = chassistest.Call(url, http.MethodPost, "/monolith/orders", in, nil)
		})
	}
	wg.Wait()
	count := map[int]int{}
	for _, status := range statuses {
		count[status]++
	}
	return count
}

// level is the stock of p-01, whose sum is right.
func level(t *testing.T, url string) shop.Level {
	t.Helper()
	l := get[shop.Level](t, url, "/stock/p-01")
	if l.Level+l.Reserved != l.Delivered {
		t.Errorf("the sum is wrong: %+v", l)
	}
	return l
}

func TestBuy(t *testing.T) {
	url := start(t, storestest.Postgres(t))
	chassistest.Ready(t, url)
	var o, again, got shop.Order
	in := shop.NewOrder{ID: "o-1", UserID: "u-001", ProductID: "p-01", Quantity: 2}
	if status := chassistest.Call(url, http.MethodPost, "/monolith/orders", in, &o); status != http.StatusCreated {
		t.Fatalf("buy: %d", status)
	}
	p := shop.Products()[0]
	want := shop.Order{ID: "o-1", UserID: "u-001", ProductID: "p-01", ProductName: p.Name, PriceCents: p.PriceCents, Quantity: 2,
		Status: shop.Confirmed, PlacedAt: o.PlacedAt, Version: 1}
	if o != want || o.PlacedAt.IsZero() {
		t.Errorf("bought %+v, want %+v", o, want)
	}
	in.UserID = "nobody" // an order that is known is the answer, whoever asks
	if status := chassistest.Call(url, http.MethodPost, "/monolith/orders", in, &again); status != http.StatusOK || again != o {
		t.Errorf("same id again: %d %+v", status, again)
	}
	if chassistest.Get(url+"/monolith/orders/o-1", &got); got != o {
		t.Errorf("kept as %+v, want %+v", got, o)
	}
	if l := level(t, url); l.Reserved != 2 || l.Delivered != shop.UnitsDelivered {
		t.Errorf("%+v", l)
	}
	in = shop.NewOrder{UserID: "u-001", ProductID: "p-01", Quantity: 1}
	if status := chassistest.Call(url, http.MethodPost, "/monolith/orders", in, &got); status != http.StatusCreated || got.ID == "" {
		t.Errorf("without an id: %d %+v", status, got)
	}
}

// TestDelivery: the shelf is filled up when it runs low, and when there was too little for an order, which is kept refused.
func TestDelivery(t *testing.T) {
	var s *store
	url := startWith(t, storestest.Postgres(t), func(made *store) { s = made })
	chassistest.Ready(t, url)
	for i, c := range []struct {
		left, quantity int64
		status         int
		level          int64
	}{
		{shop.LowLevel + 5, 5, http.StatusCreated, shop.LowLevel},
		{shop.LowLevel + 4, 5, http.StatusCreated, shop.LowLevel - 1 + shop.UnitsDelivered},
		{5, 5, http.StatusCreated, shop.UnitsDelivered},
		{5, 6, http.StatusConflict, 5 + shop.UnitsDelivered},
	} {
		shelf(t, s, "p-01", c.left)
		id := fmt.Sprintf("o-%d", i)
		in := shop.NewOrder{ID: id, UserID: "u-001", ProductID: "p-01", Quantity: c.quantity}
		var p struct{ Detail string }
		if status := chassistest.Call(url, http.MethodPost, "/monolith/orders", in, &p); status != c.status ||
			status == http.StatusConflict && p.Detail != "p-01: sold out" {
			t.Errorf("%d of %d: %d %+v", c.quantity, c.left, status, p)
		}
		if l := level(t, url); l.Level != c.level {
			t.Errorf("%d of %d: %+v, want a level of %d", c.quantity, c.left, l, c.level)
		}
		o := get[shop.Order](t, url, "/orders/"+id)
		if refused := c.status == http.StatusConflict; o.Version != 1 || refused != (o.Status == shop.Refused) ||
			refused != (o.Reason == "sold out") || !refused && o.Status != shop.Confirmed {
			t.Errorf("%d of %d is kept as %+v", c.quantity, c.left, o)
		}
	}
	again := shop.NewOrder{ID: "o-3", UserID: "u-001", ProductID: "p-01", Quantity: 6}
	var o shop.Order
	if status := chassistest.Call(url, http.MethodPost, "/monolith/orders", again, &o); status != http.StatusOK || o.Status != shop.Refused {
		t.Errorf("a refused order again: %d %+v", status, o)
	}
}

// TestLastUnits: of many who want the last units at once, as many get one as there are, and none is sold twice.
func TestLastUnits(t *testing.T) {
	const want, left = 50, 30
	for _, c := range []struct {
		name     string
		delivery int64
		sold     int
	}{{"no delivery comes", 0, left}, {"a delivery comes", shop.UnitsDelivered, want}} {
		t.Run(c.name, func(t *testing.T) {
			var s *store
			url := startWith(t, storestest.Postgres(t), func(made *store) { s, made.delivery = made, c.delivery })
			chassistest.Ready(t, url)
			shelf(t, s, "p-01", left)
			before := level(t, url)
			count := buyers(url, want, func(i int) string { return fmt.Sprintf("o-%d", i) })
			if count[http.StatusCreated] != c.sold || count[http.StatusConflict] != want-c.sold {
				t.Errorf("answers %v, want %d times 201", count, c.sold)
			}
			l := level(t, url)
			if l.Reserved != before.Reserved+int64(c.sold) || c.delivery == 0 && l.Level != 0 {
				t.Errorf("%+v after %+v", l, before)
			}
			var confirmed, refused int
			err := s.pool.QueryRow(t.Context(), "select count(*) filter (where status = 'confirmed'), "+
				"count(*) filter (where status = 'refused' and reason = 'sold out') from orders").Scan(&confirmed, &refused)
			if err != nil || confirmed != c.sold || refused != want-c.sold {
				t.Errorf("%d orders are confirmed and %d refused, %v", confirmed, refused, err)
			}
		})
	}
}

// TestSameOrder: an order that comes many times at once is bought once.
func TestSameOrder(t *testing.T) {
	url := start(t, storestest.Postgres(t))
	chassistest.Ready(t, url)
	const n = 20
	count := buyers(url, n, func(int) string { return "o-1" })
	if count[http.StatusCreated] != 1 || count[http.StatusOK] != n-1 {
		t.Errorf("answers %v, want once 201 and else 200", count)
	}
	if l := level(t, url); l.Reserved != 1 {
		t.Errorf("%+v", l)
	}
}
