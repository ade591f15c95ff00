package tour

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/world"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

func key(feature, pattern string) world.CellKey {
	return world.CellKey{Feature: feature, Pattern: pattern}
}

// system is a small one, whose nodes' ids hold what ids may.
func system() world.System {
	place := &world.Place{}
	ask := map[string]world.RequestSpec{"sync": {Node: "orders"}, "copies": {Node: "orders"}}
	return world.System{
		Name: "small",
		Nodes: []world.NodeSpec{
			{ID: "users", Kind: world.Service, Emits: []string{"users"}},
			{ID: "stock", Kind: world.Service, Takes: []string{"orders"}},
			{ID: "orders", Kind: world.Service, Takes: []string{"users"}, Emits: []string{"orders"}},
			{ID: "eu.west-1", Kind: world.Service},
			{ID: "late", Kind: world.Service, Later: true},
			{ID: "users-db", Kind: world.Store, Engine: "postgres", Owner: "users", Holds: []world.Hold{{Kind: "users", At: place}}},
			{ID: "orders-db", Kind: world.Store, Engine: "redis", Owner: "orders", Holds: []world.Hold{{Kind: "orders", At: place}, {Kind: "users", Copy: true, At: place}}},
			{ID: "alone-db", Kind: world.Store, Engine: "postgres", Owner: "eu.west-1", Holds: []world.Hold{{Kind: "users", At: place}, {Kind: "prices", At: nil}}},
			{ID: "bus", Kind: world.Bus},
			{ID: "shoppers", Kind: world.Client},
		},
		Streams:  []world.StreamSpec{{Name: "users", Kind: "users"}, {Name: "orders", Kind: "orders"}},
		Kinds:    []world.KindSpec{{ID: "users", Name: "users"}, {ID: "orders", Name: "orders"}, {ID: "prices", Name: "prices"}},
		Patterns: []world.PatternSpec{{ID: "sync", Name: "Sync"}, {ID: "copies", Name: "Copies"}, {ID: "empty", Name: "Empty"}},
		Features: []world.FeatureSpec{{ID: "buy", Name: "buy", Requests: ask}, {ID: "sign-up", Name: "sign up", Requests: ask},
			{ID: "browse", Name: "browse", Requests: map[string]world.RequestSpec{"copies": {Node: "users"}}}},
		Load: &world.LoadSpec{Node: "shoppers", Path: "/load", Max: 500},
		Actions: []world.ActionSpec{
			{ID: "rename", Group: world.ChangeAction, Name: "Rename", Kind: "users", Node: "users", Path: "/users/{id}",
				Fields: []world.FieldSpec{{Name: "name", Label: "Name", Type: "text"}, {Name: "age", Label: "Age", Type: "number"}}},
			{ID: "schema-2", Group: world.SchemaAction, Name: "To schema 2", Node: "users", Path: "/jobs/schema-2", Job: true},
			{ID: "join-late", Group: world.JoinAction, Name: "Join", Node: "late", Joins: []string{"late"}},
		},
		Workloads: map[string]string{"postgres": "users-db", "redis": "orders-db"},
	}
}

