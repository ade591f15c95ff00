package copies

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/viz/world"
)

// What one round looks at of a Redis in which things are keys of their own: walkPages pages of about walkPage keys, and the
// memory of walkSample keys of each kind.
const (
	walkPages  = 10
	walkPage   = 1000
	walkSample = 50
)

// walk is how far the keys were gone through. Redis tells how many keys it has, and not how many of a kind: a round looks
// at some, the next goes on from there, and the share that is of the kind is told as an estimate, unless one round saw all.
type walk struct {
	cursor     uint64
	this, last pass
}

// pass is one way through all keys, or the part of it that was gone.
type pass struct {
	seen   int64
	of     map[string]int64    // by pattern
	sample map[string][]string // keys of each pattern
}

func newPass() pass { return pass{of: map[string]int64{}, sample: map[string][]string{}} }

// share is how many of the keys are of a pattern, 0 to 1, by the last pass and this one.
func (w *walk) share(pattern string) float64 {
	seen := w.this.seen + w.last.seen
	if seen == 0 {
		return 0
	}
	return float64(w.this.of[pattern]+w.last.of[pattern]) / float64(seen)
}

// goOn looks at the next keys; whole says that it saw all of them.
func (w *walk) goOn(ctx context.Context, rdb *redis.Client, patterns []string) (whole bool, err error) {
	begun := w.cursor == 0
	if begun {
		w.last, w.this = w.this, newPass()
	}
	for range walkPages {
		keys, next, err := rdb.Scan(ctx, w.cursor, "", walkPage).Result()
		if err != nil {
			w.cursor = 0
			return false, err
		}
		w.this.seen += int64(len(keys))
		for _, key := range keys {
			for _, p := range patterns {
				if _, ok := idIn(p, key); ok {
					w.this.of[p]++
					if len(w.this.sample[p]) < walkSample {
						w.this.sample[p] = append(w.this.sample[p], key)
					}
				}
			}
		}
		if w.cursor = next; next == 0 {
			return begun, nil
		}
	}
	return false, nil
}

func (r *redisDB) totals(ctx context.Context, holds []world.Hold) ([]world.HeldSeen, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var patterns []string
	for _, h := range holds {
		if h.At.Key != "" {
			patterns = append(patterns, h.At.Key)
		}
	}
	whole, keys := false, int64(0)
	if len(patterns) > 0 {
		var err error
		if whole, err = r.goOn(ctx, r.rdb, patterns); err != nil {
			return nil, err
		}
		if !whole {
			if keys, err = r.rdb.DBSize(ctx).Result(); err != nil {
				return nil, err
			}
		}
	}
	var all []world.HeldSeen
	for _, h := range holds {
		held, err := r.total(ctx, h.At, whole, keys)
		if err != nil {
			return nil, err
		}
		more, _, err := r.usage(ctx, h.At.With)
		if err != nil {
			return nil, err
		}
		if held.Bytes >= 0 {
			held.Bytes += more
		}
		held.Kind = h.Kind
		all = append(all, held)
	}
	return all, nil
}

// total is what stands at one place: counted by Redis, or of keys of their own as the walk has it.
func (r *redisDB) total(ctx context.Context, at *world.Place, whole bool, keys int64) (held world.HeldSeen, err error) {
	if at.Key != "" {
		held.Count = r.this.of[at.Key]
		if !whole {
			held.Count, held.Estimated = int64(r.share(at.Key)*float64(keys)+0.5), true
		}
		held.Bytes, err = r.memory(ctx, r.sample(at.Key), held.Count)
		return held, err
	}
	var count, usage *redis.IntCmd
	_, failed := r.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		key := at.Hash + at.Set + at.Sorted // one of them is given
		switch {
		case at.Hash != "":
			count = p.HLen(ctx, key)
		case at.Set != "":
			count = p.SCard(ctx, key)
		default:
			count = p.ZCard(ctx, key)
		}
		usage = p.MemoryUsage(ctx, key, redisSamples)
		return nil
	})
	if held.Count, err = integer(count); err != nil {
		return held, err
	}
	if held.Bytes, err = integer(usage); err != nil {
		if ctx.Err() != nil {
			return held, failed
		}
		held.Bytes = -1 // a server that does not count
	}
	return held, nil
}

// sample are some keys of a pattern, of this pass or the last.
func (w *walk) sample(pattern string) []string {
	if s := w.this.sample[pattern]; len(s) > 0 {
		return s
	}
	return w.last.sample[pattern]
}

// memory is what count keys need, by what the sample of them does; -1 where the server does not count.
func (r *redisDB) memory(ctx context.Context, sample []string, count int64) (int64, error) {
	if count == 0 || len(sample) == 0 {
		return 0, nil
	}
	bytes, there, err := r.usage(ctx, sample)
	if err != nil || there == 0 {
		return -1, err
	}
	return int64(float64(bytes) / float64(there) * float64(count)), nil
}

// usage is what these keys need together, and of how many of them the server says so: not of those that are not there.
func (r *redisDB) usage(ctx context.Context, keys []string) (bytes, there int64, err error) {
	if len(keys) == 0 {
		return 0, 0, nil
	}
	asked := make([]*redis.IntCmd, len(keys))
	_, failed := r.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			asked[i] = p.MemoryUsage(ctx, key, redisSamples)
		}
		return nil
	})
	if ctx.Err() != nil {
		return 0, 0, failed
	}
	for _, a := range asked {
		if n, err := a.Result(); err == nil {
			bytes, there = bytes+n, there+1
		}
	}
	return bytes, there, nil
}

// integer is a reply that may be absent.
func integer(c *redis.IntCmd) (int64, error) {
	n, err := c.Result()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	return n, err
}
