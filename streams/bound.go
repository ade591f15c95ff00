package streams

import (
	"context"
	"errors"
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
	for more := int64(1); ; {
		// All nodes are measured, not a sample: one huge entry would mislead it. That takes Redis 2 ms at 64 MiB.
		bytes, err := rdb.MemoryUsage(ctx, stream, 0).Result()
		if errors.Is(err, redis.Nil) { // no such stream
			return trimmed, nil
		}
		if err != nil {
			return trimmed, fmt.Errorf("streams: measure %s: %w", stream, err)
		}
		n, err := rdb.XLen(ctx, stream).Result()
		if err != nil {
			return trimmed, fmt.Errorf("streams: measure %s: %w", stream, err)
		}
		if bytes <= most || more >= n {
			return trimmed, nil
		}
		drop := int64(float64(n) * min(1-float64(most)/float64(bytes), boundStep))
		gone, err := rdb.XTrimMaxLenApprox(ctx, stream, max(1, n-max(drop, more)), 0).Result()
		if err != nil {
			return trimmed, fmt.Errorf("streams: trim %s: %w", stream, err)
		}
		if trimmed += gone; gone > 0 {
			more = 1
		} else { // that was less than a node
			more = 2 * max(drop, more)
		}
	}
}
