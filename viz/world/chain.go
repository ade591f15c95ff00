package world

import (
	"cmp"
	"slices"
	"time"
)

// Chain is all that is known of one trace, over requests and streams.
type Chain struct {
	Trace string `json:"trace"`
	Steps []Step `json:"steps"` // by start
	// Whole: nothing is known to be missing. Every step but the first leads back to it.
	Whole bool `json:"whole"`
}

// Step is one request, event or handling of an event in a chain.
type Step struct {
	Kind    string  `json:"kind"` // call | event | take
	From    string  `json:"from"` // call: the caller, empty for one that is no node; event: the emitter; take: the stream
	To      string  `json:"to"`   // call: the callee; event: the stream; take: the service
	Stream  string  `json:"stream"`
	Type    string  `json:"type"`
	Subject string  `json:"subject"`
	EventID string  `json:"event_id"`
	Via     string  `json:"via"` // call: "" a request, "bus", "store"
	Method  string  `json:"method"`
	Path    string  `json:"path"`
	Status  int     `json:"status"`
	Failed  bool    `json:"failed"`
	Reason  string  `json:"reason"`
	StartMS float64 `json:"start_ms"` // after the first step began
	TookMS  float64 `json:"took_ms"`  // 0 for an event
	Depth   int     `json:"depth"`    // how many steps lead to it, itself included
}

// The kinds of steps.
const (
	stepCall  = "call"
	stepEvent = "event"
	stepTake  = "take"
)

// maxSteps bounds a chain, and the spans that it is made of; one with more is not whole.
const maxSteps = 400

// Chain puts together what is known of the trace that an event belongs to; it is false where the event names none. It
// reaches back as far as the newest 60,000 passages and 10,000 events.
func (w *World) Chain(e Event) (Chain, bool) {
	id, ok := traceOf(e.TraceParent)
	if !ok {
		return Chain{}, false
	}
	b := chainBuilder{of: map[string]*link{}, emitted: map[string]*link{}, whole: true}
	for i := range w.passages.list {
		if s := *w.passages.back(i); s.trace == id {
			b.span(s)
		}
	}
	for i := range w.events.n {
		h := w.events.back(i)
		if l := w.laneBy[h.Stream]; l == nil || l.dead() {
			continue
		}
		if other, ok := traceOf(h.TraceParent); ok && other == id {
			b.event(&h.Event)
		}
	}
	return Chain{Trace: id, Steps: b.steps(), Whole: b.whole}, true
}

// link is a step, or a server's word on one, on its way into a chain.
type link struct {
	Step
	at       time.Time
	span     string // its own; empty for an event
	parent   string
	served   bool
	depth    int // 0: not looked at
	looking  bool
	rootless bool // what leads to it is not known
}

// chainBuilder puts links in order.
type chainBuilder struct {
	links   []*link
	of      map[string]*link // by span
	emitted map[string]*link // events by id
	whole   bool
}

func (b *chainBuilder) span(s *passage) {
	if b.of[s.id] != nil { // told twice
		return
	}
	if len(b.links) == maxSteps {
		b.whole = false
		return
	}
	l := &link{at: s.start(), span: s.id, parent: s.parent, served: s.kind == served, Step: Step{Kind: stepCall, From: s.from, To: s.to,
		Via: s.via, Method: s.method, Path: s.path, Status: int(s.status), Failed: s.failed, Reason: s.reason, TookMS: ms(s.took)}}
	if s.kind == taken {
		l.Kind, l.Stream, l.Type, l.EventID, l.Method, l.Path = stepTake, s.from, s.method, s.path, "", ""
	}
	b.of[s.id] = l
	b.links = append(b.links, l)
}

// event is one entry. Events come newest first: of several entries that hold one, the oldest is what its handlings come from.
func (b *chainBuilder) event(e *Event) {
	if len(b.links) == maxSteps {
		b.whole = false
		return
	}
	l := &link{at: e.Time, parent: e.TraceParent[36:52], Step: Step{Kind: stepEvent, From: e.Node, To: e.Stream, Stream: e.Stream,
		Type: e.Type, Subject: e.Subject, EventID: e.ID}}
	if l.From == "" {
		l.From = e.Source
	}
	b.emitted[e.ID] = l
	b.links = append(b.links, l)
}

// cause is the link that led to l; nil for a root, and for one whose cause is not known.
func (b *chainBuilder) cause(l *link) *link {
	if l.Kind == stepTake {
		if e := b.emitted[l.EventID]; e != nil {
			return e
		}
	}
	return b.of[l.parent]
}

func (b *chainBuilder) depth(l *link) int {
	if l.depth > 0 || l.looking {
		return l.depth
	}
	l.looking = true
	cause := b.cause(l)
	switch {
	case cause != nil:
		l.depth = b.depth(cause)
		l.rootless = cause.rootless || l.depth == 0 // a circle
		if !l.served || l.depth == 0 {
			l.depth++
		}
		if l.Kind == stepEvent && l.at.Before(cause.at) { // its time is of whole milliseconds
			l.at = cause.at
		}
	default:
		l.depth = 1
		l.rootless = l.parent != ""
	}
	l.looking = false
	return l.depth
}

// steps are in order of their start. Of a request that both sides told of, the caller's word is the step.
func (b *chainBuilder) steps() []Step {
	var shown []*link
	roots := 0
	for _, l := range b.links {
		l.Depth = b.depth(l)
		b.whole = b.whole && !l.rootless
		if b.cause(l) == nil {
			roots++
		}
		if l.served && b.cause(l) != nil {
			continue
		}
		if e := b.emitted[l.EventID]; l.Kind == stepTake && e != nil {
			l.Subject, l.Type = e.Subject, e.Type
		}
		shown = append(shown, l)
	}
	b.whole = b.whole && roots == 1
	slices.SortFunc(shown, func(a, b *link) int {
		return cmp.Or(a.at.Compare(b.at), a.Depth-b.Depth, cmp.Compare(a.span, b.span), cmp.Compare(a.EventID, b.EventID))
	})
	steps := make([]Step, 0, len(shown))
	for _, l := range shown {
		l.StartMS = ms(l.at.Sub(shown[0].at))
		steps = append(steps, l.Step)
	}
	return steps
}
