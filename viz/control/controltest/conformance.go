// Package controltest holds the suite that every runtime of package control passes.
package controltest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

// Fixture is a runtime with one node that runs for ever, all dead at first.
type Fixture struct {
	Runtime control.Runtime
	Node    string
	// Murder kills the node from outside, not through the runtime.
	Murder func(t *testing.T)
}

// seen collects what a watch tells.
type seen struct {
	mu   sync.Mutex
	last map[string]world.NodeSeen
	news chan struct{}
}

func watch(t *testing.T, r control.Runtime) *seen {
	s := &seen{last: map[string]world.NodeSeen{}, news: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- r.Watch(ctx, func(n world.NodeSeen) {
			s.mu.Lock()
			s.last[n.Node] = n
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

func (s *seen) await(t *testing.T, node string, want world.State, within time.Duration) world.NodeSeen {
	t.Helper()
	deadline := time.After(within)
	for {
		s.mu.Lock()
		n := s.last[node]
		s.mu.Unlock()
		if n.State == want {
			return n
		}
		select {
		case <-s.news:
		case <-deadline:
			t.Fatalf("%s is %q after %s, want %q", node, n.State, within, want)
		}
	}
}

// Conformance runs the suite; fixture makes a fresh one and registers its end with t.
func Conformance(t *testing.T, fixture func(t *testing.T) Fixture) {
	do := func(t *testing.T, f Fixture, verb string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := f.Runtime.Do(ctx, f.Node, control.Action{Verb: verb}); err != nil {
			t.Fatalf("%s: %v", verb, err)
		}
	}
	t.Run("a watcher is told the present first, then each change", func(t *testing.T) {
		f := fixture(t)
		s := watch(t, f.Runtime)
		s.await(t, f.Node, world.Down, time.Second)
		do(t, f, control.Start)
		s.await(t, f.Node, world.Up, time.Second)
		late := watch(t, f.Runtime)
		late.await(t, f.Node, world.Up, time.Second)
	})
	t.Run("kill is dead when it returns, with the reason, and stays dead", func(t *testing.T) {
		f := fixture(t)
		s := watch(t, f.Runtime)
		do(t, f, control.Start)
		do(t, f, control.Kill)
		if n := s.await(t, f.Node, world.Down, time.Second); n.Reason != "killed (signal 9)" {
			t.Errorf("reason %q", n.Reason)
		}
		do(t, f, control.Start)
		s.await(t, f.Node, world.Up, time.Second)
	})
	t.Run("stop says stopped", func(t *testing.T) {
		f := fixture(t)
		s := watch(t, f.Runtime)
		do(t, f, control.Start)
		do(t, f, control.Stop)
		if n := s.await(t, f.Node, world.Down, time.Second); n.Reason != "stopped" {
			t.Errorf("reason %q", n.Reason)
		}
	})
	t.Run("a murder from outside is seen", func(t *testing.T) {
		f := fixture(t)
		s := watch(t, f.Runtime)
		do(t, f, control.Start)
		s.await(t, f.Node, world.Up, time.Second)
		f.Murder(t)
		s.await(t, f.Node, world.Down, time.Second)
	})
	t.Run("errors", func(t *testing.T) {
		f := fixture(t)
		for _, c := range []struct {
			node, verb string
			want       error
		}{
			{"nobody", control.Kill, control.ErrUnknownNode},
			{f.Node, "explode", control.ErrUnknownVerb},
			{f.Node, control.Kill, control.ErrConflict},
			{f.Node, control.Stop, control.ErrConflict},
		} {
			if err := f.Runtime.Do(t.Context(), c.node, control.Action{Verb: c.verb}); !errors.Is(err, c.want) {
				t.Errorf("%s %s: %v, want %v", c.verb, c.node, err, c.want)
			}
		}
		do(t, f, control.Start)
		if err := f.Runtime.Do(t.Context(), f.Node, control.Action{Verb: control.Start}); !errors.Is(err, control.ErrConflict) {
			t.Errorf("start of a live node: %v", err)
		}
	})
	t.Run("many hands at once leave one state", func(t *testing.T) {
		f := fixture(t)
		s := watch(t, f.Runtime)
		var wg sync.WaitGroup
		for i := range 24 {
			wg.Go(func() {
				verb := []string{control.Start, control.Kill, control.Start, control.Stop}[i%4]
				_ = f.Runtime.Do(t.Context(), f.Node, control.Action{Verb: verb}) // most of them conflict, by design
			})
		}
		wg.Wait()
		if err := f.Runtime.Do(t.Context(), f.Node, control.Action{Verb: control.Kill}); err != nil && !errors.Is(err, control.ErrConflict) {
			t.Fatal(err)
		}
		s.await(t, f.Node, world.Down, time.Second)
		do(t, f, control.Start)
		s.await(t, f.Node, world.Up, time.Second)
	})
}
