package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
)

const (
	// Kept is how many published events a journal keeps: what a wiped bus can be filled with again.
	Kept = 100_000

	batch        = 200                    // events per round trip to the bus
	pollEvery    = 500 * time.Millisecond // how long a commit waits whose Wake was lost
	leadEvery    = 250 * time.Millisecond // how often one that does not lead tries to
	checkEvery   = 500 * time.Millisecond // how often the bus is compared with the journal
	pruneEvery   = time.Minute
	boundEvery   = 5 * time.Second // how often the stream's bytes are measured
	storeTimeout = 5 * time.Second // of one call of the store: a silent one counts as down
	longTimeout  = time.Minute     // of one that may touch the whole journal
	markWithin   = 2 * time.Second // what is published is marked, also when the relay is told to end
	minBackoff   = 50 * time.Millisecond
	maxBackoff   = time.Second
)

// Relay moves a journal's events to one stream of the bus, of which it is the only writer, but for those that disturb it. Its methods may be called from
// any goroutine, Run once.
//
// Every event is published at least once: again, under the same event id, when the relay dies before it has marked it, or
// when the bus has lost it. Per subject they come in commit order; what comes again may be older than what came before.
type Relay struct {
	Store  Store
	BusURL string
	Stream string
	// MaxBytes is how much of the bus's memory the stream may take, roughly; default streams.MaxBytes. The oldest entries
	// beyond it are trimmed every 5 s, as those beyond streams.MaxLen are with each event.
	MaxBytes int64
	Log      *slog.Logger // default slog.Default()

	once sync.Once
	wake chan struct{} // holds one: a wake-up that comes during another's work means one more round

	mu    sync.Mutex
	again int64 // see Republished
	when  time.Time
}

// Republished is how many events this relay has published once more because the bus had lost them, since it was made, and
// when it last did; zero for never.
func (r *Relay) Republished() (n int64, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.again, r.when
}

func (r *Relay) republished(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.again, r.when = r.again+int64(n), time.Now()
}

func (r *Relay) init() { r.once.Do(func() { r.wake = make(chan struct{}, 1) }) }

// Wake tells the relay that something was committed; it never blocks.
func (r *Relay) Wake() {
	r.init()
	select {
	case r.wake <- struct{}{}:
	default: // a wake-up is already waiting
	}
}

// Waiting says how many events are committed and not published yet, whether there are more than the 200 that it counts at
// most, and when the oldest of these happened; zero for none. In normal work an event waits for some milliseconds. The
// relay need not run, nor lead.
func (r *Relay) Waiting(ctx context.Context) (n int, more bool, oldest time.Time, err error) {
	recs, err := r.Store.Unsent(ctx, batch+1)
	if err != nil {
		return 0, false, oldest, err
	}
	if more = len(recs) > batch; more {
		recs = recs[:batch]
	}
	for _, rec := range recs {
		if oldest.IsZero() || rec.Event.Time.Before(oldest) {
			oldest = rec.Event.Time
		}
	}
	return len(recs), more, oldest, nil
}

// Run relays until ctx ends and returns nil then. It outlives both the store and the bus. An error is a fault in BusURL.
func (r *Relay) Run(ctx context.Context) error {
	r.init()
	log := r.Log
	if log == nil {
		log = slog.Default()
	}
	bus, err := streams.Open(r.BusURL)
	if err != nil {
		return fmt.Errorf("outbox: relay to %s: %w", r.Stream, err)
	}
	defer bus.Close()
	if store, ok := r.Store.(interface{ OnCommit(func()) }); ok {
		store.OnCommit(r.Wake)
	}
	out := outage{log: log.With("stream", r.Stream)}
	var known past
	for {
		s := session{relay: r, bus: bus, out: &out, past: &known}
		err := s.run(ctx)
		s.close()
		if ctx.Err() != nil {
			break
		}
		if !out.wait(ctx, err) {
			break
		}
	}
	resign, cancel := context.WithTimeout(context.WithoutCancel(ctx), markWithin)
	defer cancel()
	_ = r.Store.Resign(resign) // where the store is down, the lead runs out by itself
	return nil
}

