package world

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// What is held of requests while their parts come in. Where maxTraces are open, a new one is refused: only whole ones
// count, and there are more than are needed.
const (
	maxTraces = 256
	maxParts  = 64 // calls of a trace, and messages; one with more is not told
	// rootedFor is how long a trace stays open after its root was seen, rootlessFor after its first part without one.
	rootedFor   = time.Second
	rootlessFor = 2 * time.Second
	// refusedFor is how long no part of a trace that was refused or closed begins it anew: what came of it would be a
	// rest that looks whole. It is longer than a root may last.
	refusedFor = 3 * time.Second
	refusals   = 4096
	closeEvery = 100 * time.Millisecond // where there is no room

	typicalFor = time.Second // how long a cell's typical request stays at least
)

// costs puts whole requests together from their parts, to say what one costs.
type costs struct {
	open  map[string]*trace
	order []*trace // as they began
	spare []*trace
	// refused says until when, in Unix milliseconds, no trace of that place begins. Places are shared: a trace that is
	// refused for another's sake is only not looked at.
	refused [refusals]int64
	closed  time.Time // when it was last looked for traces to close
}

// trace is what has come in of one request.
type trace struct {
	id       string
	begun    time.Time
	rooted   time.Time // when its root was seen; zero: not yet
	root     string    // its span
	cell     *cell     // whose request it is
	failed   bool
	ended    time.Time // of the root
	torn     bool      // it cannot be told whole
	calls    []CallSeen
	messages []message
}

// message is an event that a request caused.
type message struct {
	Message
	at time.Time
}

// typical is the newest whole request of a cell that is kept.
type typical struct {
	request *Waterfall // never written to again: frames share its cost
	at      time.Time  // when it was kept
	turned  time.Time  // when one was last kept for its outcome
}

// rootPart takes the request itself, as its client saw it.
func (w *World) rootPart(of *cell, ok bool, c *CallSeen) {
	t := w.trace(c.TraceID)
	if t == nil {
		return
	}
	switch {
	case t.rooted.IsZero():
		t.root, t.cell, t.failed, t.rooted, t.ended = c.SpanID, of, !ok, w.now, w.earlier(c.Start.Add(c.Duration))
		t.torn = t.torn || c.Duration > rootlessFor // its first parts may have been given up
	case t.root != c.SpanID:
		t.torn = true // which of the two its cost would be is not known
	}
	root := *c
	root.Failed = !ok
	t.add(&root)
}

// callPart takes a call that belongs to some request.
func (w *World) callPart(c *CallSeen) {
	if t := w.trace(c.TraceID); t != nil {
		t.add(c)
	}
}

// missingPart has a trace not told, for something in it is not known.
func (w *World) missingPart(id string) {
	if t := w.trace(id); t != nil {
		t.torn = true
	}
}

// messagePart takes an event that some request may have caused.
func (w *World) messagePart(e *Event, at time.Time) {
	id, ok := traceOf(e.TraceParent)
	if !ok {
		return
	}
	t := w.trace(id)
	if t == nil {
		return
	}
	if len(t.messages) == maxParts {
		t.torn = true
		return
	}
	if !e.Time.IsZero() {
		at = e.Time
	}
	t.messages = append(t.messages, message{Message{Stream: e.Stream, Type: e.Type, Subject: e.Subject, Node: e.Node}, at})
}

func (t *trace) add(c *CallSeen) {
	const idLength = 16
	if len(t.calls) == maxParts || len(c.SpanID) != idLength || len(c.ParentID) > idLength {
		t.torn = true
		return
	}
	t.calls = append(t.calls, *c)
	kept := &t.calls[len(t.calls)-1]
	kept.Method, kept.Path, kept.Reason, kept.Route = clip(c.Method), clip(c.Path), clip(c.Reason), ""
}

// traceOf is the trace's id in a W3C traceparent.
func traceOf(parent string) (id string, ok bool) {
	if len(parent) < 55 || parent[2] != '-' || parent[35] != '-' {
		return "", false
	}
	return parent[3:35], true
}

// trace is the open trace of that id, begun if need be; nil where it cannot be told whole, or there is no room.
func (w *World) trace(id string) *trace {
	const idLength = 32
	if len(id) != idLength {
		return nil
	}
	k := &w.costs
	if t := k.open[id]; t != nil {
		if !t.due(w.now) {
			return t
		}
		w.closeTraces()
	}
	place := k.place(id)
	if *place > w.now.UnixMilli() {
		*place = w.now.Add(refusedFor).UnixMilli()
		return nil
	}
	if len(k.order) == maxTraces && w.now.Sub(k.closed) >= closeEvery {
		w.closeTraces()
	}
	if len(k.order) == maxTraces {
		*place = w.now.Add(refusedFor).UnixMilli()
		return nil
	}
	t := &trace{}
	if n := len(k.spare); n > 0 {
		t, k.spare = k.spare[n-1], k.spare[:n-1]
	}
	t.id, t.begun = id, w.now
	k.open[id] = t
	k.order = append(k.order, t)
	return t
}

// place is where refusals of that trace are kept. The end of an id is random in every kind of id.
func (k *costs) place(id string) *int64 {
	h := uint32(0)
	for _, b := range []byte(id[24:]) {
		h = h*31 + uint32(b)
	}
	return &k.refused[h%refusals]
}

func (t *trace) due(now time.Time) bool {
	if t.rooted.IsZero() {
		return now.Sub(t.begun) >= rootlessFor
	}
	return now.Sub(t.rooted) >= rootedFor
}

// closeTraces closes what has been open for long enough; whole requests become their cells' typical ones, the newest
// first.
func (w *World) closeTraces() {
	k := &w.costs
	k.closed = w.now
	open, due := k.order[:0], []*trace(nil)
	for _, t := range k.order {
		if !t.due(w.now) {
			open = append(open, t)
			continue
		}
		delete(k.open, t.id)
		*k.place(t.id) = w.now.Add(refusedFor).UnixMilli()
		due = append(due, t)
	}
	clear(k.order[len(open):])
	k.order = open
	slices.SortFunc(due, func(a, b *trace) int {
		return cmp.Or(b.rooted.Compare(a.rooted), b.ended.Compare(a.ended), strings.Compare(a.id, b.id))
	})
	for _, t := range due {
		w.keep(t)
		clear(t.calls) // so that their texts are let go
		clear(t.messages)
		*t = trace{calls: t.calls[:0], messages: t.messages[:0]}
		k.spare = append(k.spare, t)
	}
}

// keep makes a whole request its cell's typical one, if it is time for another: once a second, and at once where it
// went otherwise than the present one, which is once a second too.
func (w *World) keep(t *trace) {
	if t.torn || t.cell == nil {
		return
	}
	c := &t.cell.typical
	if c.request != nil && c.at.Equal(w.now) {
		return // by a newer one
	}
	turned := c.request != nil && c.request.Failed != t.failed && w.now.Sub(c.turned) >= typicalFor
	if !turned && c.request != nil && w.now.Sub(c.at) < typicalFor {
		return
	}
	f, ok := t.waterfall()
	if !ok {
		return
	}
	if turned {
		c.turned = w.now
	}
	c.request, c.at = f, w.now
	w.touch(t.cell)
}
