package control

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/stillup/stillup/viz/world"
)

const (
	useEvery  = 5 * time.Second
	useWithin = 3 * time.Second
	useMost   = 4 // questions at a time
)

// sample is what one container had used at a moment.
type sample struct {
	run    string
	at     time.Time
	cpu    time.Duration // since it was started
	memory int64
}

// measure tells what the containers use, until the runtime is closed.
func (d *Docker) measure() {
	last := map[string]sample{} // by container
	tick := time.NewTicker(useEvery)
	defer tick.Stop()
	for {
		select {
		case <-d.ctx.Done():
			return
		case <-tick.C:
			last = d.samples(d.ctx, last)
		}
	}
}

// samples asks for the use of all containers that run and tells it by node. It returns what was asked, for the next time:
// CPU is what was used since the last.
func (d *Docker) samples(ctx context.Context, last map[string]sample) map[string]sample {
	type target struct{ id, run string }
	var all []target
	d.mu.Lock()
	for _, n := range d.nodes {
		for _, r := range n.replicas {
			if r.runs() && d.control.Can {
				all = append(all, target{r.id, r.run})
			}
		}
	}
	d.mu.Unlock()
	var (
		mu  sync.Mutex
		now = map[string]sample{}
		g   errgroup.Group
	)
	g.SetLimit(useMost)
	for _, t := range all {
		g.Go(func() error {
			s, err := d.sample(ctx, t.id)
			if err != nil {
				return nil // it ended meanwhile, or the engine has: that is told elsewhere
			}
			s.run = t.run
			mu.Lock()
			defer mu.Unlock()
			now[t.id] = s
			return nil
		})
	}
	_ = g.Wait() // they return none
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range d.nodes {
		if u, ok := n.used(now, last); ok {
			n.use = u
		}
	}
	d.tell(nil)
	return now
}

// used sums the use of the node's containers; it is false where none was asked twice. The caller holds the runtime's mu.
func (n *dockerNode) used(now, last map[string]sample) (u world.UseSeen, ok bool) {
	u = world.UseSeen{At: time.Now(), Node: n.id}
	for _, r := range n.replicas {
		s, before := now[r.id], last[r.id]
		since := s.at.Sub(before.at)
		if s.run == "" || s.run != before.run || since <= 0 {
			continue
		}
		ok = true
		u.CPU += (s.cpu - before.cpu).Seconds() / since.Seconds()
		u.Memory += s.memory
		u.CPULimit += r.cpuLimit
		u.MemoryLimit += r.memoryLimit
	}
	return u, ok
}

// sample asks the engine for one container's use.
func (d *Docker) sample(ctx context.Context, id string) (sample, error) {
	ctx, cancel := context.WithTimeout(ctx, useWithin)
	defer cancel()
	got, err := d.engine.ContainerStats(ctx, id, client.ContainerStatsOptions{})
	if err != nil {
		return sample{}, err
	}
	defer got.Body.Close()
	var s container.StatsResponse
	if err := json.NewDecoder(got.Body).Decode(&s); err != nil {
		return sample{}, err
	}
	// As docker stats counts: what the kernel could take back at once is not used. The two names are those of cgroups 1 and 2.
	memory := s.MemoryStats.Usage
	for _, name := range []string{"total_inactive_file", "inactive_file"} {
		if free, ok := s.MemoryStats.Stats[name]; ok {
			memory -= min(memory, free)
			break
		}
	}
	return sample{at: s.Read, cpu: time.Duration(s.CPUStats.CPUUsage.TotalUsage), memory: int64(memory)}, nil
}
