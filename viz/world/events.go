package world

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// What is kept and shown of events.
const (
	maxEvents   = 10_000
	maxRaw      = 64 << 20 // bytes of Raw over all kept events; beyond it the oldest go early
	shownEvents = 40
	maxAnswer   = 1000
	// Above this rate, in events a second, frames show fewer of them, so that what a browser gets does not grow with the
	// traffic: nobody could read more.
	shownRate  = 1000
	shownLeast = 4
)

// events are the newest events: a ring.
type events struct {
	ring  []heldEvent
	start int // of the oldest
	n     int
	raw   int
	seq   int64
	held  map[eventKey]int // entries of each event that has an id
}

// eventKey names an event on a stream.
type eventKey struct{ stream, id string }

type heldEvent struct {
	Event
	rev  int64
	dead *deadLetter // of a dead letter
}

// back is the i-th newest.
func (r *events) back(i int) *heldEvent { return &r.ring[(r.start+r.n-1-i)%len(r.ring)] }

func (r *events) newest() int64 {
	if r.n == 0 {
		return 0
	}
	return r.back(0).rev
}

func (r *events) drop() {
	old := &r.ring[r.start]
	r.raw -= len(old.Raw)
	if k := (eventKey{old.Stream, old.ID}); r.held[k] > 1 {
		r.held[k]--
	} else {
		delete(r.held, k)
	}
	*old = heldEvent{}
	r.start = (r.start + 1) % len(r.ring)
	r.n--
}

func (r *events) add(e Event, dead *deadLetter, rev int64) {
	if r.n == len(r.ring) {
		if len(r.ring) < maxEvents {
			grown := make([]heldEvent, min(maxEvents, max(256, 2*len(r.ring))))
			copy(grown, r.ring[r.start:])
			copy(grown[len(r.ring)-r.start:], r.ring[:r.start])
			r.ring, r.start = grown, 0
		} else {
			r.drop()
		}
	}
	for r.n > 0 && r.raw+len(e.Raw) > maxRaw {
		r.drop()
	}
	r.seq++
	e.Seq = r.seq
	if e.ID != "" {
		if r.held == nil {
			r.held = map[eventKey]int{}
		}
		k := eventKey{e.Stream, e.ID}
		e.Again = r.held[k] > 0
		r.held[k]++
	}
	r.n++
	*r.back(0) = heldEvent{e, rev, dead}
	r.raw += len(e.Raw)
}

// shown is how many events a frame shows at most.
func (w *World) shown(full bool) int {
	rate, _ := w.bus.count.rates(w.now)
	if full || rate <= shownRate {
		return shownEvents
	}
	return max(shownLeast, int(shownEvents*shownRate/rate))
}

// sample are the newest ones after a revision, oldest first.
func (r *events) sample(rev int64, most int) []Event {
	n := 0
	for n < min(r.n, most) && r.back(n).rev > rev {
		n++
	}
	if n == 0 {
		return nil
	}
	out := make([]Event, 0, n)
	for i := n - 1; i >= 0; i-- {
		e := r.back(i).Event
		e.Raw = nil
		out = append(out, e)
	}
	return out
}

// eventsSeen lists entries, and counts those that are no history.
func (w *World) eventsSeen(o EventsSeen) {
	lost := map[string]int64{}
	for name, base := range o.Bases {
		lost[name] = w.baseSeen(name, base)
	}
	var (
		l     *lane
		fresh int64 // on l, not yet added: entries come in runs
	)
	flush := func() {
		if l != nil && fresh > 0 {
			l.total += fresh
			l.count.add(w.now, fresh, 0)
			w.touch(l)
		}
		fresh = 0
	}
	for i := range o.Events {
		s := &o.Events[i]
		if l == nil || l.name != s.Stream {
			flush()
			l = w.lane(s.Stream)
		}
		n := w.sources[s.Source]
		e := Event{Stream: clip(s.Stream), EntryID: clip(s.EntryID), ID: clip(s.ID), Source: clip(s.Source), Type: clip(s.Type),
			Subject: clip(s.Subject), Version: s.Version, Time: clock(s.Time), Problem: clip(s.Problem),
			TraceParent: clip(s.TraceParent), Raw: s.Raw, Size: s.Size}
		if n != nil {
			e.Node = n.spec.ID
			w.join(n)
			if e.Time.After(n.published) {
				n.published = w.earlier(e.Time)
			}
		}
		var put *deadLetter
		if d := s.Dead; d != nil {
			put = &deadLetter{clip(d.Group), clip(d.Entry), clip(d.Reason), d.Attempts}
		}
		w.events.add(e, put, w.rev+1)
		if l == nil {
			continue
		}
		l.marked(&e)
		var edge *edge
		if n != nil && !l.dead() { // a dead letter is put away by its reader, not by its source
			if edge = w.edge(edgeKey{Emit, n.spec.ID, s.Stream}); edge != nil {
				at := e.Time
				if at.IsZero() {
					at = clock(o.At)
				}
				edge.emitted.add(emitted{at, w.events.seq, e.ID, e.Type, e.Subject, e.TraceParent}, maxPassed)
			}
		}
		if o.History {
			continue
		}
		fresh++
		w.bus.count.add(w.now, 1, 0)
		if !e.Time.IsZero() {
			w.bus.took.add(w.now, max(0, o.At.Sub(e.Time)))
		}
		if e.TraceParent != "" && !l.dead() {
			w.messagePart(&e, o.At)
		}
		if edge != nil {
			edge.total++
			edge.count.add(w.now, 1, 0)
			edge.typed(e.Type)
			w.touch(edge)
		}
	}
	flush()
	if !o.History && len(o.Events) > 0 {
		w.touch(&w.bus)
	}
	for _, name := range o.Lost {
		what := "entries"
		if n := lost[name]; n > 0 {
			what = counted(n)
		}
		w.note(o.At, "", bad, "the stream "+name+" lost "+what)
	}
}

