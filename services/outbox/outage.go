package outbox

import (
	"context"
	"log/slog"
	"time"
)

// outage spaces the tries while the store or the bus is down, and logs its begin and its end once.
type outage struct {
	log   *slog.Logger
	since time.Time // zero while all is well
	next  time.Duration
}

// wait notes a failure and waits before the next try. It reports whether ctx lives on.
func (o *outage) wait(ctx context.Context, err error) bool {
	if o.since.IsZero() {
		o.since = time.Now()
		o.log.Warn("outbox: relay waits, events stay in the journal", "error", err)
	}
	o.next = min(max(2*o.next, minBackoff), maxBackoff)
	t := time.NewTimer(o.next)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// over notes that a round went well.
func (o *outage) over() {
	if !o.since.IsZero() {
		o.log.Info("outbox: relay goes on", "after", time.Since(o.since).Round(time.Millisecond))
	}
	o.since, o.next = time.Time{}, 0
}
