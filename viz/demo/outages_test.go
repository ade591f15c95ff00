package demo_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// TestAgainstTheFile: what fails while a node is dead is what the system file says that it should.
func TestAgainstTheFile(t *testing.T) {
	for _, id := range []string{"catalog", "orders-db", "bus", "monolith"} {
		t.Run(id, func(t *testing.T) {
			b := start(t, "calm")
			b.pass(3 * time.Second)
			b.change(id, world.Down)
			b.pass(6 * time.Second)
			for key, fails := range b.demo.System().Expected(id) {
				if c := b.cell(key.Feature, key.Pattern); (c.State == world.Fails) != fails {
					t.Errorf("%s in %s %s (%s), want failing to be %v", key.Feature, key.Pattern, c.State, c.LastError, fails)
				} else if fails && !slices.Contains(c.Because, id) {
					t.Errorf("%s in %s fails because of %v", key.Feature, key.Pattern, c.Because)
				}
			}
			b.change(id, world.Up)
			b.pass(8 * time.Second)
			for _, c := range b.frame().Cells {
				if c.State != world.Works {
					t.Errorf("%s in %s %s once %s is back (%s)", c.Feature, c.Pattern, c.State, id, c.LastError)
				}
			}
			b.conserved()
		})
	}
}

// TestThreeDead: calls fail, events wait at the dead ones' doors and grow older, and drain when these come back.
func TestThreeDead(t *testing.T) {
	b := start(t, "three-dead")
	b.pass(10 * time.Second)
	if e := b.edge("call:orders>catalog"); e.FailedRate == 0 || e.Reason != "catalog refused the connection" {
		t.Errorf("calls to catalog: %+v", e)
	}
	if c := b.cell("buy", "sync"); c.State != world.Fails || !slices.Equal(c.Because, []string{"catalog", "stock"}) {
		t.Errorf("buy in sync: %+v", c)
	}
	before := b.edge("take:orders>purchases")
	b.pass(2 * time.Second)
	after := b.edge("take:orders>purchases")
	if before.Waiting < 5 || after.Waiting <= before.Waiting || after.OldestMS < before.OldestMS+1500 || before.OldestMS < 5000 {
		t.Errorf("at purchases' door waited %+v, then %+v", before, after)
	}
	if e := b.edge("take:users>orders"); e.Waiting > 2 {
		t.Errorf("orders lives, and yet %d events wait for it", e.Waiting)
	}
	for _, id := range []string{"catalog", "stock", "purchases"} {
		b.change(id, world.Up)
	}
	b.pass(5 * time.Second)
	if e := b.edge("take:orders>purchases"); e.Waiting > 2 || e.Total < after.Waiting {
		t.Errorf("purchases is back, and %d events wait", e.Waiting)
	}
	var said []string
	for _, n := range b.frame().Notes {
		said = append(said, n.Text)
	}
	for _, want := range []string{"purchases was killed", "purchases is back", "purchases caught up"} {
		if !strings.Contains(strings.Join(said, "\n"), want) {
			t.Errorf("%q is not among what happened:\n%s", want, strings.Join(said, "\n"))
		}
	}
}

// TestOutboxes: while the bus is dead what is sold waits at orders; then it is published, and none is lost.
func TestOutboxes(t *testing.T) {
	b := start(t, "bus-dead")
	b.pass(8 * time.Second)
	orders := func() world.Node {
		nodes := b.frame().Nodes
		return nodes[slices.IndexFunc(nodes, func(n world.Node) bool { return n.ID == "orders" })]
	}
	if o := orders().Outbox; o.Waiting < 10 || o.OldestMS < 3000 {
		t.Errorf("orders' outbox is %+v", o)
	}
	if f := b.frame(); f.Bus.Up || f.Bus.Reason != "it refused the connection" {
		t.Errorf("the bus is %+v", f.Bus)
	}
	if c := b.cell("my-purchases", "copies"); c.State != world.Stale {
		t.Errorf("copies are %+v", c)
	}
	had := b.emitted["orders"]
	b.change("bus", world.Up)
	b.pass(3 * time.Second)
	if o := orders().Outbox; o.Waiting != 0 || b.emitted["orders"] < had+10 {
		t.Errorf("orders' outbox is %+v after the bus came back, %d events went out", o, b.emitted["orders"]-had)
	}
	b.conserved()
}

