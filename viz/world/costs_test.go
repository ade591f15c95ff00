package world_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stillup/stillup/viz/world"
)

var list = func(pattern string) world.CellKey { return world.CellKey{Feature: "list", Pattern: pattern} }

func traceID(n int) string { return fmt.Sprintf("%032x", 0xabc00000+n) }

// spanOf numbers the client span of a hop; its server span is served of that.
func spanOf(hop int) string    { return fmt.Sprintf("%016x", 0x100+2*hop) }
func servedOf(span int) string { return fmt.Sprintf("%016x", 0x101+2*span) }

// whole is a request of list in the pattern sync, three hops deep, as observations of one part each, root first:
// shoppers -> history -> orders -> catalog, and history -> catalog over the bus, history -> orders-db; two events.
func whole(id string, ms int) []world.Observation {
	hop := func(n, parent int, how, from, to string, at int, took time.Duration) world.CallSeen {
		c := via(how, call(ms+at, from, to, "/sync/list/u-001", 200, took))
		c.TraceID, c.SpanID = id, spanOf(n)
		if parent >= 0 {
			c.ParentID = servedOf(parent)
		}
		return c
	}
	served := func(n int, to string, at int, took time.Duration) world.CallSeen {
		c := call(ms+at, "", to, "/sync/list/u-001", 200, took)
		c.Served, c.TraceID, c.SpanID, c.ParentID = true, id, servedOf(n), spanOf(n)
		return c
	}
	event := func(subject string, at int) world.Observation {
		return world.EventsSeen{At: after(ms + 100), Events: []world.EventSeen{{Stream: "requests", EntryID: subject, ID: subject, Source: "history",
			Type: "request.v1", Subject: subject, Time: after(ms + at), TraceParent: "00-" + id + "-" + servedOf(0) + "-01"}}}
	}
	var obs []world.Observation
	for _, c := range []world.CallSeen{
		hop(0, -1, "", "shoppers", "history", 0, 40*time.Millisecond), served(0, "history", 1, 38*time.Millisecond),
		hop(1, 0, "", "history", "orders", 2, 20*time.Millisecond), served(1, "orders", 3, 18*time.Millisecond),
		hop(2, 1, "", "orders", "catalog", 4, 10*time.Millisecond), served(2, "catalog", 5, 8*time.Millisecond),
		hop(3, 0, world.ViaBus, "history", "catalog", 2, 9*time.Millisecond), served(3, "catalog", 6, 3*time.Millisecond),
		hop(4, 0, world.ViaStore, "history", "orders-db", 30, 2*time.Millisecond),
	} {
		obs = append(obs, calls(ms+100, c))
	}
	return append(obs, event("r-1", 2), event("r-0", 2))
}

func TestWaterfall(t *testing.T) {
	w := foldFive(t, whole(traceID(1), 0)...)
	w.Apply(tick(1099))
	if _, ok := w.Waterfall(list("sync")); ok || cell(t, w, "list", "sync").Cost != nil {
		t.Error("told before all its parts can be there")
	}
	w.Apply(tick(1100))
	cost := world.Cost{Services: 4, Hops: 5, Messages: 2, Depth: 3}
	path := "/sync/list/u-001"
	want := world.Waterfall{Trace: traceID(1), At: after(0), TookMS: 40, Cost: cost, Hops: []world.Hop{
		{From: "shoppers", To: "history", Method: "GET", Path: path, Status: 200, TookMS: 40, Depth: 1},
		{From: "history", To: "orders", Method: "GET", Path: path, Status: 200, StartMS: 2, TookMS: 20, Depth: 2},
		{From: "history", To: "catalog", Via: "bus", Method: "GET", Path: path, Status: 200, StartMS: 2, TookMS: 9, Depth: 2},
		{From: "orders", To: "catalog", Method: "GET", Path: path, Status: 200, StartMS: 4, TookMS: 10, Depth: 3},
		{From: "history", To: "orders-db", Via: "store", Method: "SELECT", Path: "orders", StartMS: 30, TookMS: 2, Depth: 2},
	}, Messages: []world.Message{{Stream: "requests", Type: "request.v1", Subject: "r-0", Node: "history", AtMS: 2},
		{Stream: "requests", Type: "request.v1", Subject: "r-1", Node: "history", AtMS: 2}}}
	got, ok := w.Waterfall(list("sync"))
	if !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if c := cell(t, w, "list", "sync"); c.Cost == nil || *c.Cost != cost || c.Trace != traceID(1) {
		t.Errorf("%+v", c)
	}
	got.Hops[0].To = "nobody"
	if again, _ := w.Waterfall(list("sync")); again.Hops[0].To != "history" {
		t.Error("whoever asks can change it")
	}
	for _, k := range []world.CellKey{list("bus"), list("nothing"), {}} {
		if _, ok := w.Waterfall(k); ok {
			t.Errorf("%v has a waterfall", k)
		}
	}
}

