package world

import (
	"cmp"
	"slices"
	"time"
)

// What is kept of the routes that a node serves.
const (
	maxRoutes   = 100 // of each node; one that was not used for the window's length makes room
	shownRoutes = 50
)

// routeKey is what a node serves: the route by its pattern, or the path of a service that does not tell patterns.
type routeKey struct{ method, route string }

// servedRoute is how one does.
type servedRoute struct {
	count         counter
	took          durations
	total, failed int64
	used          time.Time
	reason        string // of the last failure
	reasonAt      time.Time
}

// Route is one route that a node serves, over the last 5 s.
type Route struct {
	Method      string    `json:"method"`
	Route       string    `json:"route"`
	Rate        float64   `json:"rate"`
	FailedRate  float64   `json:"failed_rate"`
	P50MS       float64   `json:"p50_ms"`
	P99MS       float64   `json:"p99_ms"`
	Total       int64     `json:"total"` // since it was first seen
	Failed      int64     `json:"failed"`
	LastError   string    `json:"last_error"`    // ever; empty for none
	LastErrorAt time.Time `json:"last_error_at"` // zero for none
}

// serves counts a request on its route, and a failed one among the node's failures.
func (n *node) serves(w *World, c *CallSeen, s *passage, at time.Time) {
	k := routeKey{c.Method, c.Route}
	if k.route == "" {
		k.route = c.Path
	}
	r := n.routes[k]
	if r == nil {
		k = routeKey{clip(k.method), clip(k.route)}
		if r = n.routes[k]; r == nil {
			if r = n.newRoute(w, k); r == nil {
				return
			}
		}
	}
	r.total++
	r.used = at
	failed := int64(0)
	if c.Failed {
		failed = 1
		r.failed++
		r.reason, r.reasonAt = s.reason, at
		n.failed(at, s, k.route)
	}
	r.count.add(at, 1, failed)
	r.took.add(at, c.Duration)
}

// newRoute makes room for a route; nil where all that are there were used just now.
func (n *node) newRoute(w *World, k routeKey) *servedRoute {
	if n.routes == nil {
		n.routes = map[routeKey]*servedRoute{}
	}
	if len(n.routes) == maxRoutes {
		var oldest routeKey
		var used time.Time
		for key, r := range n.routes {
			if used.IsZero() || r.used.Before(used) || r.used.Equal(used) && key.before(oldest) {
				oldest, used = key, r.used
			}
		}
		if w.now.Sub(used) < windowSpan {
			return nil
		}
		delete(n.routes, oldest)
	}
	r := &servedRoute{}
	n.routes[k] = r
	return r
}

func (k routeKey) before(o routeKey) bool {
	return cmp.Or(cmp.Compare(k.route, o.route), cmp.Compare(k.method, o.method)) < 0
}

// servedNow are the routes as they do now, the busiest first.
func (n *node) servedNow(w *World) []Route {
	all := make([]Route, 0, len(n.routes))
	for k, r := range n.routes {
		r.took.take(w.now, w.now, windowSpan)
		a := Route{Method: k.method, Route: k.route, P50MS: ms(r.took.median), P99MS: ms(r.took.last), Total: r.total,
			Failed: r.failed, LastError: r.reason, LastErrorAt: r.reasonAt}
		a.Rate, a.FailedRate = r.count.rates(w.now)
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Route) int {
		return cmp.Or(cmp.Compare(b.Rate, a.Rate), cmp.Compare(b.Total, a.Total), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Method, b.Method))
	})
	return all[:min(len(all), shownRoutes)]
}
