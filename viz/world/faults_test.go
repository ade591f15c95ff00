package world

import (
	"reflect"
	"testing"
	"time"
)

func TestFaults(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w := New(System{Nodes: []NodeSpec{{ID: "catalog", Kind: Service}}}, at)
	slow, cut := Fault{Kind: FaultSlow, LatencyMS: 300}, Fault{Kind: FaultCut}
	for _, step := range []struct {
		state  State
		faults []Fault
		notes  []string
	}{
		{Up, nil, nil},
		{Up, []Fault{slow}, []string{"catalog is slow: 300 ms are added to its answers"}},
		{Up, []Fault{slow}, nil}, // told again
		{Up, []Fault{{Kind: FaultSlow, LatencyMS: 20}}, []string{"catalog is slow: 20 ms are added to its answers"}},
		{Up, []Fault{slow, cut, {Kind: FaultErrors, Share: 0.125}}, []string{"catalog is slow: 300 ms are added to its answers",
			"catalog is cut off", "catalog fails on purpose: 12.5 % of its requests"}},
		{Up, nil, []string{"catalog is healed"}},
		{Up, []Fault{cut}, []string{"catalog is cut off"}},
		{Paused, []Fault{cut}, []string{"catalog is paused: alive but silent"}},
		{Down, nil, []string{"catalog was killed"}}, // which ends the faults without a word
		{Starting, nil, nil},
	} {
		from := w.Rev()
		at = at.Add(time.Second)
		w.Apply(NodeSeen{At: at, Node: "catalog", State: step.state, Reason: "killed (signal 9)", Faults: step.faults})
		var notes []string
		for _, n := range w.Since(from).Notes {
			notes = append(notes, n.Text)
		}
		if !reflect.DeepEqual(notes, step.notes) {
			t.Errorf("%s with %v: notes %q, want %q", step.state, step.faults, notes, step.notes)
		}
		if got := w.Since(0).Nodes[0].Faults; got == nil || len(got) != len(step.faults) || len(got) > 0 && !reflect.DeepEqual(got, step.faults) {
			t.Errorf("%s: faults %#v, want %v", step.state, got, step.faults)
		}
	}
}