// baseSeen takes the count of a stream's entries before those that will be counted, and says how many it lost of those that
// were.
func (w *World) baseSeen(name string, base int64) (lost int64) {
	l := w.lane(name)
	if l == nil {
		return 0
	}
	if lost = l.total - base; l.base >= 0 && lost > 0 {
		w.lostSeen(l, lost, base)
	}
	l.total = base
	w.touch(l)
	if l.base < 0 {
		l.base = base
		for _, e := range w.edges {
			if e.key.kind == Take && e.key.from == name {
				w.since(e, base)
			}
		}
	}
	return max(0, lost)
}

// Query selects events; zero fields select all.
type Query struct {
	Stream, Node  string
	Type, Subject string // parts of them
	Text          string // a part of Raw, in whatever case
	Before        int64  // only events with a lower Seq
	Limit         int    // 1 to 1000; anything else is brought into that
}

// Events are the newest events that match, newest first, with Raw, out of the newest 10,000.
func (w *World) Events(q Query) []Event {
	limit := min(max(q.Limit, 1), maxAnswer)
	out := []Event{}
	text := folded{text: bytes.ToLower([]byte(q.Text))}
	for i := 0; i < w.events.n && len(out) < limit; i++ {
		e := w.events.back(i)
		if (q.Before == 0 || e.Seq < q.Before) && is(q.Stream, e.Stream) && is(q.Node, e.Node) &&
			strings.Contains(e.Type, q.Type) && strings.Contains(e.Subject, q.Subject) && text.in(e.Raw) {
			out = append(out, e.answer())
		}
	}
	return out
}

func is(want, got string) bool { return want == "" || want == got }

// folded finds a text in bytes whatever the case of either.
type folded struct {
	text    []byte // in lower case
	scratch []byte
}

func (f *folded) in(b []byte) bool {
	if len(f.text) == 0 {
		return true
	}
	f.scratch = f.scratch[:0]
	for _, c := range b {
		switch {
		case c >= utf8.RuneSelf:
			return bytes.Contains(bytes.ToLower(b), f.text)
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		f.scratch = append(f.scratch, c)
	}
	return bytes.Contains(f.scratch, f.text)
}

// Event is the newest event with that CloudEvents id or entry id; a dead letter only where no other stream has one. Entry ids
// are unique within a stream only: a letter written in the same millisecond as its event has the same.
func (w *World) Event(id string) (Event, bool) {
	if id == "" {
		return Event{}, false
	}
	var letter *heldEvent
	for i := range w.events.n {
		switch e := w.events.back(i); {
		case e.EntryID != id && e.ID != id:
		case !strings.HasSuffix(e.Stream, deadSuffix):
			return e.answer(), true
		case letter == nil:
			letter = e
		}
	}
	if letter != nil {
		return letter.answer(), true
	}
	return Event{}, false
}

// answer is the event with a Raw that is JSON whatever was seen.
func (e *heldEvent) answer() Event {
	out := e.Event
	if len(out.Raw) > 0 && !json.Valid(out.Raw) {
		out.Raw, _ = json.Marshal(string(out.Raw)) // a string always marshals
	}
	return out
}
