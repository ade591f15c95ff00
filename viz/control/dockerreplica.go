package control

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/moby/moby/api/types/container"

	"github.com/stillup/stillup/viz/world"
)

// Labels of compose.
const (
	labelProject = "com.docker.compose.project"
	labelNumber  = "com.docker.compose.container-number"
	labelNetwork = "com.docker.compose.network"
	labelService = "com.docker.compose.service"
)

// replica is one container of a node. Guarded by the runtime's mu, except for what never changes.
type replica struct {
	id, number, hostname string
	labels               map[string]string
	image                string
	env                  []string
	cpuLimit             float64 // cores; 0: none
	memoryLimit          int64   // bytes; 0: none

	run      string // when this run was started, as the engine tells it
	status   container.ContainerState
	exit     int
	oom      bool
	signal   syscall.Signal      // the first that was sent to this run by way of the engine
	lastLine string              // that it wrote before it ended by itself
	answers  bool                // in this run
	healthy  bool                // its own health check says so
	faults   faults              // that it does itself
	home     map[string]endpoint // networks that it belongs to, by name
	networks map[string]endpoint // that it is in now
	asking   context.CancelFunc  // ends the wait for its answer; nil: none is under way

	shown world.ReplicaSeen
}

// endpoint is a container's place in a network.
type endpoint struct {
	aliases []string
	ip      netip.Addr // invalid while it does not run
}

// newReplica takes what never changes from what the engine tells.
func newReplica(c container.InspectResponse) *replica {
	r := &replica{id: c.ID, labels: c.Config.Labels, hostname: c.Config.Hostname, image: c.Config.Image, env: c.Config.Env,
		number: cmp.Or(c.Config.Labels[labelNumber], "1"), home: map[string]endpoint{}}
	if h := c.HostConfig; h != nil {
		r.memoryLimit, r.cpuLimit = h.Memory, float64(h.NanoCPUs)/1e9
		if r.cpuLimit == 0 && h.CPUQuota > 0 && h.CPUPeriod > 0 {
			r.cpuLimit = float64(h.CPUQuota) / float64(h.CPUPeriod)
		}
	}
	return r
}

// take learns what changes. It reports whether a new run began.
func (r *replica) take(c container.InspectResponse) (began bool) {
	if began = c.State.StartedAt != r.run; began {
		r.run, r.signal, r.answers, r.faults, r.lastLine = c.State.StartedAt, 0, false, faults{}, ""
		r.stopAsking()
	}
	r.status, r.exit, r.oom = c.State.Status, c.State.ExitCode, c.State.OOMKilled
	r.healthy = c.State.Health != nil && c.State.Health.Status == container.Healthy
	r.networks = map[string]endpoint{}
	for name, e := range c.NetworkSettings.Networks {
		aliases := slices.DeleteFunc(slices.Clone(e.Aliases), func(a string) bool { return strings.HasPrefix(c.ID, a) })
		r.networks[name] = endpoint{aliases, e.IPAddress}
		r.home[name] = endpoint{aliases: aliases}
	}
	if !r.runs() {
		r.answers = false
		r.stopAsking()
	}
	return began
}

// runs says whether it has a process, silent or not.
func (r *replica) runs() bool {
	return r.status == container.StateRunning || r.status == container.StatePaused
}

// away are the networks that it belongs to and is not in, by name.
func (r *replica) away() map[string]endpoint {
	away := map[string]endpoint{}
	for name, e := range r.home {
		if _, in := r.networks[name]; !in {
			away[name] = e
		}
	}
	return away
}

// isCut says whether it runs without all of its networks.
func (r *replica) isCut() bool { return r.runs() && len(r.away()) > 0 }

// inForce are the faults on it, its gate's aside.
func (r *replica) inForce() faults {
	f := r.faults
	f.cut = r.isCut()
	return f
}

// addresses are where it listens, in an order that stays.
func (r *replica) addresses() []string {
	port := r.labels[LabelPort]
	if port == "" {
		return nil
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r.networks)) {
		if ip := r.networks[name].ip; ip.IsValid() {
			all = append(all, net.JoinHostPort(ip.String(), port))
		}
	}
	return all
}

func (r *replica) stopAsking() {
	if r.asking != nil {
		r.asking()
		r.asking = nil
	}
}

