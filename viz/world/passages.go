package world

import "time"

// What is kept of single requests and handlings, so that they can be looked at: the newest maxPassages of all traces, 50
// on each edge, 20 failures of each node. One is kept once and shared. At some 350 bytes each that is 20 MB under heavy
// traffic, and 130 MB with every edge in use that there may be. The durations of a node's routes take 0.9 MB at most.
const (
	maxPassages = 60_000
	maxPassed   = 50
	maxErrors   = 20
)

// ring holds the newest values that were added to it.
type ring[T any] struct {
	list []T
	next int // the oldest, once it is full
}

// add puts v in; beyond the most it takes the place of the oldest. The most is the same at every call.
func (r *ring[T]) add(v T, most int) {
	if len(r.list) < most {
		r.list = append(r.list, v)
		return
	}
	r.list[r.next] = v
	if r.next++; r.next == most {
		r.next = 0
	}
}

// back is the i-th newest.
func (r *ring[T]) back(i int) *T {
	i = r.next - 1 - i
	if i < 0 {
		i += len(r.list)
	}
	return &r.list[i]
}

// passage is one request as its client or its server saw it, or one handling of an event by a consumer. It is never written
// to again.
type passage struct {
	kind              passageKind
	failed            bool
	skipped           bool // of a take: the event was not applied, for the reason
	status            int32
	took              time.Duration
	started           int64  // Unix nanoseconds
	trace, id, parent string // of spans; empty where they are not what they should be
	from, to          string // nodes; a take is from a stream, and a server's word from nobody
	via               string
	method, path      string // of a take: its event's type and id
	reason            string // of a failure, or why it was skipped
}

type passageKind uint8

const (
	called passageKind = iota
	served
	taken
)

func (s *passage) start() time.Time { return time.Unix(0, s.started).UTC() }
func (s *passage) end() time.Time   { return s.start().Add(s.took) }

// spanIDs are the ids, each empty unless it has its length.
func (s *passage) spanIDs(trace, id, parent string) {
	if len(trace) == 32 {
		s.trace = trace
	}
	if len(id) == 16 {
		s.id = id
	}
	if len(parent) == 16 {
		s.parent = parent
	}
}

// called makes the passage of a call and keeps it; from and to are the names of nodes.
func (w *World) called(kind passageKind, c *CallSeen, from, to string) *passage {
	s := &passage{kind: kind, failed: c.Failed, status: int32(c.Status), from: from, to: to, via: c.Via, method: clip(c.Method),
		path: clip(c.Path), started: c.Start.UnixNano(), took: c.Duration}
	if c.Failed {
		s.reason = why(c.Reason, c.Status)
	}
	s.spanIDs(c.TraceID, c.SpanID, c.ParentID)
	w.keepPassage(s)
	return s
}

func (w *World) keepPassage(s *passage) {
	if s.trace != "" && s.id != "" {
		w.passages.add(s, maxPassages)
	}
}

// failure is something that went wrong at a node.
type failure struct {
	at                 time.Time
	text, where, trace string
}

func (n *node) failed(at time.Time, s *passage, where string) {
	n.errors.add(failure{at, s.reason, where, s.trace}, maxErrors)
}

// takesSeen lists handlings on their edges. They are not counted there: what Redis says of the group is.
func (w *World) takesSeen(o TakesSeen) {
	for i := range o.Takes {
		t := &o.Takes[i]
		n := w.nodeBy[t.Node]
		if n == nil {
			n = w.groups[t.Group]
		}
		if n == nil {
			continue
		}
		s := &passage{kind: taken, failed: t.Failed, from: clip(t.Stream), to: n.spec.ID, path: clip(t.EventID), method: clip(t.Type),
			started: t.Start.UnixNano(), took: t.Duration}
		if l := w.laneBy[t.Stream]; l != nil {
			s.from = l.name
		}
		s.spanIDs(t.TraceID, t.SpanID, t.ParentID)
		if t.Failed {
			if s.reason = clip(t.Reason); s.reason == "" {
				s.reason = "it says no reason"
			}
			n.failed(w.earlier(s.end()), s, s.from)
		} else if t.Outcome == Skipped {
			s.skipped, s.reason = true, clip(t.Why)
		}
		w.keepPassage(s)
		if e := w.edgeBy[edgeKey{Take, t.Stream, n.spec.ID}]; e != nil {
			e.passed.add(s, maxPassed)
		}
	}
}
