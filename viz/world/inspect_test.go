package world_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stillup/stillup/viz/world"
)

// take is the handling of an event of orders by history, some ms after the start.
func take(ms int, event, trace, span, parent, failed string, took time.Duration) world.TakesSeen {
	return world.TakesSeen{At: after(ms).Add(took), Takes: []world.TakeSeen{{Node: "history", Group: "readers", Stream: "orders", EventID: event,
		Type: "order.placed.v1", Start: after(ms), Duration: took, Failed: failed != "", Reason: failed, TraceID: trace, SpanID: span, ParentID: parent}}}
}

// placedAt is an order event with an entry id of that time.
func placedAt(ms int, stream, id, traceparent string) world.EventSeen {
	return world.EventSeen{Stream: stream, EntryID: fmt.Sprintf("%d-0", after(ms).UnixMilli()), ID: id, Source: "orders", Type: "order.placed.v1",
		Subject: "o-1", Time: after(ms), TraceParent: traceparent, Raw: []byte(`{"Name":"Käse","n":1}`)}
}

func served(ms int, node, method, route, path string, status int, took time.Duration) world.CallSeen {
	c := call(ms, "", node, path, status, took)
	c.Served, c.Method, c.Route, c.TraceID, c.SpanID = true, method, route, traceID(ms), spanOf(ms)
	return c
}

func detail(t *testing.T, w *world.World, id string) world.NodeDetail {
	t.Helper()
	d, ok := w.NodeDetail(id)
	if !ok {
		t.Fatalf("no node %s", id)
	}
	return d
}

func TestNodeDetail(t *testing.T) {
	w := fold(t, world.EventsSeen{At: after(10), Bases: map[string]int64{"orders": 0}, Events: entries(0, 3)},
		world.EventsSeen{At: after(10), Events: entries(90, 2), History: true}, backlog(20, 3, 1, 1, after(5)))
	if _, ok := w.NodeDetail("nobody"); ok {
		t.Error("tells of a node that is none")
	}
	for i := range 10 {
		w.Apply(calls(100+i, served(100, "orders", "GET", "/orders/{id}", fmt.Sprintf("/orders/%d", i), 200, time.Duration(i)*time.Millisecond)))
	}
	w.Apply(calls(200, served(150, "orders", "POST", "", "/sync/orders", 500, time.Millisecond), call(160, "shoppers", "orders", "/sync/orders", 0, time.Millisecond)))
	w.Apply(take(300, "e-1", traceID(1), spanOf(1), "", "the store is full", time.Millisecond))
	w.Apply(tick(400))

	d := detail(t, w, "orders")
	if len(d.Routes) != 2 || d.Routes[0].Route != "/orders/{id}" || d.Routes[0].Total != 10 || d.Routes[0].Rate != 2 || d.Routes[0].P50MS != 4 ||
		d.Routes[0].P99MS != 9 || d.Routes[0].LastError != "" || !d.Routes[0].LastErrorAt.IsZero() {
		t.Errorf("routes %+v", d.Routes)
	}
	if r := d.Routes[1]; r.Method != "POST" || r.Route != "/sync/orders" || r.Failed != 1 || r.FailedRate != 0.2 ||
		r.LastError != "orders refused the connection" || !r.LastErrorAt.Equal(after(151)) {
		t.Errorf("the route that fails: %+v", r)
	}
	want := []world.Emitted{{Stream: "orders", Rate: 0.6, Total: 3, Types: []world.TypeCount{{Type: "order.placed.v1", Total: 3}}}}
	if !reflect.DeepEqual(d.Emits, want) || len(d.Takes) != 0 {
		t.Errorf("emits %+v, takes %+v", d.Emits, d.Takes)
	}
	if len(d.Callers) != 1 || d.Callers[0].From != "shoppers" || len(d.Calls) != 0 || len(d.Stores) != 1 || d.Stores[0].ID != "orders-db" || d.Owner != nil {
		t.Errorf("%+v", d)
	}
	if len(d.Errors) != 1 || d.Errors[0] != (world.Failure{At: after(151), Text: "orders refused the connection", Where: "/sync/orders", Trace: traceID(150)}) {
		t.Errorf("errors %+v", d.Errors)
	}
	if got := detail(t, w, "shoppers"); len(got.Calls) != 1 || len(got.Errors) != 1 || got.Errors[0].Where != "orders" {
		t.Errorf("shoppers: %+v", got)
	}
	d = detail(t, w, "history")
	if len(d.Takes) != 1 || !reflect.DeepEqual(d.Takes[0], world.Taken{Stream: "orders", Group: "readers", Service: "history", Rate: d.Takes[0].Rate,
		Total: d.Takes[0].Total, Waiting: 2, Lag: 1, Pending: 1, Consumers: 1, OldestMS: 300, Members: []world.Member{}}) {
		t.Errorf("takes %+v", d.Takes)
	}
	if len(d.Errors) != 1 || d.Errors[0].Text != "the store is full" || d.Errors[0].Where != "orders" || d.Errors[0].Trace != traceID(1) {
		t.Errorf("errors %+v", d.Errors)
	}
	if d = detail(t, w, "history-db"); d.Owner == nil || d.Owner.ID != "history" || d.Routes == nil || d.Emits == nil || d.Errors == nil {
		t.Errorf("the store: %+v", d)
	}
}

