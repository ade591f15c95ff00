package streams_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestNothingIsLostWhenTheBusDies publishes and consumes while the bus is killed and started at random moments.
func TestNothingIsLostWhenTheBusDies(t *testing.T) {
	srv := streamstest.Start(t)
	rdb := srv.Client()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))

	st := [2]store{}
	run(t, &streams.Consumer{Redis: rdb, Group: "g0", Name: "a", Streams: []string{"x", "y"}, Handle: st[0].Handle})
	run(t, &streams.Consumer{Redis: rdb, Group: "g1", Name: "a", Streams: []string{"x", "y"}, Handle: st[1].Handle})

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var publishers sync.WaitGroup
	var acknowledged [2]int64 // versions 1 to n of the subject are on the bus
	for p, stream := range []string{"x", "y"} {
		publishers.Go(func() {
			for v := int64(1); ctx.Err() == nil; {
				if _, err := streams.Publish(context.WithoutCancel(ctx), rdb, stream, event(stream, v), event(stream, v+1)); err == nil {
					v += 2
					acknowledged[p] = v - 1
				}
				select {
				case <-time.After(time.Millisecond):
				case <-ctx.Done():
				}
			}
		})
	}
	for range 6 {
		<-time.After(time.Duration(50+rnd.IntN(200)) * time.Millisecond)
		srv.Kill()
		<-time.After(time.Duration(rnd.IntN(150)) * time.Millisecond)
		srv.Start()
	}
	cancel()
	publishers.Wait()
	t.Logf("published %v", acknowledged)
	if acknowledged[0] == 0 || acknowledged[1] == 0 {
		t.Fatal("nothing was published")
	}
	for g := range st {
		for p, stream := range []string{"x", "y"} {
			// Each on its own: of a publish that failed the bus may hold more than was acknowledged.
			eventually(t, "all are applied", func() bool { return int64(len(st[g].versions(stream))) >= acknowledged[p] })
			got := st[g].versions(stream)
			for i, v := range got {
				if v != int64(i+1) {
					t.Fatalf("group %d, %s: version %d after %v", g, stream, v, got[max(0, i-3):i])
				}
			}
		}
		st[g].mu.Lock()
		t.Logf("group %d: handled again %d", g, st[g].doubles)
		st[g].mu.Unlock()
	}
}

func TestConsumerOutlivesAWipe(t *testing.T) {
	srv := streamstest.Start(t)
	rdb := srv.Client()
	var st store
	run(t, &streams.Consumer{Redis: rdb, Group: "g", Name: "a", Streams: []string{"x"}, Handle: st.Handle})
	publish(t, rdb, "x", event("s", 1))
	eventually(t, "the first is applied", func() bool { return st.count() == 1 })
	srv.Wipe()
	publish(t, rdb, "x", event("s", 1), event("s", 2))
	eventually(t, "the second is applied", func() bool { return st.count() == 2 })
	if err := rdb.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	publish(t, rdb, "x", event("s", 3))
	eventually(t, "the third is applied", func() bool { return st.count() == 3 })
}
