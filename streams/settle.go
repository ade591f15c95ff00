package streams

import (
	"context"
	"fmt"
	"hash/maphash"
	"runtime/debug"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// settle handles entries, one subject's in order and different subjects' at once, waits for all, and acknowledges those
// that were applied, and those that are gone. When it returns nil while ctx lives, all are off the member's hands.
func (m *member) settle(ctx context.Context, entries, gone []Entry) error {
	for _, e := range gone {
		m.Log.Error("an entry was trimmed before it was handled", "stream", e.Stream, "entry", e.ID)
	}
	acks := gone
	if len(entries) > 0 {
		acks = append(acks, m.handleAll(ctx, entries)...)
	}
	return m.ack(ctx, acks)
}

// handleAll returns the entries that were applied, in no order.
func (m *member) handleAll(ctx context.Context, entries []Entry) (applied []Entry) {
	shards := make([][]Entry, m.Workers)
	for _, e := range entries {
		i := maphash.String(shardSeed, e.Event.Subject) % uint64(len(shards))
		shards[i] = append(shards[i], e)
	}
	var mu sync.Mutex
	var work sync.WaitGroup
	for _, shard := range shards {
		if len(shard) == 0 {
			continue
		}
		work.Go(func() {
			n := 0 // applied entries move to the front
			for _, e := range shard {
				if ctx.Err() != nil {
					break
				}
				if m.handle(ctx, e) {
					shard[n] = e
					n++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			applied = append(applied, shard[:n]...)
		})
	}
	done := make(chan struct{})
	go func() { work.Wait(); close(done) }()
	keep := time.NewTicker(max(m.MinIdle/3, time.Millisecond))
	defer keep.Stop()
	for {
		select {
		case <-done:
			return applied
		case <-keep.C:
			if !m.replays {
				m.keep(ctx, entries)
			}
		}
	}
}

var shardSeed = maphash.MakeSeed()

// keep tells the group that the entries are still being worked on, so that no other member takes them for a dead one's.
// Where the bus does not answer nothing can be told, nor can others claim.
func (m *member) keep(ctx context.Context, entries []Entry) {
	ctx, cancel := context.WithTimeout(ctx, lastTimeout)
	defer cancel()
	_, err := m.Redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for stream, ids := range byStream(entries) {
			p.XClaimJustID(ctx, &redis.XClaimArgs{Stream: stream, Group: m.Group, Consumer: m.Name, Messages: ids})
		}
		return nil
	})
	if err != nil {
		m.Log.Debug("could not keep entries", "err", err)
	}
}

// handle brings one entry to its end and reports whether it is to be acknowledged: false where it went to the dead
// letters, which acknowledges it, or where ctx ended first.
func (m *member) handle(ctx context.Context, e Entry) bool {
	if e.Err != nil {
		m.bury(ctx, e, e.Err, 0)
		return false
	}
	var wait backoff
	for attempt := 1; ; attempt++ {
		err := m.try(e)
		switch {
		case err == nil:
			return true
		case ctx.Err() != nil:
			return false // whether it failed for that or for itself will show when it is tried again
		case isRejected(err):
			m.bury(ctx, e, err, attempt)
			return false
		}
		if sick := m.healthy(ctx); sick != nil {
			m.Log.Warn("the store does not answer; waiting for it", "err", sick)
			if !m.awaitHealthy(ctx) {
				return false
			}
			attempt-- // not the event's fault
			continue
		}
		if attempt >= m.Attempts {
			m.bury(ctx, e, err, attempt)
			return false
		}
		m.Log.Warn("an event could not be applied; trying again", "stream", e.Stream, "entry", e.ID,
			"type", e.Event.Type, "attempt", attempt, "err", err)
		if !wait.sleep(ctx) {
			return false
		}
	}
}

// try calls the handler once.
func (m *member) try(e Entry) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the handler panicked: %v", p)
			m.Log.Error("the handler panicked", "stream", e.Stream, "entry", e.ID, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	return m.Handle(m.left, e)
}

func (m *member) healthy(ctx context.Context) error {
	if m.Healthy == nil {
		return nil
	}
	return m.Healthy(ctx)
}

// awaitHealthy waits until the store answers and reports whether ctx lives on.
func (m *member) awaitHealthy(ctx context.Context) bool {
	for wait := (backoff{}); wait.sleep(ctx); {
		if m.healthy(ctx) == nil {
			return true
		}
	}
	return false
}

// ack acknowledges entries, and goes on trying while the bus is down, because what is applied need not be applied again.
// After ctx's end it tries once.
func (m *member) ack(ctx context.Context, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	ids := byStream(entries)
	for wait := (backoff{}); ; {
		timeout := ackTimeout
		if ctx.Err() != nil {
			timeout = lastTimeout
		}
		actx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		_, err := m.Redis.Pipelined(actx, func(p redis.Pipeliner) error {
			for stream, ids := range ids {
				p.XAck(actx, stream, m.Group, ids...)
			}
			return nil
		})
		cancel()
		if err == nil {
			return nil
		}
		if timeout == lastTimeout {
			return fmt.Errorf("acknowledge as %s: %w", m.Group, err)
		}
		if wait.first() {
			m.Log.Warn("what was applied could not be acknowledged; trying again", "err", err)
		}
		wait.sleep(ctx)
	}
}

func byStream(entries []Entry) map[string][]string {
	ids := make(map[string][]string)
	for _, e := range entries {
		ids[e.Stream] = append(ids[e.Stream], e.ID)
	}
	return ids
}
