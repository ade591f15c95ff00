package outbox_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestConformance is what each store promises the relay, alone and with it.
func TestConformance(t *testing.T) {
	for _, o := range owners {
		t.Run(o.name, func(t *testing.T) {
			for _, c := range []struct {
				name string
				test func(t *testing.T, o owner)
			}{
				{"journal", testJournal},
				{"order per subject", testOrder},
				{"killed between commit and publish", testKilledBeforePublish},
				{"killed between publish and mark", testKilledBeforeMark},
				{"bus down, then up", testBusDown},
				{"bus wiped", testBusWiped},
				{"bus wiped while no relay runs", testBusWipedUnseen},
				{"stream deleted and filled again", testStreamRefilled},
				{"two relays, one leader", testOneLeader},
				{"a dead leader's place", testDeadLeader},
				{"what waits is told", testWaiting},
			} {
				t.Run(c.name, func(t *testing.T) { c.test(t, o.make(t)) })
			}
		})
	}
}

// testJournal: unsent, sent, rewound and pruned, by hand.
func testJournal(t *testing.T, o owner) {
	store, ctx := o.open(t), t.Context()
	if last, err := store.LastSent(ctx); err != nil || last != "" {
		t.Fatalf("LastSent of an empty journal: %q, %v", last, err)
	}
	if recs := unsent(t, store); len(recs) != 0 {
		t.Fatalf("Unsent of an empty journal: %v", recs)
	}
	events := history(6, 1)
	o.commit(t, events...)
	if recs, err := store.Unsent(ctx, 2); err != nil || len(recs) != 2 || recs[0].Event.ID != events[0].ID {
		t.Fatalf("Unsent(2): %v, %v", recs, err)
	}
	mark := func(entries ...string) {
		t.Helper()
		recs := unsent(t, store)[:len(entries)]
		for i := range recs {
			recs[i].EntryID = entries[i]
		}
		if err := store.Sent(ctx, recs); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, last string, left ...streams.Event) {
		t.Helper()
		if got, err := store.LastSent(ctx); err != nil || got != last {
			t.Errorf("%s: LastSent %q, %v; want %q", what, got, err, last)
		}
		var wantIDs []string
		for _, e := range left {
			wantIDs = append(wantIDs, e.ID)
		}
		if got := ids(unsent(t, store)); !slices.Equal(got, wantIDs) {
			t.Errorf("%s: unsent %q, want %q", what, got, wantIDs)
		}
	}
	want("committed", "", events...)
	mark("999-0", "1000-9")
	want("two marked", "1000-9", events[2:]...)
	mark("1000-10", "1000-11")
	want("four marked", "1000-11", events[4:]...)
	if n, err := store.Rewind(ctx, "1000-11"); err != nil || n != 0 {
		t.Errorf("Rewind to the last: %d, %v", n, err)
	}
	if n, err := store.Rewind(ctx, "1000-9"); err != nil || n != 2 {
		t.Errorf("Rewind: %d, %v", n, err)
	}
	if got := ids(unsent(t, store)); !slices.Contains(got, events[2].ID) || !slices.Contains(got, events[3].ID) || got[0] != events[2].ID {
		t.Errorf("rewound: unsent %q, want %q and %q first", got, events[2].ID, events[3].ID)
	}
	mark("2000-0", "2000-1")
	want("marked again", "2000-1", events[4:]...)
	if err := store.Prune(ctx, 1); err != nil {
		t.Fatal(err)
	}
	want("pruned", "2000-1", events[4:]...)
	if n, err := store.Rewind(ctx, "0-0"); err != nil || n != 1 {
		t.Errorf("Rewind after Prune(1): %d, %v", n, err)
	}
	if got := ids(unsent(t, store)); len(got) == 0 || got[0] != events[3].ID {
		t.Errorf("rewound after Prune(1): %q, want %q first", got, events[3].ID)
	}
	mark("3000-0")
	mark("3000-1", "3000-2")
	want("all marked", "3000-2")
}

