package streams

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// seenEvery is how often a held consumer shows the group that it lives.
const seenEvery = time.Second

// Hold stops a consumer between two batches: while somebody has it, the consumer has nothing in flight, all that it was
// delivered is applied and acknowledged, and it reads nothing. It stays a live member of its group. Taken before the
// consumer runs, it keeps it from beginning.
type Hold struct{ turn chan struct{} } // holds one: the consumer's, while it works, or the taker's

// NewHold makes one, for one consumer.
func NewHold() *Hold { return &Hold{make(chan struct{}, 1)} }

// Take waits until the consumer stands still and keeps it so until Release. Of a consumer that waits for its bus or its
// store with entries in hand it waits for the end of that. The error is ctx's.
func (h *Hold) Take(ctx context.Context) error {
	select {
	case h.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Release lets the consumer go on. Only who took the hold calls it, once.
func (h *Hold) Release() { <-h.turn }

// begin takes the turn to work and reports whether ctx lives on.
func (m *member) begin(ctx context.Context) bool {
	if m.Hold == nil || m.working {
		return ctx.Err() == nil
	}
	seen := time.NewTicker(seenEvery)
	defer seen.Stop()
	for {
		select {
		case m.Hold.turn <- struct{}{}:
			m.working = true
			return true
		case <-seen.C:
			m.seen(ctx)
		case <-ctx.Done():
			return false
		}
	}
}

// rest gives the turn up. Nothing is in flight then.
func (m *member) rest() {
	if m.working {
		m.working = false
		<-m.Hold.turn
	}
}

// seen asks for what the member holds, which is nothing: the group takes that for a sign of life.
func (m *member) seen(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	err := m.Redis.XReadGroup(ctx, &redis.XReadGroupArgs{Group: m.Group, Consumer: m.Name, Streams: []string{m.Streams[0], "0"},
		Count: 1, Block: -1}).Err()
	if err != nil && err != redis.Nil {
		m.Log.Debug("could not show that it lives", "err", err)
	}
}
