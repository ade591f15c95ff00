package streams_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

func TestConsumerClaimsFromTheDead(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	for v := range int64(100) {
		publish(t, rdb, "x", event("s", v+1))
	}
	abandon(t, rdb, "x", "g", "dead", 100)
	var st store
	run(t, &streams.Consumer{Redis: rdb, Group: "g", Name: "alive", Streams: []string{"x"}, Handle: st.Handle, MinIdle: 200 * time.Millisecond})
	publish(t, rdb, "x", event("new", 1))
	eventually(t, "all are applied", func() bool { return st.count() == 101 })
	if got := st.applied["s"]; !slices.IsSorted(got) {
		t.Errorf("claimed out of order: %v", got)
	}
	eventually(t, "all are acknowledged", func() bool { return pending(t, rdb, "x", "g") == 0 })
}

func TestConsumerTakesUpItsOwnFirst(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	for v := range int64(150) {
		publish(t, rdb, "x", event("s", v+1))
	}
	abandon(t, rdb, "x", "g", "a", 140)
	if err := rdb.XDel(t.Context(), "x", mustFirst(t, rdb, "x")).Err(); err != nil {
		t.Fatal(err)
	}
	var st store
	run(t, &streams.Consumer{Redis: rdb, Group: "g", Name: "a", Streams: []string{"x"}, Handle: st.Handle})
	eventually(t, "all are applied", func() bool { return st.count() == 149 })
	if got := st.applied["s"]; !slices.IsSorted(got) {
		t.Errorf("out of order: %v", got)
	}
	eventually(t, "all are acknowledged, the deleted one too", func() bool { return pending(t, rdb, "x", "g") == 0 })
}

func TestSlowHandlerIsNotTakenForDead(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	entered, release := make(chan struct{}, 2), make(chan struct{})
	var calls atomic.Int32
	c := streams.Consumer{Redis: rdb, Group: "g", Streams: []string{"x"}, MinIdle: 150 * time.Millisecond,
		Handle: func(context.Context, streams.Entry) error {
			calls.Add(1)
			entered <- struct{}{}
			<-release
			return nil
		}}
	a, b := c, c
	a.Name, b.Name = "a", "b"
	run(t, &a)
	publish(t, rdb, "x", event("s", 1))
	<-entered
	run(t, &b)
	<-time.After(5 * c.MinIdle) // time enough for b to claim it, if it could
	close(release)
	eventually(t, "it is acknowledged", func() bool { return pending(t, rdb, "x", "g") == 0 })
	if n := calls.Load(); n != 1 {
		t.Errorf("handled %d times", n)
	}
}
