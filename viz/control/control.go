// Package control acts on the nodes of a system and watches them: it ends, starts, silences, slows and cuts them off.
package control

import (
	"context"
	"errors"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// Verbs that a runtime knows.
const (
	Kill   = "kill"   // SIGKILL
	Stop   = "stop"   // the node's own gentle signal, then SIGKILL after StopGrace
	Start  = "start"  // the same command on the same data
	Pause  = "pause"  // alive and silent (SIGSTOP)
	Resume = "resume" // goes on after a pause
	Slow   = "slow"   // its answers come later by Action.Latency
	Cut    = "cut"    // no network to it and from it: what is sent is lost
	Errors = "errors" // the share Action.Share of its requests fails
	Heal   = "heal"   // lifts slow, cut and errors
)

// Action is what is to be done to a node.
type Action struct {
	Verb    string
	Latency time.Duration // of Slow: 1 ms to MaxLatency
	Share   float64       // of Errors: above 0, at most 1
	Replica string        // of a node that runs more than once; empty: all of them
}

// MaxLatency is the most that Slow adds.
const MaxLatency = 10 * time.Second

// Errors of Runtime.Do. They come wrapped with the node and the verb.
var (
	ErrUnknownNode = errors.New("unknown node")
	ErrUnknownVerb = errors.New("unknown verb")
	// ErrConflict: the node is already so (kill of a dead node, start of a live one), or in no state for it: only a node
	// that is up can be paused and be given faults, only a paused one resumed.
	ErrConflict = errors.New("already so")
	// ErrBadAction: Latency, Share or Replica is missing, out of its bounds or not there; the text says which and what is
	// allowed.
	ErrBadAction = errors.New("cannot be done so")
	// ErrUnreachable: what runs the nodes does not answer, so nothing was done; the text says what to do about it.
	ErrUnreachable = errors.New("what runs the nodes does not answer")
)

// Runtime owns nodes: it watches them and acts on them. controltest holds the conformance suite over all runtimes.
type Runtime interface {
	// Watch tells see how every node is, then every change in order, until ctx ends; it returns nil then. It tells
	// NodeSeen, and UseSeen and ControlSeen where the runtime knows of them. see is called from one goroutine at a time; a
	// slow see delays only its own watcher's news, and misses states in between but never the last one.
	Watch(ctx context.Context, see func(world.Observation)) error
	// Do acts on a node and returns once it is done: a killed or stopped node is dead, a started one answers. Actions on
	// one node come one after another.
	Do(ctx context.Context, node string, a Action) error
}

// Logged is a runtime that knows what its nodes write.
type Logged interface {
	// Logs are the newest lines of a node, oldest first, at most so many; of all its replicas together. The error matches
	// ErrUnknownNode or ErrUnreachable, or is that of reading.
	Logs(ctx context.Context, node string, lines int) ([]LogLine, error)
}

// LogLine is one line that a node wrote.
type LogLine struct {
	At      time.Time // zero where it is not known
	Replica string    // of a node that runs more than once
	Text    string
}
