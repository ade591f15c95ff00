package world

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// growing is a system to which a service with a store may come, with a stream that it takes and one that it emits.
func growing() System {
	return System{Name: "growing",
		Nodes: []NodeSpec{
			{ID: "orders", Kind: Service, Emits: []string{"orders"}},
			{ID: "newcomer", Kind: Service, Takes: []string{"orders"}, Emits: []string{"tips"}, Reaches: []string{"orders-db"}, Later: true},
			{ID: "orders-db", Kind: Store, Engine: "postgres", Owner: "orders"},
			{ID: "newcomer-db", Kind: Store, Engine: "redis", Owner: "newcomer", Later: true},
			{ID: "bus", Kind: Bus, Engine: "redis"},
		},
		Streams:  []StreamSpec{{Name: "orders"}, {Name: "tips"}},
		Patterns: []PatternSpec{{ID: "copies", Name: "Copies"}},
		Features: []FeatureSpec{{ID: "buy", Name: "buy", Requests: map[string]RequestSpec{"copies": {Node: "orders", Method: "GET", Path: "/", Needs: []string{"orders"}}}}},
	}
}

// told are the nodes and edges of a frame.
func told(f Frame) (nodes, edges []string) {
	for _, n := range f.Nodes {
		nodes = append(nodes, n.ID)
	}
	for _, e := range f.Edges {
		edges = append(edges, e.ID)
	}
	return nodes, edges
}

// mentions says whether anything but the list of those that may join names the newcomer.
func mentions(t *testing.T, f Frame) bool {
	t.Helper()
	if f.System != nil {
		s := *f.System
		s.Later = nil
		f.System = &s
	}
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(b), "newcomer")
}

// TestLater: a node that comes later is nowhere until it was up; then a diff brings it, its store and its edges, and nothing
// else; and dead it stays.
func TestLater(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	w := New(growing(), at)
	see := func(node string, s State) { w.Apply(NodeSeen{At: at, Node: node, State: s, Verbs: []string{"start"}}) }
	for _, id := range []string{"orders", "orders-db", "bus"} {
		see(id, Up)
	}
	rev := w.Rev()
	for _, s := range []State{Down, Starting, Down} { // also one whose first start fails
		see("newcomer", s)
	}
	see("newcomer-db", Down)
	see("newcomer-db", Up) // a store alone is no card
	w.Apply(Tick{At: at.Add(time.Millisecond)})
	if f := w.Since(0); mentions(t, f) || !slices.Equal(f.System.Later, []string{"newcomer"}) {
		t.Errorf("before it joined: %+v", f)
	}
	if w.Rev() != rev {
		t.Errorf("the revision went from %d to %d for what nobody sees", rev, w.Rev())
	}
	if !w.Calm() {
		t.Error("one that has not joined disturbs the calm")
	}
	if _, ok := w.NodeDetail("newcomer"); ok || !w.Told("newcomer") || w.Told("nobody") {
		t.Error("it is told of before it joined")
	}
	takers, emitters, _, _ := w.Takers("orders")
	if len(takers) != 0 || !slices.Equal(emitters, []string{"orders"}) {
		t.Errorf("orders: taken by %+v, emitted by %v", takers, emitters)
	}

	see("newcomer", Up)
	f := w.Since(rev)
	nodes, edges := told(f)
	if !slices.Equal(nodes, []string{"newcomer", "newcomer-db"}) ||
		!slices.Equal(edges, []string{"emit:newcomer>tips", "take:orders>newcomer", "reach:newcomer>orders-db"}) {
		t.Errorf("the diff has %v and %v", nodes, edges)
	}
	if len(f.Notes) != 1 || f.Notes[0].Text != "newcomer joined" || len(f.Streams)+len(f.Cells)+len(f.Events) > 0 || f.Bus != nil || f.Load != nil {
		t.Errorf("the diff has more: %+v", f)
	}
	if d, ok := w.NodeDetail("newcomer"); !ok || len(d.Stores) != 1 {
		t.Errorf("it joined and is told of so: %+v", d)
	}
	see("newcomer", Down)
	see("newcomer-db", Down)
	if nodes, _ := told(w.Since(0)); len(nodes) != 5 {
		t.Errorf("dead, it is gone from %v", nodes)
	}
	if w.Calm() {
		t.Error("its death does not disturb the calm")
	}
}

// TestLaterFromTheBus: where no runtime tells, a consumer group or an event says that it joined.
func TestLaterFromTheBus(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for name, o := range map[string]Observation{
		"group": StreamsSeen{At: at, Streams: []StreamSeen{{Name: "orders", Groups: []GroupSeen{{Stream: "orders", Group: "newcomer"}}}}},
		"event": EventsSeen{At: at, Events: []EventSeen{{Stream: "tips", EntryID: "1-0", ID: "e", Source: "newcomer", Time: at}}},
	} {
		w := New(growing(), at)
		w.Apply(o)
		if nodes, edges := told(w.Since(0)); len(nodes) != 5 || len(edges) != 4 {
			t.Errorf("%s: %v %v", name, nodes, edges)
		}
	}
}

// TestActSaid: what a person had done is news in its own words.
func TestActSaid(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	w := New(growing(), at)
	w.Apply(ActionSeen{At: at, Node: "orders", Verb: ActVerb, Note: "Rename p-01"})
	if n := w.Since(0).Notes; len(n) != 1 || n[0].Text != "asked for: Rename p-01" || n[0].Node != "orders" {
		t.Errorf("%+v", n)
	}
}
