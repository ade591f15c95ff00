package demo_test

import (
	"context"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stillup/stillup/viz/demo"
	"github.com/stillup/stillup/viz/world"
)

var begun = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

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

func TestStates(t *testing.T) {
	for _, s := range demo.States() {
		t.Run(s.Name, func(t *testing.T) {
			b := start(t, s.Name)
			b.pass(8 * time.Second)
			f := b.frame()
			if s.Name == "empty" {
				if f.Bus.Up || len(f.Events)+len(f.Notes) > 0 || len(b.down()) != len(f.Nodes) {
					t.Errorf("something was seen: %+v", f)
				}
				return
			}
			var dead []string
			rate := [2]float64{15, 120}
			switch s.Name {
			case "one-dead":
				dead = []string{"catalog"}
			case "three-dead":
				dead = []string{"catalog", "purchases", "stock"}
			case "bus-dead":
				dead = []string{"bus"}
				rate = [2]float64{0, 120}
			case "brisk":
				rate = [2]float64{900, 1020} // the newest quarter second is not over yet
			case "busy":
				rate = [2]float64{9200, 10_200}
			case "idle":
				rate = [2]float64{6, 20}
			case "services-60", "services-200":
				rate = [2]float64{20, 300}
			}
			if got := b.down(); !slices.Equal(got, dead) {
				t.Errorf("not up are %v, want %v", got, dead)
			}
			if f.Bus.Rate < rate[0] || f.Bus.Rate > rate[1] {
				t.Errorf("%v events a second, want %v", f.Bus.Rate, rate)
			}
			if len(f.Events) == 0 {
				t.Error("no events are listed")
			}
			for _, c := range f.Cells {
				switch {
				case c.State == world.Untried:
					t.Errorf("nobody tried %s in %s", c.Feature, c.Pattern)
				case dead == nil && c.State != world.Works:
					t.Errorf("%s in %s %s: %s", c.Feature, c.Pattern, c.State, c.LastError)
				case c.State != world.Works && len(c.Because) == 0:
					t.Errorf("nobody knows why %s in %s %s: %s", c.Feature, c.Pattern, c.State, c.LastError)
				}
				if c.State == world.Works && c.Cost == nil {
					t.Errorf("what %s in %s costs is not told", c.Feature, c.Pattern)
				}
			}
			b.conserved()
		})
	}
}

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

// TestNobodyAsks: without traffic the dashboard's own probes are all there is.
func TestNobodyAsks(t *testing.T) {
	b := start(t, "calm")
	b.pass(3 * time.Second)
	b.change("shoppers", world.Down)
	b.pass(8 * time.Second)
	for _, e := range b.frame().Edges {
		if e.From == "shoppers" && e.Rate > 0 {
			t.Errorf("%s goes on without shoppers: %+v", e.ID, e)
		}
	}
	if f := b.frame(); f.Load.Known || b.cell("buy", "sync").State != world.Works {
		t.Errorf("load %+v, buy %+v", f.Load, b.cell("buy", "sync"))
	}
}

func TestMany(t *testing.T) {
	for state, want := range map[string][2]int{"services-60": {60, 40}, "services-200": {200, 100}} {
		b := start(t, state)
		services := 0
		for _, n := range b.demo.System().Nodes {
			if n.Kind == world.Service {
				services++
			}
		}
		if streams := len(b.demo.System().Streams); services != want[0] || streams != want[1] {
			t.Errorf("%s: %d services and %d streams", state, services, streams)
		}
		j, err := json.Marshal(b.demo.System())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := world.ParseSystem(j); err != nil {
			t.Errorf("%s: %v", state, err)
		}
	}
}

// TestSameSeed: the same seed makes the same, another one something else.
func TestSameSeed(t *testing.T) {
	made := func(seed uint64) []world.Observation {
		d, err := demo.New("three-dead", shop(t), seed)
		if err != nil {
			t.Fatal(err)
		}
		var all []world.Observation
		for i := range 500 {
			all = append(all, d.Step(begun.Add(time.Duration(i)*10*time.Millisecond))...)
		}
		return all
	}
	if a := made(1); !reflect.DeepEqual(a, made(1)) {
		t.Error("the same seed made two different demos")
	} else if reflect.DeepEqual(a, made(2)) {
		t.Error("two seeds made the same demo")
	}
}

// TestRun: Run steps in time, in batches, and ends with its context; a machine that slept makes nothing up.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := demo.New("busy", shop(t), 1)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		events, batches := 0, 0
		done := make(chan error, 1)
		slept := false
		go func() {
			done <- d.Run(ctx, func(obs ...world.Observation) {
				for _, o := range obs {
					if e, ok := o.(world.EventsSeen); ok && !e.History {
						events += len(e.Events)
						batches++
					}
				}
				if !slept && events > 5000 {
					slept = true
					time.Sleep(time.Minute)
				}
			})
		}()
		time.Sleep(time.Minute + 2*time.Second)
		synctest.Wait()
		if events < 18_000 || events > 23_000 || batches > 220 {
			t.Errorf("%d events in %d batches in 2 s awake", events, batches)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestUnknown(t *testing.T) {
	if _, err := demo.New("calmer", shop(t), 1); err == nil || !strings.Contains(err.Error(), "services-200") {
		t.Errorf("an unknown state gave %v; want one that lists the states", err)
	}
	b := start(t, "calm")
	if err := b.demo.Change("nobody", func(*world.NodeSeen) error { return nil }); err == nil {
		t.Error("a node that is not there was changed")
	}
}

func BenchmarkBusyStep(b *testing.B) {
	raw, err := os.ReadFile("../../services/system.json")
	if err != nil {
		b.Fatal(err)
	}
	s, err := world.ParseSystem(raw)
	if err != nil {
		b.Fatal(err)
	}
	d, err := demo.New("busy", s, 1)
	if err != nil {
		b.Fatal(err)
	}
	now := begun
	for b.Loop() { // a hundred events each
		d.Step(now)
		now = now.Add(10 * time.Millisecond)
	}
}
