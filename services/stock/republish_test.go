package stock

import (
	"fmt"
	"testing"

	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
)

// TestAgain: each level and each order's reservation is told of again as it is, with its version, by the type of its last
// event.
func TestAgain(t *testing.T) {
	s := newShelf(t)
	for i := range 600 { // more than a small hash, which Redis walks in one step
		if _, _, err := s.reserve(t.Context(), shop.Reservation{OrderID: fmt.Sprintf("o-%d", i), ProductID: fmt.Sprintf("p-%02d", i%25), Quantity: 1}); err != nil {
			t.Fatal(err) // of p-00 there is none
		}
	}
	if ok, err := s.release(t.Context(), "o-7"); err != nil || !ok {
		t.Fatal(ok, err)
	}
	want, before := map[string]string{}, journal(t, s.rdb)
	for _, e := range before {
		if e.Type != shop.StockDelivered {
			want[e.Subject] = fmt.Sprintf("%s %d %s", e.Type, e.Version, e.Data)
		}
	}
	for _, p := range shop.Products() {
		v, err := s.level(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		want[p.ID] = fmt.Sprintf(`%s %s {"product_id":"%s","level":%d,"reserved":%d,"delivered":%d}`, shop.StockDelivered,
			s.rdb.HGet(t.Context(), levelKey+p.ID, "version").Val(), p.ID, v.Level, v.Reserved, v.Delivered)
	}
	total := 0
	for cursor, more := "", true; more; more = cursor != "" {
		var n int
		var err error
		if cursor, n, err = s.again(t.Context(), cursor, 50); err != nil {
			t.Fatal(err)
		}
		total += n
	}
	after := chassistest.Told(t, s.rdb, "outbox")[len(before):]
	if n, err := s.subjects(t.Context()); err != nil || n != 624 || total < 624 || len(after) != total {
		t.Errorf("%d subjects, %v, %d told, %d events", n, err, total, len(after))
	}
	told := map[string]bool{}
	for _, e := range after {
		got := fmt.Sprintf("%s %d %s", e.Type, e.Version, e.Data)
		if want[e.Subject] != got {
			t.Errorf("%s: %s, want %s", e.Subject, got, want[e.Subject])
		}
		told[e.Subject] = true
	}
	if len(told) != 624 {
		t.Errorf("%d subjects are told of, want 624", len(told))
	}
}
