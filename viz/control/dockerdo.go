package control

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/stillup/stillup/viz/world"
)

// Do is [Runtime.Do]. On a node of several containers it acts on all that the verb would do something to, or on the one that
// Action.Replica names. Faults are set on what is up, and end with its run.
func (d *Docker) Do(ctx context.Context, node string, a Action) error {
	d.mu.Lock()
	n, control := d.nodes[node], d.control
	var verbs []string
	if n != nil {
		verbs = n.seen.Verbs
	}
	d.mu.Unlock()
	switch {
	case !control.Can:
		return fmt.Errorf("%s %s: %w: %s", a.Verb, node, ErrUnreachable, cmp.Or(control.Why, "it was not asked yet"))
	case n == nil || len(verbs) == 0:
		return fmt.Errorf("%s %q: %w", a.Verb, node, ErrUnknownNode)
	case !slices.Contains(verbs, a.Verb):
		return fmt.Errorf("%q %s: %w; there is %s", a.Verb, node, ErrUnknownVerb, strings.Join(verbs, ", "))
	}
	if err := a.check(); err != nil {
		return fmt.Errorf("%s %s: %w", a.Verb, node, err)
	}
	if a.Verb != Kill { // which does not wait for an action under way, a gentle stop say
		n.act.Lock()
		defer n.act.Unlock()
	}
	all, err := d.targets(n, a)
	if err != nil {
		return fmt.Errorf("%s %s: %w", a.Verb, node, err)
	}
	if err := d.impose(ctx, n, all, a); err != nil {
		return fmt.Errorf("%s %s: %w", a.Verb, node, wrapped(err))
	}
	return nil
}

// wrapped has an engine's error match the runtime's own.
func wrapped(err error) error {
	switch {
	case client.IsErrConnectionFailed(err):
		return fmt.Errorf("%w: %s", ErrUnreachable, plain(err))
	case cerrdefs.IsNotFound(err):
		return fmt.Errorf("%w: %s", ErrConflict, plain(err)) // it was removed meanwhile
	}
	return err
}

// targets are the containers that the action is for; a conflict where there are none.
func (d *Docker) targets(n *dockerNode, a Action) ([]*replica, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []*replica
	var numbers, states []string
	for _, r := range n.replicas {
		numbers = append(numbers, r.number)
		if a.Replica != "" && r.number != a.Replica {
			continue
		}
		states = append(states, string(r.shown.State))
		if fits(a.Verb, r) {
			all = append(all, r)
		}
	}
	switch {
	case len(states) == 0:
		return nil, fmt.Errorf("%w: there is no replica %q; there is %s", ErrBadAction, a.Replica, strings.Join(numbers, ", "))
	case a.Verb == Heal && n.inForce() == (faults{}) && !slices.ContainsFunc(all, func(r *replica) bool { return r.inForce() != (faults{}) }):
		return nil, nil // to heal what is healthy is no mistake, in whatever state it is
	case len(all) == 0 && a.Verb == Cut && slices.ContainsFunc(n.replicas, (*replica).isCut):
		return nil, fmt.Errorf("it is cut off: %w", ErrConflict)
	case len(all) == 0:
		return nil, fmt.Errorf("it is %s: %w", strings.Join(states, ", "), ErrConflict)
	}
	return all, nil
}

// fits says whether the verb would do something to a container as it is now.
func fits(verb string, r *replica) bool {
	s := r.shown.State
	switch verb {
	case Kill, Stop:
		return s != world.Down
	case Start:
		return s == world.Down
	case Resume:
		return s == world.Paused
	case Cut:
		return s == world.Up && !r.isCut()
	}
	return s == world.Up
}

// impose does the action to the containers, all at once.
func (d *Docker) impose(ctx context.Context, n *dockerNode, all []*replica, a Action) error {
	if len(all) == 0 {
		return nil
	}
	each := func(do func(ctx context.Context, r *replica) error) error {
		g, ctx := errgroup.WithContext(ctx)
		for _, r := range all {
			g.Go(func() error { return do(ctx, r) })
		}
		return g.Wait()
	}
	switch a.Verb {
	case Kill, Stop:
		if err := each(func(ctx context.Context, r *replica) error { return d.end(ctx, r, a.Verb) }); err != nil {
			return err
		}
		return d.refusing(ctx, n)
	case Start:
		if err := d.closeGate(ctx, n); err != nil {
			return err
		}
		return each(d.start)
	case Pause:
		return each(func(ctx context.Context, r *replica) error {
			_, err := d.engine.ContainerPause(ctx, r.id, client.ContainerPauseOptions{})
			return d.until(ctx, err, func() bool { return r.shown.State != world.Up })
		})
	case Resume:
		return each(func(ctx context.Context, r *replica) error {
			_, err := d.engine.ContainerUnpause(ctx, r.id, client.ContainerUnpauseOptions{})
			return d.until(ctx, err, func() bool { return r.shown.State != world.Paused })
		})
	case Cut:
		if err := d.atGate(ctx, n, a, len(all)); err != nil {
			return err
		}
		return each(d.cutOff)
	case Heal:
		if err := each(d.reconnect); err != nil {
			return err
		}
		if err := each(func(ctx context.Context, r *replica) error { return d.own(ctx, r, a) }); err != nil {
			return err
		}
		return d.atGate(ctx, n, a, len(all))
	}
	if n.replicas[0].labels[LabelFaults] == "" {
		if a.Replica != "" && len(n.replicas) > 1 {
			return fmt.Errorf("%w: the replicas of %s share a gate, so all of them are made so or none", ErrBadAction, n.id)
		}
		return d.atGate(ctx, n, a, len(all))
	}
	return each(func(ctx context.Context, r *replica) error { return d.own(ctx, r, a) })
}

