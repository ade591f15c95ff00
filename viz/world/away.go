package world

import (
	"fmt"
	"time"
)

const (
	// A replica's death or pause is said once it is known what it held, which the next inspection tells, and whether the
	// whole node went with it: not before lookFrom, and with a tick from lookMost on where no inspection came.
	lookFrom = 100 * time.Millisecond
	lookMost = time.Second
)

// away is what is kept of a replica that was up and is not.
type away struct {
	since time.Time // zero: it is not away
	moved time.Time // when it died or was paused
	owed  string    // what is to be said of that yet; empty: nothing
	said  bool
	held  int64 // by its consumer, as seen after it went; 0: nothing, or it was taken over
}

// replicaState moves a replica to a state, and notes its return. Its death is said later, by sayAway; where the node as a
// whole went or came back, the node's own note is enough.
func (w *World) replicaState(n *node, r *replica, s *ReplicaSeen, nodeWas State, at time.Time) {
	was, state := r.State, s.State
	if state == "" {
		state = Unknown
	}
	defer func() { r.State, r.Reason = state, clip(s.Reason) }()
	if since := clock(s.Since); !since.IsZero() {
		r.Since = since
	} else if state != was {
		r.Since = at
	}
	if state == was {
		return
	}
	a := &r.away
	if state == Up {
		w.sayAway(n, r)
		if a.said && nodeWas == Up {
			w.note(at, n.spec.ID, good, r.name(n)+" is back after "+span(at.Sub(a.since)))
		}
		r.wasUp, *a = true, away{}
		return
	}
	switch {
	case state == Down && (was != Unknown || r.wasUp && a.since.IsZero()):
		w.sayAway(n, r) // of one that was paused and is dead now, both
		a.owed, a.moved = died(s.Reason), at
	case state == Paused && was == Up:
		a.owed, a.moved = paused, at
	}
	if state != Unknown && r.wasUp && a.since.IsZero() {
		a.since = at
	}
}

const paused = "is paused"

// sayAway says that a replica died or was paused, where that is not said yet.
func (w *World) sayAway(n *node, r *replica) {
	a := &r.away
	how := a.owed
	a.owed = ""
	if how == "" || n.wholeAway() {
		return
	}
	a.said = true
	switch {
	case a.held > 0:
		how += ", holding " + counted(a.held)
	case how == paused:
		how += ": alive but silent"
	}
	w.note(a.moved, n.spec.ID, bad, r.name(n)+" "+how)
}

// wholeAway says whether no replica of the node works, so that what is said of the node is enough.
func (n *node) wholeAway() bool { return n.state == Down || n.state == Paused }

// left is what the consumers of replicas that are dead or paused hold, while others of the node work.
func (n *node) left() (held int64) {
	if n.wholeAway() {
		return 0
	}
	for _, r := range n.replicas.list {
		if r.State == Down || r.State == Paused {
			held += max(0, r.Pending)
		}
	}
	return held
}

// replicasInspected takes what the consumers of dead and paused replicas hold: it can only get less by the others
// claiming it.
func (w *World) replicasInspected(at time.Time) {
	for _, n := range w.nodes {
		if len(n.replicas.list) == 0 {
			continue
		}
		w.countPending(n)
		w.touch(n)
		for _, r := range n.replicas.list {
			a := &r.away
			if a.moved.IsZero() || at.Sub(a.moved) < lookFrom {
				continue
			}
			claimed := a.held > 0 && r.Pending == 0
			if !claimed {
				a.held = max(a.held, r.Pending)
			}
			if r.Pending < 0 { // the group is gone, and what it held with it
				a.held = 0
			}
			w.sayAway(n, r)
			if claimed {
				verb := "were"
				if a.held == 1 {
					verb = "was"
				}
				w.note(at, n.spec.ID, good, fmt.Sprintf("the %s that %s held %s claimed by the others after %s",
					counted(a.held), r.name(n), verb, span(at.Sub(a.since))))
				a.held = 0
			}
		}
	}
}

// replicasAwait says, at a tick, the deaths that no inspection came after.
func (w *World) replicasAwait(now time.Time) {
	for _, n := range w.nodes {
		for _, r := range n.replicas.list {
			if r.away.owed != "" && now.Sub(r.away.moved) >= lookMost {
				w.sayAway(n, r)
			}
		}
	}
}

func (r *replica) name(n *node) string { return n.spec.ID + " " + r.ID }

func counted(events int64) string {
	if events == 1 {
		return "1 event"
	}
	return fmt.Sprintf("%d events", events)
}
