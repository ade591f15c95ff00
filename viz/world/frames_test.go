package world_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/world"
)

var update = flag.Bool("update", false, "write the golden frames anew")

// scene is the invented life of the small system that the golden frames show.
func scene() []world.Observation {
	obs := []world.Observation{world.BusSeen{At: after(100)}, world.LoadSeen{At: after(100), PerSecond: 20}}
	for i, id := range []string{"orders", "history", "orders-db", "history-db", "bus", "shoppers"} {
		n := state(200+i, id, world.Up, "")
		n.Verbs = []string{"kill", "stop"}
		if id == "bus" {
			n.Engine, n.Volatile = "Redis 7.0.15", true
		}
		obs = append(obs, n)
	}
	return append(obs,
		world.EventsSeen{At: after(300), Events: entries(0, 2), History: true, Bases: map[string]int64{"orders": 2}},
		backlog(400, 2, 0, 0, time.Time{}),
		calls(1000, call(900, "shoppers", "orders", "/sync/orders", 201, 12*time.Millisecond),
			call(910, "shoppers", "history", "/copies/list/u-001", 200, 3*time.Millisecond),
			call(920, "shoppers", "history", "/sync/list/u-001", 200, 9*time.Millisecond),
			call(922, "history", "orders", "/sync/orders", 200, 5*time.Millisecond)),
		world.EventsSeen{At: after(1010), Events: entries(2, 3)},
		backlog(1100, 5, 0, 0, time.Time{}))
}

// check compares the frame of w from a revision with the golden one of that name, and returns its revision.
func check(t *testing.T, w *world.World, name string, from int64) int64 {
	t.Helper()
	w.Apply(world.Tick{}) // so that what is measured is in it
	f := w.Since(from)
	got, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join("testdata", "frames", name+".json")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run go test -update and look at the difference. Got:\n%s", path, got)
	}
	return f.Rev
}

// TestGoldenFrames holds what browsers are sent; their modules are tested against the same files.
func TestGoldenFrames(t *testing.T) {
	w := fold(t, scene()...)
	rev := check(t, w, "full", 0)
	w.Apply(world.EventsSeen{At: after(1500), Events: entries(5, 2)})
	w.Apply(calls(1600, call(1550, "shoppers", "orders", "/sync/orders", 201, 11*time.Millisecond)))
	rev = check(t, w, "diff", rev)
	w.Apply(world.ActionSeen{At: after(2000), Node: "history", Verb: "kill"})
	w.Apply(state(2010, "history", world.Down, "killed (signal 9)"))
	w.Apply(calls(2300, call(2200, "shoppers", "history", "/copies/list/u-001", 0, time.Millisecond),
		call(2210, "shoppers", "history", "/sync/list/u-001", 0, time.Millisecond),
		call(2220, "shoppers", "history", "/copies/list/u-002", 0, time.Millisecond),
		call(2230, "shoppers", "history", "/sync/list/u-002", 0, time.Millisecond)))
	rev = check(t, w, "dead", rev)
	w.Apply(world.EventsSeen{At: after(2500), Events: entries(7, 5)})
	w.Apply(backlog(2600, 12, 7, 0, after(1500)))
	w.Apply(tick(4000))
	rev = check(t, w, "piles", rev)
	w.Apply(state(5000, "history", world.Up, ""))
	w.Apply(calls(5100, call(5090, "shoppers", "history", "/copies/list/u-001", 200, 4*time.Millisecond)))
	w.Apply(backlog(5200, 12, 0, 0, time.Time{}))
	check(t, w, "caught-up", rev)
}