// until waits for what the engine's events tell, unless err says that it was not done.
func (d *Docker) until(ctx context.Context, err error, done func() bool) error {
	if err != nil {
		return err
	}
	return d.await(ctx, done)
}

// end kills or stops a container and waits until it is known to be dead. One that died meanwhile is as good.
func (d *Docker) end(ctx context.Context, r *replica, verb string) (err error) {
	d.mu.Lock()
	paused := r.shown.State == world.Paused
	d.mu.Unlock()
	if verb == Kill {
		_, err = d.engine.ContainerKill(ctx, r.id, client.ContainerKillOptions{Signal: "SIGKILL"})
	} else {
		if paused { // it takes no notice of the signal before it goes on
			if _, err := d.engine.ContainerUnpause(ctx, r.id, client.ContainerUnpauseOptions{}); err != nil {
				return err
			}
		}
		grace := int(StopGrace.Seconds())
		_, err = d.engine.ContainerStop(ctx, r.id, client.ContainerStopOptions{Timeout: &grace})
	}
	if err != nil && !cerrdefs.IsConflict(err) {
		return err
	}
	return d.await(ctx, func() bool { return !r.runs() })
}

// refusing waits until callers of a node whose containers are all dead are refused.
func (d *Docker) refusing(ctx context.Context, n *dockerNode) error {
	if err := d.closeGate(ctx, n); err != nil {
		return err
	}
	d.mu.Lock()
	dead := n.dead()
	d.mu.Unlock()
	if !dead {
		return nil
	}
	return d.gateOpens(ctx, n, false)
}

// start starts a container, in all its networks, and waits until it answers.
func (d *Docker) start(ctx context.Context, r *replica) error {
	if err := d.reconnect(ctx, r); err != nil {
		return err
	}
	d.mu.Lock()
	before := r.run
	d.mu.Unlock()
	if _, err := d.engine.ContainerStart(ctx, r.id, client.ContainerStartOptions{}); err != nil {
		return err
	}
	var over bool
	err := d.await(ctx, func() bool {
		over = r.run != before && !r.runs()
		return over || r.run != before && r.shown.State == world.Up
	})
	switch {
	case err != nil:
		return fmt.Errorf("it runs but does not answer yet: %w", err)
	case over:
		d.mu.Lock()
		defer d.mu.Unlock()
		return fmt.Errorf("it ended at once: %s", r.deathWords())
	}
	return nil
}

// cutOff takes a container out of all its networks.
func (d *Docker) cutOff(ctx context.Context, r *replica) error {
	d.mu.Lock()
	in := r.networks
	d.mu.Unlock()
	for name := range in {
		_, err := d.engine.NetworkDisconnect(ctx, name, client.NetworkDisconnectOptions{Container: r.id})
		if err != nil {
			return err
		}
	}
	return d.inspect(ctx, r.id)
}

// reconnect brings a container back into the networks that it belongs to, under the same names.
func (d *Docker) reconnect(ctx context.Context, r *replica) error {
	d.mu.Lock()
	away := r.away()
	d.mu.Unlock()
	for name, e := range away {
		_, err := d.engine.NetworkConnect(ctx, name, client.NetworkConnectOptions{Container: r.id,
			EndpointConfig: &network.EndpointSettings{Aliases: e.aliases}})
		if err != nil && !cerrdefs.IsConflict(err) && !strings.Contains(err.Error(), "already exists") {
			return err
		}
	}
	return d.inspect(ctx, r.id) // of a dead container the engine tells no connect
}

// own has a container do itself what the action asks of it, as far as it can.
func (d *Docker) own(ctx context.Context, r *replica, a Action) error {
	path := r.labels[LabelFaults]
	if path == "" {
		return nil
	}
	d.mu.Lock()
	run, was, addrs := r.run, r.faults, r.addresses()
	d.mu.Unlock()
	next := was.after(a)
	if next == was {
		return nil
	}
	err := fmt.Errorf("it has no address")
	for _, addr := range addrs {
		if err = d.ask(ctx, http.MethodPut, "http://"+addr+path, ownFaults{next.latency.Milliseconds(), next.share}, nil); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.run != run || !r.runs() {
		return fmt.Errorf("it ended meanwhile: %w", ErrConflict)
	}
	r.faults = next
	n, _ := d.find(r.id)
	d.tell(n)
	return nil
}

// atGate has the node's gate do what the action asks of it. A cut of some of its replicas is none of the gate's.
func (d *Docker) atGate(ctx context.Context, n *dockerNode, a Action, targets int) error {
	d.mu.Lock()
	own := n.replicas[0].labels[LabelFaults] != ""
	next := n.gate.now
	running := 0
	for _, r := range n.replicas {
		if r.runs() {
			running++
		}
	}
	d.mu.Unlock()
	if a.Verb == Cut && targets < running {
		return nil
	}
	next = next.after(a)
	if own {
		next.latency, next.share = 0, 0
	}
	return d.tellGate(ctx, n, next, func() bool { return !n.dead() })
}
