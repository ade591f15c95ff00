package streams_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestBound: the oldest entries go until the stream fits, no more than a tenth too many, and never the newest.
func TestBound(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	fill := func(stream string, sizes ...int) (last string) {
		for i, size := range sizes {
			e := streams.Event{ID: fmt.Sprint(i), Source: "s", Type: "t.v1", Data: append(append([]byte(`"`), bytes.Repeat([]byte("x"), size)...), '"')}
			// Not published: a huge one would be refused, and is there if somebody else put it there.
			id, err := rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, Values: []any{streams.Field, e.AppendJSON(nil)}}).Result()
			if err != nil {
				t.Fatal(err)
			}
			last = id
		}
		return last
	}
	same := make([]int, 5000)
	for i := range same {
		same[i] = 300
	}
	for _, tt := range []struct {
		name  string
		sizes []int
		most  int64
		least int64 // bytes that are left at least
		left  int64 // and at most
	}{
		{"fits", same[:100], 1 << 20, 0, 1 << 20},
		{"of one size", same, 500_000, 440_000, 500_000},
		{"one is huge and old", append([]int{1 << 20}, same...), 1_900_000, 1_000_000, 1_900_000},
		{"one is huge and new", append(same[:1000:1000], 1<<20), 1_500_000, 1_400_000, 1_500_000},
		{"the newest alone is too much", append(same[:1000:1000], 1<<20), 1000, 1 << 20, 1_400_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stream := streamstest.Name(t, "bound")
			last := fill(stream, tt.sizes...)
			before := rdb.MemoryUsage(t.Context(), stream, 0).Val()
			n, err := streams.Bound(t.Context(), rdb, stream, tt.most)
			if err != nil {
				t.Fatal(err)
			}
			bytes, left := rdb.MemoryUsage(t.Context(), stream, 0).Val(), rdb.XLen(t.Context(), stream).Val()
			if before <= tt.most && n > 0 || left != int64(len(tt.sizes))-n {
				t.Errorf("trimmed %d of %d, %d are left", n, len(tt.sizes), left)
			}
			if bytes > tt.left || bytes < tt.least {
				t.Errorf("%d bytes, want %d to %d", bytes, tt.least, tt.left)
			}
			if got := rdb.XRevRangeN(t.Context(), stream, "+", "-", 1).Val(); len(got) != 1 || got[0].ID != last {
				t.Errorf("the newest is %v, want %s", got, last)
			}
		})
	}
	if n, err := streams.Bound(t.Context(), rdb, "none", 1); n != 0 || err != nil {
		t.Errorf("no stream: %d, %v", n, err)
	}
}
