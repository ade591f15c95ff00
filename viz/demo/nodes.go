package demo

import (
	"slices"
	"strings"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// outboxMost bounds the events that a node keeps while it cannot publish; of more it says that there are more.
const outboxMost = 10_000

// node is one invented node.
type node struct {
	spec    world.NodeSpec
	state   world.State
	reason  string
	faults  []world.Fault
	changed bool
	absent  bool  // it has not joined: nobody knows of it
	store   *node // its own; nil: none
	// replicas, of a node that runs more than once: its own state, reason and faults follow from theirs.
	replicas []*replica
	outbox   []fact
	more     bool
}

// fact is an event that a node has committed.
type fact struct {
	stream, kind, subject, trace string
	at                           time.Time
}

// engines are what a runtime would have found.
var engines = map[string]string{"postgres": "PostgreSQL 15.8", "mongodb": "FerretDB 1.24.0", "redis": "Redis 7.0.15"}

// verbs are what can be done to a node, as for one that is a process.
func (n *node) verbs() []string {
	all := []string{"kill", "stop", "start", "pause", "resume"}
	if n.spec.Kind != world.Client {
		all = append(all, "slow")
	}
	all = append(all, "cut")
	if n.spec.Kind == world.Service {
		all = append(all, "errors")
	}
	return append(all, "heal")
}

func (n *node) seen(at time.Time) world.NodeSeen {
	o := world.NodeSeen{At: at, Node: n.spec.ID, State: n.state, Reason: n.reason, Engine: engines[n.spec.Engine],
		Verbs: n.verbs(), Faults: slices.Clone(n.faults)}
	for _, r := range n.replicas {
		seen := r.ReplicaSeen
		seen.Faults = slices.Clone(seen.Faults)
		o.Replicas = append(o.Replicas, seen)
		for _, f := range r.Faults {
			if !slices.ContainsFunc(o.Faults, func(had world.Fault) bool { return had.Kind == f.Kind }) {
				o.Faults = append(o.Faults, f)
			}
		}
	}
	return o
}

func (n *node) has(kind world.FaultKind) bool {
	return slices.ContainsFunc(n.faults, func(f world.Fault) bool { return f.Kind == kind })
}

// answers says whether the node can be reached and does its work.
func (n *node) answers() bool { return n.state == world.Up && !n.has(world.FaultCut) }

// stores says whether the node can use its own store, where it has one.
func (n *node) stores() bool { return n.store == nil || n.store.answers() }

// silent says why a node that does not answer does not, and how long it takes to find out.
func (n *node) silent(patience time.Duration) (reason string, took time.Duration) {
	if n.state == world.Paused || n.has(world.FaultCut) {
		return n.spec.ID + " did not answer in time", patience
	}
	return n.spec.ID + " refused the connection", 400 * time.Microsecond
}

// latency is how much later the node answers than it would by itself.
func (n *node) latency() time.Duration {
	for _, f := range n.faults {
		if f.Kind == world.FaultSlow {
			return time.Duration(f.LatencyMS) * time.Millisecond
		}
	}
	return 0
}

// errs says whether the node fails this request on purpose.
func (d *Demo) errs(n *node) bool {
	for _, f := range n.faults {
		if f.Kind == world.FaultErrors {
			return d.rng.Float64() < f.Share
		}
	}
	return false
}

// tellNodes tells of what changed.
func (d *Demo) tellNodes() {
	for _, n := range d.order {
		if n.changed && !n.absent {
			n.changed = false
			d.see(n.seen(d.now))
			if d.plan.system.Load != nil && d.plan.system.Load.Node == n.spec.ID {
				d.tellLoad(n)
			}
		}
	}
}

func (d *Demo) tellLoad(n *node) {
	o := world.LoadSeen{At: d.now, PerSecond: -1}
	if n.answers() {
		o.PerSecond, o.Patterns, o.Features = d.plan.journeys, map[string]float64{}, map[string]float64{}
		for _, p := range d.plan.system.Patterns {
			o.Patterns[p.ID] = 1
		}
		for _, f := range d.plan.system.Features {
			o.Features[f.ID] = 1
		}
	}
	d.see(o)
}

// tellBus tells of the bus as a reader would, when that changed.
func (d *Demo) tellBus() {
	for _, n := range d.order {
		if n.spec.Kind != world.Bus {
			continue
		}
		up := n.answers()
		if d.stepped && up == d.busUp {
			return
		}
		d.busUp = up
		o := world.BusSeen{At: d.now}
		if !up {
			o.Down, _ = n.silent(0)
			o.Down = "it" + strings.TrimPrefix(o.Down, n.spec.ID)
		}
		d.see(o)
		return
	}
}
