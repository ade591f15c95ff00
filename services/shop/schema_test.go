package shop

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestProductRoundTrip: a product that goes to schema 2 and back is the same one, and its net price is its price without
// 20 % VAT, to the cent.
func TestProductRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Product{
			ID:          rapid.String().Draw(t, "id"),
			Name:        rapid.String().Draw(t, "name"),
			Category:    rapid.String().Draw(t, "category"),
			Description: rapid.String().Draw(t, "description"),
			PriceCents:  rapid.Int64Range(0, 1e12).Draw(t, "price"),
			Version:     rapid.Int64().Draw(t, "version"),
		}
		v2 := p.V2()
		if back := v2.V1(); back != p {
			t.Fatalf("%+v came back as %+v", p, back)
		}
		if again := v2.V1().V2(); again != v2 {
			t.Fatalf("%+v came back as %+v", v2, again)
		}
		if off := float64(v2.NetCents)*1.2 - float64(p.PriceCents); math.Abs(off) > 0.61 {
			t.Fatalf("net of %d is %d", p.PriceCents, v2.NetCents)
		}
	})
}

func TestProductSplit(t *testing.T) {
	for price, want := range map[int64][2]int64{1: {1, 0}, 2: {2, 0}, 3: {3, 0}, 4: {3, 1}, 120: {100, 20}, 3490: {2908, 582}, 10_000_000: {8_333_333, 1_666_667}} {
		if got := (Product{PriceCents: price}).V2(); got.NetCents != want[0] || got.VATCents != want[1] {
			t.Errorf("%d is split into %d and %d, want %v", price, got.NetCents, got.VATCents, want)
		}
	}
}

// TestUserRoundTrip: a user who goes to schema 2 and back is the same one, whatever spaces the name has.
func TestUserRoundTrip(t *testing.T) {
	name := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ aé]{0,6}`))
	rapid.Check(t, func(t *rapid.T) {
		u := User{
			ID:      rapid.String().Draw(t, "id"),
			Name:    name.Draw(t, "name"),
			Email:   rapid.String().Draw(t, "email"),
			Version: rapid.Int64().Draw(t, "version"),
		}
		v2 := u.V2()
		if back := v2.V1(); back != u {
			t.Fatalf("%+v came back as %+v", u, back)
		}
		if again := v2.V1().V2(); again != v2 {
			t.Fatalf("%+v came back as %+v", v2, again)
		}
	})
}

func TestSplitName(t *testing.T) {
	for name, want := range map[string][2]string{"Ada Ito": {"Ada", "Ito"}, "Ada": {"Ada", ""}, "Ana de la Cruz": {"Ana", "de la Cruz"},
		"Ada ": {"Ada ", ""}, " Ada": {"", "Ada"}, "Ada  Ito": {"Ada", " Ito"}, "": {"", ""}} {
		if given, family := SplitName(name); given != want[0] || family != want[1] {
			t.Errorf("%q is split into %q and %q, want %q", name, given, family, want)
		}
	}
}
