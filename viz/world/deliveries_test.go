package world_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/world"
)

func TestDeliveries(t *testing.T) {
	const id = "e"
	event := world.EventsSeen{At: after(100), Events: []world.EventSeen{placedAt(100, "orders", id, "")}}
	entry := event.Events[0].EntryID
	applied := func(to string) world.StreamsSeen {
		s := backlog(150, 1, 0, 0, time.Time{})
		s.Streams[0].Groups[0].Applied = to
		return s
	}
	dead := placedAt(180, "orders.dead", id, "")
	dead.Dead = &world.DeadSeen{Group: "readers", Entry: entry, Reason: "no such user", Attempts: 5}
	died := world.EventsSeen{At: after(180), Events: []world.EventSeen{dead}}
	skipped := func(ms int) world.TakesSeen {
		o := take(ms, id, traceID(1), spanOf(2), "", "", time.Millisecond)
		o.Takes[0].Outcome, o.Takes[0].Why = world.Skipped, "has version 5 already"
		return o
	}
	for _, tc := range []struct {
		name string
		obs  []world.Observation
		want string // state, after_ms, attempts, reason, outcome
	}{
		{"nothing is known", nil, "unknown - - "},
		{"the group is before it", []world.Observation{applied("5-0")}, "waits - - "},
		{"the group is past it", []world.Observation{applied(entry)}, "has - -  "},
		{"applied", []world.Observation{applied("5-0"), take(110, id, traceID(1), spanOf(1), "", "", 4*time.Millisecond)}, "has 14 1  applied"},
		{"failed", []world.Observation{applied("5-0"), take(110, id, traceID(1), spanOf(1), "", "the store is full", time.Millisecond)}, "failed - 1 the store is full"},
		{"applied without a word of Redis", []world.Observation{take(110, id, traceID(1), spanOf(1), "", "", time.Millisecond)}, "has 11 1  applied"},
		{"failed, then applied", []world.Observation{applied("5-0"), take(110, id, traceID(1), spanOf(1), "", "the store is full", time.Millisecond),
			take(160, id, traceID(1), spanOf(2), "", "", time.Millisecond)}, "has 61 2  applied"},
		{"given up", []world.Observation{applied(entry), take(110, id, traceID(1), spanOf(1), "", "x", time.Millisecond), died}, "dead - 5 no such user dead letter"},
		{"given up by another group", []world.Observation{applied("5-0"), func() world.Observation {
			other := died
			other.Events = []world.EventSeen{dead}
			other.Events[0].Dead = &world.DeadSeen{Group: "others", Entry: entry}
			return other
		}()}, "waits - - "},
		{"given up and sent again", []world.Observation{applied(entry), take(110, id, traceID(1), spanOf(1), "", "x", time.Millisecond), died,
			world.EventsSeen{At: after(500), Events: []world.EventSeen{placedAt(500, "orders", id, "")}}}, "waits - - "},
		{"sent again and failed", []world.Observation{applied(entry), died, world.EventsSeen{At: after(500), Events: []world.EventSeen{placedAt(500, "orders", id, "")}},
			take(510, id, traceID(1), spanOf(1), "", "still", time.Millisecond)}, "failed - 1 still"},
		{"skipped", []world.Observation{applied("5-0"), skipped(110)}, "has 11 1 has version 5 already skipped"},
		{"applied, then given again", []world.Observation{applied("5-0"), take(110, id, traceID(1), spanOf(1), "", "", time.Millisecond), skipped(120)}, "has 11 1  applied"},
		{"the same event again", []world.Observation{applied("5-0"), take(110, id, traceID(1), spanOf(1), "", "", time.Millisecond),
			world.EventsSeen{At: after(500), Events: []world.EventSeen{placedAt(500, "orders", id, "")}}, skipped(510)}, "has 11 1 has version 5 already skipped"},
		{"another event's", []world.Observation{applied("5-0"), take(110, "other", traceID(1), spanOf(1), "", "", time.Millisecond)}, "waits - - "},
		{"the stream is gone", []world.Observation{applied("5-0"), world.StreamsSeen{At: after(300)}}, "unknown - - "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := fold(t, append([]world.Observation{event}, tc.obs...)...)
			e, _ := w.Event(id)
			if e.Stream != "orders" {
				t.Fatalf("by its id it is found on %s", e.Stream)
			}
			ds := w.Deliveries(e)
			if len(ds) != 1 || ds[0].Service != "history" || ds[0].Group != "readers" {
				t.Fatalf("%+v", ds)
			}
			after, attempts := "-", "-"
			if d := ds[0].AfterMS; d != nil {
				after = fmt.Sprint(*d)
			}
			if n := ds[0].Attempts; n != nil {
				attempts = fmt.Sprint(*n)
			}
			if got := strings.TrimRight(fmt.Sprintf("%s %s %s %s %s", ds[0].State, after, attempts, ds[0].Reason, ds[0].Outcome), " "); got != strings.TrimRight(tc.want, " ") {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	w := fold(t, died)
	if e, ok := w.Event(id); !ok || e.Stream != "orders.dead" || len(w.Deliveries(e)) != 0 {
		t.Errorf("the letter alone: %+v %v", e, ok)
	}
	if ds := fold(t).Deliveries(world.Event{Stream: "none"}); ds == nil || len(ds) != 0 {
		t.Errorf("nobody takes it: %+v", ds)
	}
}

func TestDeadLettersOfEdges(t *testing.T) {
	letters := func(ms int, length int64, of map[string]int64) world.StreamsSeen {
		s := backlog(ms, 5, 0, 0, time.Time{})
		s.Streams = append(s.Streams, world.StreamSeen{Name: "orders.dead", Length: length, Added: 9, Dead: of})
		return s
	}
	w := fold(t)
	for i, c := range []struct {
		what string
		obs  world.Observation
		want int64
	}{
		{"nothing is known", tick(1), -1},
		{"not counted yet", letters(10, 3, nil), -1},
		{"counted", letters(20, 3, map[string]int64{"readers": 2, "others": 1}), 2},
		{"being counted again", letters(30, 2, nil), 2},
		{"counted again", letters(40, 1, map[string]int64{"readers": 1}), 1},
		{"all sent", letters(50, 0, nil), 0},
		{"others' alone", letters(60, 1, map[string]int64{"others": 1}), 0},
		{"no such stream", backlog(70, 5, 0, 0, time.Time{}), 0},
	} {
		rev := w.Rev()
		w.Apply(c.obs)
		if got := edge(t, w, "take:orders>history").Dead; got != c.want {
			t.Errorf("%d %s: %d, want %d", i, c.what, got, c.want)
		}
		if f := w.Since(rev); c.what == "counted" && len(f.Edges) == 0 {
			t.Error("no frame says so")
		}
	}
	if d := edge(t, w, "emit:orders>orders").Dead; d != 0 {
		t.Errorf("an emit has %d", d)
	}
	w.Apply(world.ActionSeen{At: after(99), Verb: "resend", Note: "orders: 3 dead letters were sent again"})
	if !strings.HasSuffix(said(w), "plain: orders: 3 dead letters were sent again") {
		t.Errorf("said\n%s", said(w))
	}
}