// TestProbedWaterfall: a probe has no client span; what it found is the first hop.
func TestProbedWaterfall(t *testing.T) {
	served := call(2, "", "history", "/copies/list/u-001", 503, 3*time.Millisecond)
	served.Served, served.TraceID, served.SpanID, served.ParentID = true, traceID(1), servedOf(0), spanOf(0)
	w := foldFive(t, world.TriesSeen{At: after(10), Tries: []world.TrySeen{{Feature: "list", Pattern: "copies", Status: 503, Reason: "its store is dead",
		Start: after(0), Duration: 7 * time.Millisecond, Probe: true, TraceID: traceID(1), SpanID: spanOf(0)}}}, calls(100, served), tick(1100))
	got, ok := w.Waterfall(list("copies"))
	want := []world.Hop{{To: "history", Method: "GET", Path: "/copies/list/{user}", Status: 503, Failed: true, Reason: "its store is dead", TookMS: 7, Depth: 1}}
	if !ok || !got.Failed || !reflect.DeepEqual(got.Hops, want) || got.Cost != (world.Cost{Services: 1, Hops: 1, Depth: 1}) {
		t.Errorf("%+v", got)
	}
}

func TestNotWhole(t *testing.T) {
	all := whole(traceID(1), 0)
	without := func(i int) []world.Observation { return slices.Delete(slices.Clone(all), i, i+1) }
	with := func(more ...world.Observation) []world.Observation { return append(slices.Clone(all), more...) }
	change := func(i int, f func(*world.CallSeen)) []world.Observation {
		obs := slices.Clone(all)
		c := obs[i].(world.CallsSeen).Calls[0]
		f(&c)
		obs[i] = calls(100, c)
		return obs
	}
	copyOf := func(i int, f func(*world.CallSeen)) world.Observation { return change(i, f)[i] }
	var calls64, messages64 []world.Observation
	for i := range 60 {
		calls64 = append(calls64, copyOf(4, func(c *world.CallSeen) { c.SpanID = spanOf(100 + i) }))
		messages64 = append(messages64, all[10])
	}
	for _, c := range []struct {
		name string
		obs  []world.Observation
		ok   bool
	}{
		{"whole", all, true},
		{"a part twice", with(all[3], all[0]), true},
		{"a leaf that is away", without(5), true},
		{"no root", without(0), false},
		{"a link of the chain missing", without(3), false},
		{"a root that is no feature's request", change(0, func(c *world.CallSeen) { c.Path = "/else" }), false},
		{"a root by no client", change(0, func(c *world.CallSeen) { c.Caller = "orders" }), false},
		{"two roots", with(copyOf(0, func(c *world.CallSeen) { c.SpanID = spanOf(77) })), false},
		{"two calls of one span", with(copyOf(4, func(c *world.CallSeen) { c.Callee = "orders" })), false},
		{"a circle", change(2, func(c *world.CallSeen) { c.ParentID = servedOf(2) }), false},
		{"a caller that is not known", change(2, func(c *world.CallSeen) { c.Caller = "nobody" }), false},
		{"a span of no id", change(2, func(c *world.CallSeen) { c.SpanID = "" }), false},
		{"a root that took longer than its parts are kept", change(0, func(c *world.CallSeen) { c.Start, c.Duration = after(-2500), 2600*time.Millisecond }), false},
		{"64 calls", with(calls64[:55]...), true},
		{"more calls than are kept", with(calls64[:56]...), false},
		{"more messages than are kept", with(append(slices.Clone(messages64), messages64...)...), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, reversed := range []bool{false, true} {
				obs := slices.Clone(c.obs)
				if reversed {
					slices.Reverse(obs)
				}
				w := foldFive(t, append(obs, tick(1100), tick(2100), tick(5000))...)
				if f, ok := w.Waterfall(list("sync")); ok != c.ok {
					t.Errorf("reversed %v: %v, want %v: %+v", reversed, ok, c.ok, f)
				}
			}
		})
	}
}

