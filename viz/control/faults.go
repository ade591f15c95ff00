package control

import (
	"context"
	"fmt"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// faults are those in force on a node, or what a link has to do of them. The zero value is a healthy one.
type faults struct {
	latency time.Duration // added to each answer
	share   float64       // of requests that fail
	cut     bool
}

// after are the faults once a was done.
func (f faults) after(a Action) faults {
	switch a.Verb {
	case Slow:
		f.latency = a.Latency
	case Errors:
		f.share = a.Share
	case Cut:
		f.cut = true
	case Heal:
		f = faults{}
	}
	return f
}

// told are the faults as a watcher is told of them.
func (f faults) told() []world.Fault {
	var all []world.Fault
	if f.latency > 0 {
		all = append(all, world.Fault{Kind: world.FaultSlow, LatencyMS: f.latency.Milliseconds()})
	}
	if f.cut {
		all = append(all, world.Fault{Kind: world.FaultCut})
	}
	if f.share > 0 {
		all = append(all, world.Fault{Kind: world.FaultErrors, Share: f.share})
	}
	return all
}

// check says whether the action's numbers are within their bounds.
func (a Action) check() error {
	switch {
	case a.Verb == Slow && (a.Latency < time.Millisecond || a.Latency > MaxLatency):
		return fmt.Errorf("%w: the latency is %s; give one from 1ms to %s", ErrBadAction, a.Latency, MaxLatency)
	case a.Verb == Errors && !(a.Share > 0 && a.Share <= 1): // so written, not a number is out of bounds too
		return fmt.Errorf("%w: the share is %v; give one above 0 and at most 1", ErrBadAction, a.Share)
	}
	return nil
}

// impose does slow, cut, errors or heal.
func (p *process) impose(ctx context.Context, a Action, tell func()) error {
	p.mu.Lock()
	c, state, was := p.child, p.seen.State, p.faults
	p.mu.Unlock()
	next := was.after(a)
	switch {
	case a.Verb == Heal && was == next:
		return nil
	case state != world.Up:
		return fmt.Errorf("%s %s: it is %s: %w", a.Verb, p.ID, state, ErrConflict)
	case a.Verb == Cut && was.cut:
		return fmt.Errorf("%s %s: it is cut off: %w", a.Verb, p.ID, ErrConflict)
	}
	var err error
	if p.SetFaults != nil && (next.latency != was.latency || next.share != was.share) {
		err = p.SetFaults(ctx, next.latency, next.share)
	}
	p.mu.Lock()
	over := p.child != c
	if !over && err == nil {
		p.faults = next
	}
	p.mu.Unlock()
	switch {
	case over:
		return p.ended(a.Verb)
	case err != nil:
		return fmt.Errorf("%s %s: %w", a.Verb, p.ID, err)
	}
	p.refreshLinks()
	if !p.become(c, world.Up, "", tell) {
		return p.ended(a.Verb)
	}
	return nil
}

// ended is the error of an action that a death came before.
func (p *process) ended(verb string) error {
	return fmt.Errorf("%s %s: it ended meanwhile: %w", verb, p.ID, ErrConflict)
}

// onLinks are the faults in force that the links to p have to do: all that it does not do itself.
func (p *process) onLinks() faults {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.faults
	if p.SetFaults != nil {
		f.latency, f.share = 0, 0
	}
	return f
}

// refreshLinks makes the links to and from p do what is in force. The caller holds no lock of p.
func (p *process) refreshLinks() {
	for _, l := range p.to {
		l.refresh()
	}
	for _, l := range p.from {
		l.refresh()
	}
}

// openLinks has the links to p listen and calls then, unless the run c is over. It reports whether that run goes on.
func (p *process) openLinks(c *child, then func() bool) (bool, error) {
	p.doors.Lock()
	defer p.doors.Unlock()
	p.mu.Lock()
	over := p.child != c
	p.mu.Unlock()
	if over {
		return false, nil
	}
	for _, l := range p.to {
		if err := l.open(context.Background()); err != nil {
			return true, err // the links that are open are closed with the run
		}
	}
	return then(), nil
}

// closeLinks has the links to p refuse their callers. It is called once p.child is no longer the run that opened them.
func (p *process) closeLinks() {
	p.doors.Lock()
	defer p.doors.Unlock()
	for _, l := range p.to {
		l.close()
	}
}
