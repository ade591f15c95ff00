package streams

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// How a consumer reads. Blocks are short because nothing interrupts one: they bound how long Run outlives its context.
const (
	readCount   = 64 // entries per stream and read
	readBlock   = 500 * time.Millisecond
	readLate    = 600 * time.Millisecond // how much later than its block a read may answer
	ackTimeout  = 800 * time.Millisecond
	lastTimeout = 300 * time.Millisecond // of the acknowledgement after the context's end
	handleGrace = 700 * time.Millisecond // that a handler in flight has after the context's end
)

// Back-off: of a failed handler, and of a bus or store that does not answer.
const (
	minBackoff = 50 * time.Millisecond
	maxBackoff = time.Second
)

// Consumer is one member of a consumer group that reads one or more streams.
//
// An entry is acknowledged once Handle has returned nil for it, so a member that dies leaves its entries to be handled
// again: by itself when it is back under the same name, or by another member after MinIdle. The group is created at the
// stream's beginning, also when a wiped bus has forgotten it.
//
// One subject's entries are handled in order by one member. Between members of a group Redis knows no order, nor between
// what a dead member held and what came after it: there the handler's version guard decides (see [Event.Version]).
//
// Attempts are counted in memory: a restart begins anew, so that killing a service again and again never turns an
// innocent event into a dead letter.
type Consumer struct {
	Redis   *redis.Client
	Group   string
	Name    string // unique among live members of the group
	Streams []string
	// Handle applies one event and returns once its effect is committed. Calls for one subject come one at a time in
	// order; calls for different subjects may run at once (Workers). A panic counts as an error. Its context outlives
	// Run's by 700 ms, so that what is in flight can end well.
	Handle func(ctx context.Context, e Entry) error
	// Healthy says whether the handler's own store answers. A failure while it does not is not the event's fault and
	// does not count as an attempt. nil: always healthy.
	Healthy  func(ctx context.Context) error
	Workers  int           // default 8
	Attempts int           // before an entry goes to the dead letters; default 5
	MinIdle  time.Duration // what a dead member held is claimed after; default 5s
	Hold     *Hold         // stops it between batches; nil: it is never stopped
	Log      *slog.Logger  // default slog.Default()
}

// Run consumes until ctx ends and returns nil then, within 1.2 s. It outlives the bus: it waits for it with back-off. An
// error is a fault in the consumer's own fields.
func (c *Consumer) Run(ctx context.Context) error {
	m := &member{Consumer: *c}
	if err := m.validate(); err != nil {
		return err
	}
	left, end := outlive(ctx, handleGrace)
	defer end()
	m.left = left
	defer m.rest()
	var wait backoff
	for down := false; ; {
		err := m.consume(ctx, func() {
			if down {
				m.Log.Info("the bus is back")
			}
			down = false
			wait.reset()
		})
		if ctx.Err() != nil {
			return nil
		}
		switch {
		case redis.HasErrorPrefix(err, "NOGROUP"):
			m.Log.Warn("the bus has forgotten the group; making it anew", "err", err)
		case !down:
			m.Log.Warn("the bus does not answer; waiting for it", "err", err)
			down = true
		}
		wait.sleep(ctx)
	}
}

// member is a consumer at work.
type member struct {
	Consumer
	left    context.Context // that of the handlers: it ends a grace later than Run's
	claimed time.Time       // when dead members' entries were last asked for
	working bool            // it has the turn of its Hold

	replays bool         // it is no member of the group: it claims, acknowledges and buries nothing
	skipped atomic.Int64 // entries that it did not bury
}

func (m *member) validate() error {
	switch {
	case m.Redis == nil:
		return errors.New("streams: consumer: Redis is not set")
	case m.Group == "" || m.Name == "":
		return errors.New("streams: consumer: Group or Name is empty")
	case len(m.Streams) == 0:
		return fmt.Errorf("streams: consumer %s: no Streams", m.Group)
	case m.Handle == nil:
		return fmt.Errorf("streams: consumer %s: Handle is not set", m.Group)
	case m.Workers < 0 || m.Attempts < 0 || m.MinIdle < 0:
		return fmt.Errorf("streams: consumer %s: Workers, Attempts or MinIdle is negative", m.Group)
	}
	if m.Workers == 0 {
		m.Workers = 8
	}
	if m.Attempts == 0 {
		m.Attempts = 5
	}
	if m.MinIdle == 0 {
		m.MinIdle = 5 * time.Second
	}
	if m.Log == nil {
		m.Log = slog.Default()
	}
	m.Log = m.Log.With("group", m.Group, "consumer", m.Name)
	return nil
}

