package world

import (
	"math"
	"slices"
	"strings"
	"time"
)

// World is what is known now. It is not safe for concurrent use: its owner folds and reads in turn. Whatever is folded,
// its memory is bounded.
type World struct {
	system System
	now    time.Time // the latest time that an observation told
	rev    int64
	dirty  []part // may look different since the last settling
	// ticking: a tick is folded. What is only measured (rates, medians, shares) is shown anew by a tick; else each
	// request would send its node and its cell to every browser, and a number would change faster than it can be read.
	ticking bool

	nodes    []*node // in the order of the file
	edges    []*edge // takes and emits in the order of the file, then as first seen
	lanes    []*lane
	holdings []*holding // nodes in the order of the file, their holds within
	cells    []*cell    // features in the order of the file, their patterns within
	nodeBy   map[string]*node
	edgeBy   map[edgeKey]*edge
	laneBy   map[string]*lane
	cellBy   map[CellKey]*cell
	sources  map[string]*node   // by CloudEvents source
	emitters map[string][]*node // by stream, as declared
	groups   map[string]*node   // by consumer group
	routes   map[string][]route
	at       map[string]string // node by host and port; nil: to be made again

	later        bool // a node is declared to come later
	calls, flows int  // edges: calls and reaches, emits and takes, against their bounds

	inspected time.Time // when the backlogs were last told

	costs    costs
	passages ring[*passage] // of all traces
	load     load
	bus      bus
	control  controls
	events   events
	notes    notes
}

// part is a thing that frames show. Settle looks at it afresh, stamps it with revision next if it changed, and says so.
type part interface {
	settle(w *World, next int64) bool
	mark() *stamp
}

// stamp is when a part last changed.
type stamp struct {
	rev   int64
	dirty bool
}

func (s *stamp) mark() *stamp { return s }

// New is a world in which the system's nodes are unknown and nothing was seen.
func New(s System, at time.Time) *World {
	w := &World{system: s, now: clock(at), nodeBy: map[string]*node{}, edgeBy: map[edgeKey]*edge{}, laneBy: map[string]*lane{},
		cellBy: map[CellKey]*cell{}, sources: map[string]*node{}, groups: map[string]*node{}, routes: map[string][]route{},
		emitters: map[string][]*node{}, costs: costs{open: map[string]*trace{}}}
	for _, spec := range s.Nodes {
		w.declareNode(spec)
	}
	for _, spec := range s.Streams {
		if l := w.lane(spec.Name); l != nil {
			l.kind, l.transient, l.keep = spec.Kind, spec.Transient, spec.Keep
		}
	}
	for _, spec := range s.Nodes {
		for _, stream := range spec.Emits {
			w.edge(edgeKey{Emit, spec.ID, stream})
			w.emitters[stream] = append(w.emitters[stream], w.nodeBy[spec.ID])
		}
		for _, stream := range spec.Takes {
			w.edge(edgeKey{Take, stream, spec.ID})
		}
		for _, store := range spec.Reaches {
			w.edge(edgeKey{Reach, spec.ID, store})
		}
	}
	w.declareCells()
	w.declareHoldings()
	w.touch(&w.bus)
	if s.Load != nil {
		w.touch(&w.load)
	}
	w.settle()
	return w
}

// System is the system file that the world was made of.
func (w *World) System() System { return w.system }

// Rev is the revision: it grows with every change that a frame would show.
func (w *World) Rev() int64 { return w.rev }

// Apply folds one observation. One whose time is before the latest told is folded too, but time does not go back.
func (w *World) Apply(o Observation) {
	if at := clock(o.When()); at.After(w.now) {
		w.now = at
	}
	switch o := o.(type) {
	case NodeSeen:
		w.nodeSeen(o)
	case UseSeen:
		w.useSeen(o)
	case ControlSeen:
		w.controlSeen(o)
	case OutboxSeen:
		w.outboxSeen(o)
	case CopiesSeen:
		w.copiesSeen(o)
	case EventsSeen:
		w.eventsSeen(o)
	case StreamsSeen:
		w.streamsSeen(o)
	case BusSeen:
		w.busSeen(o)
	case CallsSeen:
		w.callsSeen(o)
	case TakesSeen:
		w.takesSeen(o)
	case TriesSeen:
		w.triesSeen(o)
	case LoadSeen:
		w.loadSeen(o)
	case ActionSeen:
		w.actionSeen(o)
	case Tick:
		w.tick()
	}
	_, w.ticking = o.(Tick)
	w.settle()
}

// tick looks at everything that time changes.
func (w *World) tick() {
	w.replicasAwait(w.now)
	w.closeTraces()
	for _, n := range w.nodes {
		w.touch(n)
	}
	for _, e := range w.edges {
		w.touch(e)
	}
	for _, l := range w.lanes {
		w.touch(l)
	}
	for _, c := range w.cells {
		w.touch(c)
	}
	w.holdingsTick()
	w.touch(&w.bus)
}

// touch has p looked at when the observation is folded.
func (w *World) touch(p part) {
	if s := p.mark(); !s.dirty {
		s.dirty = true
		w.dirty = append(w.dirty, p)
	}
}

// settle looks at what was touched; all that changed gets one new revision.
func (w *World) settle() {
	next := w.rev + 1
	moved := w.events.newest() == next || w.notes.newest() == next
	for _, p := range w.dirty {
		s := p.mark()
		s.dirty = false
		if p.settle(w, next) {
			s.rev = next
			moved = true
		}
	}
	clear(w.dirty)
	w.dirty = w.dirty[:0]
	if moved {
		w.rev = next
	}
}

// early says whether the number that a part shows can wait for the next tick: it tells of no beginning and no end.
func (w *World) early(rev int64, now, shown float64) bool {
	return !w.ticking && rev > 0 && (now > 0) == (shown > 0)
}

// clock is a time as frames tell it, and as a replay tells it again: UTC, without the process's own clock. One that JSON
// cannot say is none.
func clock(t time.Time) time.Time {
	if y := t.Year(); y < 0 || y > 9999 {
		return time.Time{}
	}
	return t.Round(0).UTC()
}

// maxText bounds the texts that come from outside, in bytes.
const maxText = 300

// clip shortens a text to maxText and a mark.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}

// tenth rounds so that a frame changes only when something visible does.
func tenth(f float64) float64 { return math.Round(f*10) / 10 }

// finite keeps what JSON cannot say out of the frames.
func finite(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}

// ms is a duration in milliseconds, to a tenth.
func ms(d time.Duration) float64 { return tenth(float64(d) / float64(time.Millisecond)) }

// whole is a copy for frames; never nil, since JSON tells null from [].
func whole[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return slices.Clone(s)
}
