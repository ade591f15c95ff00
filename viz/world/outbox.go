package world

import (
	"fmt"
	"slices"
	"time"
)

// outbox is what a node last said of what it has committed and not published yet.
type outbox struct {
	waiting int64     // -1: it does not say
	more    bool      // there are more than that
	oldest  time.Time // zero: nothing waits, as far as is known
}

// again is what a node published once more because the bus had lost it.
type again struct {
	known bool
	n     int64 // as it last said, since it started
	told  int64 // of these, said in notes or from before the visualizer looked
}

// againSeen says how many events a node has published once more, when it is through with them.
func (w *World) againSeen(n *node, o OutboxSeen) {
	a := &n.again
	switch {
	case !a.known:
		a.known, a.told = true, o.Republished
	case o.Republished < a.n: // it was started again
		a.told = 0
	case o.Republished == a.n && a.n > a.told:
		w.note(o.At, n.spec.ID, good, fmt.Sprintf("%s published %s again, which the bus had lost", n.spec.ID, counted(a.n-a.told)))
		a.told = a.n
	}
	a.n = o.Republished
}

// outboxSeen takes a node's word. While it does not answer, the oldest that it told of counts on: one that is away can
// publish nothing.
func (w *World) outboxSeen(o OutboxSeen) {
	n := w.nodeBy[o.Node]
	if n == nil {
		return
	}
	switch b := &n.outbox; {
	case o.Waiting < 0:
		b.waiting, b.more = -1, false
	case o.Waiting == 0:
		*b = outbox{}
	default:
		*b = outbox{waiting: o.Waiting, more: o.More, oldest: clock(o.Oldest)}
	}
	if o.Waiting >= 0 {
		w.againSeen(n, o)
	}
	w.touch(n)
	for _, c := range w.cells {
		if slices.ContainsFunc(c.spec.Reads, func(s string) bool { return slices.Contains(w.emitters[s], n) }) {
			w.touch(c)
		}
	}
}

// unpublished is the age of the oldest event that the node is known to have committed and not published. Of one that
// does not answer, what the bus has shown since is no longer waiting.
func (n *node) unpublished(now time.Time) time.Duration {
	b := &n.outbox
	if b.oldest.IsZero() || b.waiting < 0 && !b.oldest.Truncate(time.Millisecond).After(n.published) {
		return 0
	}
	return max(0, now.Sub(b.oldest))
}