// TestRoutesAreBounded: paths without end keep no others out for longer than the window, and what is shown is the busiest.
func TestRoutesAreBounded(t *testing.T) {
	w := fold(t)
	for i := range 500 {
		w.Apply(calls(i, served(i, "orders", "GET", "", fmt.Sprintf("/scan/%d", i), 404, time.Millisecond)))
	}
	if got := detail(t, w, "orders").Routes; len(got) != 50 {
		t.Errorf("%d routes are shown", len(got))
	}
	for i := range 60 {
		at := 6000 + i
		w.Apply(calls(at, served(at, "orders", "GET", "/real", "/real", 200, time.Millisecond)))
	}
	if got := detail(t, w, "orders").Routes; len(got) != 50 || got[0].Route != "/real" || got[0].Total != 60 {
		t.Errorf("the busiest of %d is %+v", len(got), got[0])
	}
}

func TestEdgeDetail(t *testing.T) {
	w := fold(t, backlog(1, 0, 0, 0, time.Time{}))
	if _, _, ok := w.EdgeDetail("call:orders>nobody"); ok {
		t.Error("tells of an edge that is none")
	}
	for i := range 70 {
		w.Apply(world.EventsSeen{At: after(10 + i), Events: entries(i, 1)})
		w.Apply(calls(10+i, call(10+i, "shoppers", "orders", "/sync/orders", 500-i, time.Millisecond)))
	}
	_, last, _ := w.EdgeDetail("emit:orders>orders")
	if len(last) != 50 || last[0].Event.ID != "e-69" || last[49].Event.ID != "e-20" || last[0].Kind != "event" || last[0].Event.Seq != 70 || last[0].Event.Subject != "o-6" {
		t.Errorf("%d events, the newest %+v", len(last), last[0])
	}
	e, last, _ := w.EdgeDetail("call:shoppers>orders")
	if e.Total != 70 || len(last) != 50 || last[0].Event != nil || last[0].Status != 431 || last[0].Method != "POST" || last[0].Path != "/sync/orders" ||
		!last[0].At.Equal(after(79)) || last[0].TookMS != 1 {
		t.Errorf("%d of %d calls, the newest %+v", len(last), e.Total, last[0])
	}
	w.Apply(take(100, "e-69", traceID(1), spanOf(1), "", "", time.Millisecond))
	w.Apply(take(200, "e-gone", traceID(1), spanOf(2), "", "no", time.Millisecond))
	e, last, _ = w.EdgeDetail("take:orders>history")
	if e.Total != 0 || len(last) != 2 || *last[0].Event != (world.PassedRef{ID: "e-gone", Type: "order.placed.v1"}) || !last[0].Failed || last[0].Reason != "no" ||
		*last[1].Event != (world.PassedRef{Seq: 70, ID: "e-69", Type: "order.placed.v1", Subject: "o-6"}) || last[1].Path != "" || last[1].Kind != "take" {
		t.Errorf("handlings %+v", last)
	}
	// What a quiet edge carried last is told for longer than the list of events reaches back.
	for i := range 11 {
		many := entries(1000*(i+1), 1000)
		for j := range many {
			many[j].Source = "/elsewhere"
		}
		w.Apply(world.EventsSeen{At: after(300 + i), Events: many})
	}
	if _, last, _ = w.EdgeDetail("emit:orders>orders"); len(last) != 50 || last[0].Event.ID != "e-69" {
		t.Errorf("%d events are left", len(last))
	}
}