// TestGoldenPatterns holds what browsers are sent of patterns, faults, outboxes, causes and costs.
func TestGoldenPatterns(t *testing.T) {
	w := foldFive(t, world.BusSeen{At: after(1)}, world.LoadSeen{At: after(1), PerSecond: 20, Dropped: 2,
		Patterns: map[string]float64{"sync": 2, "copies": 1}, Features: map[string]float64{"list": 0.5}})
	for _, o := range whole(traceID(1), 0) {
		w.Apply(o)
	}
	slow := state(1000, "catalog", world.Up, "")
	slow.Faults = []world.Fault{{Kind: world.FaultSlow, LatencyMS: 400}, {Kind: world.FaultErrors, Share: 0.25}}
	w.Apply(slow)
	w.Apply(world.OutboxSeen{At: after(1100), Node: "catalog", Waiting: 0})
	w.Apply(tick(1100))
	rev := check(t, w, "patterns", 0)
	w.Apply(state(1200, "bus", world.Down, "killed (signal 9)"))
	w.Apply(calls(2000, call(1500, "shoppers", "history", "/sync/list/u-001", 200, 420*time.Millisecond),
		call(1500, "shoppers", "history", "/bus/list/u-001", 504, 400*time.Millisecond),
		call(1500, "shoppers", "history", "/copies/list/u-001", 200, 2*time.Millisecond),
		via(world.ViaStore, call(1500, "history", "catalog-db", "", 200, 3*time.Millisecond))))
	w.Apply(world.OutboxSeen{At: after(3000), Node: "orders", Waiting: 12, Oldest: after(1250)})
	w.Apply(tick(3000))
	check(t, w, "bus-dead", rev)
}

// TestGoldenReplicas holds what browsers are sent of a node that runs three times, of what nodes use, and of whether they
// can be acted on.
func TestGoldenReplicas(t *testing.T) {
	w := fold(t, world.ControlSeen{At: after(50), Can: true}, thrice(100, world.Up, world.Up, world.Up), members(200, 4, 2, 0),
		world.UseSeen{At: after(300), Node: "history", CPU: 0.1234, CPULimit: 0.5, Memory: 25_400_000, MemoryLimit: 128 << 20})
	rev := check(t, w, "replicas", 0)
	w.Apply(thrice(2000, world.Up, world.Down, world.Up))
	w.Apply(members(2200, 0, 3, 0))
	rev = check(t, w, "replica-dead", rev)
	w.Apply(members(7100, 0, 0, 2))
	w.Apply(world.ControlSeen{At: after(7200), Why: "The engine does not answer; start it."})
	check(t, w, "replica-claimed", rev)
}

func TestSince(t *testing.T) {
	w := fold(t, scene()...)
	rev := w.Rev()
	if f := w.Since(rev); f.Full || f.From != rev || f.Rev != rev || len(f.Nodes)+len(f.Edges)+len(f.Events)+len(f.Notes) > 0 || f.Bus != nil || f.System != nil {
		t.Errorf("nothing is newer than the present, got %+v", f)
	}
	for _, from := range []int64{0, -3, rev + 1} {
		if f := w.Since(from); !f.Full || f.From != 0 || f.Rev != rev {
			t.Errorf("Since(%d) is no full frame: %+v", from, f)
		}
	}
	w.Apply(state(1200, "bus", world.Up, ""))
	w.Apply(world.NodeSeen{At: after(1200), Node: "orders", State: world.Up, Verbs: []string{"kill", "stop"}})
	if f := w.Since(rev); len(f.Nodes) != 1 || f.Nodes[0].ID != "bus" {
		t.Errorf("the bus alone changed (its verbs), got %+v", f.Nodes)
	}
	w.Apply(tick(9000))
	w.Apply(tick(9500))
	rev = w.Rev()
	w.Apply(tick(10000))
	if w.Rev() != rev {
		t.Errorf("a quiet world changed: %+v", w.Since(rev))
	}
}

