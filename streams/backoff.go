package streams

import (
	"context"
	"time"
)

// backoff is how long to wait before the next try: from minBackoff, doubling, up to most (maxBackoff where that is 0).
type backoff struct{ next, most time.Duration }

func (b *backoff) reset() { b.next = 0 }

// first reports whether it has not waited yet.
func (b *backoff) first() bool { return b.next == 0 }

// sleep waits, less long where ctx ends, and reports whether ctx lives on.
func (b *backoff) sleep(ctx context.Context) bool {
	if b.most == 0 {
		b.most = maxBackoff
	}
	b.next = min(max(b.next*2, minBackoff), b.most)
	return sleep(ctx, b.next)
}

// sleep waits for d, less long where ctx ends, and reports whether ctx lives on.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
