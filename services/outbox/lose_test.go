package outbox_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// copyOf runs a consumer that keeps a copy by version, as services do, and counts what it applied of each.
type copyOf struct {
	mu      sync.Mutex
	version map[string]int64
	applied map[string]int // by event id
	told    atomic.Int64   // entries that were handled
}

func consume(t *testing.T, rdb *redis.Client) *copyOf {
	t.Helper()
	c := &copyOf{version: map[string]int64{}, applied: map[string]int{}}
	ctx, cancel := context.WithCancel(context.Background())
	consumer := &streams.Consumer{Redis: rdb, Group: "copies", Name: "a", Streams: []string{stream}, Handle: func(_ context.Context, e streams.Entry) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.told.Add(1)
		if e.Event.Version > c.version[e.Event.Subject] {
			c.version[e.Event.Subject] = e.Event.Version
			c.applied[e.Event.ID]++
		}
		return nil
	}}
	done := make(chan error, 1)
	go func() { done <- consumer.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return c
}

// apart is how long nothing comes to the bus between the first events and those after them, of which it may lose a part.
const apart = 50 * time.Millisecond

// TestBusLosesItsMemory: in each of its forms the relay notices, publishes again what is missing, counts it, and a consumer
// applies every event once.
func TestBusLosesItsMemory(t *testing.T) {
	all := func(t *testing.T, rdb *redis.Client) {
		if _, err := streams.LoseAll(t.Context(), rdb, stream); err != nil {
			t.Fatal(err)
		}
	}
	last := func(t *testing.T, rdb *redis.Client) {
		if _, err := streams.LoseLast(t.Context(), rdb, time.Minute, stream); err != nil {
			t.Fatal(err)
		}
	}
	half := func(t *testing.T, rdb *redis.Client) { // what came in the second half of the stream's life
		entries, err := rdb.XRange(t.Context(), stream, "-", "+").Result()
		if err != nil {
			t.Fatal(err)
		}
		middle := takenIn(t, entries[len(entries)/2].ID).Add(-apart / 2)
		until(t, "a part is lost", func() bool { // none is where the server's clock goes too far on meanwhile
			lost, err := streams.LoseLast(t.Context(), rdb, rdb.Time(t.Context()).Val().Sub(middle), stream)
			if err != nil || lost[0].N >= int64(len(entries)) {
				t.Fatalf("lost %v of %d, %v", lost, len(entries), err)
			}
			return lost[0].N > 0
		})
	}
	for _, o := range owners {
		t.Run(o.name, func(t *testing.T) {
			for _, c := range []struct {
				name string
				lose func(*testing.T, *redis.Client)
				held bool // what comes next is published before the relay looks
			}{
				{"all", all, false}, {"all, and filled since", all, true},
				{"the last", last, false}, {"the last, and filled since", last, true},
				{"a part", half, false}, {"a part, and filled since", half, true},
			} {
				t.Run(c.name, func(t *testing.T) { testLoses(t, o.make(t), c.lose, c.held) })
			}
		})
	}
}

func testLoses(t *testing.T, o owner, lose func(*testing.T, *redis.Client), held bool) {
	bus := streamstest.Start(t, "--appendonly", "no")
	rdb := bus.Client()
	gate := &gated{Store: o.open(t)}
	relay, _ := start(t, gate, bus.URL())
	copies := consume(t, rdb)
	events := history(60, 3)
	commit := func(events []streams.Event) {
		o.commit(t, events...)
		relay.Wake()
		until(t, "all is marked", func() bool { return len(unsent(t, gate.Store)) == 0 })
	}
	commit(events[:20])
	tick := rdb.Time(t.Context()).Val().Add(apart)
	until(t, "the clock goes on", func() bool { return rdb.Time(t.Context()).Val().After(tick) })
	commit(events[20:40])
	until(t, "the copy has them", func() bool { return copies.told.Load() == 40 })
	// The relay has just looked where it has published nothing since; one that is held is given the next events in the same
	// round in which the loss happens.
	if held {
		release := gate.hold()
		lose(t, rdb)
		if _, err := streams.Publish(t.Context(), rdb, stream, event("foreign", 1)); err != nil {
			t.Fatal(err)
		}
		o.commit(t, events[40:]...)
		release()
		relay.Wake()
	} else {
		lose(t, rdb)
		o.commit(t, events[40:]...)
		relay.Wake()
	}
	until(t, "all is on the bus again", func() bool { // what comes again may be older than what came before
		have := map[string]bool{}
		for _, e := range published(t, rdb) {
			have[e.ID] = true
		}
		return !slices.ContainsFunc(events, func(e streams.Event) bool { return !have[e.ID] })
	})
	until(t, "each was applied once", func() bool {
		copies.mu.Lock()
		defer copies.mu.Unlock()
		for _, e := range events {
			if copies.applied[e.ID] != 1 {
				return false
			}
		}
		return true
	})
	until(t, "it is counted", func() bool {
		n, at := relay.Republished()
		return n > 0 && time.Since(at) < time.Minute
	})
	if n, _ := relay.Republished(); n > 60 {
		t.Errorf("%d published again of 60", n)
	}
}

// gated is a store whose Unsent can be held.
type gated struct {
	outbox.Store
	mu sync.Mutex
}

// hold waits until no Unsent is under way, and holds the next until it is released.
func (g *gated) hold() (release func()) {
	g.mu.Lock()
	return g.mu.Unlock
}

func (g *gated) Unsent(ctx context.Context, limit int) ([]outbox.Record, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.Store.Unsent(ctx, limit)
}

// OnCommit passes on what wakes the relay.
func (g *gated) OnCommit(wake func()) {
	if s, ok := g.Store.(interface{ OnCommit(func()) }); ok {
		s.OnCommit(wake)
	}
}

// takenIn is when the bus took an entry in.
func takenIn(t *testing.T, id string) time.Time {
	t.Helper()
	ms, err := strconv.ParseInt(strings.Split(id, "-")[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.UnixMilli(ms)
}
