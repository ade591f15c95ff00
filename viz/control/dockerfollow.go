package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/stillup/stillup/viz/world"
)

const (
	reachAgain  = time.Second            // between two tries to reach an engine that does not answer
	pingEvery   = 5 * time.Second        // how often an engine that tells nothing is asked whether it is there
	dialOnce    = 300 * time.Millisecond // one try whether a container accepts connections
	inspectMost = 8                      // at a time
)

// follow keeps what is known of the containers until the runtime is closed.
func (d *Docker) follow() {
	for d.ctx.Err() == nil {
		err := d.session(d.ctx)
		if d.ctx.Err() != nil {
			return
		}
		d.log.Warn("the Docker engine cannot be reached", "error", err)
		d.reached(false, "The Docker engine cannot be reached, so nodes can be looked at and not touched: "+plain(err))
		wait(d.ctx, reachAgain)
	}
}

// plain is an engine's error as a person wants it.
func plain(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimPrefix(text, "Error response from daemon: ")
}

// reached takes whether the engine answers.
func (d *Docker) reached(can bool, why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.control.Can != can || d.control.Why != why {
		d.control = world.ControlSeen{At: time.Now(), Can: can, Why: why}
	}
	for _, n := range d.nodes {
		n.look(can)
	}
	d.tell(nil)
}

// session lists the containers and follows the engine's events until it stops answering.
func (d *Docker) session(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := d.ping(ctx); err != nil {
		return err
	}
	// Before the list, so that nothing happens between the two. Network events carry no labels: they are told apart by the
	// container's id.
	news := d.engine.Events(ctx, client.EventsListOptions{Filters: make(client.Filters).Add("type", "container", "network").
		Add("event", "create", "start", "die", "kill", "oom", "pause", "unpause", "destroy", "rename", "health_status", "connect", "disconnect")})
	if err := d.list(ctx); err != nil {
		return err
	}
	d.reached(true, "")
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case m := <-news.Messages:
			if err := d.happened(ctx, m); err != nil {
				return err
			}
		case err := <-news.Err:
			return cmp.Or(err, errors.New("it ended the stream of its events"))
		case <-tick.C:
			if err := d.ping(ctx); err != nil {
				return err
			}
		}
	}
}

func (d *Docker) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askEngineWithin)
	defer cancel()
	_, err := d.engine.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
	return err
}

