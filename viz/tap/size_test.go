package tap_test

import (
	"strings"
	"testing"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
	"github.com/stillup/stillup/viz/tap"
	"github.com/stillup/stillup/viz/world"
)

// TestSizes: how much of Redis' memory a stream needs is told from the first inspection on, of a new stream at once, and
// again when it has grown.
func TestSizes(t *testing.T) {
	bus := streamstest.Start(t)
	rdb := bus.Client()
	add(t, rdb, "orders", streams.Field, envelope("e-0"))
	seen := watch(t, tap.Tap{URL: bus.URL(), Streams: []string{"orders", "users"}})
	bytes := func(s world.StreamsSeen, name string) int64 {
		for _, x := range s.Streams {
			if x.Name == name {
				return x.Bytes
			}
		}
		return 0
	}
	first := bytes(next(t, seen, "the size of the first", func(s world.StreamsSeen) bool { return bytes(s, "orders") > 0 }), "orders")
	if first < int64(len(envelope("e-0"))) || first > 10_000 {
		t.Errorf("one entry needs %d bytes", first)
	}
	add(t, rdb, "users", streams.Field, envelope("e-1"))
	next(t, seen, "the size of a new stream", func(s world.StreamsSeen) bool { return bytes(s, "users") > 0 })
	for range 200 {
		add(t, rdb, "orders", streams.Field, strings.Repeat(" ", 1000)+envelope("e-2"))
	}
	next(t, seen, "its growth", func(s world.StreamsSeen) bool { return bytes(s, "orders") > 200_000 })
}
