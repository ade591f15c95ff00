package world

import "math"

// The steps in which use is shown.
const (
	cpuStep    = 100.0   // of them to a core
	memoryStep = 1 << 20 // bytes
)

// use is what a node was last told to use, and what is shown of it.
type use struct {
	known bool
	last  Use
	shown *Use // never changed, only replaced: frames hold it
}

// useSeen takes a runtime's word. Of a node that is down it is late.
func (w *World) useSeen(o UseSeen) {
	n := w.nodeBy[o.Node]
	if n == nil || n.state == Down {
		return
	}
	n.use.known = true
	n.use.last = Use{max(0, finite(o.CPU)), max(0, finite(o.CPULimit)), max(0, o.Memory), max(0, o.MemoryLimit)}
	w.touch(n)
}

// settle is what is shown now: the last with the tick, and else what was shown.
func (u *use) settle(ticking bool) *Use {
	if !ticking || !u.known {
		return u.shown
	}
	now := u.last
	now.CPU = math.Round(now.CPU*cpuStep) / cpuStep
	now.Memory = (now.Memory + memoryStep/2) / memoryStep * memoryStep
	if was := u.shown; was != nil {
		if math.Abs(u.last.CPU-was.CPU) < 1/cpuStep {
			now.CPU = was.CPU
		}
		if d := u.last.Memory - was.Memory; -memoryStep < d && d < memoryStep {
			now.Memory = was.Memory
		}
		if now == *was {
			return was
		}
	}
	u.shown = &now
	return u.shown
}

func (u *Use) same(o *Use) bool { return u == o || u != nil && o != nil && *u == *o }
