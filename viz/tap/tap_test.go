package tap_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
	"github.com/stillup/stillup/viz/tap"
	"github.com/stillup/stillup/viz/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watch runs a tap for the test and returns what it sees.
func watch(t *testing.T, w tap.Tap) <-chan world.Observation {
	t.Helper()
	w.Log = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	seen, done := make(chan world.Observation, 1000), make(chan error, 1)
	go func() {
		done <- w.Run(ctx, func(obs ...world.Observation) {
			for _, o := range obs {
				select {
				case seen <- o:
				case <-ctx.Done():
				}
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return seen
}

// next is the first observation from here on of type T for which ok holds.
func next[T world.Observation](t *testing.T, seen <-chan world.Observation, what string, ok func(T) bool) T {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		select {
		case o := <-seen:
			if v, is := o.(T); is && ok(v) {
				return v
			}
		case <-deadline:
			t.Fatalf("not seen: %s", what)
		}
	}
}

func add(t *testing.T, rdb *redis.Client, stream string, fields ...any) string {
	t.Helper()
	id, err := rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, Values: fields}).Result()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func envelope(id string) string {
	return string(streams.Event{ID: id, Source: "orders", Type: "order.placed.v1", Subject: "o-1", Version: 3,
		Time: time.UnixMilli(1_700_000_000_123).UTC(), Data: json.RawMessage(`{"n":1}`)}.AppendJSON(nil))
}

func TestEntriesGroupsAndABusThatDies(t *testing.T) {
	bus := streamstest.Start(t)
	rdb := bus.Client()
	add(t, rdb, "orders", streams.Field, envelope("old"))
	seen := watch(t, tap.Tap{URL: bus.URL(), Streams: []string{"orders"}})

	next(t, seen, "the bus is up", func(b world.BusSeen) bool { return b.Down == "" })
	old := next(t, seen, "history", func(e world.EventsSeen) bool { return e.History && len(e.Events) == 1 })
	if old.Events[0].ID != "old" {
		t.Errorf("history is %+v", old.Events)
	}

	add(t, rdb, "orders", streams.Field, envelope("new"))
	got := next(t, seen, "a new entry", func(e world.EventsSeen) bool { return !e.History && len(e.Events) == 1 }).Events[0]
	if got.ID != "new" || got.Stream != "orders" || got.Source != "orders" || got.Subject != "o-1" || got.Version != 3 ||
		got.Time.UnixMilli() != 1_700_000_000_123 || string(got.Raw) != envelope("new") || got.Problem != "" {
		t.Errorf("the event is %+v", got)
	}

	if err := rdb.XGroupCreate(t.Context(), "orders", "billing", "0").Err(); err != nil {
		t.Fatal(err)
	}
	s := next(t, seen, "the group's lag", func(s world.StreamsSeen) bool { return len(s.Streams) == 1 && len(s.Streams[0].Groups) == 1 }).Streams[0]
	if s.Name != "orders" || s.Length != 2 || s.Added != 2 || s.Groups[0].Group != "billing" || s.Groups[0].Lag != 2 {
		t.Errorf("the stream is %+v", s)
	}

	bus.Kill()
	if down := next(t, seen, "the bus is down", func(b world.BusSeen) bool { return b.Down != "" }); strings.Contains(down.Down, "tcp") {
		t.Errorf("not in a newcomer's words: %q", down.Down)
	}
	bus.Start()
	next(t, seen, "the bus is up again", func(b world.BusSeen) bool { return b.Down == "" })
	add(t, bus.Client(), "orders", streams.Field, envelope("after"))
	next(t, seen, "an entry after the outage", func(e world.EventsSeen) bool {
		return slices.ContainsFunc(e.Events, func(e world.EventSeen) bool { return e.ID == "after" })
	})
	next(t, seen, "streams after the outage", func(s world.StreamsSeen) bool { return len(s.Streams) == 1 && s.Streams[0].Length == 3 })
}

func TestForeignEntries(t *testing.T) {
	bus := streamstest.Start(t)
	seen := watch(t, tap.Tap{URL: bus.URL(), Streams: []string{"jobs"}})
	next(t, seen, "the bus is up", func(b world.BusSeen) bool { return b.Down == "" })
	rdb := bus.Client()
	for _, tc := range []struct {
		name    string
		fields  []any
		raw     string
		problem bool
	}{
		{"no event at all", []any{"task", "mail", "to", "ada"}, `{"task":"mail","to":"ada"}`, true},
		{"bare attributes", []any{"id", "1", "source", "cron", "type", "job.done"}, `{"id":"1","source":"cron","type":"job.done"}`, false},
		{"an envelope that is no JSON", []any{streams.Field, "{oops"}, `{"ce":"{oops"}`, true},
		{"an envelope that misses its id", []any{streams.Field, `{"specversion":"1.0"}`}, `{"specversion":"1.0"}`, true},
		{"bytes that are no text", []any{"k", "\xff"}, `{"k":"\ufffd"}`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			id := add(t, rdb, "jobs", tc.fields...)
			e := next(t, seen, tc.name, func(e world.EventsSeen) bool { return len(e.Events) == 1 && e.Events[0].EntryID == id }).Events[0]
			if string(e.Raw) != tc.raw || (e.Problem != "") != tc.problem {
				t.Errorf("raw %s, problem %q; want %s", e.Raw, e.Problem, tc.raw)
			}
			if !json.Valid(e.Raw) || e.Time.IsZero() {
				t.Errorf("raw %s, time %v: want JSON and the entry id's time", e.Raw, e.Time)
			}
		})
	}
}

// TestDeadLetters: the streams of the system file bring their dead letters along, and nothing else.
func TestDeadLetters(t *testing.T) {
	bus := streamstest.Start(t)
	rdb := bus.Client()
	seen := watch(t, tap.Tap{URL: bus.URL(), Streams: []string{"orders"}})
	next(t, seen, "the bus is up", func(b world.BusSeen) bool { return b.Down == "" })
	add(t, rdb, "another", "k", "v")
	add(t, rdb, "orders"+streams.DeadSuffix, streams.Field, envelope("dead"))
	got := next(t, seen, "the dead letter", func(e world.EventsSeen) bool { return len(e.Events) > 0 })
	if len(got.Events) != 1 || got.Events[0].Stream != "orders.dead" {
		t.Errorf("seen %+v", got.Events)
	}
	s := next(t, seen, "the dead letters' stream", func(s world.StreamsSeen) bool { return len(s.Streams) > 0 })
	if len(s.Streams) != 1 || s.Streams[0].Name != "orders.dead" {
		t.Errorf("inspected %+v", s.Streams)
	}
}

// TestMembers: of a group with more than one consumer it is told what each holds, and an idle one keeps nobody awake.
func TestMembers(t *testing.T) {
	bus := streamstest.Start(t)
	rdb := bus.Client()
	for range 3 {
		add(t, rdb, "orders", streams.Field, envelope("old"))
	}
	if err := rdb.XGroupCreate(t.Context(), "orders", "billing", "0").Err(); err != nil {
		t.Fatal(err)
	}
	for _, consumer := range []string{"b", "a"} {
		if err := rdb.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: "billing", Consumer: consumer, Streams: []string{"orders", ">"}, Count: 2, Block: -1}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	seen := watch(t, tap.Tap{URL: bus.URL(), Streams: []string{"orders"}})
	told := func(what string) world.StreamsSeen {
		t.Helper()
		return next(t, seen, what, func(s world.StreamsSeen) bool { return len(s.Streams) == 1 && len(s.Streams[0].Groups) == 1 })
	}
	last := told("the streams")
	members := last.Streams[0].Groups[0].Members
	if len(members) != 2 || members[0].Name != "a" || members[0].Pending != 1 || members[1].Name != "b" || members[1].Pending != 2 || members[1].IdleMS < 0 {
		t.Errorf("members %+v", members)
	}
	longest := time.Duration(0)
	for range 6 {
		s := told("the streams again")
		longest, last = max(longest, s.At.Sub(last.At)), s
	}
	if longest < 900*time.Millisecond {
		t.Errorf("a bus at rest is asked again after %s at the latest", longest)
	}
}

func TestBadURL(t *testing.T) {
	w := tap.Tap{URL: "redis://:secret@[", Log: slog.New(slog.DiscardHandler)}
	err := w.Run(t.Context(), func(...world.Observation) {})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want an error that keeps the password", err)
	}
}
