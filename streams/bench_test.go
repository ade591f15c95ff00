package streams_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// benchStreams are what the benchmarks of reading read at once.
var benchStreams = []string{"users", "catalog", "stock", "orders", "orders.dead", "other"}

// benchBatch is how many events a benchmark publishes at once.
const benchBatch = 500

// order is an event of the size of the lab's own.
func order(n int64) streams.Event {
	e := event(fmt.Sprint("o-", n%100), n)
	e.TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	e.Data = []byte(`{"id":"018f3b1e-7c41-7a55-9d0c-6c1f8a2b3d4e","user":"u-042","product":"p-07","quantity":2,"status":"placed"}`)
	return e
}

// load publishes n events over all streams.
func load(b *testing.B, rdb *redis.Client, n int) {
	b.Helper()
	events := make([]streams.Event, benchBatch)
	for i := range events {
		events[i] = order(int64(i + 1))
	}
	for i := 0; n > 0; i++ {
		part := events[:min(benchBatch, n)]
		if _, err := streams.Publish(b.Context(), rdb, benchStreams[i%len(benchStreams)], part...); err != nil {
			b.Fatal(err)
		}
		n -= len(part)
	}
}

// BenchmarkTap reads a backlog of b.N entries and decodes each. It is to be no slower than BenchmarkBareXRead, which
// decodes nothing.
func BenchmarkTap(b *testing.B) {
	server := streamstest.Start(b, "--appendonly", "no")
	rdb := server.Client()
	load(b, rdb, benchBatch*len(benchStreams)) // so that the tap follows all streams before the backlog is there
	begun, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	left, first := b.N, true
	t := streams.Tap{URL: server.URL(), History: -1, Log: slog.New(slog.DiscardHandler)}
	go func() {
		done <- t.Run(ctx, func(batch streams.Batch) {
			if first {
				first = false
				close(begun)
				<-release
			}
			if left -= len(batch.Entries); left <= 0 {
				cancel()
			}
		})
	}()
	<-begun
	load(b, rdb, b.N)
	b.ReportAllocs()
	b.ResetTimer()
	close(release)
	if err := <-done; err != nil || left != 0 {
		b.Fatalf("%d entries were not read: %v", left, err)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/entry")
}

// BenchmarkBareXRead reads the same with nothing but go-redis.
func BenchmarkBareXRead(b *testing.B) {
	rdb := streamstest.Start(b, "--appendonly", "no").Client()
	load(b, rdb, b.N)
	args := append([]string(nil), benchStreams...)
	at := make(map[string]int)
	for _, name := range benchStreams {
		at[name] = len(args)
		args = append(args, "0-0")
	}
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; {
		got, err := rdb.XRead(b.Context(), &redis.XReadArgs{Streams: args, Count: benchBatch, Block: time.Second}).Result()
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range got {
			args[at[s.Stream]] = s.Messages[len(s.Messages)-1].ID
			left -= len(s.Messages)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/entry")
}

// BenchmarkPublish publishes events one by one and in batches, to a server that does not write to disk.
func BenchmarkPublish(b *testing.B) {
	for _, n := range []int{1, 50, benchBatch} {
		b.Run(fmt.Sprint(n, " at once"), func(b *testing.B) {
			rdb := streamstest.Start(b, "--appendonly", "no").Client()
			events := make([]streams.Event, n)
			for i := range events {
				events[i] = order(int64(i + 1))
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := streams.Publish(b.Context(), rdb, "orders", events...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/entry")
		})
	}
}
