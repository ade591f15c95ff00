package world_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stillup/stillup/viz/world"
)

var (
	someNode     = rapid.SampledFrom([]string{"orders", "history", "orders-db", "bus", "shoppers", "nobody", ""})
	someStream   = rapid.SampledFrom([]string{"orders", "orders.dead", "others", ""})
	someGroup    = rapid.SampledFrom([]string{"readers", "history", "orders", "someone"})
	someState    = rapid.SampledFrom([]world.State{world.Up, world.Down, world.Starting, world.Paused, world.Unknown, ""})
	somePath     = rapid.SampledFrom([]string{"/copies/list/u-001", "/sync/list/u-001", "/sync/orders", "/outbox", "/"})
	someVia      = rapid.SampledFrom([]string{world.ViaHTTP, world.ViaBus, world.ViaStore})
	someFault    = rapid.SampledFrom([]world.FaultKind{world.FaultSlow, world.FaultCut, world.FaultErrors, "odd"})
	someTrace    = rapid.SampledFrom([]string{traceID(1), traceID(2), traceID(3), "short", ""})
	someSpan     = rapid.SampledFrom([]string{spanOf(1), spanOf(2), spanOf(3), servedOf(1), servedOf(2), ""})
	someStatus   = rapid.SampledFrom([]int{0, 200, 201, 404, 409, 503})
	someReason   = rapid.SampledFrom([]string{"", "killed (signal 9)", "stopped", "exit code 1: no", "it refused the connection"})
	someReplica  = rapid.SampledFrom([]string{"1", "2", "10"})
	someConsumer = rapid.SampledFrom([]string{"c-1", "c-2", ""})
	someCount    = rapid.Int64Range(-1, 400)
)

// observation is any observation, at a time that mostly goes on.
func observation(t *rapid.T, now *time.Time) world.Observation {
	*now = now.Add(time.Duration(rapid.IntRange(-200, 900).Draw(t, "ms")) * time.Millisecond)
	at := *now
	took := time.Duration(rapid.IntRange(0, 2000).Draw(t, "took")) * time.Millisecond
	switch rapid.IntRange(0, 13).Draw(t, "kind") {
	case 0:
		o := world.NodeSeen{At: at, Node: someNode.Draw(t, "node"), State: someState.Draw(t, "state"), Reason: someReason.Draw(t, "reason"),
			Volatile: rapid.Bool().Draw(t, "volatile"), Faults: []world.Fault{{Kind: someFault.Draw(t, "fault"), LatencyMS: int64(took)}}}
		for range rapid.IntRange(0, 3).Draw(t, "replicas") {
			o.Replicas = append(o.Replicas, world.ReplicaSeen{ID: someReplica.Draw(t, "id"), State: someState.Draw(t, "its state"),
				Since: at.Add(-took), Reason: someReason.Draw(t, "its reason"), Consumer: someConsumer.Draw(t, "consumer"), Faults: o.Faults})
		}
		return o
	case 1:
		o := world.EventsSeen{At: at, History: rapid.Bool().Draw(t, "history")}
		if rapid.Bool().Draw(t, "rebase") {
			o.Bases = map[string]int64{someStream.Draw(t, "stream"): someCount.Draw(t, "base")}
		}
		for i := range rapid.IntRange(0, 50).Draw(t, "n") {
			o.Events = append(o.Events, world.EventSeen{Stream: someStream.Draw(t, "stream"), EntryID: fmt.Sprint(i), Source: someNode.Draw(t, "source"), Time: at.Add(-took),
				TraceParent: "00-" + someTrace.Draw(t, "trace") + "-" + spanOf(1) + "-01"})
		}
		return o
	case 2:
		o := world.StreamsSeen{At: at}
		for range rapid.IntRange(0, 3).Draw(t, "n") {
			s := world.StreamSeen{Name: someStream.Draw(t, "stream"), Added: someCount.Draw(t, "added"), Bytes: someCount.Draw(t, "bytes")}
			s.Groups = append(s.Groups, world.GroupSeen{Stream: s.Name, Group: someGroup.Draw(t, "group"), Lag: someCount.Draw(t, "lag"),
				Pending: max(0, someCount.Draw(t, "pending")), Oldest: at.Add(-took), Members: []world.MemberSeen{
					{Name: someConsumer.Draw(t, "member"), Pending: someCount.Draw(t, "its pending")},
					{Name: someConsumer.Draw(t, "other"), Pending: someCount.Draw(t, "other's pending")}}})
			o.Streams = append(o.Streams, s)
		}
		return o
	case 3:
		return world.BusSeen{At: at, Down: someReason.Draw(t, "down")}
	case 4:
		o := world.CallsSeen{At: at}
		for range rapid.IntRange(0, 60).Draw(t, "n") {
			c := world.CallSeen{Caller: someNode.Draw(t, "caller"), Callee: someNode.Draw(t, "callee"), Served: rapid.Bool().Draw(t, "served"),
				Method: "GET", Path: somePath.Draw(t, "path"), Status: someStatus.Draw(t, "status"), Start: at.Add(-took), Duration: took}
			c.Via, c.TraceID, c.SpanID, c.ParentID = someVia.Draw(t, "via"), someTrace.Draw(t, "trace"), someSpan.Draw(t, "span"), someSpan.Draw(t, "parent")
			c.Failed = c.Status == 0 || c.Status >= 500
			o.Calls = append(o.Calls, c)
		}
		return o
	case 5:
		return world.TriesSeen{At: at, Tries: []world.TrySeen{{Feature: "list", Pattern: "copies", OK: rapid.Bool().Draw(t, "ok"), Start: at.Add(-took), Duration: took,
			Probe: rapid.Bool().Draw(t, "probe"), TraceID: someTrace.Draw(t, "trace"), SpanID: someSpan.Draw(t, "span")}}}
	case 6:
		return world.LoadSeen{At: at, PerSecond: float64(someCount.Draw(t, "load")), Patterns: map[string]float64{"sync": float64(someCount.Draw(t, "weight"))}}
	case 7:
		return world.ActionSeen{At: at, Node: someNode.Draw(t, "node"), Verb: "kill"}
	case 8:
		return world.OutboxSeen{At: at, Node: someNode.Draw(t, "node"), Waiting: someCount.Draw(t, "waiting"), Oldest: at.Add(-took)}
	case 9:
		return world.UseSeen{At: at, Node: someNode.Draw(t, "node"), CPU: float64(took) / 1e9, Memory: int64(took)}
	case 11:
		return world.CopiesSeen{At: at, Node: someNode.Draw(t, "node"), Down: someReason.Draw(t, "down"), Kinds: []world.HeldSeen{
			{Kind: "orders", Count: someCount.Draw(t, "count"), Bytes: someCount.Draw(t, "bytes"), Why: someReason.Draw(t, "why")}}}
	case 10:
		return world.ControlSeen{At: at, Can: rapid.Bool().Draw(t, "can"), Why: someReason.Draw(t, "why")}
	}
	if rapid.Bool().Draw(t, "take") {
		return world.TakesSeen{At: at, Takes: []world.TakeSeen{{Node: someNode.Draw(t, "node"), Group: someGroup.Draw(t, "group"), Stream: someStream.Draw(t, "stream"),
			EventID: "1", Failed: rapid.Bool().Draw(t, "failed"), Start: at.Add(-took), Duration: took, TraceID: someTrace.Draw(t, "trace"), SpanID: someSpan.Draw(t, "span")}}}
	}
	return world.Tick{At: at}
}

