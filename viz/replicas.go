package viz

import (
	"github.com/stillup/stillup/viz/world"
)

// replicasOf are the replicas of a node, each as a node that runs once: "purchases 2".
func replicasOf(n world.Node) []world.Node {
	all := make([]world.Node, 0, len(n.Replicas))
	for _, r := range n.Replicas {
		one := n
		one.ID += " " + r.ID
		one.State, one.Reason, one.Since, one.Faults, one.Replicas = r.State, r.Reason, r.Since, r.Faults, nil
		all = append(all, one)
	}
	return all
}

// replicaOf is one of them, and the node itself where none is named. Of one that is not there nothing is known, and nothing
// can be done to it.
func replicaOf(n world.Node, replica string) world.Node {
	if replica == "" {
		return n
	}
	for i, r := range n.Replicas {
		if r.ID == replica {
			return replicasOf(n)[i]
		}
	}
	return world.Node{ID: n.ID + " " + replica, State: world.Unknown, Faults: []world.Fault{}}
}
