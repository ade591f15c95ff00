package tour

import (
	"cmp"
	"slices"

	"github.com/stillup/stillup/viz/world"
)

func latencyIs(which string, k world.CellKey) measure {
	return measure{
		check: func(n *names) error { return n.cell(k) },
		value: func(l *look) (string, bool) {
			c, ok := l.cell(k)
			if which == "p99" {
				return span(c.P99MS), ok
			}
			return span(c.P50MS), ok
		},
		cells: of(k),
		span:  window,
	}
}

func ratioIs(a, b world.CellKey) measure {
	return measure{
		check: func(n *names) error { return cmp.Or(n.cell(a), n.cell(b)) },
		value: func(l *look) (string, bool) {
			x, known := l.cell(a)
			y, also := l.cell(b)
			if !known || !also || x.P50MS <= 0 || y.P50MS <= 0 {
				return "", false
			}
			return times(x.P50MS / y.P50MS), true
		},
		cells: func(*look) []world.CellKey { return []world.CellKey{a, b} },
		span:  window,
	}
}

func cellIs(which string, k world.CellKey) measure {
	return measure{
		check: func(n *names) error { return n.cell(k) },
		value: func(l *look) (string, bool) {
			c, ok := l.cell(k)
			if which == "reason" {
				return clip(c.LastError), ok && c.LastError != ""
			}
			return cellState(c.State), ok
		},
		cells: of(k),
	}
}

// workingIs is how many features answer in a pattern. Where one that can be asked was not tried, it is not known.
func workingIs(pattern string) measure {
	return measure{
		check: func(n *names) error { return n.cells(every, pattern) },
		value: func(l *look) (string, bool) {
			n := 0
			for _, k := range l.View.cells(every, pattern) {
				c, ok := l.cell(k)
				if !ok {
					return "", false
				}
				if answers(c.State) {
					n++
				}
			}
			return count(float64(n)), true
		},
		cells: func(l *look) []world.CellKey { return l.View.cells(every, pattern) },
	}
}

func costIs(which string, k world.CellKey) measure {
	return measure{
		check: func(n *names) error { return n.cell(k) },
		value: func(l *look) (string, bool) {
			c, ok := l.cost(k)
			n := map[string]int{"hops": c.Hops, "services": c.Services, "messages": c.Messages, "depth": c.Depth}[which]
			return count(float64(n)), ok
		},
		asks: Asks{Waterfalls: []world.CellKey{k}},
	}
}

// typical is the typical request of a cell, begun after the conditions came to hold.
func (l *look) typical(k world.CellKey) (world.Waterfall, bool) {
	if l.Waterfall == nil {
		return world.Waterfall{}, false
	}
	f, ok := l.Waterfall(k)
	return f, ok && !f.At.Before(l.changed)
}

// cost is what the typical request of a cell costs.
func (l *look) cost(k world.CellKey) (world.Cost, bool) {
	if f, ok := l.typical(k); ok {
		return f.Cost, true
	}
	if c, ok := l.cell(k); ok && c.Cost != nil && l.changed.IsZero() {
		return *c.Cost, true
	}
	return world.Cost{}, false
}

func slowestIs(k world.CellKey) measure {
	return measure{
		check: func(n *names) error { return n.cell(k) },
		value: func(l *look) (string, bool) {
			f, ok := l.typical(k)
			if !ok || len(f.Hops) == 0 {
				return "", false
			}
			to, own := slowest(f.Hops)
			return to + " (" + span(own) + ")", true
		},
		asks: Asks{Waterfalls: []world.CellKey{k}},
	}
}

// slowest is the hop that took longest itself, without those that it waited for meanwhile: whom it went to, and how long
// that took, in milliseconds. The first hop counts only where it is the only one.
func slowest(hops []world.Hop) (to string, own float64) {
	for i, h := range hops {
		if h.Depth <= 1 && len(hops) > 1 {
			continue
		}
		if o := ownTime(hops, i); to == "" || o > own {
			to, own = h.To, o
		}
	}
	if to == "" { // all are first ones
		to, own = hops[0].To, ownTime(hops, 0)
	}
	return to, own
}

// ownTime is how long the i-th hop took while none of those that it made was on its way.
func ownTime(hops []world.Hop, i int) float64 {
	h := hops[i]
	start, end := h.StartMS, h.StartMS+h.TookMS
	type stretch struct{ from, to float64 }
	var busy []stretch
	for j, o := range hops {
		if j != i && o.From == h.To && o.Depth == h.Depth+1 && o.StartMS < end && o.StartMS+o.TookMS > start {
			busy = append(busy, stretch{max(start, o.StartMS), min(end, o.StartMS+o.TookMS)})
		}
	}
	slices.SortFunc(busy, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	own, at := h.TookMS, start
	for _, s := range busy {
		if s.to > at {
			own -= s.to - max(at, s.from)
			at = s.to
		}
	}
	return max(0, own)
}
