package streams

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// replayCount is how many entries are read of a stream, and handled, at a time.
const replayCount = 512

// Replay calls handle for what the streams hold from their first entries up to and including the ids given, merged in the
// order of ids, one subject's in order and different subjects' at once, as the consumer's own Handle is. The group is not
// touched, so the consumer should be held (see [Hold]) where both would change the same data. What handle rejects, or
// fails to apply Attempts times while Healthy, is skipped, as the consumer has put it to the dead letters; skipped is how
// many these were. done, which may be nil, is told after each batch how many entries it had.
//
// It waits for a store that is away. The error is the bus's or ctx's.
func (c *Consumer) Replay(ctx context.Context, upTo map[string]string, handle func(ctx context.Context, e Entry) error, done func(n int)) (skipped int64, err error) {
	m := &member{Consumer: *c, replays: true}
	m.Handle = handle
	if err := m.validate(); err != nil {
		return 0, err
	}
	left, end := outlive(ctx, handleGrace)
	defer end()
	m.left = left
	var logs []*logReader
	for stream, id := range upTo {
		logs = append(logs, &logReader{rdb: c.Redis, stream: stream, from: "-", to: id})
	}
	for {
		batch, err := nextBatch(ctx, logs)
		if err != nil {
			return m.skipped.Load(), fmt.Errorf("streams: replay as %s: %w", m.Group, err)
		}
		if len(batch) == 0 {
			return m.skipped.Load(), nil
		}
		m.handleAll(ctx, batch)
		if err := ctx.Err(); err != nil {
			return m.skipped.Load(), err
		}
		if done != nil {
			done(len(batch))
		}
	}
}

// logReader reads one stream from its first entry to an id.
type logReader struct {
	rdb      *redis.Client
	stream   string
	from, to string
	ended    bool
	read     []Entry // and not handed on yet
}

// first is the next entry; nil where there is none any more.
func (l *logReader) first(ctx context.Context) (*Entry, error) {
	if len(l.read) == 0 && !l.ended {
		msgs, err := l.rdb.XRangeN(ctx, l.stream, l.from, l.to, replayCount).Result()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", l.stream, err)
		}
		for _, msg := range msgs {
			l.read = append(l.read, entryOf(l.stream, msg))
			l.from = "(" + msg.ID
		}
		l.ended = len(msgs) < replayCount
	}
	if len(l.read) == 0 {
		return nil, nil
	}
	return &l.read[0], nil
}

// nextBatch takes the next entries of all, in the order of their ids.
func nextBatch(ctx context.Context, logs []*logReader) (batch []Entry, err error) {
	for len(batch) < replayCount {
		var next *logReader
		var least entryID
		for _, l := range logs {
			e, err := l.first(ctx)
			if err != nil {
				return nil, err
			}
			if e == nil {
				continue
			}
			if id, _ := parseID(e.ID); next == nil || id.compare(least) < 0 {
				next, least = l, id
			}
		}
		if next == nil {
			break
		}
		batch = append(batch, next.read[0])
		next.read = next.read[1:]
	}
	return batch, nil
}
