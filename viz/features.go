package viz

import (
	"net/http"
	"slices"

	"github.com/stillup/stillup/viz/world"
)

// The API's forms of cells and waterfalls: every field is always there.
type (
	cellAnswer struct {
		world.Cell
		StaleMS   int64       `json:"stale_ms"`
		LastError string      `json:"last_error"`
		Because   []string    `json:"because"`
		Cost      *world.Cost `json:"cost"`
		Trace     string      `json:"trace"`
	}
	requestAnswer struct {
		Node   string `json:"node"`
		Method string `json:"method"`
		Path   string `json:"path"`
	}
	waterfallAnswer struct {
		world.Waterfall
		At stamp `json:"at"`
	}
	featureAnswer struct {
		Cell      cellAnswer       `json:"cell"`
		Request   requestAnswer    `json:"request"`
		Needs     []string         `json:"needs"`
		Reads     []string         `json:"reads"`
		Waterfall *waterfallAnswer `json:"waterfall"` // null: none was seen whole yet
	}
)

func cellOf(c world.Cell) cellAnswer {
	a := cellAnswer{c, c.StaleMS, c.LastError, c.Because, c.Cost, c.Trace}
	if a.Because == nil {
		a.Because = []string{}
	}
	return a
}

func (s *server) getFeatures(w http.ResponseWriter, _ *http.Request) error {
	a := struct {
		Cells []cellAnswer `json:"cells"`
	}{[]cellAnswer{}}
	for _, c := range s.frame().Cells {
		a.Cells = append(a.Cells, cellOf(c))
	}
	return answer(w, a)
}

// getFeature answers one cell, what its request is and needs, and one such request hop by hop.
func (s *server) getFeature(w http.ResponseWriter, r *http.Request) error {
	key := world.CellKey{Feature: r.PathValue("feature"), Pattern: r.PathValue("pattern")}
	i := slices.IndexFunc(s.System.Features, func(f world.FeatureSpec) bool { return f.ID == key.Feature })
	if i < 0 {
		return refuse(http.StatusNotFound, "no feature is called %q; /api/v1/features lists them", key.Feature)
	}
	spec, ok := s.System.Features[i].Requests[key.Pattern]
	if !ok {
		return refuse(http.StatusNotFound, "%s cannot be had in a pattern called %q; /api/v1/features lists them", key.Feature, key.Pattern)
	}
	a := featureAnswer{Request: requestAnswer{spec.Node, spec.Method, spec.Path}, Needs: spec.Needs, Reads: spec.Reads}
	for _, list := range []*[]string{&a.Needs, &a.Reads} {
		if *list == nil {
			*list = []string{}
		}
	}
	s.hub.View(func(w *world.World) { // both of one moment
		a.Cell = cellOf(w.Cell(key))
		if f, ok := w.Waterfall(key); ok {
			a.Waterfall = &waterfallAnswer{f, stamp(f.At)}
		}
	})
	return answer(w, a)
}
