package demo

import (
	"time"

	"github.com/stillup/stillup/viz/world"
)

// useEvery is how often it is told what nodes use.
const useEvery = time.Second

// machine is what a kind of node uses while it works, and what it may use.
type machine struct {
	cpu, cpuLimit       float64 // cores
	memory, memoryLimit int64   // MiB
}

var machines = map[world.NodeKind]machine{
	world.Service: {0.06, 0.5, 22, 64},
	world.Store:   {0.11, 1, 140, 512},
	world.Bus:     {0.14, 0.5, 18, 128},
	world.Client:  {0.09, 0.5, 20, 64},
}

// tellUse tells what nodes that run use, around what their kind does.
func (d *Demo) tellUse() {
	if !d.plan.uses || d.now.Sub(d.told.use) < useEvery {
		return
	}
	d.told.use = d.now
	for _, n := range d.order {
		m, runs, alive := machines[n.spec.Kind], 1.0, 1.0
		if all := len(n.replicas); all > 0 {
			runs, alive = float64(all), 0
			for _, r := range n.replicas {
				if r.State != world.Down {
					alive++
				}
			}
		}
		if n.absent || n.state == world.Down || alive == 0 {
			continue
		}
		cpu := m.cpu * (0.7 + 0.6*d.rng.Float64())
		if n.state == world.Paused {
			cpu = 0
		}
		d.see(world.UseSeen{At: d.now, Node: n.spec.ID, CPU: cpu * alive, CPULimit: m.cpuLimit * runs,
			Memory: int64(alive * (float64(m.memory) + d.rng.Float64()) * (1 << 20)), MemoryLimit: int64(runs) * m.memoryLimit << 20})
	}
}
