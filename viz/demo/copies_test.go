package demo_test

import (
	"testing"
	"time"

	"github.com/stillup/stillup/viz/demo"
	"github.com/stillup/stillup/viz/world"
)

// TestCopies: every store says what it holds, copies grow with what their services apply, and a dead store is told of.
func TestCopies(t *testing.T) {
	d, err := demo.New("calm", shop(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	w := world.New(d.System(), begun)
	at := begun
	step := func(span time.Duration) map[string]world.Holding {
		for end := at.Add(span); at.Before(end); at = at.Add(10 * time.Millisecond) {
			for _, o := range d.Step(at) {
				w.Apply(o)
			}
		}
		w.Apply(world.Tick{At: at})
		held := map[string]world.Holding{}
		for _, h := range w.Since(0).Copies {
			held[h.Node+" "+h.Kind] = h
		}
		return held
	}
	first := step(time.Second)
	for name, h := range first {
		if !h.Known || h.Count <= 0 || h.Bytes <= 0 {
			t.Errorf("%s: %+v", name, h)
		}
	}
	if len(first) != 16 {
		t.Errorf("%d holdings", len(first))
	}
	if then := step(12 * time.Second); then["orders-db orders"].Count <= first["orders-db orders"].Count || then["purchases-db orders"].Count <= first["purchases-db orders"].Count {
		t.Errorf("orders do not grow: %+v", then)
	}
	for id, state := range map[string]world.State{"purchases": world.Down, "users-db": world.Paused} {
		if err := d.Change(id, func(n *world.NodeSeen) error { n.State = state; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	held := step(8 * time.Second)
	if h := held["purchases-db orders"]; !h.Known || h.StaleMS < 5000 || h.WorstMS < h.StaleMS || h.Behind <= 0 {
		t.Errorf("the copy of a dead service: %+v", h)
	}
	if h := held["users-db users"]; h.Known || h.Why != "users-db did not answer in time" {
		t.Errorf("a paused store: %+v", h)
	}
}
