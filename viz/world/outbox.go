package world

import (
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
