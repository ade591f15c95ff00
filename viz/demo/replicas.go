package demo

import (
	"strconv"
	"strings"
	"time"

	"github.com/stillup/stillup/viz/world"
)

const (
	// handSpan is how long before it died or was paused a replica was given what it then holds.
	handSpan = time.Second
	// claimAfter is how long entries lie in the hands of one that does not work before the others claim them.
	claimAfter = 5 * time.Second
)

// replica is one run of a node that runs more than once.
type replica struct{ world.ReplicaSeen }

// scale lets a node run so often; of one that runs once nothing is told of replicas.
func (n *node) scale(times int) {
	for i := range times {
		id := strconv.Itoa(i + 1)
		n.replicas = append(n.replicas, &replica{world.ReplicaSeen{ID: id, State: world.Up, Consumer: n.spec.ID + "-" + id}})
	}
}

// hand is what one replica holds of a stream.
type hand struct {
	n      int64
	first  int64     // entries of the stream before the oldest of them
	oldest time.Time // when that was added
	since  time.Time // when they were left there
}

// hands are those of a group's replicas, by their place among them.
type hands []hand

func (h hands) held() (n int64) {
	for i := range h {
		n += h[i].n
	}
	return n
}

// oldest is the hand with the oldest entry; nil where all are empty.
func (h hands) oldest() *hand {
	var old *hand
	for i := range h {
		if h[i].n > 0 && (old == nil || h[i].first < old.first) {
			old = &h[i]
		}
	}
	return old
}

// kill kills a node, or one replica of it: "purchases 2".
func (d *Demo) kill(id string) {
	const reason = "killed (signal 9)"
	id, of, one := strings.Cut(id, " ")
	n := d.nodes[id]
	n.changed = true
	if !one {
		n.state, n.reason = world.Down, reason
		return
	}
	for i, r := range n.replicas {
		if r.ID == of {
			d.become(n, i, world.Down, reason, nil)
		}
	}
}

// become changes a replica, what it holds, and its node with it.
func (d *Demo) become(n *node, i int, s world.State, reason string, faults []world.Fault) {
	r := n.replicas[i]
	if r.State != s {
		for _, st := range d.lanes {
			for _, g := range st.groups {
				if g.node == n {
					d.hand(st, g, i, s, r.State)
				}
			}
		}
		r.Since = d.now
	}
	r.State, r.Reason, r.Faults = s, reason, faults
	n.follow()
}

// hand lets a replica that stops working keep its share of what came last, and one that goes on apply what it held.
func (d *Demo) hand(st *stream, g *group, i int, s, was world.State) {
	if g.hands == nil {
		g.hands = make(hands, len(g.node.replicas))
	}
	switch h := &g.hands[i]; {
	case s == world.Up:
		*h = hand{}
	case was == world.Up:
		from := g.applied
		for from > st.first && st.at(from-1).ms > d.now.Add(-handSpan).UnixMilli() {
			from--
		}
		share := int64(len(g.node.replicas))
		if n := min((g.applied-from+share-1)/share, pendingMost); n > 0 {
			*h = hand{n, g.applied - n, time.UnixMilli(st.at(g.applied - n).ms).UTC(), d.now}
		}
	}
}

// follow makes a node what its replicas make of it: up while one is, and with those faults that every live one has.
func (n *node) follow() {
	n.state, n.reason, n.faults = n.replicas[0].State, n.replicas[0].Reason, nil
	for _, r := range n.replicas {
		if r.State == world.Up || r.State == world.Paused && n.state == world.Down {
			n.state, n.reason = r.State, ""
		}
	}
	live := 0
	times := map[world.Fault]int{}
	for _, r := range n.replicas {
		if r.State != world.Up {
			continue
		}
		live++
		for _, f := range r.Faults {
			times[f]++
		}
	}
	for _, r := range n.replicas {
		for _, f := range r.Faults {
			if times[f] == live && r.State == world.Up {
				n.faults = append(n.faults, f)
				times[f] = 0
			}
		}
	}
}

// claim lets the working replicas of a node take over what has lain in the hands of the others for long.
func (d *Demo) claim() {
	for _, s := range d.lanes {
		for _, g := range s.groups {
			if !d.busUp || !g.node.answers() || !g.node.stores() {
				continue
			}
			for i := range g.hands {
				if h := &g.hands[i]; h.n > 0 && d.now.Sub(h.since) >= claimAfter {
					*h = hand{}
				}
			}
		}
	}
}

// tellMembers tells of each consumer of a group whose node runs more than once, and of what is in their hands.
func (d *Demo) tellMembers(gs *world.GroupSeen, s *stream, g *group) {
	if len(g.node.replicas) == 0 {
		return
	}
	given := gs.Pending // to the first that works
	gs.Pending += g.hands.held()
	gs.Consumers = len(g.node.replicas)
	if h := g.hands.oldest(); h != nil {
		gs.Oldest, gs.Applied = h.oldest, "0-0"
		if h.first > s.first {
			gs.Applied = s.at(h.first - 1).id()
		}
	}
	for i, r := range g.node.replicas {
		m := world.MemberSeen{Name: r.Consumer, IdleMS: inspectBusy.Milliseconds()}
		if r.State == world.Up {
			m.Pending, given = given, 0
		} else {
			m.IdleMS = d.now.Sub(r.Since).Milliseconds()
		}
		if g.hands != nil {
			m.Pending += g.hands[i].n
		}
		gs.Members = append(gs.Members, m)
	}
}