// outlive makes a context that ends grace after ctx; the function returned ends it and what watches it.
func outlive(ctx context.Context, grace time.Duration) (context.Context, func()) {
	left, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-ctx.Done():
			sleep(left, grace)
			cancel()
		case <-left.Done():
		}
	})
	return left, func() { cancel(); watch.Wait() }
}

// consume reads and handles until ctx ends or the bus fails: first what this member held when it stopped, then what dead
// members held, then what is new. It calls up once the bus has answered.
func (m *member) consume(ctx context.Context, up func()) error {
	if err := m.createGroups(ctx); err != nil {
		return err
	}
	if !m.begin(ctx) {
		return ctx.Err()
	}
	for own := true; own && ctx.Err() == nil; {
		entries, gone, err := m.read(ctx, "0", -1)
		if err != nil {
			return err
		}
		up()
		own = len(entries)+len(gone) > 0
		if err := m.settle(ctx, entries, gone); err != nil {
			return err
		}
	}
	m.claimed = time.Time{}
	for ctx.Err() == nil {
		if m.rest(); !m.begin(ctx) {
			break
		}
		if time.Since(m.claimed) >= m.MinIdle/2 {
			if err := m.claimDead(ctx); err != nil {
				return err
			}
			m.claimed = time.Now()
		}
		entries, gone, err := m.read(ctx, ">", readBlock)
		if err != nil {
			return err
		}
		if err := m.settle(ctx, entries, gone); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (m *member) createGroups(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	cmds, err := m.Redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, s := range m.Streams {
			p.XGroupCreateMkStream(ctx, s, m.Group, "0")
		}
		return nil
	})
	for _, cmd := range cmds {
		if err := cmd.Err(); err != nil && !redis.HasErrorPrefix(err, "BUSYGROUP") {
			return fmt.Errorf("create group %s: %w", m.Group, err)
		}
	}
	if len(cmds) == 0 && err != nil {
		return fmt.Errorf("create group %s: %w", m.Group, err)
	}
	return nil
}

// read reads the member's next entries after id from all streams, in the order of their ids; gone are those that the
// member holds but that were trimmed since. A negative block does not wait.
func (m *member) read(ctx context.Context, id string, block time.Duration) (entries []Entry, gone []Entry, err error) {
	args := &redis.XReadGroupArgs{
		Group: m.Group, Consumer: m.Name, Streams: slices.Clone(m.Streams), Count: readCount, Block: block,
	}
	for range m.Streams {
		args.Streams = append(args.Streams, id)
	}
	rctx, cancel := context.WithTimeout(ctx, max(block, 0)+readLate)
	defer cancel()
	read, err := m.Redis.XReadGroup(rctx, args).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, nil, fmt.Errorf("read as %s: %w", m.Group, err)
	}
	for _, s := range read {
		for _, msg := range s.Messages {
			if msg.Values == nil {
				gone = append(gone, Entry{Stream: s.Stream, ID: msg.ID})
				continue
			}
			entries = append(entries, entryOf(s.Stream, msg))
		}
	}
	if len(read) > 1 {
		// Merged by id, so that what one stream's event caused in another comes after it.
		slices.SortStableFunc(entries, func(a, b Entry) int {
			p, _ := parseID(a.ID)
			q, _ := parseID(b.ID)
			return p.compare(q)
		})
	}
	return entries, gone, nil
}

// claimDead takes over and settles what members that are gone for MinIdle held.
func (m *member) claimDead(ctx context.Context) error {
	for _, stream := range m.Streams {
		for from := "0-0"; ctx.Err() == nil; {
			cctx, cancel := context.WithTimeout(ctx, ackTimeout)
			msgs, next, deleted, err := m.Redis.XAutoClaimWithDeleted(cctx, &redis.XAutoClaimArgs{
				Stream: stream, Group: m.Group, Consumer: m.Name, MinIdle: m.MinIdle, Start: from, Count: readCount,
			}).Result()
			cancel()
			if err != nil {
				return fmt.Errorf("claim from %s as %s: %w", stream, m.Group, err)
			}
			if len(deleted) > 0 {
				// Redis has dropped them from the group by itself.
				m.Log.Error("entries were trimmed before they were handled", "stream", stream, "ids", deleted)
			}
			entries := make([]Entry, 0, len(msgs))
			for _, msg := range msgs {
				entries = append(entries, entryOf(stream, msg))
			}
			if len(entries) > 0 {
				m.Log.Info("claimed what a dead member held", "stream", stream, "entries", len(entries))
			}
			if err := m.settle(ctx, entries, nil); err != nil {
				return err
			}
			if from = next; from == "0-0" {
				break
			}
		}
	}
	return nil
}
