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

// TestThings: a thing is in the stores that have heard of it, in the version that they have heard of.
func TestThings(t *testing.T) {
	d, err := demo.New("calm", shop(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	at := begun
	step := func(span time.Duration) {
		for end := at.Add(span); at.Before(end); at = at.Add(10 * time.Millisecond) {
			d.Step(at)
		}
	}
	step(3 * time.Second)
	if ids := d.Things("products"); len(ids) < 24 || ids[0] != "p-01" {
		t.Errorf("products %v", ids)
	}
	for _, store := range []string{"catalog-db", "orders-db", "stock-db", "purchases-db", "trending-db", "monolith-db"} {
		if fields, version, why := d.Thing(store, "products", "p-01"); why != "" || version < 1 || len(fields) != 2 {
			t.Errorf("%s: %v %d %q", store, fields, version, why)
		}
	}
	if err := d.Change("purchases", func(n *world.NodeSeen) error { n.State = world.Down; return nil }); err != nil {
		t.Fatal(err)
	}
	step(5 * time.Second)
	behind := 0
	for _, id := range d.Things("orders") {
		_, owner, _ := d.Thing("orders-db", "orders", id)
		_, copied, _ := d.Thing("purchases-db", "orders", id)
		if copied > owner || owner == 0 {
			t.Errorf("%s: version %d, its copy %d", id, owner, copied)
		}
		if copied < owner {
			behind++
		}
	}
	if behind == 0 {
		t.Error("no copy of a dead service is behind")
	}
	if _, version, why := d.Thing("users-db", "cars", "c-1"); version != 0 || why != "" {
		t.Errorf("of no kind: %d %q", version, why)
	}
	if err := d.Change("users-db", func(n *world.NodeSeen) error { n.State = world.Paused; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, _, why := d.Thing("users-db", "users", "u-001"); why != "users-db did not answer in time" {
		t.Errorf("a paused store says %q", why)
	}
}
