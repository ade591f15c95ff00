package outbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/streams"
)

const stream = "things"

// event is the version-th of its subject.
func event(subject string, version int) streams.Event {
	return streams.Event{ID: uuid.NewString(), Source: "things", Type: "thing.changed.v1", Subject: subject,
		Time: time.Now().UTC(), Version: int64(version), Data: fmt.Appendf(nil, `{"id":%q,"level":%d}`, subject, version)}
}

// history is n events of k subjects in turn.
func history(n, k int) []streams.Event {
	events := make([]streams.Event, n)
	for i := range events {
		events[i] = event(fmt.Sprintf("t-%02d", i%k), i/k+1)
	}
	return events
}

// start runs a relay; the function it returns ends it and waits. It ends with the test too.
func start(t testing.TB, store outbox.Store, bus string) (*outbox.Relay, func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &outbox.Relay{Store: store, BusURL: bus, Stream: stream, Log: slog.New(slog.DiscardHandler)}
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return r, stop
}

// until waits for a condition.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("in 10 s not: %s", what)
		}
	}
}

// published is what stands on the bus, in order.
func published(t testing.TB, rdb redis.Cmdable) []streams.Event {
	t.Helper()
	entries, err := rdb.XRange(t.Context(), stream, "-", "+").Result()
	if err != nil {
		return nil // the bus is down for now
	}
	events := make([]streams.Event, len(entries))
	for i, e := range entries {
		if events[i], err = streams.ParseEvent([]byte(e.Values[streams.Field].(string))); err != nil {
			t.Fatal(err)
		}
	}
	return events
}

// arrives waits until every one of want is on the bus and checks that each subject's came in order. It returns how many
// came more than once.
func arrives(t testing.TB, rdb redis.Cmdable, want []streams.Event) (doubled int) {
	t.Helper()
	var got []streams.Event
	until(t, fmt.Sprintf("%d events on the bus", len(want)), func() bool {
		got = published(t, rdb)
		have := map[string]bool{}
		for _, e := range got {
			have[e.ID] = true
		}
		return !slices.ContainsFunc(want, func(e streams.Event) bool { return !have[e.ID] })
	})
	seen := map[string]bool{}
	highest := map[string]int64{}
	for _, e := range got {
		if seen[e.ID] {
			doubled++
			continue
		}
		seen[e.ID] = true
		if e.Version != highest[e.Subject]+1 {
			t.Errorf("%s: version %d after %d", e.Subject, e.Version, highest[e.Subject])
		}
		highest[e.Subject] = e.Version
	}
	return doubled
}

// ids are the events' ids.
func ids(recs []outbox.Record) []string {
	var ids []string
	for _, r := range recs {
		ids = append(ids, r.Event.ID)
	}
	return ids
}

func unsent(t testing.TB, store outbox.Store) []outbox.Record {
	t.Helper()
	recs, err := store.Unsent(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	return recs
}
