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
