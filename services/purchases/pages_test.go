package purchases

import (
	"cmp"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
)

// TestLine: a line says all of an order, under any id, and of two lines of one order the greater string is the higher version.
func TestLine(t *testing.T) {
	o := shop.Order{ID: "a.$%2E%25", UserID: "u-1", ProductID: "p-1", ProductName: "Walnut \"desk\"", PriceCents: 3490, Quantity: 2,
		Status: shop.Refused, Reason: "none left", PlacedAt: noon.Add(time.Millisecond)}
	before := ""
	for _, version := range []int64{1, 2, 9, 10, 100, math.MaxInt64} {
		o.Version = version
		line, err := lineOf(o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := page{ID: o.UserID}.order(field.Replace(o.ID), line)
		if err != nil || got != o {
			t.Errorf("%+v, %v, want %+v", got, err, o)
		}
		if cmp.Compare(before, line) >= 0 {
			t.Errorf("%q is not above %q", line, before)
		}
		before = line
	}
	for _, line := range []string{"", "7", "x {}", "7 {", `7 {"quantity": "2"}`} {
		if _, err := (page{ID: "u-1"}).order("o-1", line); err == nil || !strings.Contains(err.Error(), "the page of u-1") {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// TestPageIsCut: a page holds the newest orders, however many there were, and of each the highest version, in whatever order
// they came.
func TestPageIsCut(t *testing.T) {
	s, err := open(storestest.Mongo(t), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	const orders = maxListed + 5
	for i := range orders {
		for _, version := range []int64{2, 1, 2} {
			o := shop.Order{ID: fmt.Sprintf("o.%d", i), UserID: "u-1", Status: shop.Placed, PlacedAt: noon.Add(time.Duration(i) * time.Second), Version: version}
			if version == 2 {
				o.Status = shop.Confirmed
			}
			if err := s.list(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := s.newest(t.Context(), "u-1", maxListed)
	if err != nil || len(got) < keepListed || len(got) >= maxListed {
		t.Fatalf("%d orders, %v", len(got), err)
	}
	for i, o := range got {
		if want := fmt.Sprintf("o.%d", orders-1-i); o.ID != want || o.Status != shop.Confirmed || o.Version != 2 {
			t.Errorf("at %d: %+v, want version 2 of %s", i, o, want)
		}
	}
}

// BenchmarkList is what an order costs on a full page, in whichever engine is here.
func BenchmarkList(b *testing.B) {
	s, err := open(storestest.Mongo(b), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer s.close()
	list := func(i int) {
		o := shop.Order{ID: fmt.Sprintf("o-1aa2c202-4e57-41dd-84bc-%d", i%(maxListed-1)), UserID: "u-1", ProductID: "p-01", ProductName: "Walnut desk",
			PriceCents: 3490, Quantity: 1, Status: shop.Confirmed, PlacedAt: noon, Version: int64(i + 1)}
		if err := s.list(b.Context(), o); err != nil {
			b.Fatal(err)
		}
	}
	for i := range maxListed - 1 {
		list(i)
	}
	n := maxListed
	for b.Loop() {
		list(n)
		n++
	}
}
