package world_test

import (
	"testing"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// TestMeasuredWaits: what is only measured of nodes, cells and the bus is shown by the next tick; news is shown at once.
func TestMeasuredWaits(t *testing.T) {
	served := func(ms int) world.CallSeen {
		c := call(ms, "", "orders", "/sync/orders", 201, time.Millisecond)
		c.Served = true
		return c
	}
	try := func(ms int, ok bool) world.TriesSeen {
		return world.TriesSeen{At: after(ms), Tries: []world.TrySeen{{Feature: "list", Pattern: "copies", OK: ok, Start: after(ms)}}}
	}
	w := fold(t, world.BusSeen{At: after(1)}, calls(100, served(100)), try(100, true), tick(500))
	rev := w.Rev()
	w.Apply(calls(600, served(600)))
	w.Apply(try(610, true))
	if f := w.Since(rev); w.Rev() != rev || len(f.Nodes)+len(f.Cells) > 0 {
		t.Errorf("one more request that went well is sent at once: %+v", f)
	}
	w.Apply(tick(1000))
	if f := w.Since(rev); len(f.Nodes) != 1 || f.Nodes[0].Rate != 0.4 || len(f.Cells) != 1 || f.Cells[0].Tries != 2 {
		t.Errorf("the tick shows %+v", f)
	}
	rev = w.Rev()
	w.Apply(try(1100, false))
	w.Apply(try(1110, false))
	w.Apply(try(1120, false))
	w.Apply(world.BusSeen{At: after(1200), Down: "it refused the connection"})
	if f := w.Since(rev); len(f.Cells) != 1 || f.Cells[0].State != world.Fails || f.Cells[0].Tries != 5 || f.Bus == nil || f.Bus.Up {
		t.Errorf("a cell that fails and a bus that is dead wait for the tick: %+v", f)
	}
}

// TestRatesWait: totals grow at once, rates by the next tick, unless something begins or begins to fail.
func TestRatesWait(t *testing.T) {
	w := fold(t, tick(500))
	seen := func(ms, n int, to int) world.EventsSeen {
		return world.EventsSeen{At: after(ms), Events: entries(n, to)}
	}
	rev := w.Rev()
	w.Apply(seen(600, 0, 1))
	if f := w.Since(rev); len(f.Streams) != 1 || f.Streams[0].Rate != 0.2 {
		t.Errorf("the first event is %+v", f.Streams)
	}
	rev = w.Rev()
	w.Apply(seen(610, 1, 4))
	if f := w.Since(rev); len(f.Streams) != 1 || f.Streams[0].Rate != 0.2 || f.Streams[0].Total != 5 || f.Edges[0].Rate != 0.2 || f.Edges[0].Total != 5 {
		t.Errorf("then come %+v %+v", f.Streams, f.Edges)
	}
	w.Apply(tick(1000))
	if f := w.Since(rev); f.Streams[0].Rate != 1 || f.Edges[0].Rate != 1 {
		t.Errorf("the tick shows %+v %+v", f.Streams, f.Edges)
	}
	w.Apply(calls(1100, call(1100, "shoppers", "orders", "/sync/orders", 201, time.Millisecond)))
	rev = w.Rev()
	w.Apply(calls(1200, call(1200, "shoppers", "orders", "/sync/orders", 0, time.Millisecond)))
	if f := w.Since(rev); len(f.Edges) != 1 || f.Edges[0].FailedRate != 0.2 || f.Edges[0].Rate != 0.4 {
		t.Errorf("the first failure waits: %+v", f.Edges)
	}
}

// TestFewerAreShown: of many events a second a frame shows fewer, the newest; a full frame shows as many as ever.
func TestFewerAreShown(t *testing.T) {
	for _, c := range []struct{ perBatch, want int }{{9, 9}, {40, 10}, {100, 4}} { // batches of 10 ms
		w := fold(t)
		n := 0
		var rev int64
		for ms := 10; ms <= 5000; ms += 10 {
			rev = w.Rev()
			w.Apply(world.EventsSeen{At: after(ms), Events: entries(n, c.perBatch)})
			n += c.perBatch
		}
		f := w.Since(rev)
		if len(f.Events) != c.want || f.Events[c.want-1].Seq != int64(n) {
			t.Errorf("%d a second: %d events are shown, want the newest %d", c.perBatch*100, len(f.Events), c.want)
		}
		if full := w.Since(0).Events; len(full) != 40 {
			t.Errorf("a full frame shows %d", len(full))
		}
	}
}
