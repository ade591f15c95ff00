package streams

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// boundStep is the largest part of a stream that goes at once, so that entries of very different sizes do not cost it more
// than the bound asks for.
const boundStep = 0.1

// Bound trims the oldest entries of a stream until Redis needs no more than most bytes for it, roughly, and returns how
// many went. Redis trims whole nodes of some entries, and the newest entry is never trimmed. The error of a server that
// does not tell how much memory a key needs is Redis' own.
func Bound(ctx context.Context, rdb redis.Cmdable, stream string, most int64) (trimmed int64, err error) {
	for {
		// All nodes are measured, not a sample: one huge entry would mislead it. That takes Redis 2 ms at 64 MiB.
		bytes, err := rdb.MemoryUsage(ctx, stream, 0).Result()
		if err == redis.Nil { // no such stream
			return trimmed, nil
		}
		if err != nil {
			return trimmed, fmt.Errorf("streams: measure %s: %w", stream, err)
		}
		if bytes <= most {
			return trimmed, nil
		}
		n, err := rdb.XLen(ctx, stream).Result()
		if err != nil {
			return trimmed, fmt.Errorf("streams: measure %s: %w", stream, err)
		}
		keep := max(1, int64(float64(n)*max(float64(most)/float64(bytes), 1-boundStep)))
		gone, err := rdb.XTrimMaxLenApprox(ctx, stream, keep, 0).Result()
		if err != nil {
			return trimmed, fmt.Errorf("streams: trim %s: %w", stream, err)
		}
		if gone == 0 { // less than a node is too much
			return trimmed, nil
		}
		trimmed += gone
	}
}