// state is how it is, in a watcher's words.
func (r *replica) state() (s world.State, reason string) {
	switch r.status {
	case container.StatePaused:
		return world.Paused, ""
	case container.StateRunning:
		if r.answers || r.healthy {
			return world.Up, ""
		}
		return world.Starting, ""
	case container.StateRestarting:
		return world.Down, "the engine starts it again and again: " + r.deathWords()
	case container.StateCreated:
		return world.Down, "not started yet"
	}
	return world.Down, r.deathWords()
}

// killedExit is added to a signal's number in the exit code of what it ended.
const killedExit = 128

// deathWords say why it ended.
func (r *replica) deathWords() string {
	killed := r.exit == killedExit+int(syscall.SIGKILL)
	switch {
	case r.oom:
		return fmt.Sprintf("killed: it needed more than its %d MB of memory", r.memoryLimit>>20)
	case r.signal != 0 && r.signal != syscall.SIGKILL && !killed:
		return "stopped"
	case r.exit > killedExit:
		return fmt.Sprintf("killed (signal %d)", r.exit-killedExit)
	case r.lastLine != "":
		return fmt.Sprintf("exit code %d: %s", r.exit, r.lastLine)
	}
	return fmt.Sprintf("exit code %d", r.exit)
}

// look renews what is shown of it.
func (r *replica) look() {
	s, reason := r.state()
	if s != r.shown.State {
		r.shown.Since = time.Now()
	}
	r.shown.ID, r.shown.State, r.shown.Reason, r.shown.Consumer, r.shown.Faults = r.number, s, reason, r.hostname, r.inForce().told()
}

// look renews what watchers are told of the node. can: the engine answers.
func (n *dockerNode) look(can bool) {
	seen := world.NodeSeen{At: time.Now(), Node: n.id, State: world.Down, Reason: "its container was removed"}
	for _, r := range n.replicas {
		r.look()
	}
	if len(n.replicas) > 0 {
		first := n.replicas[0]
		seen.URL = first.labels[LabelURL]
		if kind := world.NodeKind(first.labels[LabelKind]); kind == world.Store || kind == world.Bus {
			seen.Engine = path.Base(first.image) // without the registry's name
		}
		seen.State, seen.Reason = n.state()
		seen.Faults = n.inForce().told()
	}
	if len(n.replicas) > 1 {
		for _, r := range n.replicas {
			seen.Replicas = append(seen.Replicas, r.shown)
		}
	}
	if can && len(n.replicas) > 0 {
		seen.Verbs = n.verbs()
	} else if !can {
		seen.State, seen.Reason, seen.Faults, seen.Replicas = world.Unknown, "the Docker engine cannot be reached", nil, nil
	}
	old := n.seen
	old.At = seen.At
	if !reflect.DeepEqual(old, seen) {
		n.seen = seen
	}
}

// livelier orders the states: a node is as its liveliest replica.
var livelier = []world.State{world.Down, world.Paused, world.Starting, world.Up}

func (n *dockerNode) state() (world.State, string) {
	best := n.replicas[0].shown
	for _, r := range n.replicas[1:] {
		a, b := slices.Index(livelier, r.shown.State), slices.Index(livelier, best.State)
		if a > b || a == b && r.shown.Since.After(best.Since) {
			best = r.shown
		}
	}
	return best.State, best.Reason
}

// inForce are the faults that hold on the node: its gate's, and those that all its running replicas have.
func (n *dockerNode) inForce() faults {
	var running []*replica
	for _, r := range n.replicas {
		if r.runs() {
			running = append(running, r)
		}
	}
	if len(running) == 0 {
		return faults{}
	}
	f := running[0].inForce()
	for _, r := range running[1:] {
		o := r.inForce()
		f.latency, f.share, f.cut = min(f.latency, o.latency), min(f.share, o.share), f.cut && o.cut
	}
	f.latency, f.share, f.cut = max(f.latency, n.gate.now.latency), max(f.share, n.gate.now.share), f.cut || n.gate.now.cut
	return f
}

// verbs are those that would do something to the node in some state of it.
func (n *dockerNode) verbs() []string {
	all := []string{Kill, Stop, Start, Pause, Resume}
	labels := n.replicas[0].labels
	asked := labels[LabelKind] != string(world.Client) && (labels[LabelFaults] != "" || n.gate.url != "")
	if asked {
		all = append(all, Slow)
	}
	all = append(all, Cut)
	if asked {
		all = append(all, Errors)
	}
	return append(all, Heal)
}

// validPort says whether a label names a port that can be dialled.
func validPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n > 0 && n < 1<<16
}
