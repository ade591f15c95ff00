package tap_test

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
	"github.com/stillup/stillup/viz/tap"
	"github.com/stillup/stillup/viz/world"
)

// bury puts an entry away as a consumer of the streams library does.
func bury(t *testing.T, rdb *redis.Client, stream, group string, own ...any) string {
	t.Helper()
	return add(t, rdb, stream+streams.DeadSuffix, append(own, streams.DeadReason, "it is wrong", streams.DeadGroup, group,
		streams.DeadStream, stream, streams.DeadEntry, "7-1", streams.DeadAttempts, 3, streams.DeadAt, "2026-01-02T03:04:05.678Z")...)
}

// TestDeadLettersAreCounted: by group, through additions, removals and a stream that begins anew.
func TestDeadLettersAreCounted(t *testing.T) {
	bus := streamstest.Start(t)
	rdb := bus.Client()
	bury(t, rdb, "orders", "early", streams.Field, envelope("e-0"))
	seen := watch(t, tap.Tap{URL: bus.URL(), Streams: []string{"orders"}})
	count := func(what string, want map[string]int64) {
		t.Helper()
		next(t, seen, what, func(s world.StreamsSeen) bool {
			return len(s.Streams) == 1 && s.Streams[0].Name == "orders.dead" && s.Streams[0].Dead != nil && maps.Equal(s.Streams[0].Dead, want)
		})
	}
	count("one from before", map[string]int64{"early": 1})
	id := bury(t, rdb, "orders", "billing", streams.Field, envelope("e-1"))
	got := next(t, seen, "the letter", func(e world.EventsSeen) bool { return len(e.Events) == 1 && e.Events[0].ID == "e-1" }).Events[0]
	if d := got.Dead; d == nil || *d != (world.DeadSeen{Group: "billing", Entry: "7-1", Reason: "it is wrong", Attempts: 3}) {
		t.Errorf("the letter says %+v", got.Dead)
	}
	count("another", map[string]int64{"early": 1, "billing": 1})
	if err := rdb.XDel(t.Context(), "orders.dead", id).Err(); err != nil {
		t.Fatal(err)
	}
	count("one taken out", map[string]int64{"early": 1})
	pipe := rdb.Pipeline()
	for range 2500 {
		pipe.XAdd(t.Context(), &redis.XAddArgs{Stream: "orders.dead", Values: []any{streams.Field, envelope("e-2"),
			streams.DeadReason, "no", streams.DeadGroup, "many", streams.DeadStream, "orders", streams.DeadEntry, "1-1",
			streams.DeadAttempts, 1, streams.DeadAt, "2026-01-02T03:04:05.678Z"}})
	}
	add(t, rdb, "orders.dead", "odd", "one") // by a stranger
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	count("more than are read at once", map[string]int64{"early": 1, "many": 2500, "": 1})
	if err := rdb.Del(t.Context(), "orders.dead").Err(); err != nil {
		t.Fatal(err)
	}
	bury(t, rdb, "orders", "late", streams.Field, envelope("e-3"))
	count("a new stream", map[string]int64{"late": 1})
}

func TestAskedForLetters(t *testing.T) {
	bus := streamstest.Start(t)
	rdb := bus.Client()
	b, err := tap.OpenBus(bus.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	old := bury(t, rdb, "orders", "billing", streams.Field, envelope("e-1"))
	bury(t, rdb, "orders", "billing", "task", "mail")
	add(t, rdb, "jobs.dead", streams.Field, "\xff{")
	letters, total, err := b.DeadLetters(t.Context(), 10, "orders.dead", "jobs.dead", "none.dead")
	if err != nil || total != 3 || len(letters) != 3 {
		t.Fatalf("%d of %d: %v", len(letters), total, err)
	}
	if l := letters[1]; l.EntryID != old || l.Stream != "orders.dead" || l.Of != "orders" || l.ID != "e-1" || l.Type != "order.placed.v1" ||
		l.Subject != "o-1" || l.Group != "billing" || l.Reason != "it is wrong" || l.Attempts != 3 || string(l.Raw) != envelope("e-1") ||
		!l.At.Equal(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)) {
		t.Errorf("the older is %+v", l)
	}
	if l := letters[0]; l.ID != "" || string(l.Raw) != `{"task":"mail"}` {
		t.Errorf("what is no event is %+v", l)
	}
	if l := letters[2]; l.Group != "" || l.Of != "jobs" || string(l.Raw) != `{"ce":"\ufffd{"}` || l.At.IsZero() {
		t.Errorf("a stranger's is %+v", l)
	}
	if n, err := b.Resend(t.Context(), "orders.dead"); n != 1 || !errors.Is(err, tap.ErrNoEvent) {
		t.Errorf("sent %d: %v", n, err)
	}
	first, last, err := b.Ends(t.Context(), "orders")
	if err != nil || first == nil || *first != *last || first.At.IsZero() {
		t.Errorf("ends %v %v, %v", first, last, err)
	}
	if first, last, err := b.Ends(t.Context(), "none"); err != nil || first != nil || last != nil {
		t.Errorf("ends %v %v of what is not there, %v", first, last, err)
	}
	if got, err := b.Retries(t.Context(), tap.Reader{Stream: "orders", Group: "none"}); err != nil || got[0] != -1 {
		t.Errorf("retries %v, %v", got, err)
	}
	bus.Kill()
	_, _, err = b.DeadLetters(t.Context(), 10, "orders.dead")
	if !errors.Is(err, tap.ErrBusDown) || !strings.Contains(err.Error(), "it refused the connection") {
		t.Errorf("a dead bus: %v", err)
	}
	if _, err := b.Resend(t.Context(), "orders.dead"); !errors.Is(err, tap.ErrBusDown) {
		t.Errorf("a dead bus: %v", err)
	}
}