// TestScaled: one of three replicas dies; what it held waits, is claimed by the others, and all goes on meanwhile.
func TestScaled(t *testing.T) {
	b := start(t, "scaled")
	purchases := func() world.Node {
		nodes := b.frame().Nodes
		return nodes[slices.IndexFunc(nodes, func(n world.Node) bool { return n.ID == "purchases" })]
	}
	said := func() string {
		var texts []string
		for _, n := range b.frame().Notes {
			texts = append(texts, n.Text)
		}
		return strings.Join(texts, "\n")
	}
	b.pass(1500 * time.Millisecond)
	if n := purchases(); len(n.Replicas) != 3 || n.Replicas[1].State != world.Up || n.Replicas[1].Pending != 0 {
		t.Fatalf("before the death: %+v", n.Replicas)
	}
	b.pass(2 * time.Second)
	n := purchases()
	if r := n.Replicas[1]; n.State != world.Up || r.State != world.Down || r.Pending < 2 || r.Reason == "" || n.Replicas[0].State != world.Up {
		t.Errorf("after it: %+v", n)
	}
	held := b.edge("take:orders>purchases")
	if held.Pending < 2 || held.OldestMS < 1000 || held.Waiting > held.Pending+10 {
		t.Errorf("at purchases' door: %+v", held)
	}
	if text := said(); !strings.Contains(text, "purchases 2 was killed, holding ") {
		t.Errorf("what happened:\n%s", text)
	}
	if c := b.cell("my-purchases", "copies"); c.State != world.Stale {
		t.Errorf("what it holds is in no copy, and yet copies are %+v", c)
	}
	b.pass(5 * time.Second)
	if r := purchases().Replicas[1]; r.Pending != 0 || r.State != world.Down {
		t.Errorf("after the claim: %+v", r)
	}
	if text := said(); !strings.Contains(text, "events that purchases 2 held were claimed by the others after 5.") {
		t.Errorf("what happened:\n%s", text)
	}
	if c := b.cell("my-purchases", "copies"); c.State != world.Works {
		t.Errorf("after the claim: %+v", c)
	}
	b.replica("purchases", "2", world.Up)
	b.replica("purchases", "3", world.Paused)
	b.pass(time.Second)
	if n := purchases(); n.State != world.Up || n.Replicas[1].State != world.Up || n.Replicas[2].State != world.Paused || n.Replicas[2].Pending < 1 {
		t.Errorf("2 is back and 3 is paused: %+v", n)
	}
	for _, id := range []string{"1", "2", "3"} {
		b.replica("purchases", id, world.Down)
	}
	b.pass(2 * time.Second)
	if n, e := purchases(), b.edge("take:orders>purchases"); n.State != world.Down || e.Waiting < 10 || n.Use != nil {
		t.Errorf("all are dead: %+v, %+v", n, e)
	}
	b.replica("purchases", "1", world.Up)
	b.pass(8 * time.Second)
	if e := b.edge("take:orders>purchases"); e.Waiting > 3 {
		t.Errorf("one is back: %+v", e)
	}
	for _, n := range b.frame().Nodes {
		if n.Use == nil || n.Use.CPU <= 0 || n.Use.CPU > n.Use.CPULimit || n.Use.Memory < 1<<20 || n.Use.Memory > n.Use.MemoryLimit {
			t.Errorf("%s uses %+v", n.ID, n.Use)
		}
	}
	if c := b.frame().Control; c == nil || !c.Can {
		t.Errorf("whether nodes can be acted on: %+v", c)
	}
	b.conserved()
}

// TestPauseAndFaults: who is silent is waited for, and faults do what they say.
func TestPauseAndFaults(t *testing.T) {
	b := start(t, "calm")
	b.pass(3 * time.Second)
	b.change("users-db", world.Paused)
	set := func(id string, f world.Fault) {
		t.Helper()
		if err := b.demo.Change(id, func(n *world.NodeSeen) error { n.Faults = []world.Fault{f}; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	set("catalog", world.Fault{Kind: world.FaultSlow, LatencyMS: 300})
	set("stock", world.Fault{Kind: world.FaultErrors, Share: 1})
	set("monolith", world.Fault{Kind: world.FaultCut})
	b.pass(6 * time.Second)
	for _, want := range []struct {
		feature, pattern string
		state            world.CellState
		because          string
	}{{"sign-up", "sync", world.Fails, "users-db"}, {"browse", "sync", world.Slow, "catalog"}, {"check-stock", "copies", world.Fails, "stock"},
		{"browse", "monolith", world.Fails, "monolith"}, {"top-sellers", "copies", world.Works, ""}} {
		c := b.cell(want.feature, want.pattern)
		if c.State != want.state || strings.Join(c.Because, ",") != want.because {
			t.Errorf("%s in %s %s because of %v (%s), want %s because of %s", want.feature, want.pattern, c.State, c.Because, c.LastError, want.state, want.because)
		}
	}
}
