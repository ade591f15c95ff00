package chassis

import (
	"context"
	"log/slog"
	"time"
)

const (
	// prepareTimeout bounds one try to prepare a store.
	prepareTimeout = 10 * time.Second

	firstRetry, lastRetry = 100 * time.Millisecond, time.Second
)

// UntilReady calls prepare, for 10 s at most each time, again and again until it succeeds, and returns what it made;
// false where ctx ended before. It is for the own store, which need not be there when the service starts.
func UntilReady[T any](ctx context.Context, log *slog.Logger, prepare func(ctx context.Context) (T, error)) (T, bool) {
	level := slog.LevelWarn
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		try, cancel := context.WithTimeout(ctx, prepareTimeout)
		made, err := prepare(try)
		cancel()
		if err == nil {
			log.Info("store is ready")
			return made, true
		}
		log.Log(ctx, level, "store is not ready; trying again", "err", err)
		level = slog.LevelDebug // said once
		select {
		case <-ctx.Done():
			return made, false
		case <-time.After(wait):
		}
	}
}
