package control

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"

	"github.com/stillup/stillup/viz/world"
)

// TestReplicaState: what the engine tells of a container, in a watcher's words.
func TestReplicaState(t *testing.T) {
	for _, c := range []struct {
		name   string
		r      replica
		state  world.State
		reason string
	}{
		{"answers", replica{status: container.StateRunning, answers: true}, world.Up, ""},
		{"runs and does not answer yet", replica{status: container.StateRunning}, world.Starting, ""},
		{"cannot be asked, and is healthy by its own check", replica{status: container.StateRunning, healthy: true}, world.Up, ""},
		{"silent", replica{status: container.StatePaused, answers: true}, world.Paused, ""},
		{"never ran", replica{status: container.StateCreated}, world.Down, "not started yet"},
		{"killed", replica{status: container.StateExited, exit: 137, signal: syscall.SIGKILL}, world.Down, "killed (signal 9)"},
		{"killed around the engine", replica{status: container.StateExited, exit: 137}, world.Down, "killed (signal 9)"},
		{"stopped", replica{status: container.StateExited, exit: 0, signal: syscall.SIGTERM}, world.Down, "stopped"},
		{"stopped by its own signal", replica{status: container.StateExited, exit: 2, signal: syscall.SIGINT}, world.Down, "stopped"},
		{"would not stop", replica{status: container.StateExited, exit: 137, signal: syscall.SIGTERM}, world.Down, "killed (signal 9)"},
		{"crashed", replica{status: container.StateExited, exit: 1}, world.Down, "exit code 1"},
		{"crashed with a word", replica{status: container.StateExited, exit: 1, lastLine: "no such host"}, world.Down, "exit code 1: no such host"},
		{"too large", replica{status: container.StateExited, exit: 137, oom: true, memoryLimit: 64 << 20}, world.Down, "killed: it needed more than its 64 MB of memory"},
	} {
		if s, reason := c.r.state(); s != c.state || reason != c.reason {
			t.Errorf("%s: %s %q, want %s %q", c.name, s, reason, c.state, c.reason)
		}
	}
}

// TestNodeOfReplicas: a node is as its liveliest replica, with the faults that all have that run.
func TestNodeOfReplicas(t *testing.T) {
	one := func(status container.ContainerState, f faults) *replica {
		return &replica{status: status, answers: true, faults: f, number: "1", labels: map[string]string{LabelFaults: "/faults", LabelKind: "service"}}
	}
	slow := faults{latency: time.Second}
	for _, c := range []struct {
		name     string
		replicas []*replica
		state    world.State
		faults   faults
	}{
		{"one dead of two", []*replica{one(container.StateRunning, faults{}), one(container.StateExited, faults{})}, world.Up, faults{}},
		{"one silent, one dead", []*replica{one(container.StateExited, faults{}), one(container.StatePaused, slow)}, world.Paused, slow},
		{"all dead", []*replica{one(container.StateExited, slow), one(container.StateExited, slow)}, world.Down, faults{}},
		{"one slow of two", []*replica{one(container.StateRunning, slow), one(container.StateRunning, faults{})}, world.Up, faults{}},
		{"both slow", []*replica{one(container.StateRunning, slow), one(container.StateRunning, faults{latency: 2 * time.Second})}, world.Up, slow},
	} {
		n := &dockerNode{id: "n", replicas: c.replicas}
		n.look(true)
		if n.seen.State != c.state || n.inForce() != c.faults || len(n.seen.Replicas) != len(c.replicas) {
			t.Errorf("%s: %+v with %+v, want %s with %+v", c.name, n.seen, n.inForce(), c.state, c.faults)
		}
		n.look(false)
		if n.seen.State != world.Unknown || n.seen.Verbs != nil {
			t.Errorf("%s: without an engine it is told to be %+v", c.name, n.seen)
		}
	}
}

// TestWithoutAnEngine: an engine that cannot be reached is told, and nothing is done.
func TestWithoutAnEngine(t *testing.T) {
	t.Setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
	d, err := NewDocker(DockerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx, done := t.Context(), make(chan world.ControlSeen, 1)
	go func() {
		_ = d.Watch(ctx, func(o world.Observation) {
			if c, ok := o.(world.ControlSeen); ok {
				done <- c
			}
		})
	}()
	if c := <-done; c.Can || c.Why == "" {
		t.Errorf("told is %+v", c)
	}
	if err := d.Do(ctx, "users", Action{Verb: Kill}); !errors.Is(err, ErrUnreachable) {
		t.Errorf("kill: %v", err)
	}
	t.Setenv("DOCKER_HOST", "not an address")
	if _, err := NewDocker(DockerOptions{}); err == nil {
		t.Error("an address that is none is taken")
	}
}
