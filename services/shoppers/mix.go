package shoppers

import (
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"

	"github.com/stillup/stillup/services/chassis"
)

// Features, as the system file calls them, in the order in which a journey uses them.
const (
	signUp      = "sign-up"
	browse      = "browse"
	checkStock  = "check-stock"
	buy         = "buy"
	myPurchases = "my-purchases"
	topSellers  = "top-sellers"
)

// maxWeight is the highest weight of a pattern; the lowest is 0.
const maxWeight = 100

var (
	patterns = append([]string{chassis.Monolith}, chassis.ServicePatterns()...)
	features = []string{signUp, browse, checkStock, buy, myPurchases, topSellers}
)

// mix says what journeys are made of. It is not changed once it is in use.
type mix struct {
	patterns map[string]float64 // weight of each: a journey's chance of a pattern is its share of their sum, which is not 0
	features map[string]float64 // share of the journeys that use each, 0 to 1
}

// initialMix is what the shoppers begin with: all patterns alike, so that all stand under the same load.
func initialMix() *mix {
	m := &mix{patterns: map[string]float64{}, features: map[string]float64{
		signUp: 0.2, browse: 1, checkStock: 1, buy: 1, myPurchases: 1, topSellers: 0.5}}
	for _, p := range patterns {
		m.patterns[p] = 1
	}
	return m
}

// with is the mix after the changes, which may be null where a number should be. What they do not name stays as it is. An
// error is a *chassis.Problem 400 that says what can be.
func (m *mix) with(weights, shares map[string]*float64) (*mix, error) {
	var err error
	n := &mix{}
	if n.patterns, err = changed("patterns", m.patterns, weights, patterns, maxWeight); err != nil {
		return nil, err
	}
	if n.features, err = changed("features", m.features, shares, features, 1); err != nil {
		return nil, err
	}
	for _, weight := range n.patterns {
		if weight > 0 {
			return n, nil
		}
	}
	return nil, chassis.Errorf(http.StatusBadRequest, "patterns: all weights would be 0, and a journey needs a pattern; "+
		"give one a weight, or set per_second to 0 to have no journeys")
}

// changed is old with the changes, all of known names and from 0 to most.
func changed(field string, old map[string]float64, changes map[string]*float64, known []string, most float64) (map[string]float64, error) {
	now := maps.Clone(old)
	for _, name := range slices.Sorted(maps.Keys(changes)) { // the same fault is told of several, each time
		v := changes[name]
		switch {
		case !slices.Contains(known, name):
			return nil, chassis.Errorf(http.StatusBadRequest, "%s: %q is not known; there are %s", field, name, strings.Join(known, ", "))
		case v == nil:
			return nil, chassis.Errorf(http.StatusBadRequest, "%s: %s has no number; it can be 0 to %v", field, name, most)
		case *v < 0 || *v > most:
			return nil, chassis.Errorf(http.StatusBadRequest, "%s: %s is %v; it can be 0 to %v", field, name, *v, most)
		}
		now[name] = *v
	}
	return now, nil
}

// pattern draws one by weight.
func (m *mix) pattern(r *rand.Rand) string {
	var sum float64
	for _, p := range patterns {
		sum += m.patterns[p]
	}
	left, drawn := r.Float64()*sum, ""
	for _, p := range patterns {
		weight := m.patterns[p]
		if weight == 0 {
			continue
		}
		if drawn = p; left < weight {
			break
		}
		left -= weight
	}
	return drawn // where rounding leaves a rest: the last that has a weight
}

// uses says whether the journey of this number, from 1, uses the feature: evenly, so that at a share of 0.2 it is every
// fifth.
func (m *mix) uses(feature string, number int) bool {
	share := m.features[feature]
	return math.Floor(float64(number)*share) > math.Floor(float64(number-1)*share)
}
