package world

import (
	"fmt"
	"strings"
	"time"
)

const (
	maxNotes = 60
	pileFrom = 3 // events that wait make a pile
)

// The tones of notes.
const (
	good  = "good"
	bad   = "bad"
	plain = "plain"
)

// notes are the newest notes, oldest first.
type notes struct {
	list []heldNote
	seq  int64
}

type heldNote struct {
	Note
	rev int64
}

func (ns *notes) newest() int64 {
	if len(ns.list) == 0 {
		return 0
	}
	return ns.list[len(ns.list)-1].rev
}

func (ns *notes) after(rev int64) []Note {
	var out []Note
	for _, n := range ns.list {
		if n.rev > rev {
			out = append(out, n.Note)
		}
	}
	return out
}

func (w *World) note(at time.Time, node, tone, text string) {
	if len(w.notes.list) == maxNotes {
		copy(w.notes.list, w.notes.list[1:])
		w.notes.list = w.notes.list[:maxNotes-1]
	}
	w.notes.seq++
	w.notes.list = append(w.notes.list, heldNote{Note{w.notes.seq, clock(at), clip(node), tone, clip(text)}, w.rev + 1})
}

func (w *World) actionSeen(o ActionSeen) {
	switch o.Verb {
	case "resend", "lose", "trim", "disturb": // said once it is done, and how much it was
		w.note(o.At, o.Node, plain, o.Note)
		return
	}
	if o.Verb == ActVerb { // its note says what, and of what
		w.note(o.At, o.Node, plain, "asked for: "+o.Note)
		return
	}
	if o.Verb == "workloads" {
		w.note(o.At, o.Node, plain, "asked for: the same work on each engine, to compare them")
		return
	}
	text := o.Verb
	if o.Node != "" {
		text += " " + o.Node
	}
	if o.Replica != "" {
		text += " " + o.Replica
	}
	if o.Note != "" {
		text += ": " + o.Note
	}
	w.note(o.At, o.Node, plain, "asked for: "+text)
}

// died says a death in words, from the runtime's reason.
func died(reason string) string {
	switch {
	case strings.HasPrefix(reason, "killed"):
		return "was killed"
	case reason == "" || reason == "stopped" || reason == "exit code 0":
		return "stopped"
	}
	return "ended: " + reason
}

// span is a duration for people: "0.4 s", "12 s", "3 min 5 s".
func span(d time.Duration) string {
	switch {
	case d < 0:
		d = 0
		fallthrough
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Truncate(time.Second).Seconds())
	}
	d = d.Truncate(time.Second)
	return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
}

// pile is what waits at a node's door, over all streams that it takes.
type pile struct {
	most   int64 // the most that waited at once since nothing did
	waited bool  // it stood, rather than being in passing

	now     int64 // what waits at this inspection
	unknown bool  // of some stream it is not known
	stood   bool  // the node is dead, or an event is older than what makes a copy stale
}

// pilesSeen notes where a pile that stood at a node's door is gone. What dead replicas hold is no part of it: that it was
// claimed is news of its own.
func (w *World) pilesSeen() {
	for _, n := range w.nodes {
		n.pile.now, n.pile.unknown, n.pile.stood = 0, false, n.state == Down || n.state == Paused
	}
	for _, e := range w.edges {
		if n := w.nodeBy[e.key.to]; n != nil && e.key.kind == Take {
			n.pile.now += max(0, e.group.waiting)
			n.pile.unknown = n.pile.unknown || e.group.waiting < 0
			n.pile.stood = n.pile.stood || e.group.age(w.now) > staleFrom && n.left() == 0
		}
	}
	for _, n := range w.nodes {
		if n.hidden(w) {
			continue
		}
		p := &n.pile
		p.now = max(0, p.now-n.left())
		switch {
		case p.now > 0:
			p.most = max(p.most, p.now)
			p.waited = p.waited || p.stood
		case p.unknown: // there may be a pile yet
		case p.most >= pileFrom && p.waited:
			w.note(w.now, n.spec.ID, good, fmt.Sprintf("%s caught up on %d events", n.spec.ID, p.most))
			*p = pile{}
		default:
			*p = pile{}
		}
	}
}
