package viz

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

// readAction reads the numbers that slow and errors need from the body. Other verbs have none: their body is empty.
func readAction(w http.ResponseWriter, r *http.Request, verb string) (control.Action, error) {
	a := control.Action{Verb: verb}
	switch verb {
	case control.Slow:
		var body struct {
			LatencyMS *int64 `json:"latency_ms"`
		}
		most := control.MaxLatency.Milliseconds()
		wanted := fmt.Sprintf(`send {"latency_ms": n}, a whole number from 1 to %d`, most)
		if err := readJSON(w, r, &body); err != nil {
			return a, hinted(err, wanted)
		}
		if body.LatencyMS == nil {
			return a, refuse(http.StatusBadRequest, "%s", wanted)
		}
		if n := *body.LatencyMS; n < 1 || n > most {
			return a, refuse(http.StatusBadRequest, "latency_ms is %d; %s", n, wanted)
		}
		a.Latency = time.Duration(*body.LatencyMS) * time.Millisecond
	case control.Errors:
		var body struct {
			Share *float64 `json:"share"`
		}
		const wanted = `send {"share": x}, a number above 0 and at most 1`
		if err := readJSON(w, r, &body); err != nil {
			return a, hinted(err, wanted)
		}
		if body.Share == nil {
			return a, refuse(http.StatusBadRequest, "%s", wanted)
		}
		if x := *body.Share; !(x > 0 && x <= 1) {
			return a, refuse(http.StatusBadRequest, "share is %v; %s", x, wanted)
		}
		a.Share = *body.Share
	default:
		return a, readNothing(w, r, verb)
	}
	return a, nil
}

// readNothing wants a body without anything in it.
func readNothing(w http.ResponseWriter, r *http.Request, verb string) error {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyWithin)) // as in readJSON
	b, err := io.ReadAll(r.Body)
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return err
	}
	if text := strings.TrimSpace(string(b)); err != nil || text != "" && text != "{}" {
		return refuse(http.StatusBadRequest, "%s takes no numbers; send no body", verb)
	}
	return nil
}

// hinted adds to a problem with a body what is wanted instead.
func hinted(err error, wanted string) error {
	if p := (*problem)(nil); errors.As(err, &p) {
		return refuse(p.Status, "%s; %s", p.Detail, wanted)
	}
	return err
}

// amount is what of an action its verb does not say, in words; empty for most.
func amount(a control.Action) string {
	switch a.Verb {
	case control.Slow:
		return fmt.Sprintf("%d ms", a.Latency.Milliseconds())
	case control.Errors:
		return fmt.Sprintf("%.4g %%", a.Share*100)
	}
	return ""
}

// possible says whether the verb would do something to the node as it is known now, or to any of its replicas; the runtime
// has the last word.
func possible(n world.Node, verb string) bool {
	if !slices.Contains(n.Verbs, verb) {
		return false
	}
	if len(n.Replicas) > 0 {
		return slices.ContainsFunc(replicasOf(n), func(r world.Node) bool { return possible(r, verb) })
	}
	switch verb {
	case control.Start:
		return n.State == world.Down
	case control.Kill, control.Stop:
		return n.State != world.Down
	case control.Resume:
		return n.State == world.Paused
	case control.Cut:
		return n.State == world.Up && !has(n, world.FaultCut)
	case control.Heal:
		return n.State == world.Up && len(n.Faults) > 0
	}
	return n.State == world.Up
}

// shows says whether a node as it is known shows that the action was done to it: each of its replicas does, but for those
// to which it could not be done.
func shows(n world.Node, a control.Action) bool {
	if len(n.Replicas) > 0 {
		return !slices.ContainsFunc(replicasOf(n), func(r world.Node) bool { return possible(r, a.Verb) && !shows(r, a) })
	}
	switch a.Verb {
	case control.Kill, control.Stop:
		return n.State == world.Down
	case control.Start, control.Resume:
		return n.State == world.Up
	case control.Pause:
		return n.State == world.Paused
	case control.Slow:
		return slices.Contains(n.Faults, world.Fault{Kind: world.FaultSlow, LatencyMS: a.Latency.Milliseconds()})
	case control.Errors:
		return slices.Contains(n.Faults, world.Fault{Kind: world.FaultErrors, Share: a.Share})
	case control.Cut:
		return has(n, world.FaultCut)
	case control.Heal:
		return len(n.Faults) == 0
	}
	return true
}

func has(n world.Node, kind world.FaultKind) bool {
	return slices.ContainsFunc(n.Faults, func(f world.Fault) bool { return f.Kind == kind })
}

// already says what is in the way of the verb, as the node is known now, and what to do instead.
func already(n world.Node, verb string) string {
	switch {
	case verb == control.Start && n.State == world.Paused:
		return n.ID + " is paused; resume it"
	case verb == control.Start:
		return n.ID + " is running already"
	case n.State == world.Down && (verb == control.Kill || verb == control.Stop):
		return n.ID + " is down already"
	case n.State == world.Paused && verb == control.Pause:
		return n.ID + " is paused already"
	case verb == control.Resume:
		return n.ID + " is not paused; it is " + string(n.State)
	case n.State == world.Down:
		return n.ID + " is down; start it first"
	case n.State == world.Paused:
		return n.ID + " is paused; resume it first"
	case n.State == world.Up && verb == control.Cut && has(n, world.FaultCut):
		return n.ID + " is cut off already"
	case n.State == world.Starting:
		return n.ID + " is starting; wait until it is up"
	}
	return n.ID + " changed meanwhile; look at it and ask again"
}
