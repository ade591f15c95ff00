package tour

import (
	"fmt"
	"slices"

	"github.com/stillup/stillup/viz/world"
)

// nodeIs: a node is in a state, or has a fault, or is up without any.
func nodeIs(id, how string) test {
	t := test{check: func(n *names) error { return n.node(id) }, node: id, up: how == "up" || how == "healthy", runs: how != "down"}
	t.holds = func(l *look) (bool, string) {
		n, ok := l.node(id)
		if !ok {
			return false, id + " is not there"
		}
		switch up := n.State == world.Up; how {
		case "up":
			return up, nodeWords(n)
		case "down":
			return n.State == world.Down, nodeWords(n)
		case "paused":
			return n.State == world.Paused, nodeWords(n)
		case "slow":
			return up && has(n, world.FaultSlow), nodeWords(n)
		case "cut":
			return up && has(n, world.FaultCut), nodeWords(n)
		}
		return healthy(n), nodeWords(n)
	}
	verbs := map[string][]string{"up": {Start, Resume}, "down": {Kill}, "paused": {Pause}, "slow": {Slow}, "cut": {Cut},
		"healthy": {Start, Resume, Heal}}[how]
	t.helps = func(d Deed) bool { return d.Node == id && slices.Contains(verbs, d.Verb) || t.up && d.Verb == Restore }
	return t
}

// allHealthy: every node that is shown is up, with all its replicas and without faults.
func allHealthy() test {
	return test{
		check: func(*names) error { return nil },
		holds: func(l *look) (bool, string) {
			var ill []string
			for _, n := range l.Frame.Nodes {
				if !healthy(n) {
					ill = append(ill, nodeWords(n))
				}
			}
			if len(l.Frame.Nodes) == 0 {
				return false, "no node is known"
			}
			return len(ill) == 0, some(ill)
		},
		helps: func(d Deed) bool { return d.Verb == Restore },
	}
}

// hasJoined: a node that was declared to join later is there.
func hasJoined(id string) test {
	return test{
		check: func(n *names) error { return n.later(id) },
		holds: func(l *look) (bool, string) {
			_, ok := l.node(id)
			return ok, id + " has not joined"
		},
	}
}

// loadAtLeast: so much traffic is set.
func loadAtLeast(least float64) test {
	return trafficIs(least, func(n float64) bool { return n >= least })
}

// loadNone: no traffic is set.
func loadNone() test { return trafficIs(0, func(n float64) bool { return n == 0 }) }

// trafficIs: the traffic that is set, journeys a second, is such; so much it has to be possible to set.
func trafficIs(possible float64, is func(float64) bool) test {
	return test{
		check: func(n *names) error { return n.load(possible) },
		holds: func(l *look) (bool, string) {
			load := l.Frame.Load
			if load == nil || !load.Known {
				return false, "it is not known how high the load is"
			}
			return is(load.PerSecond), "the load is " + loadWords(load.PerSecond)
		},
		helps: func(d Deed) bool { return d.Verb == SetLoad && is(d.Load) },
	}
}

// waitAtLeast: so many events wait for a service.
func waitAtLeast(least int64, service string) test {
	return test{
		check: func(n *names) error { return n.taker(service) },
		holds: func(l *look) (bool, string) {
			switch n, whole := l.waiting(service); {
			case n >= least && n > 0:
				return true, ""
			case !whole:
				return false, "it is not known how many events wait for " + service
			default:
				return n >= least, waitWords(n, service)
			}
		},
	}
}

// waitNone: a service has taken in all that there is for it.
func waitNone(service string) test {
	return test{
		check: func(n *names) error { return n.taker(service) },
		holds: func(l *look) (bool, string) {
			n, whole := l.waiting(service)
			if !whole && n == 0 {
				return false, "it is not known how many events wait for " + service
			}
			return whole && n == 0, waitWords(n, service)
		},
	}
}

// copyIs: a copy is behind its owner, or is not.
func copyIs(kind, store string, behind bool) test {
	what := fmt.Sprintf("the copy of %s in %s", kind, store)
	return test{
		check: func(n *names) error { return n.copied(kind, store) },
		holds: func(l *look) (bool, string) {
			h, ok := l.holding(kind, store)
			switch {
			case ok && h.StaleMS > 0: // measured on the bus and in the outbox, be the store alive or dead
				return behind, what + " is " + span(float64(h.StaleMS)) + " behind"
			case !ok || h.Behind < 0 || !h.Known:
				words := "it is not known how far " + what + " is behind"
				if ok && h.Why != "" {
					words += ": " + h.Why
				}
				return false, words
			}
			return !behind, what + " is up to date"
		},
	}
}

// fieldChanged: a field of a thing is not what it was when the run began.
func fieldChanged(f Field) test {
	what := fmt.Sprintf("%s of %s %s", f.Name, f.Kind, f.ID)
	return test{
		check: func(n *names) error { return n.owned(f.Kind) },
		holds: func(l *look) (bool, string) {
			if l.Field != nil {
				if now, known := l.Field(f); known {
					was, before := l.was[f]
					return before && now != was, fmt.Sprintf("%s is still %q", what, clip(now))
				}
			}
			return false, "it is not known what the " + what + " is"
		},
		asks:  Asks{Fields: []Field{f}},
		helps: func(d Deed) bool { return d.Verb == Do && d.ID == f.ID },
	}
}

// jobDone: a job was done since the chapter began.
func jobDone(action string) test {
	return test{
		check: func(n *names) error { return n.job(action) },
		holds: func(l *look) (bool, string) {
			j, ok := Job{}, false
			if l.Job != nil {
				j, ok = l.Job(action)
			}
			if !ok {
				return false, "it is not known how far " + action + " is"
			}
			if j.State == "done" && j.Ended.After(l.since) {
				return true, ""
			}
			return false, action + " " + jobWords(j)
		},
		asks:  Asks{Jobs: []string{action}},
		helps: func(d Deed) bool { return d.Verb == Do && d.Action == action },
	}
}

// enginesMeasured: the workloads ran to their end since the chapter began.
func enginesMeasured() test {
	return test{
		check: func(n *names) error { return n.workloads() },
		holds: func(l *look) (bool, string) {
			switch {
			case l.Engines == nil:
				return false, "the engines were not measured yet"
			case !l.Engines.Ended.After(l.since):
				return false, "the engines were measured before this chapter began, and not since"
			}
			return true, ""
		},
		asks:  Asks{Engines: true},
		helps: func(d Deed) bool { return d.Verb == Measure },
	}
}
