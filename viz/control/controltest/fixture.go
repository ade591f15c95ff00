// Package controltest holds the suite that every runtime of package control passes.
package controltest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

// Fixture is a runtime with two nodes that run for ever, all dead at first. Node answers whoever asks it, within
// milliseconds, and all by itself it asks Peer many times a second. Both are reached as their peers reach them: by a way
// that the runtime can slow and cut.
type Fixture struct {
	Runtime control.Runtime
	Node    string
	Peer    string
	// Ask asks Node once, on a new connection. Its error matches syscall.ECONNREFUSED where nothing listens, and is a
	// time-out where ctx ended first.
	Ask func(ctx context.Context) error
	// Heard asks Peer how often Node has asked it since it was started.
	Heard func(ctx context.Context) (int, error)
	// Murder kills Node from outside, not through the runtime.
	Murder func(t *testing.T)
}

// do acts on the node and fails the test where that fails.
func (f Fixture) do(t *testing.T, a control.Action) {
	t.Helper()
	f.doTo(t, f.Node, a)
}

func (f Fixture) doTo(t *testing.T, node string, a control.Action) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := f.Runtime.Do(ctx, node, a); err != nil {
		t.Fatalf("%s %s: %v", a.Verb, node, err)
	}
}

// ask asks the node once and says how long the answer took.
func (f Fixture) ask(within time.Duration) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	begun := time.Now()
	err = f.Ask(ctx)
	return time.Since(begun), err
}

// heard is how often the peer has heard from the node.
func (f Fixture) heard(t *testing.T) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	n, err := f.Heard(ctx)
	if err != nil {
		t.Fatalf("ask %s: %v", f.Peer, err)
	}
	return n
}

// hears waits until the peer has heard from the node again.
func (f Fixture) hears(t *testing.T) {
	t.Helper()
	before, deadline := f.heard(t), time.Now().Add(5*time.Second)
	for f.heard(t) == before {
		if time.Now().After(deadline) {
			t.Fatalf("%s does not reach %s", f.Node, f.Peer)
		}
	}
}

// Seen collects what a watch tells.
type Seen struct {
	mu      sync.Mutex
	last    map[string]world.NodeSeen
	control world.ControlSeen
	news    chan struct{}
}

// Watch watches the runtime until the test ends.
func Watch(t *testing.T, r control.Runtime) *Seen {
	s := &Seen{last: map[string]world.NodeSeen{}, news: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- r.Watch(ctx, func(o world.Observation) {
			s.mu.Lock()
			switch o := o.(type) {
			case world.NodeSeen:
				s.last[o.Node] = o
			case world.ControlSeen:
				s.control = o
			}
			s.mu.Unlock()
			select {
			case s.news <- struct{}{}:
			default: // a hint is there already; the state is in last
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Watch ended with %v", err)
		}
	})
	return s
}

// Await waits until what was told last of each node, and of whether nodes can be acted on, is as wanted.
func (s *Seen) Await(t *testing.T, within time.Duration, what string, wanted func(map[string]world.NodeSeen, world.ControlSeen) bool) {
	t.Helper()
	deadline := time.After(within)
	for {
		s.mu.Lock()
		is, told := wanted(s.last, s.control), fmt.Sprintf("%+v; %+v", s.last, s.control)
		s.mu.Unlock()
		if is {
			return
		}
		select {
		case <-s.news:
		case <-deadline:
			t.Fatalf("not within %s: %s; told is %s", within, what, told)
		}
	}
}

// await waits a second for the node to be told in a state, with exactly these faults.
func (s *Seen) await(t *testing.T, node string, want world.State, faults ...world.Fault) (n world.NodeSeen) {
	t.Helper()
	s.Await(t, time.Second, fmt.Sprintf("%s is told to be %q with faults %+v", node, want, faults),
		func(nodes map[string]world.NodeSeen, _ world.ControlSeen) bool {
			n = nodes[node]
			return n.State == want && sameFaults(n.Faults, faults)
		})
	return n
}

// sameFaults compares without order.
func sameFaults(a, b []world.Fault) bool {
	set := func(of []world.Fault) map[world.Fault]int {
		m := map[world.Fault]int{}
		for _, f := range of {
			m[f]++
		}
		return m
	}
	sa, sb := set(a), set(b)
	for f, n := range sa {
		if sb[f] != n {
			return false
		}
	}
	return len(sa) == len(sb)
}
