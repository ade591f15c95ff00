// Package control acts on the nodes of a system and watches them: kill, stop, start.
package control

import (
	"context"

	"github.com/stillup/stillup/viz/world"
)

// Verbs that a runtime knows.
const (
	Kill  = "kill" // SIGKILL
	Stop  = "stop" // the node's own gentle signal, then SIGKILL after a grace
	Start = "start"
)

// Runtime owns nodes: it watches them and acts on them. One conformance suite over all runtimes.
type Runtime interface {
	// Watch tells see how every node is, and then every change, until ctx ends.
	Watch(ctx context.Context, see func(world.NodeSeen)) error
	// Do acts on a node and returns once it is done: a killed node is dead, a started one is ready.
	// Errors: ErrUnknownNode, ErrUnknownVerb, ErrConflict (already so).
	Do(ctx context.Context, node, verb string) error
}
