package streams

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Hold stops a consumer between two batches: while somebody has it, the consumer has nothing in flight, all that it was
// delivered is applied and acknowledged, and it reads nothing. To its group it looks dead then, unless it is [Consumer.Seen].
// Taken before the consumer runs, it keeps it from beginning.
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
	m.working = m.Hold.Take(ctx) == nil
	return m.working
}

// rest gives the turn up. Nothing is in flight then.
func (m *member) rest() {
	if m.working {
		m.working = false
		m.Hold.Release()
	}
}

// Seen shows the group that the consumer lives, while it is held: it asks for what it holds, which is nothing.
func (c *Consumer) Seen(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	err := c.Redis.XReadGroup(ctx, &redis.XReadGroupArgs{Group: c.Group, Consumer: c.Name, Streams: []string{c.Streams[0], "0"},
		Count: 1, Block: -1}).Err()
	if err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("streams: be seen in %s: %w", c.Group, err)
	}
	return nil
}
