package streams

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// DeadLetter is an entry that a consumer group gave up on.
type DeadLetter struct {
	// Entry is the original one's content, in the place where it stands now: the stream of dead letters and its id there.
	Entry
	Of       string    // the stream that it came from
	OfID     string    // its entry id there; empty where it was not put away by a [Consumer]
	Group    string    // that gave up; empty likewise
	Reason   string    // the last error's text; empty likewise
	Attempts int       // how often the handler tried
	At       time.Time // when it was put away
}

// trailer are the fields that bury adds behind an entry's own, in that order.
var trailer = []string{DeadReason, DeadGroup, DeadStream, DeadEntry, DeadAttempts, DeadAt}

// DeadLetters reads the newest n dead letters of each of the named streams of them ("orders.dead"), newest first within
// each, in one round trip, and how many these streams hold in all. Missing streams hold none. It changes nothing.
func DeadLetters(ctx context.Context, rdb *redis.Client, n int64, dead ...string) (letters []DeadLetter, total int64, err error) {
	lengths, pages := make([]*redis.IntCmd, len(dead)), make([]*redis.Cmd, len(dead))
	_, failed := rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, name := range dead {
			lengths[i] = p.XLen(ctx, name)
			pages[i] = p.Do(ctx, "XREVRANGE", name, "+", "-", "COUNT", n)
		}
		return nil
	})
	if failed != nil && ctx.Err() != nil {
		return nil, 0, fmt.Errorf("streams: read dead letters: %w", ctx.Err())
	}
	for i, name := range dead {
		page, err := lettersOf(name, pages[i])
		if err == nil {
			err = lengths[i].Err()
		}
		if err != nil {
			return nil, 0, fmt.Errorf("streams: read dead letters: %s: %w", name, err)
		}
		letters = append(letters, page...)
		total += lengths[i].Val()
	}
	return letters, total, nil
}

// lettersOf reads a reply of XRANGE or its like. It is read as it comes, for go-redis' own form of an entry keeps neither
// the order of its fields nor two of one name, which an original and its trailer may have.
func lettersOf(dead string, cmd *redis.Cmd) ([]DeadLetter, error) {
	reply, err := cmd.Slice()
	if err != nil {
		return nil, err
	}
	letters := make([]DeadLetter, 0, len(reply))
	for _, r := range reply {
		entry, ok := r.([]any)
		if !ok || len(entry) != 2 {
			return nil, errors.New("an entry is not as Redis answers it")
		}
		id, _ := entry[0].(string)
		texts, _ := entry[1].([]any)
		e := Entry{Stream: dead, ID: id}
		for i := 0; i+1 < len(texts); i += 2 {
			name, _ := texts[i].(string)
			value, _ := texts[i+1].(string)
			if name == Field && e.Raw == nil {
				e.Raw, e.Size = []byte(value), len(value)
				continue
			}
			e.Fields = append(e.Fields, [2]string{name, value})
		}
		decode(&e, plain{})
		letters = append(letters, LetterOf(e))
	}
	return letters, nil
}

// LetterOf takes an entry of a stream of dead letters apart, as a tap reads it, with its fields in order. One without what
// a [Consumer] adds is somebody else's, and stands for itself.
func LetterOf(e Entry) DeadLetter {
	l := DeadLetter{Entry: e, Of: strings.TrimSuffix(e.Stream, DeadSuffix)}
	own := len(e.Fields) - len(trailer)
	if own >= 0 && slices.EqualFunc(e.Fields[own:], trailer, func(f [2]string, name string) bool { return f[0] == name }) {
		t := e.Fields[own:]
		l.Fields = e.Fields[:own:own]
		l.Reason, l.Group, l.OfID = t[0][1], t[1][1], t[3][1]
		l.Attempts, _ = strconv.Atoi(t[4][1])
		l.At, _ = parseTime([]byte(t[5][1]))
	}
	if place, ok := parseID(e.ID); ok && l.At.IsZero() {
		l.At = place.time()
	}
	return l
}

// LettersAfter reads n dead letters from after an entry id on, oldest first; from the beginning where it is empty.
func LettersAfter(ctx context.Context, rdb *redis.Client, dead, after string, n int64) ([]DeadLetter, error) {
	return lettersBetween(ctx, rdb, dead, after, "+", n)
}

func lettersBetween(ctx context.Context, rdb *redis.Client, dead, after, last string, n int64) ([]DeadLetter, error) {
	from := "-"
	if after != "" {
		from = "(" + after
	}
	letters, err := lettersOf(dead, rdb.Do(ctx, "XRANGE", dead, from, last, "COUNT", n))
	if err != nil {
		return nil, fmt.Errorf("streams: read dead letters: %s: %w", dead, err)
	}
	return letters, nil
}

// Reader names a consumer group of a stream.
type Reader struct{ Stream, Group string }

// retriedMost is how many pending entries of a group Retried looks at, the oldest first.
const retriedMost = 1000

// Retried counts, for each reader, the pending entries that were delivered more than once, out of the oldest 1,000; -1
// where the group is not there. It takes one round trip and changes nothing.
func Retried(ctx context.Context, rdb redis.Cmdable, readers ...Reader) ([]int64, error) {
	pending := make([]*redis.XPendingExtCmd, len(readers))
	_, failed := rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, r := range readers {
			pending[i] = p.XPendingExt(ctx, &redis.XPendingExtArgs{Stream: r.Stream, Group: r.Group, Start: "-", End: "+", Count: retriedMost})
		}
		return nil
	})
	if failed != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("streams: count retries: %w", ctx.Err())
	}
	counts := make([]int64, len(readers))
	for i, p := range pending {
		entries, err := p.Result()
		switch {
		case redis.HasErrorPrefix(err, "NOGROUP"), redis.HasErrorPrefix(err, "WRONGTYPE"):
			counts[i] = -1
		case err != nil:
			return nil, fmt.Errorf("streams: count retries of %s on %s: %w", readers[i].Group, readers[i].Stream, err)
		}
		for _, e := range entries {
			if e.RetryCount > 1 {
				counts[i]++
			}
		}
	}
	return counts, nil
}

// Ends reads the ids of a stream's oldest and newest entry; both empty where it has none. It changes nothing.
func Ends(ctx context.Context, rdb redis.Cmdable, stream string) (first, last string, err error) {
	var ends [2]*redis.XMessageSliceCmd
	_, err = rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		ends[0] = p.XRangeN(ctx, stream, "-", "+", 1)
		ends[1] = p.XRevRangeN(ctx, stream, "+", "-", 1)
		return nil
	})
	if err != nil {
		return "", "", fmt.Errorf("streams: ends of %s: %w", stream, err)
	}
	if f, l := ends[0].Val(), ends[1].Val(); len(f) > 0 && len(l) > 0 {
		first, last = f[0].ID, l[0].ID
	}
	return first, last, nil
}