// session is the time from one error to the next: one connection to the bus, so that a bus that was started anew, maybe
// empty, cannot go unnoticed between two commands.
type session struct {
	relay   *Relay
	bus     *redis.Client
	out     *outage
	conn    *redis.Conn // nil while it does not lead
	last    string      // the highest entry id marked in the journal
	checked time.Time   // when the bus was last compared
	past    *past
	pruned  time.Time
	bounded time.Time // when the stream's bytes were last measured
}

func (s *session) close() {
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}

// run relays until the first error, or ctx's.
func (s *session) run(ctx context.Context) error {
	s.pruned = time.Now()
	for {
		lead, err := within(ctx, storeTimeout, s.relay.Store.Lead)
		if err != nil {
			return err
		}
		if !lead {
			s.close()
			s.past.owed = 0 // who leads publishes them
			s.out.over()
			if err := s.pause(ctx, leadEvery, nil); err != nil {
				return err
			}
			continue
		}
		n, err := s.round(ctx)
		if err != nil {
			return err
		}
		s.out.over()
		if n == batch {
			continue
		}
		if err := s.pause(ctx, pollEvery, s.relay.wake); err != nil {
			return err
		}
	}
}

// round compares, prunes where it is time for it, and moves one batch. It returns how many events it moved.
func (s *session) round(ctx context.Context) (int, error) {
	if s.conn == nil {
		s.conn = s.bus.Conn()
		last, err := within(ctx, longTimeout, s.relay.Store.LastSent)
		if err != nil {
			return 0, err
		}
		s.last, s.checked = last, time.Time{}
	}
	if time.Since(s.checked) >= checkEvery || len(s.past.since) >= maxSince {
		if err := s.compare(ctx); err != nil {
			return 0, err
		}
	}
	if time.Since(s.pruned) >= pruneEvery {
		s.pruned = time.Now()
		_, err := within(ctx, longTimeout, func(ctx context.Context) (any, error) { return nil, s.relay.Store.Prune(ctx, Kept) })
		if err != nil {
			return 0, err
		}
	}
	if time.Since(s.bounded) >= boundEvery {
		s.bounded = time.Now()
		if err := s.bound(ctx); err != nil {
			return 0, err
		}
	}
	recs, err := within(ctx, storeTimeout, func(ctx context.Context) ([]Record, error) { return s.relay.Store.Unsent(ctx, batch) })
	if err != nil || len(recs) == 0 {
		return 0, err
	}
	events := make([]streams.Event, len(recs))
	for i, rec := range recs {
		events[i] = rec.Event
	}
	ids, err := streams.Publish(ctx, s.conn, s.relay.Stream, events...)
	if err != nil {
		return 0, err
	}
	s.past.published(ids)
	for i := range recs {
		recs[i].EntryID = ids[i]
	}
	mark, cancel := context.WithTimeout(context.WithoutCancel(ctx), markWithin)
	defer cancel()
	if err := s.relay.Store.Sent(mark, recs); err != nil {
		return 0, err
	}
	s.last = ids[len(ids)-1]
	if again := min(s.past.owed, len(recs)); again > 0 { // they are older, so they come first
		s.past.owed -= again
		s.relay.republished(again)
	}
	return len(recs), nil
}

// bound trims what is more than the stream's bytes. A bus that cannot tell what it needs (a Redis look-alike, or one whose
// user may not ask) goes without.
func (s *session) bound(ctx context.Context) error {
	most := s.relay.MaxBytes
	if most == 0 {
		most = streams.MaxBytes
	}
	n, err := streams.Bound(ctx, s.conn, s.relay.Stream, most)
	var said redis.Error
	switch {
	case errors.As(err, &said):
		s.out.log.Debug("outbox: the stream's bytes cannot be measured", "err", err)
		return nil
	case err == nil && n > 0:
		s.out.log.Info("outbox: trimmed the stream to its bytes", "entries", n, "bytes", most)
	}
	return err
}

// within calls f with a context that ends after d at the latest.
func within[T any](ctx context.Context, d time.Duration, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return f(ctx)
}

// pause waits for d or a wake-up; its error is ctx's.
func (s *session) pause(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-wake:
	case <-ctx.Done():
	}
	return ctx.Err()
}
