package chassistest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
)

// noon is when all happened that [Event] tells of.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// Event is what the owner of a stream, called as the stream is, tells of a subject.
func Event(t testing.TB, stream, typ, subject string, version int64, payload any) streams.Event {
	t.Helper()
	data, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	return streams.Event{ID: fmt.Sprintf("%s-%s-%d", typ, subject, version), Source: stream, Type: typ, Subject: subject,
		Time: noon, Version: version, Data: data}
}

// Tell publishes one [Event].
func Tell(t testing.TB, bus *redis.Client, stream, typ, subject string, version int64, payload any) {
	t.Helper()
	publish(t, bus, Event(t, stream, typ, subject, version, payload))
}

// publish puts an event on its owner's stream.
func publish(t testing.TB, bus *redis.Client, e streams.Event) {
	t.Helper()
	if _, err := streams.Publish(t.Context(), bus, e.Source, e); err != nil {
		t.Fatal(err)
	}
}

// Applied waits until the one service that reads a stream is done with its first n events.
func Applied(t testing.TB, bus *redis.Client, stream string, n int64) {
	t.Helper()
	Eventually(t, fmt.Sprintf("%d events of %s are applied", n, stream), func() bool {
		groups, err := bus.XInfoGroups(t.Context(), stream).Result()
		return err == nil && len(groups) == 1 && groups[0].EntriesRead == n && groups[0].Pending == 0
	})
}

// Apply publishes events, each on its owner's stream, and waits until the one service that reads them has done with all.
func Apply(t testing.TB, bus *redis.Client, events []streams.Event) {
	t.Helper()
	count := map[string]int64{}
	for _, e := range events {
		publish(t, bus, e)
		count[e.Source]++
	}
	for stream, n := range count {
		Applied(t, bus, stream, n)
	}
}

// InAnyOrder runs a test as subtests: of the history in order, backwards, and with each event twice at random places.
func InAnyOrder(t *testing.T, history []streams.Event, test func(t *testing.T, events []streams.Event)) {
	t.Run("ordered", func(t *testing.T) { test(t, slices.Clone(history)) })
	t.Run("backwards", func(t *testing.T) {
		events := slices.Clone(history)
		slices.Reverse(events)
		test(t, events)
	})
	t.Run("shuffled and doubled", func(t *testing.T) {
		events := slices.Concat(history, history)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		test(t, events)
	})
}

// Told is all that a stream holds, in order. Each entry must be an event that the bus takes.
func Told(t testing.TB, rdb *redis.Client, stream string) []streams.Event {
	t.Helper()
	entries, err := rdb.XRange(t.Context(), stream, "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, entries)
}

// AwaitTold is [Told] once the stream holds n events or more. It bears with a bus that is down.
func AwaitTold(t testing.TB, rdb *redis.Client, stream string, n int) []streams.Event {
	t.Helper()
	var entries []redis.XMessage
	Eventually(t, fmt.Sprintf("%d events on %s", n, stream), func() bool {
		var err error
		entries, err = rdb.XRange(t.Context(), stream, "-", "+").Result()
		return err == nil && len(entries) >= n
	})
	return parse(t, entries)
}

func parse(t testing.TB, entries []redis.XMessage) []streams.Event {
	t.Helper()
	events := make([]streams.Event, len(entries))
	for i, e := range entries {
		text, _ := e.Values[streams.Field].(string)
		event, err := streams.ParseEvent([]byte(text))
		if err != nil {
			t.Fatalf("entry %s: %v in %q", e.ID, err, text)
		}
		events[i] = event
	}
	return events
}
