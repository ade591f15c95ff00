package controltest

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

// silence is how long a caller waits before it calls it silence.
const silence = 300 * time.Millisecond

// latency is what slow adds here: far more than an answer takes on a busy machine.
const latency = 400 * time.Millisecond

var (
	slowFault = world.Fault{Kind: world.FaultSlow, LatencyMS: latency.Milliseconds()}
	cutFault  = world.Fault{Kind: world.FaultCut}
)

// silent asks the node and wants no answer and no refusal.
func (f Fixture) silent(t *testing.T) {
	t.Helper()
	took, err := f.ask(silence)
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, os.ErrDeadlineExceeded) || took < silence {
		t.Errorf("asked: %v after %s, want silence for %s", err, took, silence)
	}
}

func paused(t *testing.T, f Fixture) {
	s := Watch(t, f.Runtime)
	f.doTo(t, f.Peer, start)
	f.do(t, start)
	f.hears(t)
	f.do(t, pause)
	s.await(t, f.Node, world.Paused)
	before := f.heard(t)
	f.silent(t)
	if now := f.heard(t); now > before+1 { // one was on its way
		t.Errorf("the peer heard %d times from a paused node", now-before)
	}
	f.do(t, resume)
	s.await(t, f.Node, world.Up)
	f.answers(t)
	f.hears(t)
}

func pausedEnds(t *testing.T, f Fixture) {
	s := Watch(t, f.Runtime)
	for _, c := range []struct {
		end    control.Action
		reason string
	}{{kill, "killed (signal 9)"}, {stop, "stopped"}} {
		f.do(t, start)
		f.do(t, pause)
		begun := time.Now()
		f.do(t, c.end)
		if took := time.Since(begun); took > control.StopGrace/2 {
			t.Errorf("%s of a paused node took %s", c.end.Verb, took)
		}
		if n := s.await(t, f.Node, world.Down); n.Reason != c.reason {
			t.Errorf("%s of a paused node: reason %q", c.end.Verb, n.Reason)
		}
		f.refused(t)
	}
	f.do(t, start)
	f.do(t, pause)
	f.Murder(t)
	s.await(t, f.Node, world.Down)
	f.do(t, start)
	f.answers(t)
}

func slowed(t *testing.T, f Fixture) {
	s := Watch(t, f.Runtime)
	f.do(t, start)
	f.do(t, control.Action{Verb: control.Slow, Latency: latency / 4})
	f.do(t, control.Action{Verb: control.Slow, Latency: latency})
	s.await(t, f.Node, world.Up, slowFault)
	for range 3 {
		if took, err := f.ask(10 * time.Second); err != nil || took < latency {
			t.Errorf("asked a slow node: %v after %s, want an answer after %s at the least", err, took, latency)
		}
	}
	f.do(t, heal)
	s.await(t, f.Node, world.Up)
	f.fast(t)
}

// fast wants an answer in less than the latency. The machine may be busy: one of a few will do.
func (f Fixture) fast(t *testing.T) {
	t.Helper()
	best := time.Hour
	for range 5 {
		if took, err := f.ask(5 * time.Second); err != nil {
			t.Errorf("asked: %v", err)
		} else {
			best = min(best, took)
		}
	}
	if best >= latency {
		t.Errorf("the quickest of 5 answers of a healthy node took %s", best)
	}
}

// failures asks n times and says how often that failed.
func (f Fixture) failures(n int) (failed int) {
	for range n {
		if _, err := f.ask(5 * time.Second); err != nil {
			failed++
		}
	}
	return failed
}

func failing(t *testing.T, f Fixture) {
	s := Watch(t, f.Runtime)
	f.do(t, start)
	f.do(t, control.Action{Verb: control.Errors, Share: 1})
	s.await(t, f.Node, world.Up, world.Fault{Kind: world.FaultErrors, Share: 1})
	if failed := f.failures(20); failed != 20 {
		t.Errorf("%d of 20 failed, want all", failed)
	}
	f.do(t, control.Action{Verb: control.Errors, Share: 0.3})
	s.await(t, f.Node, world.Up, world.Fault{Kind: world.FaultErrors, Share: 0.3})
	// 200 tries of 0.3: six standard deviations are 39.
	if failed := f.failures(200); failed < 60-39 || failed > 60+39 {
		t.Errorf("%d of 200 failed, want about 60", failed)
	}
	f.do(t, heal)
	s.await(t, f.Node, world.Up)
	if failed := f.failures(50); failed != 0 {
		t.Errorf("%d of 50 failed after heal", failed)
	}
}

func cutOff(t *testing.T, f Fixture) {
	s := Watch(t, f.Runtime)
	f.doTo(t, f.Peer, start)
	f.do(t, start)
	f.hears(t)
	f.do(t, cut)
	s.await(t, f.Node, world.Up, cutFault)
	before := f.heard(t)
	f.silent(t)
	if now := f.heard(t); now > before+1 { // one was on its way
		t.Errorf("the peer heard %d times from a node that is cut off", now-before)
	}
	f.do(t, heal)
	s.await(t, f.Node, world.Up)
	f.answers(t)
	f.hears(t)

	f.doTo(t, f.Peer, cut)
	f.answers(t) // a peer's cut is not its own
	f.doTo(t, f.Peer, heal)
	f.hears(t)
}

func together(t *testing.T, f Fixture) {
	s := Watch(t, f.Runtime)
	f.do(t, start)
	f.do(t, control.Action{Verb: control.Slow, Latency: latency})
	f.do(t, control.Action{Verb: control.Errors, Share: 0.5})
	s.await(t, f.Node, world.Up, slowFault, world.Fault{Kind: world.FaultErrors, Share: 0.5})
	f.do(t, cut)
	s.await(t, f.Node, world.Up, slowFault, cutFault, world.Fault{Kind: world.FaultErrors, Share: 0.5})
	f.silent(t)
	f.do(t, heal)
	s.await(t, f.Node, world.Up)
	f.fast(t)
}

func forgotten(t *testing.T, f Fixture) {
	s := Watch(t, f.Runtime)
	f.do(t, start)
	for _, end := range []func(){func() { f.do(t, kill) }, func() { f.do(t, stop) }, func() { f.Murder(t) }} {
		f.do(t, control.Action{Verb: control.Slow, Latency: latency})
		f.do(t, cut)
		f.do(t, pause)
		s.await(t, f.Node, world.Paused, slowFault, cutFault)
		f.do(t, resume)
		s.await(t, f.Node, world.Up, slowFault, cutFault)
		f.silent(t)
		end()
		s.await(t, f.Node, world.Down)
		f.refused(t)
		f.do(t, start)
		s.await(t, f.Node, world.Up)
		f.fast(t)
	}
}

func healthy(t *testing.T, f Fixture) {
	s := Watch(t, f.Runtime)
	f.do(t, heal)
	s.await(t, f.Node, world.Down)
	f.do(t, start)
	f.do(t, heal)
	f.do(t, pause)
	f.do(t, heal)
	s.await(t, f.Node, world.Paused)
}
