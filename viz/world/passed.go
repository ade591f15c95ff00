package world

import "time"

// Passed is one request on an edge, one event that was emitted on it, or one handling of an event that came over it.
type Passed struct {
	At     time.Time  `json:"at"`   // of a request and a handling: when it began
	Kind   string     `json:"kind"` // call | event | take
	Method string     `json:"method"`
	Path   string     `json:"path"`
	Status int        `json:"status"`
	Failed bool       `json:"failed"`
	Reason string     `json:"reason"`
	TookMS float64    `json:"took_ms"`
	Trace  string     `json:"trace"`
	Event  *PassedRef `json:"event"` // nil for a request
}

// PassedRef names an event.
type PassedRef struct {
	Seq     int64  `json:"seq"` // 0: it is not among the events that are kept
	ID      string `json:"id"`
	Type    string `json:"type"`
	Subject string `json:"subject"`
}

// emitted is an event as its edge keeps it; the list of events forgets it sooner than a quiet edge does.
type emitted struct {
	at          time.Time
	seq         int64
	id, typ     string
	subject     string
	traceparent string
}

// EdgeDetail is an edge and the newest of what passed over it, newest first, at most 50: requests of calls and reaches,
// events of emits, and of takes the handlings that their service's traces tell of. It is false for an edge that is not
// known. Requests over the bus are not among a call's: their events are on the lanes.
func (w *World) EdgeDetail(id string) (Edge, []Passed, bool) {
	var e *edge
	for _, other := range w.edges {
		if other.id == id {
			e = other
			break
		}
	}
	if e == nil || e.hidden(w) {
		return Edge{}, nil, false
	}
	last := []Passed{}
	for i := range e.emitted.list {
		m := e.emitted.back(i)
		p := Passed{At: m.at, Kind: stepEvent, Event: &PassedRef{m.seq, m.id, m.typ, m.subject}}
		p.Trace, _ = traceOf(m.traceparent)
		last = append(last, p)
	}
	for i := range e.passed.list {
		s := *e.passed.back(i)
		p := Passed{At: s.start(), Kind: stepCall, Method: s.method, Path: s.path, Status: int(s.status), Failed: s.failed,
			Reason: s.reason, TookMS: ms(s.took), Trace: s.trace}
		if s.kind == taken {
			p.Kind, p.Method, p.Path, p.Event = stepTake, "", "", &PassedRef{ID: s.path, Type: s.method}
		}
		last = append(last, p)
	}
	if e.key.kind == Take {
		w.refer(e.key.from, last)
	}
	return e.shown, last, true
}

// refer fills in what is known of the events that were handled, of the newest with an id.
func (w *World) refer(stream string, last []Passed) {
	refs := map[string][]*PassedRef{}
	for _, p := range last {
		refs[p.Event.ID] = append(refs[p.Event.ID], p.Event)
	}
	for i := range w.events.n {
		e := w.events.back(i)
		if e.Stream != stream {
			continue
		}
		for _, r := range refs[e.ID] {
			r.Seq, r.Type, r.Subject = e.Seq, e.Type, e.Subject
		}
		delete(refs, e.ID)
		if len(refs) == 0 {
			return
		}
	}
}
