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
		known := world.Node{ID: n.Node, State: n.State, Faults: n.Faults, Verbs: n.Verbs}
		switch {
		case !slices.Contains(n.Verbs, a.Verb):
			return control.ErrUnknownVerb
		case a.Verb == control.Heal && n.State == world.Up: // to heal what is healthy is no mistake
		case !possible(known, a.Verb):
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
	})
	if err != nil {
		return fmt.Errorf("%s %s: %w", a.Verb, id, err)
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