func TestEventList(t *testing.T) {
	w := fold(t)
	const n = 12_345
	for i := 0; i < n; i += 15 {
		w.Apply(world.EventsSeen{At: after(i), Events: entries(i, 15)})
	}
	all := w.Events(world.Query{Limit: 5000})
	if len(all) != 1000 || all[0].Seq != n || all[0].Raw == nil {
		t.Errorf("%d events, the first %+v", len(all), all[0])
	}
	if got := w.Events(world.Query{Stream: "orders", Type: "order.placed.v1", Subject: "o-3", Node: "orders", Before: 12_000, Limit: 2}); len(got) != 2 ||
		got[0].Seq >= 12_000 || got[0].Subject != "o-3" || got[1].Seq >= got[0].Seq {
		t.Errorf("%+v", got)
	}
	if got := w.Events(world.Query{Subject: "x", Limit: 10}); got == nil || len(got) != 0 {
		t.Errorf("no event matches, got %v", got)
	}
	if e, ok := w.Event("e-12000"); !ok || e.EntryID != "12000-0" {
		t.Errorf("by id: %+v %v", e, ok)
	}
	if _, ok := w.Event("2345-0"); !ok {
		t.Error("the oldest of the newest 10,000 is missing")
	}
	if _, ok := w.Event("2344-0"); ok {
		t.Error("an older one is kept")
	}
	f := w.Since(0)
	if len(f.Events) != 40 || f.Events[39].Seq != n {
		t.Errorf("%d events in the frame", len(f.Events))
	}
	odd := entries(20_000, 1)
	odd[0].Raw, odd[0].Time, odd[0].Subject = []byte("{no"), time.UnixMilli(1<<60), string(bytes.Repeat([]byte("é"), 5000))
	w.Apply(world.EventsSeen{At: after(n), Events: odd})
	e, _ := w.Event("20000-0")
	if _, err := json.Marshal(e); err != nil || string(e.Raw) != `"{no"` || len(e.Subject) > 310 {
		t.Errorf("%+v: %v", e, err)
	}
	if _, err := json.Marshal(w.Since(f.Rev)); err != nil {
		t.Errorf("a year beyond 9999 spoils the frame: %v", err)
	}
	big := entries(30_000, 100)
	for i := range big {
		big[i].Raw = bytes.Repeat([]byte("1"), 1<<20)
	}
	w.Apply(world.EventsSeen{At: after(n), Events: big})
	if got := w.Events(world.Query{Limit: 1000}); len(got) != 64 {
		t.Errorf("%d events with a MiB each are kept, want 64", len(got))
	}
}

func TestNotesAreBounded(t *testing.T) {
	w := fold(t)
	for i := range 200 {
		w.Apply(world.ActionSeen{At: after(i), Verb: "restore"})
	}
	rev := w.Rev()
	w.Apply(world.ActionSeen{At: after(300), Verb: "load", Node: "shoppers", Note: "30 a second"})
	if n := w.Since(0).Notes; len(n) != 60 || n[59].Seq != 201 || n[59].Text != "asked for: load shoppers: 30 a second" {
		t.Errorf("%d notes, the last %+v", len(n), n[len(n)-1])
	}
	if n := w.Since(rev).Notes; len(n) != 1 {
		t.Errorf("%d notes are new, want 1", len(n))
	}
}

// merged is what a browser knows after frame f on top of base.
func merged(base, f world.Frame) world.Frame {
	if f.Full {
		return f
	}
	base.Rev, base.At = f.Rev, f.At
	base.Nodes = replaced(base.Nodes, f.Nodes, func(n world.Node) string { return n.ID })
	base.Edges = replaced(base.Edges, f.Edges, func(e world.Edge) string { return e.ID })
	base.Streams = replaced(base.Streams, f.Streams, func(l world.Lane) string { return l.Name })
	base.Cells = replaced(base.Cells, f.Cells, func(c world.Cell) string { return c.Feature + "/" + c.Pattern })
	base.Copies = replaced(base.Copies, f.Copies, func(h world.Holding) string { return h.Node + "/" + h.Kind })
	base.Notes = append(slices.Clip(base.Notes), f.Notes...)
	base.Notes = base.Notes[max(0, len(base.Notes)-60):]
	if f.Load != nil {
		base.Load = f.Load
	}
	if f.Bus != nil {
		base.Bus = f.Bus
	}
	if f.Control != nil {
		base.Control = f.Control
	}
	return base
}

func replaced[T any](old, more []T, key func(T) string) []T {
	out := slices.Clone(old)
	for _, m := range more {
		if i := slices.IndexFunc(out, func(o T) bool { return key(o) == key(m) }); i >= 0 {
			out[i] = m
		} else {
			out = append(out, m)
		}
	}
	return out
}
