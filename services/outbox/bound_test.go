package outbox_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestBytes: the relay keeps the stream within its bytes, and takes what it trimmed itself for no loss.
func TestBytes(t *testing.T) {
	const most, n = 300_000, 5000
	bus := streamstest.Start(t)
	o := redisOwner(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := &outbox.Relay{Store: o.open(t), BusURL: bus.URL(), Stream: stream, MaxBytes: most, Log: slog.New(slog.DiscardHandler)}
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	o.commit(t, history(n, 10)...)
	r.Wake()
	rdb := bus.Client()
	until(t, "it is trimmed", func() bool {
		info, err := rdb.XInfoStream(t.Context(), stream).Result()
		return err == nil && info.EntriesAdded >= n && rdb.MemoryUsage(t.Context(), stream, 0).Val() <= most
	})
	o.commit(t, event("t-00", n+1))
	r.Wake()
	until(t, "it goes on", func() bool {
		last := rdb.XRevRangeN(t.Context(), stream, "+", "-", 1).Val()
		return len(last) == 1 && rdb.XInfoStream(t.Context(), stream).Val().EntriesAdded >= n+1
	})
	if info := rdb.XInfoStream(t.Context(), stream).Val(); info.EntriesAdded != n+1 || info.Length < 500 {
		t.Errorf("%d were added, want %d; %d are left", info.EntriesAdded, n+1, info.Length)
	}
}
