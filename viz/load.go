package viz

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stillup/stillup/viz/probes"
	"github.com/stillup/stillup/viz/world"
)

// loadAnswer is the traffic as the node that makes it says it is.
type loadAnswer struct {
	PerSecond float64            `json:"per_second"`
	Patterns  map[string]float64 `json:"patterns"`
	Features  map[string]float64 `json:"features"`
	Dropped   int64              `json:"dropped"`
}

// postLoad sets the traffic and answers what its node says then.
func (s *server) postLoad(w http.ResponseWriter, r *http.Request) error {
	node := ""
	if s.load != nil {
		node = s.load.Spec.Node
	}
	a, err := s.setLoad(w, r)
	s.audit(r, "load", node, err)
	if err != nil {
		return err
	}
	return answer(w, a)
}

func (s *server) setLoad(w http.ResponseWriter, r *http.Request) (a loadAnswer, err error) {
	if p := s.possibleLoad(); p != nil {
		return a, p
	}
	var wanted probes.Traffic
	if err := readJSON(w, r, &wanted); err != nil {
		return a, err
	}
	return s.setTraffic(wanted)
}

// possibleLoad says what keeps the traffic from being set, nil for nothing.
func (s *server) possibleLoad() *problem {
	switch {
	case s.Demo != nil:
		return refuse(http.StatusConflict, "this is a demo: its traffic is made up and cannot be set")
	case s.load == nil:
		return refuse(http.StatusConflict, "the system file does not say where the traffic is set")
	case s.Runtime == nil:
		return look()
	}
	return nil
}

// setTraffic sets the traffic, where that is possible, and tells what its node says then.
func (s *server) setTraffic(wanted probes.Traffic) (a loadAnswer, err error) {
	if err := s.checkLoad(wanted); err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(s.ending, actWithin)
	defer cancel()
	seen, err := s.load.Set(ctx, wanted)
	switch {
	case errors.Is(err, probes.ErrBadLoad):
		return a, refuse(http.StatusBadRequest, "%s", err)
	case errors.Is(err, probes.ErrNoLoad):
		return a, refuse(http.StatusBadGateway, "%s", err)
	case err != nil:
		return a, err
	}
	s.hub.Observe(world.ActionSeen{At: time.Now(), Node: s.load.Spec.Node, Verb: "load", Note: inWords(wanted)})
	a = loadAnswer{seen.PerSecond, seen.Patterns, seen.Features, seen.Dropped}
	for _, of := range []*map[string]float64{&a.Patterns, &a.Features} {
		if *of == nil {
			*of = map[string]float64{}
		}
	}
	return a, nil
}

// checkLoad refuses what the system file does not allow.
func (s *server) checkLoad(wanted probes.Traffic) error {
	if wanted.PerSecond == nil && len(wanted.Patterns) == 0 && len(wanted.Features) == 0 {
		return refuse(http.StatusBadRequest, `send {"per_second": n}, {"patterns": {"id": weight}} or {"features": {"id": share}}, or several of them`)
	}
	if n := wanted.PerSecond; n != nil && (*n < 0 || *n > s.load.Spec.Max) {
		return refuse(http.StatusBadRequest, "per_second is %v; give a number from 0 to %v", *n, s.load.Spec.Max)
	}
	var patterns, features []string
	for _, p := range s.System.Patterns {
		patterns = append(patterns, p.ID)
	}
	for _, f := range s.System.Features {
		features = append(features, f.ID)
	}
	if err := checkNumbers("pattern", wanted.Patterns, patterns, math.MaxFloat64, "a weight of 0 or more"); err != nil {
		return err
	}
	return checkNumbers("feature", wanted.Features, features, 1, "a share from 0 to 1")
}

func checkNumbers(what string, given map[string]float64, known []string, most float64, bounds string) error {
	for _, id := range slices.Sorted(maps.Keys(given)) {
		switch n := given[id]; {
		case !slices.Contains(known, id):
			return refuse(http.StatusBadRequest, "there is no %s %q; there are %s", what, id, strings.Join(known, ", "))
		case n < 0 || n > most:
			return refuse(http.StatusBadRequest, "%s %s is %v; give %s", what, id, n, bounds)
		}
	}
	return nil
}

// inWords says what was asked for: "20 a second; patterns copies 2, sync 1; features buy 50 %".
func inWords(t probes.Traffic) string {
	var parts []string
	if t.PerSecond != nil {
		parts = append(parts, fmt.Sprintf("%v a second", *t.PerSecond))
	}
	list := func(what string, of map[string]float64, number func(float64) string) {
		var each []string
		for _, id := range slices.Sorted(maps.Keys(of)) {
			each = append(each, id+" "+number(of[id]))
		}
		if len(each) > 0 {
			parts = append(parts, what+" "+strings.Join(each, ", "))
		}
	}
	list("patterns", t.Patterns, func(f float64) string { return fmt.Sprintf("%v", f) })
	list("features", t.Features, func(f float64) string { return fmt.Sprintf("%.3g %%", 100*f) })
	return strings.Join(parts, "; ")
}
