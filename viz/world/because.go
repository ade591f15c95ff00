package world

import "slices"

// needs are the nodes without which the request cannot be answered: its own at least.
func (r RequestSpec) needs() []string {
	if len(r.Needs) == 0 {
		return []string{r.Node}
	}
	return r.Needs
}

// Expected says of every feature and pattern that can be asked whether it is expected to fail while that node is away,
// from what its request needs.
func (s System) Expected(node string) map[CellKey]bool {
	fails := map[CellKey]bool{}
	for _, f := range s.Features {
		for pattern, r := range f.Requests {
			fails[CellKey{f.ID, pattern}] = slices.Contains(r.needs(), node)
		}
	}
	return fails
}

// declareCauses finds the nodes that a cell's failures and delays can come from, and those that its copies can be behind
// because of: the bus, the cell's own node, the nodes that emit what it reads, and the stores of these.
func (w *World) declareCauses(c *cell) {
	for _, id := range c.spec.needs() {
		if n := w.nodeBy[id]; n != nil {
			c.needs = append(c.needs, n)
		}
	}
	if len(c.spec.Reads) == 0 {
		return
	}
	feeds := map[string]bool{c.spec.Node: true}
	for _, stream := range c.spec.Reads {
		for _, n := range w.emitters[stream] {
			feeds[n.spec.ID] = true
		}
	}
	for _, n := range w.nodes {
		if n.spec.Kind == Bus || feeds[n.spec.ID] || n.spec.Kind == Store && feeds[n.spec.Owner] {
			c.feeds = append(c.feeds, n)
		}
	}
	place := func(n *node) int {
		if i := slices.Index(c.needs, n); i >= 0 {
			return i
		}
		return len(c.needs)
	}
	slices.SortStableFunc(c.feeds, func(a, b *node) int { return place(a) - place(b) })
}

// because are the nodes whose state explains that the cell is as it is, dead ones first, else in the order of its needs.
func (c *cell) because(s CellState) []string {
	among := c.needs
	if s == Stale {
		among = c.feeds
	}
	causes := picked(among, func(n *node) bool { return n.ails(s) })
	if s == Fails && len(causes) == 0 { // so slow that it was not waited for
		causes = picked(among, func(n *node) bool { return n.has(FaultSlow) })
	}
	return causes
}

// picked are the ids of the nodes that explain something, dead ones first.
func picked(among []*node, explains func(*node) bool) (ids []string) {
	for _, dead := range []bool{true, false} {
		for _, n := range among {
			if (n.state == Down) == dead && explains(n) {
				ids = append(ids, n.spec.ID)
			}
		}
	}
	return ids
}

// ails says whether the node's state can be why a cell that depends on it is in state s.
func (n *node) ails(s CellState) bool {
	away := n.state == Down || n.state == Paused || n.state == Starting
	switch s {
	case Fails:
		return away || n.has(FaultCut) || n.has(FaultErrors)
	case Slow:
		return n.state == Paused || n.has(FaultSlow) || n.has(FaultCut) || n.has(FaultErrors)
	case Stale:
		return away || n.has(FaultCut) || n.has(FaultSlow)
	}
	return false
}

func (n *node) has(kind FaultKind) bool {
	return slices.ContainsFunc(n.faults, func(f Fault) bool { return f.Kind == kind })
}

// inForce are the faults that are known and of bounds, one of a kind.
func inForce(seen []Fault) []Fault {
	faults := []Fault{}
	for _, f := range seen {
		switch f.Kind {
		case FaultSlow, FaultCut, FaultErrors:
		default:
			continue
		}
		if slices.ContainsFunc(faults, func(o Fault) bool { return o.Kind == f.Kind }) {
			continue
		}
		f.LatencyMS, f.Share = max(0, f.LatencyMS), min(max(0, finite(f.Share)), 1)
		faults = append(faults, f)
	}
	return faults
}
