package tap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
)

// DeadSuffix ends the names of the streams of dead letters.
const DeadSuffix = streams.DeadSuffix

// Errors of a Bus; they come wrapped.
var (
	// ErrBusDown: it does not answer; the text says why in a newcomer's words.
	ErrBusDown = errors.New("the bus cannot be reached")
	// ErrNoEvent: only events can be sent again.
	ErrNoEvent = streams.ErrNotEvent
)

// Bus is asked what nobody needs to know until somebody looks: it reads, but for Resend and what a person does to the bus
// (Lose, Trim, Disturb).
type Bus struct{ rdb *redis.Client }

// OpenBus makes a Bus of the Redis at url; it does no I/O. The caller closes it.
func OpenBus(url string) (*Bus, error) {
	rdb, err := streams.Open(url)
	if err != nil {
		return nil, fmt.Errorf("tap: %w", err)
	}
	return &Bus{rdb}, nil
}

// Close ends its connections.
func (b *Bus) Close() error { return b.rdb.Close() }

// End is one end of a stream.
type End struct {
	EntryID string
	At      time.Time // when Redis took it in
}

// Ends are the oldest and the newest entry of a stream; nil where it has none.
func (b *Bus) Ends(ctx context.Context, stream string) (first, last *End, err error) {
	from, to, err := streams.Ends(ctx, b.rdb, stream)
	if err != nil || from == "" {
		return nil, nil, down(err)
	}
	return &End{from, takenIn(from)}, &End{to, takenIn(to)}, nil
}

// Reader names a consumer group of a stream.
type Reader = streams.Reader

// Retries counts for each group the entries that were delivered to it more than once and are not applied yet, out of its
// oldest 1,000; -1 where it is not there.
func (b *Bus) Retries(ctx context.Context, readers ...Reader) ([]int64, error) {
	n, err := streams.Retried(ctx, b.rdb, readers...)
	return n, down(err)
}

// DeadLetter is one letter as it lies among the dead ones.
type DeadLetter struct {
	Stream   string // "orders.dead"
	Of       string // "orders"
	EntryID  string // in Stream
	ID       string // of the event; empty where it is none
	Type     string
	Subject  string
	Group    string // that gave up; empty where a stranger put it there
	Reason   string
	Attempts int
	At       time.Time
	Raw      json.RawMessage
}

// DeadLetters are the newest n of each of these streams of dead letters, newest first within each, and how many there are
// of all.
func (b *Bus) DeadLetters(ctx context.Context, n int64, dead ...string) (letters []DeadLetter, total int64, err error) {
	found, total, err := streams.DeadLetters(ctx, b.rdb, n, dead...)
	if err != nil {
		return nil, 0, down(err)
	}
	for i := range found {
		l := &found[i]
		o := event(&l.Entry)
		if !json.Valid(o.Raw) {
			o.Raw = object(&l.Entry)
		}
		letters = append(letters, DeadLetter{Stream: l.Stream, Of: l.Of, EntryID: l.ID, ID: l.Event.ID, Type: l.Event.Type,
			Subject: l.Event.Subject, Group: l.Group, Reason: l.Reason, Attempts: l.Attempts, At: l.At, Raw: o.Raw})
	}
	return letters, total, nil
}

// Resend is [streams.Resend]: it puts dead letters back into their stream, all that are there where no ids are given.
func (b *Bus) Resend(ctx context.Context, dead string, ids ...string) (n int, err error) {
	n, err = streams.Resend(ctx, b.rdb, dead, ids...)
	return n, down(err)
}

// Lost is how many entries of a stream were lost.
type Lost struct {
	Stream string
	N      int64
}

// Lose makes the bus forget these streams, or what came to them in the last d where that is not 0: see [streams.LoseAll] and
// [streams.LoseLast].
func (b *Bus) Lose(ctx context.Context, d time.Duration, names ...string) ([]Lost, error) {
	var (
		found []streams.Lost
		err   error
	)
	if d == 0 {
		found, err = streams.LoseAll(ctx, b.rdb, names...)
	} else {
		found, err = streams.LoseLast(ctx, b.rdb, d, names...)
	}
	lost := make([]Lost, len(found))
	for i, l := range found {
		lost[i] = Lost(l)
	}
	return lost, down(err)
}

// Trim is [streams.Trim].
func (b *Bus) Trim(ctx context.Context, stream string, keep int64) (int64, error) {
	n, err := streams.Trim(ctx, b.rdb, stream, keep)
	return n, down(err)
}

// ErrNothingToDisturb: the stream holds nothing that a disturbance could be made of.
var ErrNothingToDisturb = streams.ErrNothingToDisturb

// Disturbances are the ways in which a stream can be disturbed.
func Disturbances() []string { return streams.Disturbances() }

// Disturb is [streams.Disturb].
func (b *Bus) Disturb(ctx context.Context, stream, how string) (id, said string, err error) {
	id, said, err = streams.Disturb(ctx, b.rdb, stream, how)
	return id, said, down(err)
}

// down marks errors by which the bus did not answer; what it said itself stays as it is.
func down(err error) error {
	var said redis.Error
	if err == nil || errors.Is(err, streams.ErrNotEvent) || errors.Is(err, streams.ErrNothingToDisturb) || errors.As(err, &said) {
		return err
	}
	return fmt.Errorf("%w: %s", ErrBusDown, words(err))
}
