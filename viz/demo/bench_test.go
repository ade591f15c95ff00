package demo_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/demo"
	"github.com/stillup/stillup/viz/world"
)

func shop(t *testing.T) world.System {
	t.Helper()
	b, err := os.ReadFile("../../services/system.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := world.ParseSystem(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bench is a demo, its clock and the world that its observations make.
type bench struct {
	t     *testing.T
	demo  *demo.Demo
	world *world.World
	now   time.Time
	// What was observed, beside what the fold makes of it.
	emitted map[string]int64
	bases   map[string]int64
	streams world.StreamsSeen
}

func start(t *testing.T, state string) *bench {
	t.Helper()
	d, err := demo.New(state, shop(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, demo: d, world: world.New(d.System(), begun), now: begun, emitted: map[string]int64{}, bases: map[string]int64{}}
}

// pass lets time pass.
func (b *bench) pass(span time.Duration) {
	const step = 10 * time.Millisecond
	for end := b.now.Add(span); b.now.Before(end); b.now = b.now.Add(step) {
		for _, o := range b.demo.Step(b.now) {
			switch o := o.(type) {
			case world.EventsSeen:
				for name, base := range o.Bases {
					b.emitted[name], b.bases[name] = base, base
				}
				for i := range o.Events {
					e := &o.Events[i]
					b.emitted[e.Stream]++
					if !json.Valid(e.Raw) || e.ID == "" || e.Time.After(b.now) {
						b.t.Fatalf("an event that cannot be: %s %+v", e.Raw, e)
					}
				}
			case world.StreamsSeen:
				b.streams = o
			}
			b.world.Apply(o)
		}
		if b.now.Sub(begun)%(500*time.Millisecond) == 0 {
			b.world.Apply(world.Tick{At: b.now})
		}
	}
}

func (b *bench) change(id string, s world.State) {
	b.t.Helper()
	if err := b.demo.Change(id, func(n *world.NodeSeen) error { n.State = s; return nil }); err != nil {
		b.t.Fatal(err)
	}
}

// replica changes one replica of a node.
func (b *bench) replica(id, replica string, s world.State) {
	b.t.Helper()
	if err := b.demo.Change(id, func(n *world.NodeSeen) error {
		i := slices.IndexFunc(n.Replicas, func(r world.ReplicaSeen) bool { return r.ID == replica })
		n.Replicas[i].State = s
		return nil
	}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) frame() world.Frame { return b.world.Since(0) }

func (b *bench) cell(feature, pattern string) world.Cell {
	b.t.Helper()
	cells := b.frame().Cells
	i := slices.IndexFunc(cells, func(c world.Cell) bool { return c.Feature == feature && c.Pattern == pattern })
	if i < 0 {
		b.t.Fatalf("no cell %s/%s", feature, pattern)
	}
	return cells[i]
}

func (b *bench) edge(id string) world.Edge {
	b.t.Helper()
	edges := b.frame().Edges
	i := slices.IndexFunc(edges, func(e world.Edge) bool { return e.ID == id })
	if i < 0 {
		b.t.Fatalf("no edge %s", id)
	}
	return edges[i]
}

// down are the nodes that are not up.
func (b *bench) down() (ids []string) {
	for _, n := range b.frame().Nodes {
		if n.State != world.Up {
			ids = append(ids, n.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// conserved checks that what was emitted, what streams hold and what groups took agree.
func (b *bench) conserved() {
	b.t.Helper()
	b.pass(time.Second) // so that the last inspection is a late one
	f := b.frame()
	totals := map[string]int64{}
	for _, l := range f.Streams {
		totals[l.Name] = l.Total
		if l.Total != b.emitted[l.Name] {
			b.t.Errorf("the stream %s has a total of %d, %d were emitted", l.Name, l.Total, b.emitted[l.Name])
		}
	}
	taken := map[string]int64{} // by stream and group
	for _, s := range b.streams.Streams {
		if s.Length > s.Added || s.Added > totals[s.Name] {
			b.t.Errorf("%s holds %d of %d, of %d that were seen", s.Name, s.Length, s.Added, totals[s.Name])
		}
		for _, g := range s.Groups {
			taken[s.Name+">"+g.Group] = s.Added - b.bases[s.Name] - g.Lag - g.Pending
		}
	}
	emits := map[string]int64{}
	for _, e := range f.Edges {
		switch e.Kind {
		case world.Emit:
			emits[e.To] += e.Total
		case world.Take:
			if want, ok := taken[e.From+">"+e.To]; !ok || e.Total != want || want < 0 {
				b.t.Errorf("%s has a total of %d, the group took %d", e.ID, e.Total, want)
			}
		}
	}
	for name, n := range totals {
		if emits[name] != n-b.bases[name] {
			b.t.Errorf("%d events of %s came from nodes, of %d that were seen", emits[name], name, n-b.bases[name])
		}
	}
}
