package control

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// Processes is the runtime of nodes that are child processes of this one. On Linux no child outlives it, however it
// ends: the kernel kills them with it.
type Processes struct {
	order []string
	nodes map[string]*process
	fork  *forker

	mu      sync.Mutex
	changed chan struct{} // closed and renewed at every change
}

// NewProcesses makes the runtime; nothing is started. It fails on two nodes of one id, on a log that cannot be made, and
// on a link whose ends are not among the nodes or that listens where another does.
//
// While a node is not up the links to it do not listen: its callers are refused as they would be by the node itself.
func NewProcesses(specs []Process, links []Link) (*Processes, error) {
	p := &Processes{nodes: map[string]*process{}, changed: make(chan struct{})}
	for _, s := range specs {
		if _, twice := p.nodes[s.ID]; twice {
			return nil, fmt.Errorf("node %q is given twice", s.ID)
		}
		if s.StopSignal == 0 {
			s.StopSignal = syscall.SIGTERM
		}
		if s.LogFile != "" {
			if err := os.Remove(s.LogFile); err != nil && !errors.Is(err, os.ErrNotExist) {
				return nil, fmt.Errorf("log of %s: %w", s.ID, err)
			}
		}
		p.order = append(p.order, s.ID)
		p.nodes[s.ID] = &process{Process: s, seen: world.NodeSeen{
			At: time.Now(), Node: s.ID, State: world.Down, Reason: "not started yet", URL: s.URL,
			Engine: s.Engine, Volatile: s.Volatile,
		}}
	}
	if err := p.wire(links); err != nil {
		return nil, err
	}
	for _, n := range p.nodes {
		n.seen.Verbs = n.verbs()
	}
	p.fork = newForker()
	return p, nil
}

// wire makes the links and hands them to the nodes at their ends.
func (p *Processes) wire(links []Link) error {
	listens := map[string]bool{}
	for _, spec := range links {
		to, from := p.nodes[spec.To], p.nodes[spec.From]
		switch {
		case to == nil:
			return fmt.Errorf("a link leads to %q, which is no node", spec.To)
		case from == nil && spec.From != "":
			return fmt.Errorf("a link to %s comes from %q, which is no node; leave From empty for whoever is none", spec.To, spec.From)
		case listens[spec.Listen]:
			return fmt.Errorf("two links listen on %s", spec.Listen)
		}
		listens[spec.Listen] = true
		l := newLink(spec, func() faults {
			f := to.onLinks()
			f.cut = f.cut || from != nil && from.onLinks().cut
			return f
		})
		to.to = append(to.to, l)
		if from != nil {
			from.from = append(from.from, l)
		}
	}
	return nil
}

// verbs are those that would do something to the node in some state of it.
func (p *process) verbs() []string {
	all := []string{Kill, Stop, Start, Pause, Resume}
	asked := !p.Client && (p.SetFaults != nil || len(p.to) > 0)
	linked := len(p.to)+len(p.from) > 0
	if asked {
		all = append(all, Slow)
	}
	if linked {
		all = append(all, Cut)
	}
	if asked {
		all = append(all, Errors)
	}
	if asked || linked {
		all = append(all, Heal)
	}
	return all
}

// Do is [Runtime.Do]. Every node runs once, so that no Replica can be named. Faults are set on a node that is up, and end with its process: what is started is healthy. Slow and
// errors replace what was set before; heal of a node without faults does nothing, in any state.
func (p *Processes) Do(ctx context.Context, node string, a Action) error {
	n, ok := p.nodes[node]
	if !ok {
		return fmt.Errorf("%s %q: %w", a.Verb, node, ErrUnknownNode)
	}
	if verbs := n.now().Verbs; !slices.Contains(verbs, a.Verb) {
		return fmt.Errorf("%q %s: %w; there is %s", a.Verb, node, ErrUnknownVerb, strings.Join(verbs, ", "))
	}
	if a.Replica != "" {
		return fmt.Errorf("%s %s: it runs once and has no replica %q; name none: %w", a.Verb, node, a.Replica, ErrBadAction)
	}
	if err := a.check(); err != nil {
		return fmt.Errorf("%s %s: %w", a.Verb, node, err)
	}
	if a.Verb == Kill { // a kill does not wait for an action under way, a gentle stop say
		return n.end(ctx, a.Verb, syscall.SIGKILL, StopGrace, p.tell)
	}
	n.act.Lock()
	defer n.act.Unlock()
	switch a.Verb {
	case Stop:
		return n.end(ctx, a.Verb, n.StopSignal, StopGrace, p.tell)
	case Start:
		if s := n.now().State; s != world.Down {
			return fmt.Errorf("start %s: it is %s: %w", node, s, ErrConflict)
		}
		return n.start(ctx, p.fork, p.tell)
	case Pause:
		return n.pause(p.tell)
	case Resume:
		return n.resume(p.tell)
	}
	return n.impose(ctx, a, p.tell)
}

// Watch is [Runtime.Watch]. Processes of one's own can always be acted on.
func (p *Processes) Watch(ctx context.Context, see func(world.Observation)) error {
	see(world.ControlSeen{At: time.Now(), Can: true})
	last := map[string]world.NodeSeen{}
	for {
		p.mu.Lock()
		changed := p.changed
		p.mu.Unlock()
		for _, id := range p.order {
			if now := p.nodes[id].now(); !reflect.DeepEqual(now, last[id]) {
				last[id] = now
				see(now)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// Environment is what a node is started with, besides PATH and its like: "KEY=value", with its secrets in it. It is nil for
// a node that is not known.
func (p *Processes) Environment(node string) []string {
	n, ok := p.nodes[node]
	if !ok {
		return nil
	}
	return slices.Clone(n.Env)
}

// PIDs gives the process id of every node that runs.
func (p *Processes) PIDs() map[string]int {
	pids := map[string]int{}
	for id, n := range p.nodes {
		n.mu.Lock()
		if n.child != nil {
			pids[id] = n.child.cmd.pid()
		}
		n.mu.Unlock()
	}
	return pids
}

// Close stops every node that runs, those of later groups after those of earlier ones are dead, and waits for all and
// for the links, which end with the nodes that they lead to. Nodes in no group come last.
func (p *Processes) Close(groups ...[]string) {
	groups = append(groups, p.order)
	for _, g := range groups {
		var wg sync.WaitGroup
		for _, id := range g {
			n, ok := p.nodes[id]
			if !ok || n.now().State == world.Down {
				continue
			}
			wg.Go(func() {
				// Conflict: it died by itself meanwhile, which is as good.
				if err := p.Do(context.Background(), id, Action{Verb: Stop}); err != nil && !errors.Is(err, ErrConflict) {
					_ = p.Do(context.Background(), id, Action{Verb: Kill})
				}
			})
		}
		wg.Wait()
	}
	p.fork.close()
}

func (p *Processes) tell() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.changed)
	p.changed = make(chan struct{})
}
