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
	told    time.Time // when it last said what waits
}

// again is what a node published once more because the bus had lost it. Of a node that runs more than once each replica
// tells of itself, so that what comes in is told apart by its time.
type again struct {
	known bool
	told  int64     // how many it had published since it started when that was last said, or when the visualizer began to look
	at    time.Time // when the last of these was
	seen  time.Time // the newest such time that came in, to know when it is through
}

// againSeen says how many events a node has published once more, when it is through with them.
func (w *World) againSeen(n *node, o OutboxSeen) {
	a, at := &n.again, clock(o.RepublishedAt)
	switch {
	case !a.known:
		*a = again{known: true, told: o.Republished, at: at}
	case !at.After(a.at): // that was said
	case !at.Equal(a.seen): // it may go on
		a.seen = at
	default:
		fresh := o.Republished
		if fresh > a.told {
			fresh -= a.told
		}
		a.told, a.at = o.Republished, at
		w.note(o.At, n.spec.ID, good, fmt.Sprintf("%s published %s again, which the bus had lost", n.spec.ID, counted(fresh)))
	}
}

// ended forgets what the node counted: the next one begins anew.
func (a *again) ended() { a.told, a.known = 0, true }

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
		*b = outbox{told: clock(o.At)}
	default:
		*b = outbox{waiting: o.Waiting, more: o.More, oldest: clock(o.Oldest), told: clock(o.At)}
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

// age is that of the oldest event of the node when it last said what waits; of one that does not answer, now.
func (b *outbox) age(n *node, now time.Time) time.Duration {
	if b.waiting < 0 {
		return n.unpublished(now)
	}
	if b.oldest.IsZero() {
		return 0
	}
	return max(0, b.told.Sub(b.oldest))
}
