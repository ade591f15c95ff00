package control

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"github.com/stillup/stillup/viz/world"
)

// askEngineWithin bounds one question to the engine that is answered from its memory.
const askEngineWithin = 5 * time.Second

// Docker is the runtime of nodes that are containers: those of one compose project that carry [LabelNode]. It touches no
// others. What others do to them it sees as it sees its own work: in the engine's events.
//
// Containers of one node (compose's --scale) are its replicas. A node with a gate ([LabelGate]) is up once its gate is open,
// and is made slow, failing and silent there, as far as it does not do so itself ([LabelFaults]).
type Docker struct {
	engine  *client.Client
	project string
	log     *slog.Logger
	direct  *http.Client // to gates and nodes
	cancel  context.CancelFunc
	ctx     context.Context // ends with Close
	wg      sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{}     // closed and renewed at every change
	control world.ControlSeen // zero until the engine was asked
	nodes   map[string]*dockerNode
}

// dockerNode is one node and its containers.
type dockerNode struct {
	id   string
	act  sync.Mutex // held through an action other than a kill, so that actions on a node come one after another
	gate nodeGate   // zero where it has none

	// Guarded by the runtime's mu.
	replicas []*replica // by number; empty: its containers were removed
	use      world.UseSeen
	seen     world.NodeSeen
}

// DockerOptions say which containers are nodes.
type DockerOptions struct {
	// Project is the compose project. Empty: the only one that has nodes.
	Project string
	Log     *slog.Logger // nil: slog.Default()
}

// NewDocker makes the runtime on the engine that the environment names (DOCKER_HOST and its like; else the local socket) and
// begins to watch. An engine that cannot be reached is no error, it is told by Watch and asked again each second. The caller
// closes it.
func NewDocker(o DockerOptions) (*Docker, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	engine, err := client.New(client.FromEnv)
	if err != nil {
		return nil, fmt.Errorf("the Docker engine: %w; see DOCKER_HOST", err)
	}
	d := &Docker{engine: engine, project: o.Project, log: o.Log, direct: newDirect(), changed: make(chan struct{}),
		nodes: map[string]*dockerNode{}}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.wg.Go(d.follow)
	d.wg.Go(d.measure)
	return d, nil
}

// Close ends the watching; nothing is done to the containers.
func (d *Docker) Close() {
	d.cancel()
	d.wg.Wait()
	d.direct.CloseIdleConnections()
	_ = d.engine.Close() // idle connections only
}

// Watch is [Runtime.Watch].
func (d *Docker) Watch(ctx context.Context, see func(world.Observation)) error {
	var control world.ControlSeen
	nodes, use := map[string]world.NodeSeen{}, map[string]world.UseSeen{}
	for {
		var news []world.Observation
		d.mu.Lock()
		changed := d.changed
		if d.control != control {
			control = d.control
			news = append(news, control)
		}
		for _, id := range d.ids() {
			n := d.nodes[id]
			if !reflect.DeepEqual(n.seen, nodes[id]) {
				nodes[id] = n.seen
				news = append(news, n.seen)
			}
			if n.use != use[id] {
				use[id] = n.use
				news = append(news, n.use)
			}
		}
		d.mu.Unlock()
		for _, o := range news {
			see(o)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// ids are the nodes in order. The caller holds mu.
func (d *Docker) ids() []string {
	ids := make([]string, 0, len(d.nodes))
	for id := range d.nodes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// tell has n looked at again by all watchers. The caller holds mu.
func (d *Docker) tell(n *dockerNode) {
	if n != nil {
		n.look(d.control.Can)
	}
	close(d.changed)
	d.changed = make(chan struct{})
}

// await waits until done says so; it is asked under mu, at once and after every change.
func (d *Docker) await(ctx context.Context, done func() bool) error {
	for {
		d.mu.Lock()
		changed, is := d.changed, done()
		d.mu.Unlock()
		if is {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// Environment is what a node's containers are started with, as "KEY=value", with its secrets in it; nil for a node that is not known.
func (d *Docker) Environment(node string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.nodes[node]; n != nil && len(n.replicas) > 0 {
		return slices.Clone(n.replicas[0].env)
	}
	return nil
}
