package world_test

import (
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/world"
)

func TestChain(t *testing.T) {
	id := traceID(7)
	chain := func(obs []world.Observation) (world.Chain, bool) {
		w := fold(t, obs...)
		e, _ := w.Event("e-2")
		return w.Chain(e)
	}
	c, ok := chain(saga(id))
	if !ok || c.Trace != id || !c.Whole || told(c) != sagaTold {
		t.Errorf("whole %v:\n%s\nwant\n%s", c.Whole, told(c), sagaTold)
	}
	if s := c.Steps[2]; s.Type != "order.placed.v1" || s.Subject != "o-1" || s.Stream != "orders" || s.Method != "" {
		t.Errorf("a handling is %+v", s)
	}
	if s := c.Steps[0]; s.Method != "POST" || s.Path != "/copies/orders" || s.Status != 201 {
		t.Errorf("a call is %+v", s)
	}
	// It does not depend on the order in which the parts came in, nor on what else there is.
	for seed := range 20 {
		obs := append(saga(id), saga(traceID(8))[:2]...)
		rand.New(rand.NewSource(int64(seed))).Shuffle(len(obs), func(i, j int) { obs[i], obs[j] = obs[j], obs[i] })
		obs = append(obs, saga(id)[0]) // told twice
		if c, _ := chain(obs); told(c) != sagaTold || !c.Whole {
			t.Fatalf("seed %d, whole %v:\n%s", seed, c.Whole, told(c))
		}
	}
	for i, missing := range []string{"the caller's word", "the server's word", "the first event", "the first handling"} {
		obs := saga(id)
		obs = append(obs[:i:i], obs[i+1:]...)
		c, ok := chain(obs)
		if whole := missing == "the first event"; !ok || c.Whole != whole { // of which nothing says that it is missing
			t.Errorf("without %s it is whole: %v\n%s", missing, c.Whole, told(c))
		}
	}
	if c, _ := chain(saga(id)[1:]); !strings.HasPrefix(told(c), "1 call >orders  0+18 ") {
		t.Errorf("the request of somebody unknown:\n%s", told(c))
	}
	early := saga(id)
	early[4].(world.EventsSeen).Events[0].Time = after(29) // before what caused it, by its emitter's clock
	if c, _ := chain(early); !strings.Contains(told(c), "4 event history>orders e-2 30+0") {
		t.Errorf("an event stands before its cause:\n%s", told(c))
	}
	w := fold(t, world.EventsSeen{At: after(1), Events: []world.EventSeen{placedAt(1, "orders", "e", "")}})
	e, _ := w.Event("e")
	if _, ok := w.Chain(e); ok {
		t.Error("an event without a trace has a chain")
	}
}

// TestChainOfAProbe: a request that the dashboard made itself begins with it.
func TestChainOfAProbe(t *testing.T) {
	id := traceID(3)
	word := served(1, "orders", "POST", "/sync/orders", "/sync/orders", 201, 8*time.Millisecond)
	word.TraceID, word.SpanID, word.ParentID = id, servedOf(0), spanOf(0)
	w := fold(t, calls(20, word),
		world.EventsSeen{At: after(22), Events: []world.EventSeen{placedAt(5, "orders", "e", "00-"+id+"-"+servedOf(0)+"-01")}},
		world.TriesSeen{At: after(30), Tries: []world.TrySeen{{Feature: "buy", Pattern: "sync", OK: true, Status: 201, Start: after(0),
			Duration: 10 * time.Millisecond, Probe: true, TraceID: id, SpanID: spanOf(0)}}})
	e, _ := w.Event("e")
	if c, _ := w.Chain(e); !c.Whole || told(c) != "1 call >orders  0+10 \n2 event orders>orders e 5+0 \n" {
		t.Errorf("whole %v:\n%s", c.Whole, told(c))
	}
}

// TestChainIsBounded: also where spans go in circles and without end.
func TestChainIsBounded(t *testing.T) {
	id := traceID(5)
	w := fold(t, world.EventsSeen{At: after(1), Events: []world.EventSeen{placedAt(1, "orders", "e", "00-"+id+"-"+spanOf(1)+"-01")}})
	for i := range 1000 {
		c := call(i, "shoppers", "orders", "/x", 200, time.Millisecond)
		c.TraceID, c.SpanID, c.ParentID = id, spanOf(i), spanOf((i+1)%1000)
		w.Apply(calls(i+1, c))
	}
	e, _ := w.Event("e")
	if c, _ := w.Chain(e); len(c.Steps) > 401 || c.Whole {
		t.Errorf("%d steps, whole %v", len(c.Steps), c.Whole)
	}
}
