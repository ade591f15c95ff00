package world

import (
	"cmp"
	"slices"
	"time"
)

const (
	maxReplicas = 64 // of a node
	maxMembers  = 64 // of a consumer group
)

// replicas are the runs of a node that runs more than once.
type replicas struct {
	list  []*replica // by id
	moved bool       // since they were last shown
	shown []Replica  // never changed, only replaced: frames hold it
}

// replica is one of them.
type replica struct {
	Replica
	consumer string
	wasUp    bool
	away     away
}

// replicasSeen takes a runtime's word on the replicas of a node that was in a state before it. A runtime that knows nothing
// of the node now, for it cannot look, says none of its replicas gone: they are there, in a state that is not known.
func (w *World) replicasSeen(n *node, seen []ReplicaSeen, was State, at time.Time) {
	old := n.replicas.list
	if len(seen) == 0 && n.state == Unknown {
		for _, r := range old {
			seen = append(seen, ReplicaSeen{ID: r.ID, Consumer: r.consumer, State: Unknown, Reason: n.reason})
		}
	}
	if len(old)+len(seen) == 0 {
		return
	}
	n.replicas.list, n.replicas.moved = nil, true
	for i := range seen[:min(len(seen), maxReplicas)] {
		s := &seen[i]
		id := clip(s.ID)
		if n.replicas.byID(id) != nil {
			continue
		}
		r := (&replicas{list: old}).byID(id)
		if r == nil {
			r = &replica{Replica: Replica{ID: id, State: Unknown, Pending: -1}}
		}
		n.replicas.list = append(n.replicas.list, r)
		r.consumer, r.Faults = clip(s.Consumer), inForce(s.Faults)
		w.replicaState(n, r, s, was, at)
	}
	slices.SortFunc(n.replicas.list, func(a, b *replica) int { // 2 before 10
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	for _, r := range old {
		if n.replicas.byID(r.ID) == nil {
			w.sayAway(n, r)
		}
	}
	for _, r := range n.replicas.list {
		if n.wholeAway() {
			r.away.owed = ""
		}
	}
	w.countPending(n)
}

func (rs *replicas) byID(id string) *replica {
	for _, r := range rs.list {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// up says whether none of them is down, paused or on its way.
func (rs *replicas) up() bool {
	return !slices.ContainsFunc(rs.list, func(r *replica) bool { return r.State != Up })
}

// replicaOf is the replica that has a consumer of that name; empty for none.
func (n *node) replicaOf(consumer string) string {
	if n == nil || consumer == "" {
		return ""
	}
	for _, r := range n.replicas.list {
		if r.consumer == consumer {
			return r.ID
		}
	}
	return ""
}

// bearer is who has a fault, by name: the node, or the one of its replicas that alone has it.
func (n *node) bearer(f Fault) string {
	var with []*replica
	for _, r := range n.replicas.list {
		if slices.Contains(r.Faults, f) {
			with = append(with, r)
		}
	}
	if len(with) == 1 && len(n.replicas.list) > 1 {
		return n.spec.ID + " " + with[0].ID
	}
	return n.spec.ID
}

// membersOf are the consumers of a group, by name, as many as are kept.
func membersOf(seen []MemberSeen) []MemberSeen {
	var members []MemberSeen
	for _, m := range seen[:min(len(seen), maxMembers)] {
		if m.Name != "" && len(m.Name) <= maxText {
			members = append(members, MemberSeen{m.Name, max(0, m.Pending), max(0, m.IdleMS)})
		}
	}
	slices.SortFunc(members, func(a, b MemberSeen) int { return cmp.Compare(a.Name, b.Name) })
	return members
}

// countPending counts what each replica's consumer holds over all streams; -1 where no group lists it.
func (w *World) countPending(n *node) {
	held := map[string]int64{}
	for _, e := range w.edges {
		if e.key.kind != Take || e.key.to != n.spec.ID {
			continue
		}
		for _, m := range e.group.members {
			held[m.Name] += m.Pending
		}
	}
	for _, r := range n.replicas.list {
		pending, ok := held[r.consumer]
		if !ok {
			pending = -1
		}
		if pending != r.Pending {
			r.Pending, n.replicas.moved = pending, true
		}
	}
}

// settle is what is shown of them now. What one that runs holds is a number that is measured, and waits for the tick;
// what a dead or paused one holds is news.
func (rs *replicas) settle(ticking bool) []Replica {
	if !rs.moved {
		return rs.shown
	}
	rs.moved = false
	now := make([]Replica, 0, len(rs.list))
	for _, r := range rs.list {
		shown := r.Replica
		i := slices.IndexFunc(rs.shown, func(o Replica) bool { return o.ID == r.ID })
		if !ticking && i >= 0 && r.State == Up && rs.shown[i].State == Up && shown.Pending != rs.shown[i].Pending {
			shown.Pending, rs.moved = rs.shown[i].Pending, true
		}
		now = append(now, shown)
	}
	if !slices.EqualFunc(now, rs.shown, Replica.same) {
		rs.shown = now
	}
	return rs.shown
}

func (r Replica) same(o Replica) bool {
	return r.ID == o.ID && r.State == o.State && r.Since.Equal(o.Since) && r.Reason == o.Reason && r.Pending == o.Pending &&
		slices.Equal(r.Faults, o.Faults)
}
