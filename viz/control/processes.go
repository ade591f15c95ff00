package control

import (
	"context"
	"errors"
	"fmt"
	"os"
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

// NewProcesses makes the runtime; nothing is started. It fails on two nodes of one id and on a log that cannot be made.
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
			Engine: s.Engine, Volatile: s.Volatile, Verbs: []string{Kill, Stop, Start},
		}}
	}
	p.fork = newForker()
	return p, nil
}

// Do is [Runtime.Do].
func (p *Processes) Do(ctx context.Context, node string, a Action) error {
	verb := a.Verb
	n, ok := p.nodes[node]
	if !ok {
		return fmt.Errorf("%s %q: %w", verb, node, ErrUnknownNode)
	}
	switch verb {
	case Kill, Stop, Start:
	default:
		return fmt.Errorf("%q %s: %w", verb, node, ErrUnknownVerb)
	}
	if verb == Kill { // a kill does not wait for an action under way, a gentle stop say
		return n.end(ctx, verb, syscall.SIGKILL, StopGrace)
	}
	n.act.Lock()
	defer n.act.Unlock()
	if verb == Stop {
		return n.end(ctx, verb, n.StopSignal, StopGrace)
	}
	if n.now().State != world.Down {
		return fmt.Errorf("start %s: it runs: %w", node, ErrConflict)
	}
	return n.start(ctx, p.fork, p.tell)
}

// Watch is [Runtime.Watch].
func (p *Processes) Watch(ctx context.Context, see func(world.NodeSeen)) error {
	last := map[string]world.NodeSeen{}
	for {
		p.mu.Lock()
		changed := p.changed
		p.mu.Unlock()
		for _, id := range p.order {
			if now := p.nodes[id].now(); now.At != last[id].At || now.State != last[id].State {
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

// Close stops every node that runs, those of later groups after those of earlier ones are dead, and waits for all.
// Nodes in no group come last.
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