// TestLateParts: what comes after a trace was given up or closed makes no other of it.
func TestLateParts(t *testing.T) {
	all := whole(traceID(1), 0)
	w := foldFive(t, all[1:]...)
	w.Apply(tick(2100)) // no root came
	late := all[0].(world.CallsSeen)
	late.At = after(2200)
	w.Apply(late)
	w.Apply(tick(4000))
	if f, ok := w.Waterfall(list("sync")); ok {
		t.Errorf("a rest was told as whole: %+v", f)
	}
	w = foldFive(t, all...)
	w.Apply(tick(1100))
	late = all[4].(world.CallsSeen)
	late.At = after(1200)
	for _, o := range []world.Observation{late, tick(5000)} {
		w.Apply(o)
	}
	if f, ok := w.Waterfall(list("sync")); !ok || f.Cost.Hops != 5 {
		t.Errorf("%+v", f)
	}
}

// TestFullOfTraces: where more come than are kept, what is told is whole nevertheless, and it goes on afterwards.
func TestFullOfTraces(t *testing.T) {
	w := foldFive(t)
	told := 0
	var roots [][]world.Observation // of the last batches
	for ms := 0; ms < 6000; ms += 100 {
		var late []world.Observation
		for i := range 100 { // 1,000 a second
			parts := whole(traceID(ms+i), ms)
			for _, o := range parts[1:] {
				w.Apply(o)
			}
			root := parts[0].(world.CallsSeen)
			root.At = after(ms + 400)
			late = append(late, root)
		}
		if roots = append(roots, late); len(roots) > 3 {
			for _, o := range roots[0] {
				w.Apply(o)
			}
			roots = roots[1:]
		}
		w.Apply(tick(ms + 100))
		if f, ok := w.Waterfall(list("sync")); ok {
			told++
			if f.Cost != (world.Cost{Services: 4, Hops: 5, Messages: 2, Depth: 3}) {
				t.Fatalf("%d ms: %+v", ms, f)
			}
		}
	}
	if f, _ := w.Waterfall(list("sync")); told == 0 || f.At.Before(after(2500)) {
		t.Errorf("under load the newest whole one is of %v", f.At)
	}
	w.Apply(tick(12_000))
	for _, o := range whole(traceID(99_999), 12_000) {
		w.Apply(o)
	}
	w.Apply(tick(14_000))
	if f, _ := w.Waterfall(list("sync")); f.Trace != traceID(99_999) {
		t.Errorf("after the load the newest whole one is %s of %v", f.Trace, f.At)
	}
}

// TestTypical: once a second another one, and at once one that went otherwise.
func TestTypical(t *testing.T) {
	w := foldFive(t)
	request := func(n, ms, status int) {
		c := call(ms, "shoppers", "history", "/sync/list/u-001", status, time.Millisecond)
		c.TraceID, c.SpanID = traceID(n), spanOf(0)
		w.Apply(calls(ms+1, c))
	}
	changes, last := 0, ""
	look := func(ms int, want string) {
		t.Helper()
		w.Apply(tick(ms))
		got := cell(t, w, "list", "sync").Trace
		if got != last {
			changes, last = changes+1, got
		}
		if want != "" && got != want {
			t.Errorf("at %d ms it is %s, want %s", ms, got, want)
		}
	}
	request(1, 0, 503)
	request(2, 50, 200)
	look(1100, traceID(2)) // the newest, however the other went
	request(3, 1200, 200)
	look(2210, traceID(3))
	request(4, 1800, 200)
	look(2900, traceID(3)) // not a second yet
	request(5, 2950, 503)
	look(3100, traceID(3))
	look(3960, traceID(5))
	if f, _ := w.Waterfall(list("sync")); !f.Failed || !f.Hops[0].Failed || f.Hops[0].Reason != "history refused the connection" {
		t.Errorf("%+v", f)
	}
	changes = 0
	for i := range 100 { // it fails and works by turns
		request(10+i, 4000+100*i, []int{200, 503}[i%2])
		look(4002+100*i, "")
	}
	if changes > 20 {
		t.Errorf("%d changes in 10 s", changes)
	}
	rev, c := w.Rev(), cell(t, w, "list", "sync")
	w.Apply(tick(40_000))
	if got := cell(t, w, "list", "sync"); got.Trace == "" || got.State != world.Untried || rev == w.Rev() || c.Cost == nil {
		t.Errorf("a quiet cell keeps what it cost: %+v", got)
	}
}

