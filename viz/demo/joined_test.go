package demo_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// TestJoined: the service that comes later is not there at first, then it is, and reads what happened before; in no other
// state does it come.
func TestJoined(t *testing.T) {
	there := func(b *bench) bool {
		return slices.ContainsFunc(b.frame().Nodes, func(n world.Node) bool { return n.ID == "recommendations" || n.Owner == "recommendations" })
	}
	b := start(t, "joined")
	b.pass(1500 * time.Millisecond)
	if there(b) || b.demo.Change("recommendations", func(*world.NodeSeen) error { return nil }) == nil {
		t.Error("it is there before it joined")
	}
	b.pass(6 * time.Second)
	if !there(b) {
		t.Fatal("it did not join")
	}
	if e := b.edge("take:orders>recommendations"); e.Waiting != 0 || e.Total < b.edge("take:orders>trending").Total {
		t.Errorf("it did not read what was before: %+v, trending %+v", e, b.edge("take:orders>trending"))
	}
	b = start(t, "calm")
	b.pass(8 * time.Second)
	if there(b) {
		t.Error("it joins in calm")
	}
}
