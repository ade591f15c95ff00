package streams_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// BenchmarkAsk asks and is answered, one after another and many at once.
func BenchmarkAsk(b *testing.B) {
	rdb := streamstest.Start(b, "--appendonly", "no").Client()
	runUntilEnd(b, answerer(rdb, "users", "r", echo("users")).Run)
	joined(b, rdb, 1)
	a := asker(b, rdb)
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			if _, err := a.Ask(b.Context(), question("users", time.Minute)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("many at once", func(b *testing.B) {
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := a.Ask(b.Context(), question("users", time.Minute)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// BenchmarkBarePingPong is the raw limit of BenchmarkAsk/one: the four commands of a round trip and nothing else.
func BenchmarkBarePingPong(b *testing.B) {
	rdb := streamstest.Start(b, "--appendonly", "no").Client()
	ctx := b.Context()
	text := order(1).AppendJSON(nil)
	add := func(stream string) error {
		return rdb.XAdd(ctx, &redis.XAddArgs{Stream: stream, MaxLen: 1000, Approx: true, Values: []any{streams.Field, text}}).Err()
	}
	if err := rdb.XGroupCreateMkStream(ctx, "requests", "users", "$").Err(); err != nil {
		b.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		for range b.N {
			_, err := rdb.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "users", Consumer: "r", Streams: []string{"requests", ">"},
				Count: 1, Block: time.Second, NoAck: true}).Result()
			if err == nil {
				err = add("replies")
			}
			if err != nil {
				failed <- err
				return
			}
		}
		failed <- nil
	}()
	at := "0-0"
	b.ResetTimer()
	for range b.N {
		if err := add("requests"); err != nil {
			b.Fatal(err)
		}
		read, err := rdb.XRead(ctx, &redis.XReadArgs{Streams: []string{"replies", at}, Block: time.Second}).Result()
		if err != nil {
			b.Fatal(err)
		}
		at = read[0].Messages[0].ID
	}
	if err := <-failed; err != nil {
		b.Fatal(err)
	}
}