// told is a chain in a line a step.
func told(c world.Chain) string {
	var b strings.Builder
	for _, s := range c.Steps {
		fmt.Fprintf(&b, "%d %s %s>%s %s%s %g+%g %s\n", s.Depth, s.Kind, s.From, s.To, s.Via, s.EventID, s.StartMS, s.TookMS, s.Reason)
	}
	return b.String()
}

// saga is a request that emits an event, whose handling emits another, whose handling fails first.
func saga(id string) []world.Observation {
	parent := func(span string) string { return "00-" + id + "-" + span + "-01" }
	root := call(0, "shoppers", "orders", "/copies/orders", 201, 20*time.Millisecond)
	root.TraceID, root.SpanID = id, spanOf(0)
	word := served(1, "orders", "POST", "/copies/orders", "/copies/orders", 201, 18*time.Millisecond)
	word.TraceID, word.SpanID, word.ParentID = id, servedOf(0), spanOf(0)
	second := placedAt(40, "orders", "e-2", parent(spanOf(10)))
	second.Source = "/history"
	retry := take(65, "e-2", id, spanOf(12), spanOf(10), "", 2*time.Millisecond)
	return []world.Observation{calls(30, root), calls(31, word),
		world.EventsSeen{At: after(32), Events: []world.EventSeen{placedAt(10, "orders", "e-1", parent(servedOf(0)))}},
		take(30, "e-1", id, spanOf(10), servedOf(0), "", 9*time.Millisecond),
		world.EventsSeen{At: after(45), Events: []world.EventSeen{second}},
		take(50, "e-2", id, spanOf(11), spanOf(10), "not yet", time.Millisecond), retry}
}

const sagaTold = `1 call shoppers>orders  0+20 
2 event orders>orders e-1 10+0 
3 take orders>history e-1 30+9 
4 event history>orders e-2 40+0 
5 take orders>history e-2 50+1 not yet
5 take orders>history e-2 65+2 
`

// BenchmarkTakes is the fold of one handling out of a batch of 100; BenchmarkLook what a look at an event costs in a
// world that is full.
func BenchmarkTakes(b *testing.B) {
	w := world.New(parse(b, small), start)
	batch := world.TakesSeen{}
	for i := range 100 {
		batch.Takes = append(batch.Takes, take(i, fmt.Sprintf("e-%d", i), traceID(i), spanOf(i), spanOf(0), "", time.Millisecond).Takes...)
	}
	b.ReportAllocs()
	now := start
	for i := 0; i < b.N; i += 100 {
		now = now.Add(10 * time.Millisecond)
		batch.At = now
		w.Apply(batch)
	}
}

func BenchmarkLook(b *testing.B) {
	w := world.New(parse(b, small), start)
	for i := range 60_000 {
		w.Apply(take(i, fmt.Sprintf("e-%d", i), traceID(i), spanOf(i), spanOf(0), "", time.Millisecond))
		if i >= 50_000 {
			w.Apply(world.EventsSeen{At: after(i), Events: []world.EventSeen{placedAt(i, "orders", fmt.Sprintf("e-%d", i), "00-"+traceID(i)+"-"+spanOf(0)+"-01")}})
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		e, _ := w.Event("e-50000")
		if len(w.Deliveries(e)) != 1 {
			b.Fatal("no delivery")
		}
		if c, _ := w.Chain(e); len(c.Steps) != 2 {
			b.Fatal("no chain")
		}
	}
}

// TestLooks: whatever was seen, everything can be looked at, and what is said of it can be written as JSON.
func TestLooks(t *testing.T) {
	system := parse(t, small)
	rapid.Check(t, func(t *rapid.T) {
		w := world.New(system, start)
		now := start
		for range rapid.IntRange(0, 40).Draw(t, "n") {
			w.Apply(observation(t, &now))
		}
		f := w.Since(0)
		var all []any
		for _, n := range f.Nodes {
			d, _ := w.NodeDetail(n.ID)
			all = append(all, d)
		}
		for _, e := range f.Edges {
			_, last, ok := w.EdgeDetail(e.ID)
			if !ok || len(last) > 50 {
				t.Fatalf("%s: %d passed, %v", e.ID, len(last), ok)
			}
			all = append(all, last)
		}
		for _, e := range w.Events(world.Query{Limit: 50}) {
			c, _ := w.Chain(e)
			all = append(all, w.Deliveries(e), c)
		}
		if _, err := json.Marshal(all); err != nil {
			t.Fatal(err)
		}
	})
}
