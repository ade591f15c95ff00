package streams

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Ways in which a stream can be disturbed.
const (
	Malformed = "malformed" // an entry whose envelope is not JSON
	Duplicate = "duplicate" // the newest event once more, with its id
	Old       = "old"       // an older version of a subject of which a newer one stands in the stream
	Huge      = "huge"      // an event of a known type, four times as large as one may be
)

// Disturbances are all of them.
func Disturbances() []string { return []string{Malformed, Duplicate, Old, Huge} }

// ErrNothingToDisturb is wrapped where the stream holds no entry that a disturbance could be made of.
var ErrNothingToDisturb = errors.New("there is nothing to make it of")

const (
	disturbLook = 5000 // entries, the newest, among which one is looked for
	disturbPage = 500
	hugeBytes   = 1 << 20
)

// Disturb adds an entry to a stream that should not be there, and returns its id and what it is in words. Consumers have to
// bear with every one of them. It is made of what the newest 5,000 entries hold.
func Disturb(ctx context.Context, rdb *redis.Client, stream, how string) (id, said string, err error) {
	values := []any{Field, nil}
	switch how {
	case Malformed:
		values[1] = `{"specversion":"1.0","id":"` + rand.Text() + `","type":`
		said = "an entry whose envelope ends in the middle"
	case Duplicate:
		e, err := newest(ctx, rdb, stream)
		if err != nil {
			return "", "", err
		}
		values[1] = e.Raw
		said = fmt.Sprintf("%s %s again, the same event", e.Event.Type, e.Event.Subject)
	case Old:
		e, now, err := outdated(ctx, rdb, stream)
		if err != nil {
			return "", "", err
		}
		values[1] = e.Raw
		said = fmt.Sprintf("version %d of %s again, of which there is version %d", e.Event.Version, e.Event.Subject, now)
	case Huge:
		e, err := newest(ctx, rdb, stream)
		if err != nil {
			return "", "", err
		}
		raw, err := swell(e.Event)
		if err != nil {
			return "", "", fmt.Errorf("streams: disturb %s: %w", stream, err)
		}
		values[1] = raw
		said = fmt.Sprintf("%s %s of %d bytes, of which an event may have %d", e.Event.Type, e.Event.Subject, len(raw), MaxEvent)
	default:
		return "", "", fmt.Errorf("streams: disturb %s: %q is none of %s", stream, how, strings.Join(Disturbances(), ", "))
	}
	id, err = rdb.XAdd(ctx, &redis.XAddArgs{Stream: stream, MaxLen: MaxLen, Approx: true, Values: values}).Result()
	if err != nil {
		return "", "", fmt.Errorf("streams: disturb %s: %w", stream, err)
	}
	return id, said, nil
}

// newest is the newest entry that is an event about something.
func newest(ctx context.Context, rdb *redis.Client, stream string) (found Entry, err error) {
	err = backwards(ctx, rdb, stream, func(e Entry) bool {
		found = e
		return e.Event.Subject != ""
	})
	if err == nil && found.Event.Subject == "" {
		err = fmt.Errorf("streams: disturb %s: its newest %d entries hold no event: %w", stream, disturbLook, ErrNothingToDisturb)
	}
	return found, err
}

// outdated is the newest event of which the stream holds a later version too, and that version.
func outdated(ctx context.Context, rdb *redis.Client, stream string) (found Entry, now int64, err error) {
	highest := map[string]int64{}
	err = backwards(ctx, rdb, stream, func(e Entry) bool {
		v := e.Event.Version
		if h := highest[e.Event.Subject]; v > 0 && v < h {
			found, now = e, h
			return true
		}
		highest[e.Event.Subject] = max(v, highest[e.Event.Subject])
		return false
	})
	if err == nil && now == 0 {
		err = fmt.Errorf("streams: disturb %s: none of the subjects of its newest %d entries has two versions there: %w",
			stream, disturbLook, ErrNothingToDisturb)
	}
	return found, now, err
}

// backwards hands over the newest events of a stream, newest first, until f has had enough.
func backwards(ctx context.Context, rdb *redis.Client, stream string, f func(Entry) (enough bool)) error {
	from := "+"
	for range disturbLook / disturbPage {
		page, err := rdb.XRevRangeN(ctx, stream, from, "-", disturbPage).Result()
		if err != nil {
			return fmt.Errorf("streams: read %s backwards: %w", stream, err)
		}
		for _, m := range page {
			if e := entryOf(stream, m); e.Err == nil && e.Raw != nil && f(e) {
				return nil
			}
		}
		if len(page) < disturbPage {
			return nil
		}
		from = "(" + page[len(page)-1].ID
	}
	return nil
}

// swell makes an event of its own out of e that is far too large, of the same version, so that it would change nothing
// where somebody took it.
func swell(e Event) ([]byte, error) {
	data := map[string]json.RawMessage{}
	if json.Unmarshal(e.Data, &data) != nil {
		data = map[string]json.RawMessage{"was": e.Data} // it was no object
	}
	data["padding"] = json.RawMessage(`"` + strings.Repeat("x", hugeBytes) + `"`)
	var err error
	if e.Data, err = json.Marshal(data); err != nil {
		return nil, err
	}
	e.ID, e.Time = rand.Text(), time.Now()
	return e.AppendJSON(nil), nil
}
