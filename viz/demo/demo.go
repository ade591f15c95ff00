// Package demo invents observations: states of a system to be looked at, without a service, a store or a bus.
package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/stillup/stillup/viz/world"
)

const (
	stepEvery = 10 * time.Millisecond  // as often as frames leave at most
	stepMost  = 100 * time.Millisecond // time that was missed beyond it is not made up, which bounds the work
	deadAfter = 2 * time.Second        // so long all is well in a state in which something dies, or joins
)

// Demo is a system that exists in name only. Its observations are those that tap, traces, probes and a runtime would make
// of a real one, and agree with each other: what was emitted is what streams hold, what groups take is what was emitted.
// The same seed and the same clock give the same observations.
type Demo struct {
	plan plan
	lost bool

	mu      sync.Mutex // guards what follows
	rng     *rand.Rand
	begun   time.Time
	now     time.Time // of the present step
	span    time.Duration
	stepped bool
	died    bool
	nodes   map[string]*node
	order   []*node // as in the system file
	streams map[string]*stream
	lanes   []*stream
	busUp   bool
	asked   rhythm
	flows   []rhythm // of plan.flows
	turn    []int    // jobs still to be done in this round
	later   []later
	obs     []world.Observation
	events  []world.EventSeen
	calls   []world.CallSeen
	tries   []world.TrySeen
	told    looks
}

// New is a demo in a state, one of [States]; shop is the system of those states that are not of an invented one.
func New(state string, shop world.System, seed uint64) (*Demo, error) {
	s, err := stateOf(state)
	if err != nil {
		return nil, err
	}
	p := s.plan(shop)
	d := &Demo{plan: p, lost: s.Lost, rng: rand.New(rand.NewPCG(seed, 1)), nodes: map[string]*node{}, streams: map[string]*stream{}, busUp: true}
	for _, spec := range p.system.Nodes {
		n := &node{spec: spec, state: world.Up, changed: true, absent: spec.Later}
		n.scale(p.replicas[spec.ID])
		d.nodes[spec.ID] = n
		d.order = append(d.order, n)
		if spec.Kind == world.Store {
			d.nodes[spec.Owner].store = n
		}
	}
	for _, spec := range p.system.Streams {
		st := &stream{name: spec.Name, added: p.base[spec.Name], keep: p.keep}
		st.first = st.added // what was there before is counted, but not kept
		d.streams[spec.Name] = st
		d.lanes = append(d.lanes, st)
	}
	for _, n := range d.order {
		for _, name := range n.spec.Takes {
			st := d.streams[name]
			st.groups = append(st.groups, &group{node: n, applied: st.added, met: st.added})
		}
	}
	d.flows = make([]rhythm, len(p.flows))
	return d, nil
}

// System is the system that is made up.
func (d *Demo) System() world.System { return d.plan.system }

// Lost says whether the dashboard itself is to go away and come back; see [Flaky].
func (d *Demo) Lost() bool { return d.lost }

// Run makes observations until ctx ends and returns nil then. see is called from this goroutine alone; while it is slow,
// less happens.
func (d *Demo) Run(ctx context.Context, see func(...world.Observation)) error {
	tick := time.NewTicker(stepEvery)
	defer tick.Stop()
	for {
		if obs := d.Step(time.Now()); len(obs) > 0 {
			see(obs...)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Step is what was seen since the last step, which was a little earlier.
func (d *Demo) Step(now time.Time) []world.Observation {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.plan.nothing {
		return nil
	}
	now = now.Round(0).UTC()
	d.obs, d.events, d.calls, d.tries = nil, nil, nil, nil
	if !d.stepped {
		d.begun, d.now = now, now
		d.see(world.ControlSeen{At: now, Can: true})
	}
	d.span = min(max(0, now.Sub(d.now)), stepMost)
	d.now = now
	if !d.died && now.Sub(d.begun) >= deadAfter {
		d.died = true
		for _, id := range d.plan.dead {
			d.kill(id)
		}
		for _, n := range d.order {
			n.absent = n.absent && !d.plan.joins
		}
	}
	d.tellNodes()
	d.tellUse()
	d.tellBus()
	if !d.stepped {
		d.begin()
	}
	d.consume()
	d.claim()
	d.flow()
	d.ask()
	d.comeDue()
	d.flushOutboxes()
	if len(d.events) > 0 {
		d.see(world.EventsSeen{At: now, Events: d.events})
	}
	if len(d.calls) > 0 {
		d.see(world.CallsSeen{At: now, Calls: d.calls})
	}
	if len(d.tries) > 0 {
		d.see(world.TriesSeen{At: now, Tries: d.tries})
	}
	d.inspect()
	d.tellCopies()
	d.stepped = true
	return d.obs
}

func (d *Demo) see(o world.Observation) { d.obs = append(d.obs, o) }

// begin tells what was there before anybody looked.
func (d *Demo) begin() {
	bases := map[string]int64{}
	for _, s := range d.lanes {
		bases[s.name] = s.added
	}
	d.see(world.EventsSeen{At: d.now, History: true, Bases: bases})
}

// Change lets f change how a node is: its State, Reason and Faults, and those of its Replicas alone where it runs more than
// once. What f refuses with an error is left as it was. The next step tells of it, and all that follows from it.
func (d *Demo) Change(id string, f func(*world.NodeSeen) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.nodes[id]
	if n == nil || n.absent {
		return fmt.Errorf("no node is called %q", id)
	}
	seen := n.seen(d.now)
	if err := f(&seen); err != nil {
		return err
	}
	n.changed = true
	if len(n.replicas) > 0 {
		for i := range n.replicas {
			d.become(n, i, seen.Replicas[i].State, seen.Replicas[i].Reason, seen.Replicas[i].Faults)
		}
		return nil
	}
	n.state, n.reason, n.faults = seen.State, seen.Reason, seen.Faults
	return nil
}

// rhythm turns a rate into whole numbers of things.
type rhythm float64

// beats is how many things happen in a span at a rate a second.
func (r *rhythm) beats(perSecond float64, span time.Duration) int {
	*r += rhythm(perSecond * span.Seconds())
	n := int(*r)
	*r -= rhythm(n)
	return n
}