// TestCostsInAnyOrder: what a request costs does not depend on the order in which its parts come, nor on how they are
// batched; it is what the request was made of.
func TestCostsInAnyOrder(t *testing.T) {
	system := parse(t, five)
	nodes := []string{"orders", "catalog", "history"}
	rapid.Check(t, func(t *rapid.T) {
		var (
			parts  []any // CallSeen or EventSeen
			depth  = []int{1}
			callee = []string{"history"}
			want   world.Cost
			used   = map[string]bool{"history": true}
		)
		root := call(0, "shoppers", "history", "/bus/list/u-001", 200, 50*time.Millisecond)
		root.TraceID, root.SpanID = traceID(7), spanOf(0)
		parts = append(parts, root)
		n := rapid.IntRange(1, 16).Draw(t, "hops")
		needed := map[int]bool{}
		for i := 1; i < n; i++ {
			parent := rapid.IntRange(0, i-1).Draw(t, "parent")
			if callee[parent] == "orders-db" {
				parent = 0
			}
			how := rapid.SampledFrom([]string{world.ViaHTTP, world.ViaBus, world.ViaStore}).Draw(t, "via")
			to := rapid.SampledFrom(nodes).Draw(t, "to")
			if how == world.ViaStore {
				if callee[parent] == "orders" {
					how = world.ViaHTTP // it would be its own
				} else {
					to = "orders-db"
				}
			}
			c := via(how, call(rapid.IntRange(0, 9).Draw(t, "at"), callee[parent], to, "/x", 200, time.Millisecond))
			c.TraceID, c.SpanID, c.ParentID = traceID(7), spanOf(i), servedOf(parent)
			parts = append(parts, c)
			needed[parent] = true
			depth, callee, used[to] = append(depth, depth[parent]+1), append(callee, to), true
		}
		for i := range n {
			if callee[i] != "orders-db" && (needed[i] || rapid.Bool().Draw(t, "answered")) {
				c := call(1, "", callee[i], "/x", 200, time.Millisecond)
				c.Served, c.TraceID, c.SpanID, c.ParentID = true, traceID(7), servedOf(i), spanOf(i)
				parts = append(parts, c)
			}
		}
		for i := range rapid.IntRange(0, 8).Draw(t, "messages") {
			parts = append(parts, world.EventSeen{Stream: "requests", ID: fmt.Sprint(i), Source: rapid.SampledFrom(nodes).Draw(t, "source"),
				Type: "x.v1", Subject: rapid.SampledFrom(nodes).Draw(t, "subject"), Time: after(i / 2), TraceParent: "00-" + traceID(7) + "-" + spanOf(1) + "-01"})
			want.Messages++
		}
		want.Services, want.Hops, want.Depth = len(used), n, slices.Max(depth)

		first, second := assembled(t, system, parts), assembled(t, system, rapid.Permutation(parts).Draw(t, "order"))
		if first.Cost != want || len(first.Hops) != want.Hops || len(first.Messages) != want.Messages {
			t.Fatalf("%+v\nwant %+v", first, want)
		}
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("%+v\nin another order\n%+v", first, second)
		}
	})
}

// assembled folds the parts in batches drawn by t and closes the trace.
func assembled(t *rapid.T, system world.System, parts []any) world.Waterfall {
	w, ms := world.New(system, start), 100
	var cs []world.CallSeen
	for _, p := range parts {
		switch p := p.(type) {
		case world.CallSeen:
			cs = append(cs, p)
			if rapid.Bool().Draw(t, "flush") {
				w.Apply(calls(ms, cs...))
				cs = nil
			}
		case world.EventSeen:
			w.Apply(world.EventsSeen{At: after(ms), Events: []world.EventSeen{p}})
		}
		ms += 10
	}
	w.Apply(calls(ms, cs...))
	w.Apply(tick(ms + 1000))
	f, ok := w.Waterfall(list("bus"))
	if !ok {
		t.Fatalf("%d parts are not whole", len(parts))
	}
	return f
}

// BenchmarkTracedEvents is the fold of one event out of 100 that ten requests caused; BenchmarkCalls of one call of a
// whole request.
func BenchmarkTracedEvents(b *testing.B) {
	w := world.New(parse(b, five), start)
	batches, now := make([][]world.EventSeen, 1000), start
	for i := range batches {
		batches[i] = entries(0, 100)
		for j := range batches[i] {
			batches[i][j].TraceParent = "00-" + traceID(10*i+j/10) + "-" + spanOf(1) + "-01"
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += 100 {
		now = now.Add(10 * time.Millisecond)
		w.Apply(world.EventsSeen{At: now, Events: batches[i/100%len(batches)]})
	}
}

func BenchmarkCalls(b *testing.B) {
	w := world.New(parse(b, five), start)
	batches := make([][]world.CallSeen, 1000)
	for i := range batches {
		for _, o := range whole(traceID(i), 0) {
			if cs, ok := o.(world.CallsSeen); ok {
				batches[i] = append(batches[i], cs.Calls...)
			}
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += 9 {
		w.Apply(world.CallsSeen{At: start.Add(time.Duration(i) * time.Millisecond), Calls: batches[i/9%len(batches)]})
	}
}
