package streams

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Fields of a dead letter, beside the original entry's own (the envelope in [Field]) or DeadOf.
const (
	DeadReason   = "reason"   // the last error's text
	DeadGroup    = "group"    // the consumer group that gave up
	DeadStream   = "stream"   // the stream that the entry came from
	DeadEntry    = "entry"    // its entry id there
	DeadAttempts = "attempts" // how often the handler tried; 0 where the entry is not an event
	DeadAt       = "at"       // when, RFC 3339 in UTC with milliseconds
)

// DeadOf is the one field that stands in place of the entry's own where it is larger than MaxEvent: what it was, in words.
// The letter names the entry, which is where its content still is; it cannot be sent again.
const DeadOf = "of"

// maxReason bounds the text of a dead letter's reason, in bytes.
const maxReason = 1 << 10

// rejected is what Reject makes of an error.
type rejected struct{ err error }

func (r *rejected) Error() string { return r.err.Error() }
func (r *rejected) Unwrap() error { return r.err }

// Reject marks an error as permanent: the entry goes to the dead letters at once, with the error's text as the reason.
// Reject(nil) is nil.
func Reject(err error) error {
	if err == nil {
		return nil
	}
	return &rejected{err}
}

func isRejected(err error) bool {
	_, ok := errors.AsType[*rejected](err)
	return ok
}

// bury moves an entry to the dead letters of its stream and acknowledges it, both or neither. It goes on trying while
// the bus is down; where ctx ends first the entry stays with the member.
func (m *member) bury(ctx context.Context, e Entry, reason error, attempts int) {
	if m.replays {
		m.skipped.Add(1)
		m.Log.Warn("an entry is skipped", "stream", e.Stream, "entry", e.ID, "type", e.Event.Type, "reason", reason)
		return
	}
	text := strings.ToValidUTF8(reason.Error(), "\uFFFD")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") // a rune cut in two is dropped
	}
	values := make([]any, 0, 14+2*len(e.Fields))
	if e.Size > MaxEvent { // a second one of that size would double the harm
		values = append(values, DeadOf, fmt.Sprintf("%s %s, event %s", e.Event.Type, e.Event.Subject, e.Event.ID))
	} else {
		if e.Raw != nil {
			values = append(values, Field, e.Raw)
		}
		for _, f := range e.Fields {
			values = append(values, f[0], f[1])
		}
	}
	values = append(values,
		DeadReason, text, DeadGroup, m.Group, DeadStream, e.Stream, DeadEntry, e.ID,
		DeadAttempts, attempts, DeadAt, string(appendTime(nil, time.Now())))

	for wait := (backoff{}); ; {
		actx, cancel := context.WithTimeout(ctx, ackTimeout)
		_, err := m.Redis.TxPipelined(actx, func(p redis.Pipeliner) error {
			p.XAdd(actx, &redis.XAddArgs{Stream: e.Stream + DeadSuffix, MaxLen: MaxLen, Approx: true, Values: values})
			p.XAck(actx, e.Stream, m.Group, e.ID)
			return nil
		})
		cancel()
		if err == nil {
			break
		}
		m.Log.Warn("a dead letter could not be written; trying again", "stream", e.Stream, "entry", e.ID, "err", err)
		if !wait.sleep(ctx) {
			return
		}
		if m.buried(ctx, e) {
			break // the answer was lost, not the deed
		}
	}
	m.Log.Error("an entry went to the dead letters", "stream", e.Stream, "entry", e.ID, "type", e.Event.Type,
		"attempts", attempts, "reason", text)
}

// buried reports whether the group has let go of the entry, which only an acknowledgement makes it do.
func (m *member) buried(ctx context.Context, e Entry) bool {
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	pending, err := m.Redis.XPendingExt(ctx, &redis.XPendingExtArgs{
		Stream: e.Stream, Group: m.Group, Start: e.ID, End: e.ID, Count: 1,
	}).Result()
	return err == nil && len(pending) == 0
}
