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
	w.notes.list = append(w.notes.list, heldNote{Note{w.notes.seq, at, node, tone, text}, w.rev + 1})
}

func (w *World) actionSeen(o ActionSeen) {
	text := o.Verb
	if o.Node != "" {
		text += " " + o.Node
	}
	if o.Note != "" {
		text += ": " + o.Note
	}
	w.note(o.At, o.Node, plain, text+" (asked on the page)")
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
}

// pileSeen notes when a pile that stood at a node's door is gone.
func (w *World) pileSeen(n *node) {
	sum, stood := int64(0), n.state == Down || n.state == Paused
	for _, e := range w.edges {
		if e.key.kind != Take || e.key.to != n.spec.ID {
			continue
		}
		if e.group.waiting < 0 {
			return // wait for better news
		}
		sum += e.group.waiting
		stood = stood || e.group.age(w.now) > staleFrom
	}
	p := &n.pile
	switch {
	case sum > 0:
		p.most = max(p.most, sum)
		p.waited = p.waited || stood
	case p.most >= pileFrom && p.waited:
		w.note(w.now, n.spec.ID, good, fmt.Sprintf("%s caught up on %d events", n.spec.ID, p.most))
		fallthrough
	default:
		*p = pile{}
	}
}