func testOrder(t *testing.T, o owner) {
	bus := streamstest.Start(t, "--appendfsync", "no")
	relay, _ := start(t, o.open(t), bus.URL())
	events := history(450, 7)
	for part := range slices.Chunk(events, 50) {
		o.commit(t, part...)
		relay.Wake()
	}
	if n := arrives(t, bus.Client(), events); n != 0 {
		t.Errorf("%d events came twice without a fault", n)
	}
}

func testKilledBeforePublish(t *testing.T, o owner) {
	bus := streamstest.Start(t)
	_, stop := start(t, o.open(t), bus.URL())
	stop()
	events := history(20, 3)
	o.commit(t, events...)
	start(t, o.open(t), bus.URL())
	if n := arrives(t, bus.Client(), events); n != 0 {
		t.Errorf("%d events came twice", n)
	}
}

// deadMarker is a relay's store whose process dies between publish and mark: Sent never gets through.
type deadMarker struct {
	outbox.Store
	tried chan struct{}
}

func (d *deadMarker) Sent(ctx context.Context, _ []outbox.Record) error {
	select {
	case d.tried <- struct{}{}:
	default: // one is enough
	}
	return context.Canceled
}

func testKilledBeforeMark(t *testing.T, o owner) {
	bus := streamstest.Start(t)
	events := history(20, 3)
	o.commit(t, events...)
	dead := &deadMarker{o.open(t), make(chan struct{}, 1)}
	_, stop := start(t, dead, bus.URL())
	<-dead.tried
	stop()
	store := o.open(t)
	start(t, store, bus.URL())
	until(t, "everything marked", func() bool { return len(unsent(t, store)) == 0 })
	if n := arrives(t, bus.Client(), events); n < len(events) {
		t.Errorf("%d came again, want at least %d", n, len(events))
	}
}

func testBusDown(t *testing.T, o owner) {
	bus := streamstest.Start(t)
	relay, _ := start(t, o.open(t), bus.URL())
	events := history(40, 3)
	o.commit(t, events[:20]...)
	relay.Wake()
	arrives(t, bus.Client(), events[:20])
	bus.Kill()
	o.commit(t, events[20:]...)
	relay.Wake()
	bus.Start()
	arrives(t, bus.Client(), events)
}

func testBusWiped(t *testing.T, o owner) {
	bus := streamstest.Start(t)
	store := o.open(t)
	relay, _ := start(t, store, bus.URL())
	events := history(250, 3)
	o.commit(t, events[:240]...)
	relay.Wake()
	arrives(t, bus.Client(), events[:240])
	until(t, "everything marked", func() bool { return len(unsent(t, store)) == 0 })
	bus.Wipe()
	o.commit(t, events[240:]...)
	relay.Wake()
	arrives(t, bus.Client(), events)
}

func testBusWipedUnseen(t *testing.T, o owner) {
	bus := streamstest.Start(t)
	_, stop := start(t, o.open(t), bus.URL())
	events := history(30, 3)
	o.commit(t, events...)
	arrives(t, bus.Client(), events)
	stop()
	bus.Wipe()
	start(t, o.open(t), bus.URL())
	if n := arrives(t, bus.Client(), events); n != 0 {
		t.Errorf("%d events came twice", n)
	}
}

// testStreamRefilled: a newer entry in a new stream hides the loss from a look at the last id alone.
func testStreamRefilled(t *testing.T, o owner) {
	bus := streamstest.Start(t)
	_, stop := start(t, o.open(t), bus.URL())
	events := history(30, 3)
	o.commit(t, events...)
	rdb := bus.Client()
	arrives(t, rdb, events)
	stop()
	if err := rdb.Del(t.Context(), stream).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := streams.Publish(t.Context(), rdb, stream, event("foreign", 1)); err != nil {
		t.Fatal(err)
	}
	start(t, o.open(t), bus.URL())
	arrives(t, rdb, events)
}

