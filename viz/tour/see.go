package tour

import (
	"slices"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// View is all that a run looks at: the world as measured at one moment, and what else its step asks for ([Step.Asks]). Of
// what a view cannot tell nothing is known, and what is not known never holds; its funcs may be nil.
type View struct {
	At     time.Time
	Frame  world.Frame // full
	System world.System
	Begun  time.Time // when the chapter began; zero: not known, and then the run's own beginning stands for it
	// Waterfall is a cell's typical request.
	Waterfall func(world.CellKey) (world.Waterfall, bool)
	// Tried says whether a try of a cell that began after since has ended; nil: a cell that was tried at all counts as such.
	// (world.World.Untried(at, at.Sub(since)) lists those that were not.)
	Tried func(cell world.CellKey, since time.Time) bool
	// Field is a field of a thing as it stands in its owner's store.
	Field func(Field) (value string, known bool)
	Job   func(action string) (Job, bool) // how far a job is, as its node told
	// Worst is how many ms a copy was behind at most since the chapter began, as far as it was looked at.
	Worst func(kind, store string) int64
	// Engines is the last run of the workloads that has ended; nil: there was none.
	Engines *Engines
	Can     bool   // nodes can be acted on
	Why     string // not, in a sentence
}

// Field names a field of a thing.
type Field struct{ Kind, ID, Name string }

// Job is how far a job is.
type Job struct {
	State       string    // idle | running | done | failed
	Ended       time.Time // zero: not yet
	Done, Total int64     // 0: not known
	Why         string    // it failed; may be empty
}

// Engines is what a run of the workloads measured.
type Engines struct {
	Ended   time.Time
	Results []EngineResult
}

// EngineResult is one workload on one engine.
type EngineResult struct {
	Workload     string  // its id
	WorkloadName string  // in words
	Engine       string  // postgres | mongodb | redis
	PerSecond    float64 // 0: not measured
	P50MS        float64
}

// Asks is what a step's view has to be able to tell, so that nothing else is looked for.
type Asks struct {
	Fields     []Field
	Jobs       []string // ids of actions
	Waterfalls []world.CellKey
	Engines    bool
}

// Asks says what the step's conditions and measures look at beside the frame.
func (s *Step) Asks() Asks {
	var a Asks
	for _, c := range s.Until {
		a.add(c.asks)
	}
	for _, h := range s.Help {
		a.add(h.When.asks)
	}
	for _, text := range []string{s.After, s.Sum} {
		for _, p := range textOf(text) {
			a.add(p.asks)
		}
	}
	return a
}

// add joins what something else asks for to it, each once.
func (a *Asks) add(o Asks) {
	a.Fields = union(a.Fields, o.Fields)
	a.Jobs = union(a.Jobs, o.Jobs)
	a.Waterfalls = union(a.Waterfalls, o.Waterfalls)
	a.Engines = a.Engines || o.Engines
}

func union[T comparable](all, more []T) []T {
	for _, x := range more {
		if !slices.Contains(all, x) {
			all = append(all, x)
		}
	}
	return all
}

// look is one look of a run at the world: the view, and what the run remembers.
type look struct {
	View
	since time.Time        // before it, nothing counts as done in this chapter
	was   map[Field]string // what fields were when the run first saw them
	took  time.Duration    // from the deed until the conditions held
	// changed is when the step's conditions came to hold; zero: they did from its beginning. What is measured of requests
	// is of requests after it.
	changed time.Time
}

// node is a node of the frame; false for one that is not there, or has not joined.
func (v *View) node(id string) (world.Node, bool) {
	return found(v.Frame.Nodes, func(n *world.Node) bool { return n.ID == id })
}

// cell is a cell of the frame that was tried.
func (v *View) cell(k world.CellKey) (world.Cell, bool) {
	c, ok := found(v.Frame.Cells, func(c *world.Cell) bool { return c.Feature == k.Feature && c.Pattern == k.Pattern })
	return c, ok && c.State != world.Untried && c.State != ""
}

// holding is what a store holds of a kind.
func (v *View) holding(kind, store string) (world.Holding, bool) {
	return found(v.Frame.Copies, func(h *world.Holding) bool { return h.Kind == kind && h.Node == store })
}

// waiting is how many events wait for a service over all that it takes; whole: all of its backlogs are known.
func (v *View) waiting(service string) (n int64, whole bool) {
	for i := range v.Frame.Edges {
		e := &v.Frame.Edges[i]
		if e.Kind != world.Take || e.To != service {
			continue
		}
		if e.Waiting < 0 {
			return n, false
		}
		n, whole = n+e.Waiting, true
	}
	return n, whole
}

// cells are the keys of all that can be asked of a feature and a pattern, each of which may be every one, in the matrix's
// order.
func (v *View) cells(feature, pattern string) []world.CellKey {
	return cellsOf(&v.System, feature, pattern)
}

func cellsOf(sys *world.System, feature, pattern string) (keys []world.CellKey) {
	for _, f := range sys.Features {
		for _, p := range sys.Patterns {
			if _, asked := f.Requests[p.ID]; asked && (feature == every || feature == f.ID) && (pattern == every || pattern == p.ID) {
				keys = append(keys, world.CellKey{Feature: f.ID, Pattern: p.ID})
			}
		}
	}
	return keys
}

// triedSince says whether what is known of a cell is of a try after since; zero: of any.
func (v *View) triedSince(k world.CellKey, since time.Time) bool {
	if _, ok := v.cell(k); !ok {
		return false
	}
	return since.IsZero() || v.Tried == nil || v.Tried(k, since)
}

// every stands for all features, or all patterns.
const every = "every"

// answers says whether a cell in that state gives answers, be they slow or old.
func answers(s world.CellState) bool { return s == world.Works || s == world.Slow || s == world.Stale }

// found is the first of a list that is one.
func found[T any](list []T, is func(*T) bool) (one T, ok bool) {
	for i := range list {
		if is(&list[i]) {
			return list[i], true
		}
	}
	return one, false
}
