package world

import (
	"time"
)

// The most edges that are kept; what would be one more is not shown.
const (
	maxCalls = 2000 // calls and reaches
	maxFlows = 4000 // emits and takes
)

type edgeKey struct {
	kind     EdgeKind
	from, to string
}

// edge is one connection.
type edge struct {
	stamp
	key           edgeKey
	id            string
	total, failed int64
	count         counter
	took          durations
	reason        string
	reasonAt      time.Time
	group         group
	dead          int64          // takes: letters that the group gave up on; -1 unknown
	types         []TypeCount    // emits: of events
	emitted       ring[emitted]  // emits
	passed        ring[*passage] // calls, reaches and takes
	shown         Edge
}

// edge is the edge of that key; nil where there are too many.
func (w *World) edge(k edgeKey) *edge {
	if e := w.edgeBy[k]; e != nil {
		return e
	}
	n, most := &w.flows, maxFlows
	if k.kind == Call || k.kind == Reach {
		n, most = &w.calls, maxCalls
	}
	if *n >= most {
		return nil
	}
	*n++
	e := &edge{key: k, id: string(k.kind) + ":" + k.from + ">" + k.to}
	e.group.waiting, e.group.before = -1, -1
	if k.kind == Take {
		e.dead = -1
	}
	w.edges = append(w.edges, e)
	w.edgeBy[k] = e
	w.touch(e)
	return e
}

func (e *edge) settle(w *World, _ int64) bool {
	if e.hidden(w) {
		return false
	}
	now := Edge{ID: e.id, Kind: e.key.kind, From: e.key.from, To: e.key.to, Total: e.total, Failed: e.failed}
	now.Rate, now.FailedRate = e.count.rates(w.now)
	if e.reason != "" && slotOf(e.reasonAt) > slotOf(w.now)-slots {
		now.Reason = e.reason
	}
	switch e.key.kind {
	case Call, Reach:
		e.took.take(w.now, w.now, windowSpan)
		now.P50MS = ms(e.took.median)
	case Take:
		now.Waiting, now.Pending, now.Dead = e.group.waiting, e.group.pending, e.dead
		now.TrimmedUnread, now.Missed = e.group.hole.shown()
		now.OldestMS = e.group.age(w.now).Truncate(100 * time.Millisecond).Milliseconds()
	}
	if w.early(e.rev, now.Rate, e.shown.Rate) && w.early(e.rev, now.FailedRate, e.shown.FailedRate) {
		now.Rate, now.FailedRate, now.P50MS = e.shown.Rate, e.shown.FailedRate, e.shown.P50MS
	}
	changed := now != e.shown || e.rev == 0
	e.shown = now
	return changed
}

// callsSeen counts client spans on the edges and server spans on the nodes: where a call has both, each says its part.
func (w *World) callsSeen(o CallsSeen) {
	for i := range o.Calls {
		c := &o.Calls[i]
		callee := w.nodeBy[c.Callee]
		if callee == nil {
			continue
		}
		failed := int64(0)
		if c.Failed {
			failed = 1
		}
		at := w.earlier(c.Start.Add(c.Duration))
		if c.Served {
			if !w.watches(callee, c.Path) {
				callee.served.add(at, 1, failed)
				callee.took.add(at, c.Duration)
				callee.serves(w, c, w.called(served, c, "", callee.spec.ID), at)
				w.touch(callee)
				w.callPart(c)
			}
			continue
		}
		caller := w.nodeBy[c.Caller]
		if caller == nil {
			w.missingPart(c.TraceID)
			continue
		}
		k := edgeKey{Call, c.Caller, c.Callee}
		switch c.Via {
		case ViaHTTP, ViaBus:
		case ViaStore:
			if callee.spec.Kind != Store || callee.spec.Owner == c.Caller {
				continue // its own store's work is its own
			}
			k.kind = Reach
		default:
			continue
		}
		told := w.called(called, c, caller.spec.ID, callee.spec.ID)
		if c.Failed {
			caller.failed(at, told, callee.spec.ID)
		}
		if c.Via != ViaBus { // the events that it travels by count on their lanes
			w.callOn(k, c, told, at, failed)
		}
		if caller.spec.Kind == Client && c.Via == ViaHTTP && w.callTried(c) {
			continue
		}
		w.callPart(c)
	}
}

// callOn counts a call on its edge.
func (w *World) callOn(k edgeKey, c *CallSeen, told *passage, at time.Time, failed int64) {
	e := w.edge(k)
	if e == nil {
		return
	}
	e.total++
	e.failed += failed
	e.count.add(at, 1, failed)
	e.took.add(at, c.Duration)
	e.passed.add(told, maxPassed)
	if c.Failed {
		e.reason, e.reasonAt = told.reason, at
	}
	w.touch(e)
}

// watches says whether a request to that path is the visualizer's own way of looking at the node.
func (w *World) watches(n *node, path string) bool {
	l := w.system.Load
	return n.spec.Outbox != "" && path == n.spec.Outbox || l != nil && l.Node == n.spec.ID && path == l.Path
}
