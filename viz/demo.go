package viz

import (
	"context"
	"fmt"
	"slices"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/demo"
	"github.com/stillup/stillup/viz/world"
)

// invented is the runtime of nodes that exist in name only: what is done to one changes what is invented of it.
type invented struct{ *demo.Demo }

// Watch is [control.Runtime.Watch]. The demo tells of its nodes among all else that it tells, so nothing comes from here.
func (invented) Watch(ctx context.Context, _ func(world.Observation)) error {
	<-ctx.Done()
	return nil
}

// Do is [control.Runtime.Do].
func (i invented) Do(_ context.Context, id string, a control.Action) error {
	err := i.Change(id, func(n *world.NodeSeen) error {
		if !slices.Contains(n.Verbs, a.Verb) {
			return control.ErrUnknownVerb
		}
		if len(n.Replicas) == 0 && a.Replica == "" {
			return pretend(n, a)
		}
		done, err := false, fmt.Errorf("it has no replica %q: %w", a.Replica, control.ErrBadAction)
		for j := range n.Replicas {
			r := &n.Replicas[j]
			if a.Replica != "" && a.Replica != r.ID {
				continue
			}
			one := world.NodeSeen{State: r.State, Reason: r.Reason, Faults: r.Faults, Verbs: n.Verbs}
			if err = pretend(&one, a); err == nil {
				r.State, r.Reason, r.Faults, done = one.State, one.Reason, one.Faults, true
			}
		}
		if done {
			return nil // to those to which it could be
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s %s: %w", a.Verb, id, err)
	}
	return nil
}

// pretend does to a node, or to one replica as if it were one, what the action would.
func pretend(n *world.NodeSeen, a control.Action) error {
	known := world.Node{ID: n.Node, State: n.State, Faults: n.Faults, Verbs: n.Verbs}
	if heal := a.Verb == control.Heal && n.State == world.Up; !heal && !possible(known, a.Verb) { // to heal what is healthy is no mistake
		return control.ErrConflict
	}
	switch a.Verb {
	case control.Kill:
		n.State, n.Reason, n.Faults = world.Down, "killed (signal 9)", nil
	case control.Stop:
		n.State, n.Reason, n.Faults = world.Down, "stopped", nil
	case control.Start, control.Resume:
		n.State, n.Reason = world.Up, ""
	case control.Pause:
		n.State = world.Paused
	case control.Slow:
		n.Faults = replaced(n.Faults, world.Fault{Kind: world.FaultSlow, LatencyMS: a.Latency.Milliseconds()})
	case control.Errors:
		n.Faults = replaced(n.Faults, world.Fault{Kind: world.FaultErrors, Share: a.Share})
	case control.Cut:
		n.Faults = replaced(n.Faults, world.Fault{Kind: world.FaultCut})
	case control.Heal:
		n.Faults = nil
	}
	return nil
}

// replaced are the faults with f in place of any of its kind.
func replaced(faults []world.Fault, f world.Fault) []world.Fault {
	kept := []world.Fault{}
	for _, old := range faults {
		if old.Kind != f.Kind {
			kept = append(kept, old)
		}
	}
	return append(kept, f)
}
