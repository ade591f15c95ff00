package streams_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestInspectMembers: what each consumer holds is told where there are several, of those too that will never come back.
func TestInspectMembers(t *testing.T) {
	rdb := streamstest.Start(t, "--appendonly", "no").Client()
	b := bench{t, rdb, streamstest.Name(t, "s")}
	b.add(1, 9)
	b.group("0")
	read := func(consumer string, n int64) {
		t.Helper()
		if err := rdb.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: "g", Consumer: consumer, Streams: []string{b.stream, ">"}, Count: n, Block: -1}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	members := func() []streams.Member {
		t.Helper()
		got, err := streams.Inspect(t.Context(), rdb, []string{b.stream})
		if err != nil || len(got) != 1 || len(got[0].Groups) != 1 {
			t.Fatalf("%+v: %v", got, err)
		}
		ms := got[0].Groups[0].Members
		for i := range ms {
			if ms[i].Idle < 0 || ms[i].Idle > time.Minute {
				t.Errorf("%s is idle for %s", ms[i].Name, ms[i].Idle)
			}
			ms[i].Idle = 0
		}
		return ms
	}
	read("two", 3)
	if got := members(); got != nil {
		t.Errorf("of one consumer it is told %+v", got)
	}
	read("one", 2)
	if got, want := members(), []streams.Member{{Name: "one", Pending: 2}, {Name: "two", Pending: 3}}; !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	b.do("XAUTOCLAIM", b.stream, "g", "one", "0", "0") // two is dead
	if got, want := members(), []streams.Member{{Name: "one", Pending: 5}, {Name: "two"}}; !slices.Equal(got, want) {
		t.Errorf("after the claim %+v, want %+v", got, want)
	}
	for i := range 100 {
		b.do("XGROUP", "CREATECONSUMER", b.stream, "g", fmt.Sprintf("gone-%d", i))
	}
	got := members()
	if byName := func(a, b streams.Member) int { return strings.Compare(a.Name, b.Name) }; len(got) != 64 || !slices.IsSortedFunc(got, byName) {
		t.Errorf("of 102 members it is told %d: %+v", len(got), got)
	}
}