func testOneLeader(t *testing.T, o owner) {
	bus := streamstest.Start(t)
	_, stopA := start(t, o.open(t), bus.URL())
	_, stopB := start(t, o.open(t), bus.URL())
	events := history(60, 3)
	for part := range slices.Chunk(events[:40], 10) {
		o.commit(t, part...)
	}
	if n := arrives(t, bus.Client(), events[:40]); n != 0 {
		t.Errorf("%d events came twice with two relays", n)
	}
	stopA()
	o.commit(t, events[40:50]...)
	arrives(t, bus.Client(), events[:50])
	_, _ = start(t, o.open(t), bus.URL())
	stopB()
	o.commit(t, events[50:]...)
	if n := arrives(t, bus.Client(), events); n != 0 {
		t.Errorf("%d events came twice while relays took over", n)
	}
}

// testDeadLeader: one that is killed does not resign; its place is free within two seconds.
func testDeadLeader(t *testing.T, o owner) {
	a, b := o.open(t), o.open(t)
	lead := func(s outbox.Store) bool {
		ok, err := s.Lead(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if !lead(a) || !lead(a) || lead(b) {
		t.Fatal("want a to lead, and b not to")
	}
	if err := b.Resign(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lead(b) {
		t.Fatal("b resigned and took a's place")
	}
	if p, ok := a.(*outbox.Postgres); ok {
		p.KillLead(t) // the others' leads run out by themselves
	}
	died := time.Now()
	until(t, "b leads", func() bool { return lead(b) })
	if took := time.Since(died); took > 4*time.Second {
		t.Errorf("b leads after %v, want 4 s at most", took)
	}
	if err := b.Resign(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "a leads again at once", func() bool { return lead(a) })
	if err := a.Resign(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// testWaiting: also one that does not lead tells what waits, while another publishes it and takes it back.
func testWaiting(t *testing.T, o owner) {
	bus := streamstest.Start(t, "--appendfsync", "no")
	teller := &outbox.Relay{Store: o.open(t)}
	waiting := func() int {
		t.Helper()
		n, more, oldest, err := teller.Waiting(t.Context())
		if err != nil || more != (n == 200) || oldest.IsZero() != (n == 0) {
			t.Fatalf("%d wait, the oldest from %v, %v", n, oldest, err)
		}
		return n
	}
	if n := waiting(); n != 0 {
		t.Errorf("%d wait at first", n)
	}
	events := history(250, 3)
	for i := range events {
		events[i].Time = time.Date(2026, 5, 4, 12, 0, 250-i, 0, time.UTC) // the owner's clock went backwards
	}
	o.commit(t, events[:3]...)
	if n, more, oldest, err := teller.Waiting(t.Context()); err != nil || n != 3 || more || !oldest.Equal(events[2].Time) {
		t.Errorf("%d wait, the oldest from %v, %v; want 3 from %v", n, oldest, err, events[2].Time)
	}
	_, stop := start(t, o.open(t), bus.URL())
	until(t, "nothing waits", func() bool { return waiting() == 0 })
	stop()
	back := o.open(t)
	if n, err := back.Rewind(t.Context(), "0-0"); err != nil || n != 3 {
		t.Fatalf("Rewind: %d, %v", n, err)
	}
	if n := waiting(); n != 3 {
		t.Errorf("%d wait after all was taken back, want 3", n)
	}
	_, stop = start(t, back, bus.URL())
	until(t, "nothing waits again", func() bool { return waiting() == 0 })
	stop()
	o.commit(t, events[3:]...)
	if n := waiting(); n != 200 {
		t.Errorf("%d of 247 wait, want 200 and more", n)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, _, err := teller.Waiting(gone); err == nil {
		t.Error("no error though its time was up")
	}
}
