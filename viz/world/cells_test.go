package world_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/world"
)

func TestCells(t *testing.T) {
	const fast, tardy = 5 * time.Millisecond, 400 * time.Millisecond
	many := func(n int, c world.CallSeen) (cs []world.CallSeen) {
		for range n {
			cs = append(cs, c)
		}
		return cs
	}
	try := func(ms int, ok bool) world.TriesSeen {
		return world.TriesSeen{At: after(ms), Tries: []world.TrySeen{{Feature: "list", Pattern: "copies", OK: ok, Status: 503, Start: after(ms)}}}
	}
	for _, c := range []struct {
		name      string
		obs       []world.Observation
		state     world.CellState
		tries     int
		success   float64
		staleMS   int64
		lastError string
	}{
		{name: "nobody asked", state: world.Untried},
		{"works", []world.Observation{calls(100, call(50, "shoppers", "history", "/copies/list/u-001", 200, fast))}, world.Works, 1, 1, 0, ""},
		{"by another node", []world.Observation{calls(100, call(50, "orders", "history", "/copies/list/u-001", 200, fast))}, world.Untried, 0, 0, 0, ""},
		{"another path", []world.Observation{calls(100, call(50, "shoppers", "history", "/copies/list/", 200, fast),
			call(50, "shoppers", "history", "/copies/list/u/1", 200, fast))}, world.Untried, 0, 0, 0, ""},
		{"slow", []world.Observation{calls(500, call(50, "shoppers", "history", "/copies/list/u-001", 200, tardy))}, world.Slow, 1, 1, 0, ""},
		{"fails at once", []world.Observation{calls(2000, many(100, call(50, "shoppers", "history", "/copies/list/u-001", 200, fast))...), try(3000, false)},
			world.Fails, 101, 0.99, 0, "503 Service Unavailable"},
		{"half fail", []world.Observation{try(100, true), try(110, false)}, world.Works, 2, 0.5, 0, "503 Service Unavailable"},
		{"an error passes", []world.Observation{try(100, false), try(5600, true)}, world.Works, 1, 1, 0, ""},
		{"quiet", []world.Observation{try(100, true), tick(6000)}, world.Untried, 0, 0, 0, ""},
		{"stays as last found while quiet", []world.Observation{try(100, true), try(110, true), try(120, true), try(2000, false), tick(4500)}, world.Fails, 4, 0.75, 0, "503 Service Unavailable"},
		{"judged together while quiet", []world.Observation{try(100, true), try(110, false), try(120, false), tick(3000)}, world.Fails, 3, 0.333, 0, "503 Service Unavailable"},
		{"stale", []world.Observation{backlog(10, 100, 5, 0, after(0)), try(2000, true)}, world.Stale, 1, 1, 2000, ""},
		{"not stale yet", []world.Observation{backlog(10, 100, 5, 0, after(0)), try(900, true)}, world.Works, 1, 1, 0, ""},
		{"a hung try", []world.Observation{try(100, true), world.TriesSeen{At: after(3000), Tries: []world.TrySeen{{Feature: "list", Pattern: "copies",
			Start: after(1400), Duration: 1600 * time.Millisecond}}}}, world.Fails, 2, 0.5, 0, "no answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := cell(t, fold(t, c.obs...), "list", "copies")
			if got.State != c.state || got.Tries != c.tries || got.Success != c.success || got.StaleMS != c.staleMS || got.LastError != c.lastError {
				t.Errorf("%+v, want %+v", got, c)
			}
		})
	}
	soldOut := fold(t, calls(100, call(50, "shoppers", "orders", "/sync/orders", 409, fast)))
	if got := cell(t, soldOut, "buy", "sync"); got.State != world.Works || got.Success != 1 {
		t.Errorf("a 409 that is an answer: %+v", got)
	}
}

func TestUntried(t *testing.T) {
	w := fold(t, world.TriesSeen{At: after(100), Tries: []world.TrySeen{{Feature: "list", Pattern: "copies", OK: true, Start: after(100)}}})
	if got := fmt.Sprint(w.Untried(after(1000), time.Second)); got != "[{buy sync} {list sync}]" {
		t.Errorf("untried: %s", got)
	}
	if got := fmt.Sprint(w.Untried(after(1200), time.Second)); got != "[{buy sync} {list sync} {list copies}]" {
		t.Errorf("untried later: %s", got)
	}
}

func TestCalm(t *testing.T) {
	works := world.TriesSeen{At: after(100), Tries: []world.TrySeen{{Feature: "list", Pattern: "copies", OK: true, Start: after(100)}}}
	fails := world.TriesSeen{At: after(200), Tries: []world.TrySeen{{Feature: "list", Pattern: "copies", Start: after(200)}, {Feature: "list", Pattern: "copies", Start: after(200)}}}
	slowed := world.NodeSeen{At: after(300), Node: "orders", State: world.Up, Faults: []world.Fault{{Kind: world.FaultSlow, LatencyMS: 100}}}
	for _, c := range []struct {
		name string
		obs  []world.Observation
		want bool
	}{
		{"nothing known", nil, true},
		{"all known is well", []world.Observation{works, state(150, "orders", world.Up, "")}, true},
		{"a node is dead", []world.Observation{works, state(150, "orders", world.Down, "")}, false},
		{"a node is slow", []world.Observation{works, slowed}, false},
		{"a cell fails", []world.Observation{works, fails}, false},
	} {
		if got := fold(t, c.obs...).Calm(); got != c.want {
			t.Errorf("%s: calm %v, want %v", c.name, got, c.want)
		}
	}
}
