package streams

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// The bounds of every stream whose entries are to last, roughly: what is older than either allows is trimmed.
//
// MaxLen is kept by Publish with each entry (MAXLEN ~). MaxBytes is of Redis' own memory; whoever is a stream's one
// publisher keeps it with [Bound]. A consumer that is further behind than this has the owners publish again what they have.
const (
	MaxLen   = 100_000
	MaxBytes = 64 << 20
)

// Publish appends events to stream in order, in one round trip, and returns their entry ids. All are checked before the
// first is sent (see [Event.Validate]). The server appends all or none; where an error leaves open whether it did (the
// connection broke), publishing again may double them, never lose one.
func Publish(ctx context.Context, rdb redis.Cmdable, stream string, events ...Event) ([]string, error) {
	if len(events) == 0 {
		return nil, nil
	}
	for i, e := range events {
		if err := e.Validate(); err != nil {
			return nil, fmt.Errorf("streams: publish to %s: event %d of %d (%s): %w", stream, i+1, len(events), e.Type, err)
		}
	}
	ids := make([]string, len(events))
	if len(events) == 1 {
		id, err := rdb.XAdd(ctx, addArgs(stream, events[0])).Result()
		if err != nil {
			return nil, fmt.Errorf("streams: publish to %s: %w", stream, err)
		}
		ids[0] = id
		return ids, nil
	}
	adds := make([]*redis.StringCmd, len(events))
	_, err := rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		for i, e := range events {
			adds[i] = p.XAdd(ctx, addArgs(stream, e))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("streams: publish %d to %s: %w", len(events), stream, err)
	}
	for i, add := range adds {
		ids[i] = add.Val()
	}
	return ids, nil
}

func addArgs(stream string, e Event) *redis.XAddArgs {
	return &redis.XAddArgs{
		Stream: stream,
		MaxLen: MaxLen,
		Approx: true,
		Values: []any{Field, e.AppendJSON(make([]byte, 0, 256+len(e.Data)))},
	}
}
