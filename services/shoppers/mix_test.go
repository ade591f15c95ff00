package shoppers

import (
	"math"
	"testing"

	"github.com/stillup/stillup/services/chassis"
)

// TestMix: journeys are shared among the patterns by weight, and features used evenly by share.
func TestMix(t *testing.T) {
	const n = 20_000
	number := func(v float64) *float64 { return &v }
	m, err := initialMix().with(
		map[string]*float64{chassis.Monolith: number(0), chassis.Shared: number(0.5), chassis.Copies: number(3), chassis.Bus: number(0)},
		map[string]*float64{buy: number(0.25), browse: number(0), topSellers: number(0.7)})
	if err != nil {
		t.Fatal(err)
	}
	s := newShoppers(nil, nil, []string{"u-001"}, products)
	s.mix = m
	r := random()
	inPattern, used := map[string]int{}, map[string]int{}
	for i := range n {
		steps := s.plan(i+1, r)
		inPattern[steps[0].pattern]++
		for _, st := range steps {
			used[st.feature]++
		}
		for _, f := range features { // at any moment, not only in the end
			if want := float64(i+1) * m.features[f]; math.Abs(float64(used[f])-want) > 1 {
				t.Fatalf("after %d journeys, %s was used %d times, want %v", i+1, f, used[f], want)
			}
		}
	}
	for pattern, weight := range map[string]float64{chassis.Monolith: 0, chassis.Shared: 0.5, chassis.Sync: 1, chassis.Bus: 0, chassis.Copies: 3} {
		share := weight / 4.5
		// Four standard deviations of a share of n draws.
		if got := float64(inPattern[pattern]) / n; math.Abs(got-share) > 4*math.Sqrt(share*(1-share)/n) {
			t.Errorf("%s has a share of %v, want %v", pattern, got, share)
		}
	}
	if first := initialMix(); first.patterns[chassis.Bus] != 1 || first.features[browse] != 1 {
		t.Errorf("the change changed what it began with: %+v", first)
	}
}
