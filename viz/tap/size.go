package tap

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
)

const (
	sizeEvery   = 5 * time.Second // how often Redis is asked how much memory streams need
	sizeSamples = 16              // nodes of a stream by which Redis measures it
)

// sizes is how much of Redis' memory each stream needs, as it last said.
type sizes struct {
	of    map[string]int64 // -1: the server does not say
	asked time.Time
}

// ask asks for all streams in one round trip, unless it was done within sizeEvery and no stream is new since.
func (z *sizes) ask(ctx context.Context, rdb *redis.Client, found []streams.Stream) {
	known := 0
	for _, s := range found {
		if _, ok := z.of[s.Name]; ok {
			known++
		}
	}
	if known == len(found) && time.Since(z.asked) < sizeEvery {
		return
	}
	z.asked = time.Now()
	usage := make([]*redis.IntCmd, len(found))
	_, _ = rdb.Pipelined(ctx, func(p redis.Pipeliner) error { // each answer tells by itself
		for i, s := range found {
			usage[i] = p.MemoryUsage(ctx, s.Name, sizeSamples)
		}
		return nil
	})
	clear(z.of)
	for i, s := range found {
		z.of[s.Name] = -1
		if n, err := usage[i].Result(); err == nil {
			z.of[s.Name] = n
		}
	}
}