// list learns all containers, and forgets those that are gone.
func (d *Docker) list(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 4*askEngineWithin)
	defer cancel()
	filters := make(client.Filters).Add("label", LabelNode)
	if d.project != "" {
		filters.Add("label", labelProject+"="+d.project)
	}
	found, err := d.engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return err
	}
	there, projects := map[string]bool{}, map[string]bool{}
	for _, c := range found.Items {
		there[c.ID] = true
		projects[c.Labels[labelProject]] = true
	}
	if len(projects) > 1 {
		return fmt.Errorf("there are nodes of %d compose projects; name one (--project)", len(projects))
	}
	for p := range projects {
		d.project = p // from now on it stays that
	}
	var g errgroup.Group
	g.SetLimit(inspectMost)
	for _, c := range found.Items {
		g.Go(func() error { return d.inspect(ctx, c.ID) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range d.nodes {
		for _, r := range slices.Clone(n.replicas) {
			if !there[r.id] {
				d.forget(n, r.id)
			}
		}
	}
	return nil
}

// find is the container's node and replica. The caller holds mu.
func (d *Docker) find(id string) (*dockerNode, *replica) {
	for _, n := range d.nodes {
		for _, r := range n.replicas {
			if r.id == id {
				return n, r
			}
		}
	}
	return nil, nil
}

// forget drops a container that was removed. The caller holds mu.
func (d *Docker) forget(n *dockerNode, id string) {
	n.replicas = slices.DeleteFunc(n.replicas, func(r *replica) bool {
		if r.id == id {
			r.stopAsking()
		}
		return r.id == id
	})
	d.tell(n)
}

// happened takes one event of the engine.
func (d *Docker) happened(ctx context.Context, m events.Message) error {
	id, of := m.Actor.ID, m.Actor.Attributes
	if m.Type == events.NetworkEventType {
		id = of["container"]
	}
	d.mu.Lock()
	n, r := d.find(id)
	switch {
	case r == nil && (m.Type != events.ContainerEventType || of[LabelNode] == "" || d.project != "" && of[labelProject] != d.project):
		d.mu.Unlock()
		return nil
	case r != nil && m.Action == events.ActionKill && r.signal == 0:
		s, _ := strconv.Atoi(of["signal"])
		r.signal = syscall.Signal(s)
	case r != nil && m.Action == events.ActionDestroy:
		d.forget(n, id)
		d.mu.Unlock()
		return nil
	}
	d.mu.Unlock()
	return d.inspect(ctx, id)
}

// inspect learns how a container is now. One that is gone is no error.
func (d *Docker) inspect(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, askEngineWithin)
	defer cancel()
	got, err := d.engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	c := got.Container
	node := c.Config.Labels[LabelNode]
	if node == "" || c.Config.Labels[labelProject] != d.project && d.project != "" {
		return nil // not ours to look at
	}
	d.mu.Lock()
	n := d.nodes[node]
	if n == nil {
		n = &dockerNode{id: node, gate: nodeGate{url: c.Config.Labels[LabelGate]}}
		d.nodes[node] = n
	}
	i := slices.IndexFunc(n.replicas, func(r *replica) bool { return r.id == id })
	if i < 0 {
		n.replicas = append(n.replicas, newReplica(c))
		slices.SortFunc(n.replicas, func(a, b *replica) int {
			return cmp.Or(cmp.Compare(len(a.number), len(b.number)), cmp.Compare(a.number, b.number))
		})
		i = slices.IndexFunc(n.replicas, func(r *replica) bool { return r.id == id })
	}
	r := n.replicas[i]
	ran := r.runs()
	r.take(c)
	if r.runs() && !r.answers && r.asking == nil {
		var asks context.Context
		asks, r.asking = context.WithCancel(d.ctx)
		run := r.run
		d.wg.Go(func() { d.awaitAnswer(asks, n, r, run) })
	}
	died := ran && !r.runs()
	d.tell(n)
	d.mu.Unlock()
	if died {
		d.wg.Go(func() { d.mourn(d.ctx, n, r) })
	}
	return d.learnHome(ctx, r)
}

// learnHome fills in the networks of a container that was cut off before it was first looked at, from [LabelNetworks].
func (d *Docker) learnHome(ctx context.Context, r *replica) error {
	d.mu.Lock()
	names := strings.Split(r.labels[LabelNetworks], ",")
	known := len(r.home) >= len(names) || r.labels[LabelNetworks] == ""
	d.mu.Unlock()
	if known {
		return nil
	}
	all, err := d.engine.NetworkList(ctx, client.NetworkListOptions{Filters: make(client.Filters).Add("label", labelProject+"="+d.project)})
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, nw := range all.Items {
		if _, in := r.home[nw.Name]; !in && slices.Contains(names, nw.Labels[labelNetwork]) {
			r.home[nw.Name] = endpoint{aliases: []string{r.labels[labelService]}}
		}
	}
	n, _ := d.find(r.id)
	d.tell(n)
	return nil
}

// awaitAnswer asks until the container accepts connections and its node's gate is open, and learns what faults it is under.
func (d *Docker) awaitAnswer(ctx context.Context, n *dockerNode, r *replica, run string) {
	accepts := func() (addr string, ok bool) {
		d.mu.Lock()
		port, addrs, cut := r.labels[LabelPort], r.addresses(), r.isCut()
		d.mu.Unlock()
		if !validPort(port) || cut {
			return "", true // it cannot be asked: that it runs must do
		}
		for _, a := range addrs {
			dialer := net.Dialer{Timeout: dialOnce}
			if conn, err := dialer.DialContext(ctx, "tcp", a); err == nil {
				conn.Close()
				return a, true
			}
		}
		return "", false
	}
	for {
		addr, ok := accepts()
		if ok && d.opened(ctx, n) {
			own := d.faultsOf(ctx, r, addr)
			d.mu.Lock()
			if r.run == run && ctx.Err() == nil {
				r.answers, r.faults = true, own
				r.stopAsking()
				d.tell(n)
			}
			d.mu.Unlock()
			return
		}
		if wait(ctx, readyEvery); ctx.Err() != nil {
			return
		}
	}
}

// opened says whether the node's gate is open, and learns what it was told before.
func (d *Docker) opened(ctx context.Context, n *dockerNode) bool {
	if n.gate.url == "" {
		return true
	}
	var now GateState
	if err := d.ask(ctx, http.MethodGet, n.gate.url, nil, &now); err != nil || !now.Open {
		return false
	}
	d.mu.Lock()
	n.gate.now = faults{time.Duration(now.LatencyMS) * time.Millisecond, now.ErrorShare, now.Cut}
	d.mu.Unlock()
	return true
}

// faultsOf asks a container at addr what it was told before; of one that does none, or does not say, none are known.
func (d *Docker) faultsOf(ctx context.Context, r *replica, addr string) faults {
	path := r.labels[LabelFaults]
	if path == "" || addr == "" {
		return faults{}
	}
	var now ownFaults
	if err := d.ask(ctx, http.MethodGet, "http://"+addr+path, nil, &now); err != nil {
		d.log.Warn("the faults of a node are not known", "node", r.labels[LabelNode], "error", err)
		return faults{}
	}
	return faults{latency: time.Duration(now.LatencyMS) * time.Millisecond, share: now.ErrorShare}
}

// mourn does what is due when a container ended: the words of one that ended by itself, and a gate that is told nothing
// once all are dead, so that callers are refused and what is started is healthy.
func (d *Docker) mourn(ctx context.Context, n *dockerNode, r *replica) {
	if err := d.closeGate(ctx, n); err != nil {
		d.log.Warn("a dead node's gate was not healed", "node", n.id, "error", err)
	}
	d.mu.Lock()
	byItself := r.signal == 0 && !r.oom && r.exit > 0 && r.exit <= killedExit
	d.mu.Unlock()
	if !byItself {
		return
	}
	lines, err := d.logsOf(ctx, r, 1)
	if err != nil || len(lines) == 0 {
		return
	}
	text := lines[len(lines)-1].Text
	d.mu.Lock()
	defer d.mu.Unlock()
	r.lastLine = strings.ToValidUTF8(text[:min(200, len(text))], "")
	d.tell(n)
}

// closeGate heals the gate of a node whose containers are all dead.
func (d *Docker) closeGate(ctx context.Context, n *dockerNode) error {
	return d.tellGate(ctx, n, faults{}, n.dead)
}

// dead says whether none of the node's containers runs. The caller holds mu.
func (n *dockerNode) dead() bool { return !slices.ContainsFunc(n.replicas, (*replica).runs) }