// calm is the system with everything well.
func calm() View {
	v := View{At: noon, System: system(), Begun: at(-60), Can: true}
	for _, n := range v.System.Nodes {
		if !n.Later {
			v.Frame.Nodes = append(v.Frame.Nodes, world.Node{ID: n.ID, Kind: n.Kind, State: world.Up, Version: map[string]string{"orders-db": "Redis 7.0.15"}[n.ID]})
		}
	}
	for _, f := range v.System.Features {
		for _, p := range v.System.Patterns {
			c := world.Cell{Feature: f.ID, Pattern: p.ID, State: world.Untried}
			if _, asked := f.Requests[p.ID]; asked {
				c.State, c.Tries, c.P50MS, c.P99MS = world.Works, 10, 12, 40
				c.Cost = &world.Cost{Services: 3, Hops: 5, Messages: 2, Depth: 4}
			}
			v.Frame.Cells = append(v.Frame.Cells, c)
		}
	}
	v.Frame.Edges = []world.Edge{
		{Kind: world.Take, From: "orders", To: "stock"}, {Kind: world.Take, From: "users", To: "stock"}, {Kind: world.Take, From: "users", To: "orders"},
		{Kind: world.Call, From: "shoppers", To: "stock", Waiting: 7},
	}
	v.Frame.Streams = []world.Lane{{Name: "users", Rate: 19.5}}
	v.Frame.Copies = []world.Holding{
		{Node: "users-db", Kind: "users", Known: true, Count: 12000, Bytes: 2_000_000},
		{Node: "orders-db", Kind: "orders", Known: true, Count: 1, Bytes: 1_000_000},
		{Node: "orders-db", Kind: "users", Copy: true, Known: true, Count: 11999, Bytes: 1_200_000},
		{Node: "alone-db", Kind: "users", Known: true, Bytes: 9_000_000},
		{Node: "alone-db", Kind: "prices", Why: "the system file does not say where it stands"},
	}
	v.Frame.Load = &world.Load{PerSecond: 20, Known: true}
	return v
}

// change is something that is otherwise than in the calm.
type change func(*View)

func with(changes ...change) View {
	v := calm()
	for _, c := range changes {
		c(&v)
	}
	return v
}

func state(id string, s world.State) change {
	return func(v *View) {
		v.Frame.Nodes[slices.IndexFunc(v.Frame.Nodes, func(n world.Node) bool { return n.ID == id })].State = s
	}
}

func fault(id string, f world.Fault) change {
	return func(v *View) {
		n := &v.Frame.Nodes[slices.IndexFunc(v.Frame.Nodes, func(n world.Node) bool { return n.ID == id })]
		n.Faults = append(n.Faults, f)
	}
}

func cell(feature, pattern string, how func(*world.Cell)) change {
	return func(v *View) {
		how(&v.Frame.Cells[slices.IndexFunc(v.Frame.Cells, func(c world.Cell) bool { return c.Feature == feature && c.Pattern == pattern })])
	}
}

func is(s world.CellState) func(*world.Cell) { return func(c *world.Cell) { c.State = s } }

func took(ms float64) func(*world.Cell) { return func(c *world.Cell) { c.P50MS = ms } }

func waits(to string, n ...int64) change {
	return func(v *View) {
		for i := range v.Frame.Edges {
			if e := &v.Frame.Edges[i]; e.To == to && e.Kind == world.Take && len(n) > 0 {
				e.Waiting, n = n[0], n[1:]
			}
		}
	}
}

func holds(kind, store string, how func(*world.Holding)) change {
	return func(v *View) {
		how(&v.Frame.Copies[slices.IndexFunc(v.Frame.Copies, func(h world.Holding) bool { return h.Kind == kind && h.Node == store })])
	}
}

func load(n float64) change {
	return func(v *View) { v.Frame.Load = &world.Load{PerSecond: n, Known: true} }
}

func job(j Job) change {
	return func(v *View) { v.Job = func(id string) (Job, bool) { return j, id == "schema-2" } }
}

func value(s string) change {
	return func(v *View) {
		v.Field = func(f Field) (string, bool) { return s, f == Field{"users", "u-1", "name"} }
	}
}

func engines(e *Engines) change { return func(v *View) { v.Engines = e } }

// clock moves the view's time.
func clock(seconds float64) change { return func(v *View) { v.At = at(seconds) } }

func mustCondition(t testing.TB, text string) Condition {
	t.Helper()
	c, err := ParseCondition(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustDeed(t testing.TB, text string) Deed {
	t.Helper()
	d, err := ParseDeed(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestForms: authors find every form, and the workloads' names are the ones that can be told.
func TestForms(t *testing.T) {
	all := strings.Join(Forms(), "\n")
	for _, want := range []string{"do: slow NODE by N ms", "until: NODE is up|down|paused|slow|cut|healthy", "measure: {took}"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not among the forms:\n%s", want, all)
		}
	}
}

func worst(kind, store string, ms int64) change {
	return func(v *View) {
		v.Worst = func(k, at string) int64 {
			if k == kind && at == store {
				return ms
			}
			return 0
		}
	}
}