// TestFramesMerge: whatever is seen, a browser that takes any frames on the way knows what the full frame says (but for
// the sample of events), totals of edges never fall, and the same observations make the same frames again.
func TestFramesMerge(t *testing.T) {
	systems := []world.System{parse(t, small), parse(t, five)}
	rapid.Check(t, func(t *rapid.T) {
		system := systems[rapid.IntRange(0, 1).Draw(t, "system")]
		w, again := world.New(system, start), world.New(system, start)
		browser := w.Since(0)
		now, totals := start, map[string]int64{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			o := observation(t, &now)
			before := w.Rev()
			w.Apply(o)
			again.Apply(o)
			f := w.Since(before)
			if w.Rev() == before && len(f.Nodes)+len(f.Edges)+len(f.Streams)+len(f.Cells)+len(f.Copies)+len(f.Events)+len(f.Notes) > 0 {
				t.Fatalf("the revision stands, and %+v changed", f)
			}
			for _, e := range f.Edges {
				if e.Total < totals[e.ID] || e.Failed > e.Total {
					t.Fatalf("%+v: its total was %d", e, totals[e.ID])
				}
				totals[e.ID] = e.Total
			}
			if rapid.Bool().Draw(t, "browser reads") {
				browser = merged(browser, w.Since(browser.Rev))
			}
		}
		got, want := merged(browser, w.Since(browser.Rev)), w.Since(0)
		got.Events, want.Events = nil, nil
		same(t, "merged", got, want)
		same(t, "replayed", again.Since(0), w.Since(0))
	})
}

func same(t *rapid.T, what string, got, want world.Frame) {
	a, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Fatalf("%s:\n%s\nfull:\n%s", what, a, b)
	}
}

// BenchmarkEvents is the fold of one event out of a batch of 100; BenchmarkBareEvents a walk over the same events.
func BenchmarkEvents(b *testing.B) {
	w := world.New(parse(b, small), start)
	batch, now := entries(0, 100), start
	b.ReportAllocs()
	for i := 0; i < b.N; i += len(batch) {
		now = now.Add(10 * time.Millisecond)
		w.Apply(world.EventsSeen{At: now, Events: batch})
	}
}

func BenchmarkBareEvents(b *testing.B) {
	batch, n := entries(0, 100), 0
	b.ReportAllocs()
	for i := 0; i < b.N; i += len(batch) {
		for j := range batch {
			n += len(batch[j].ID)
		}
	}
	if n == 0 && b.N > 0 {
		b.Fatal("nothing was walked over")
	}
}

// BenchmarkEventAlone is the fold of one event that comes alone.
func BenchmarkEventAlone(b *testing.B) {
	w := world.New(parse(b, small), start)
	one, now := entries(0, 1), start
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(100 * time.Microsecond)
		w.Apply(world.EventsSeen{At: now, Events: one})
	}
}

// BenchmarkSince is a diff of a small system under traffic; BenchmarkFull its full frame.
func BenchmarkSince(b *testing.B) {
	w := fold(b, scene()...)
	rev := w.Rev()
	w.Apply(world.EventsSeen{At: after(1500), Events: entries(5, 20)})
	b.ReportAllocs()
	for b.Loop() {
		w.Since(rev)
	}
}

func BenchmarkFull(b *testing.B) {
	w := fold(b, scene()...)
	b.ReportAllocs()
	for b.Loop() {
		w.Since(0)
	}
}

// BenchmarkMissing asks how far a copy of one thing is behind, of the newest 10,000 events, as a live look does with each
// answer of a store.
func BenchmarkMissing(b *testing.B) {
	w := fold(b, world.EventsSeen{At: after(1), Events: entries(0, 10_000)}, backlog(2, 10_000, 5000, 0, after(1)))
	b.ReportAllocs()
	for b.Loop() {
		w.Missing("history-db", "orders", "nothing", 1, 2)
	}
}
