package controltest

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

// Actions without numbers.
var (
	kill   = control.Action{Verb: control.Kill}
	stop   = control.Action{Verb: control.Stop}
	start  = control.Action{Verb: control.Start}
	pause  = control.Action{Verb: control.Pause}
	resume = control.Action{Verb: control.Resume}
	cut    = control.Action{Verb: control.Cut}
	heal   = control.Action{Verb: control.Heal}
)

// Conformance runs the suite; fixture makes a fresh one and registers its end with t.
func Conformance(t *testing.T, fixture func(t *testing.T) Fixture) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Fixture)
	}{
		{"a watcher is told the present first, then each change", present},
		{"kill is dead when it returns, with the reason", killed},
		{"stop says stopped", stopped},
		{"a murder from outside is seen", murdered},
		{"a dead node refuses, a started one answers at once", refuses},
		{"what is wrong with an action is said", wrong},
		{"conflicts", conflicts},
		{"many hands at once leave one state", hands},
		{"a paused node is silent, and goes on", paused},
		{"a paused node can be ended", pausedEnds},
		{"slow answers come later", slowed},
		{"a share of requests fails", failing},
		{"a cut node neither hears nor is heard", cutOff},
		{"faults stand beside each other, and one heal lifts them", together},
		{"faults last through a pause and end with the node's run", forgotten},
		{"heal of a healthy node does nothing, whether it runs or not", healthy},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, fixture(t)) })
	}
}

func present(t *testing.T, f Fixture) {
	s := Watch(t, f.Runtime)
	n := s.await(t, f.Node, world.Down)
	for _, verb := range []string{control.Kill, control.Stop, control.Start, control.Pause, control.Resume, control.Slow,
		control.Cut, control.Errors, control.Heal} {
		if !slices.Contains(n.Verbs, verb) {
			t.Errorf("%s is not among what can be done: %v", verb, n.Verbs)
		}
	}
	f.do(t, start)
	s.await(t, f.Node, world.Up)
	late := Watch(t, f.Runtime)
	late.await(t, f.Node, world.Up)
}

func killed(t *testing.T, f Fixture) {
	s := Watch(t, f.Runtime)
	f.do(t, start)
	f.do(t, kill)
	if n := s.await(t, f.Node, world.Down); n.Reason != "killed (signal 9)" {
		t.Errorf("reason %q", n.Reason)
	}
	f.do(t, start)
	if n := s.await(t, f.Node, world.Up); n.Reason != "" {
		t.Errorf("it is up with the reason %q", n.Reason)
	}
}

func stopped(t *testing.T, f Fixture) {
	s := Watch(t, f.Runtime)
	f.do(t, start)
	f.do(t, stop)
	if n := s.await(t, f.Node, world.Down); n.Reason != "stopped" {
		t.Errorf("reason %q", n.Reason)
	}
}

func murdered(t *testing.T, f Fixture) {
	s := Watch(t, f.Runtime)
	f.do(t, start)
	s.await(t, f.Node, world.Up)
	f.Murder(t)
	s.await(t, f.Node, world.Down)
	f.refused(t)
}

func refuses(t *testing.T, f Fixture) {
	f.refused(t)
	for _, end := range []control.Action{kill, stop} {
		f.do(t, start)
		f.answers(t)
		f.do(t, end)
		f.refused(t)
	}
}

func conflicts(t *testing.T, f Fixture) {
	slow := control.Action{Verb: control.Slow, Latency: time.Millisecond}
	fail := control.Action{Verb: control.Errors, Share: 0.5}
	refuse := func(when string, actions ...control.Action) {
		t.Helper()
		for _, a := range actions {
			if err := f.Runtime.Do(t.Context(), f.Node, a); !errors.Is(err, control.ErrConflict) {
				t.Errorf("%s of a node that %s: %v, want a conflict", a.Verb, when, err)
			}
		}
	}
	refuse("is dead", kill, stop, pause, resume, slow, cut, fail)
	f.do(t, start)
	refuse("is up", start, resume)
	f.do(t, cut)
	refuse("is cut off", cut)
	f.do(t, pause)
	refuse("is paused", start, pause, slow, cut, fail, heal)
	f.do(t, resume)
	f.do(t, heal)
}

func wrong(t *testing.T, f Fixture) {
	f.do(t, start)
	for _, c := range []struct {
		node string
		a    control.Action
		want error
	}{
		{"nobody", kill, control.ErrUnknownNode},
		{f.Node, control.Action{Verb: "explode"}, control.ErrUnknownVerb},
		{f.Node, control.Action{}, control.ErrUnknownVerb},
		{f.Node, control.Action{Verb: control.Slow}, control.ErrBadAction},
		{f.Node, control.Action{Verb: control.Slow, Latency: time.Millisecond - 1}, control.ErrBadAction},
		{f.Node, control.Action{Verb: control.Slow, Latency: control.MaxLatency + 1}, control.ErrBadAction},
		{f.Node, control.Action{Verb: control.Slow, Share: 0.5}, control.ErrBadAction},
		{f.Node, control.Action{Verb: control.Errors}, control.ErrBadAction},
		{f.Node, control.Action{Verb: control.Errors, Share: -0.1}, control.ErrBadAction},
		{f.Node, control.Action{Verb: control.Errors, Share: 1.1}, control.ErrBadAction},
		{f.Node, control.Action{Verb: control.Errors, Share: math.NaN()}, control.ErrBadAction},
	} {
		if err := f.Runtime.Do(t.Context(), c.node, c.a); !errors.Is(err, c.want) {
			t.Errorf("%+v on %s: %v, want %v", c.a, c.node, err, c.want)
		}
	}
	f.answers(t)
}

func hands(t *testing.T, f Fixture) {
	s := Watch(t, f.Runtime)
	actions := []control.Action{start, kill, start, stop, pause, resume, cut, heal, {Verb: control.Slow, Latency: 5 * time.Millisecond},
		{Verb: control.Errors, Share: 0.5}}
	var wg sync.WaitGroup
	for range 4 {
		for _, i := range rand.Perm(len(actions)) {
			wg.Go(func() { _ = f.Runtime.Do(t.Context(), f.Node, actions[i]) }) // most of them conflict, by design
		}
	}
	wg.Wait()
	if err := f.Runtime.Do(t.Context(), f.Node, kill); err != nil && !errors.Is(err, control.ErrConflict) {
		t.Fatal(err)
	}
	s.await(t, f.Node, world.Down)
	f.refused(t)
	f.do(t, start)
	s.await(t, f.Node, world.Up)
	for range 20 {
		f.answers(t)
	}
}

// refused asks the node and wants to be refused at once.
func (f Fixture) refused(t *testing.T) {
	t.Helper()
	if took, err := f.ask(5 * time.Second); !errors.Is(err, syscall.ECONNREFUSED) || took > time.Second {
		t.Errorf("asked while it is dead: %v after %s, want a refusal at once", err, took)
	}
}

// answers asks the node and wants an answer within a time that no fault of this suite would allow.
func (f Fixture) answers(t *testing.T) {
	t.Helper()
	if took, err := f.ask(5 * time.Second); err != nil {
		t.Errorf("asked: %v after %s, want an answer", err, took)
	}
}
