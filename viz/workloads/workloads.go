// Package workloads measures the same three pieces of work on Postgres, MongoDB and Redis as they run here, through the
// drivers that services use.
package workloads

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Workload is one piece of work.
type Workload struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Say  string `json:"say"` // what each operation does, in a sentence
}

// The workloads, in the order in which they run.
var workloads = []Workload{
	{"counter", "One counter, everybody adds", "All workers add one to the same counter. Afterwards it has to be what they were told."},
	{"document", "A nested document", "Read a product of about 2 kB with nested lists, and change one field deep inside it."},
	{"join", "A join with a constraint", "Store an order whose user and product must exist, and read it back with both their names."},
}

// All lists the workloads.
func All() []Workload { return slices.Clone(workloads) }

// Engines are those that can be measured, in the order in which they run.
var engineNames = []string{"postgres", "mongodb", "redis"}

const (
	workers  = 8                      // at once, in every measurement
	warmFor  = 250 * time.Millisecond // not counted
	opWithin = 2 * time.Second        // of one operation
	prepare  = 15 * time.Second       // to make the scratch data, and to remove it
	// subjects are how many users, products and documents there are.
	subjects = 200
)

// Target is a store to be measured.
type Target struct {
	Engine   string // postgres | mongodb | redis
	Node     string // the store's node id
	Version  string // as found: "Redis 7.0.15"; may be empty
	Embedded bool   // it stands in for the real one
	URL      string // holds a password: it is never told
}

// Result is one workload on one engine.
type Result struct {
	Workload  string  `json:"workload"`
	Engine    string  `json:"engine"`
	Node      string  `json:"node"`
	Version   string  `json:"version"`
	Embedded  bool    `json:"embedded"`
	How       string  `json:"how"`   // the statements, in words
	Keeps     string  `json:"keeps"` // what this way of doing it guarantees, and what it does not
	Disk      string  `json:"disk"`  // whether a change waits for the disk, as the store tells; may be empty
	PerSecond float64 `json:"per_second"`
	P50MS     float64 `json:"p50_ms"`
	P99MS     float64 `json:"p99_ms"`
	Ops       int64   `json:"ops"`    // that were measured
	Errors    int64   `json:"errors"` // operations that failed
	Why       string  `json:"why"`    // it was not measured: why; else empty
}

// State is what is known of the last run, or the one under way.
type State struct {
	State   string    `json:"state"` // idle | running | done
	Began   time.Time `json:"began,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Done    int       `json:"done"` // measurements of Total
	Total   int       `json:"total"`
	Now     string    `json:"now,omitempty"` // what is measured: "document on redis"
	LeftMS  int64     `json:"left_ms"`       // until the end, at least
	Seconds float64   `json:"seconds"`       // that each measurement lasts
	Workers int       `json:"workers"`       // at once
	Results []Result  `json:"results"`
}

// ErrRunning is why nothing was started: a run is under way.
var ErrRunning = errors.New("the workloads are running already")

// Runner runs the workloads when it is told to, one run at a time. Its methods may be called from any goroutine, Run once.
type Runner struct {
	Targets func() []Target // the stores as they are now, at most one of an engine
	For     time.Duration   // that each measurement lasts; default 2 s

	once  sync.Once
	begin chan struct{}
	mu    sync.Mutex
	state State
}

func (r *Runner) init() {
	r.once.Do(func() {
		if r.For <= 0 {
			r.For = 2 * time.Second
		}
		r.begin = make(chan struct{}, 1)
		r.state = State{State: "idle", Total: len(workloads) * len(engineNames), Seconds: r.For.Seconds(), Workers: workers, Results: []Result{}}
	})
}

// Start begins a run; ErrRunning where one is under way.
func (r *Runner) Start() error {
	r.init()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.State == "running" {
		return ErrRunning
	}
	r.state.State, r.state.Began, r.state.Ended, r.state.Done, r.state.Results = "running", time.Now(), time.Time{}, 0, []Result{}
	r.begin <- struct{}{} // it has room: nothing runs
	return nil
}

// State is a copy of what is known now.
func (r *Runner) State() State {
	r.init()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.state
	s.Results = slices.Clone(s.Results)
	if s.State == "running" {
		s.LeftMS = int64(s.Total-s.Done) * (r.For + warmFor).Milliseconds()
	}
	return s
}

// Run does what Start asks for until ctx ends and returns nil then. A run that ctx ends is left unfinished, and what it
// made in the stores is removed.
func (r *Runner) Run(ctx context.Context) error {
	r.init()
	for {
		select {
		case <-r.begin:
		case <-ctx.Done():
			return nil
		}
		r.all(ctx)
		r.change(func(s *State) { s.State, s.Ended, s.Now = "done", time.Now(), "" })
	}
}

func (r *Runner) change(do func(*State)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do(&r.state)
}

// all measures every workload on every engine, engine by engine: the scratch data of one are made once.
func (r *Runner) all(ctx context.Context) {
	targets := r.Targets()
	for _, name := range engineNames {
		i := slices.IndexFunc(targets, func(t Target) bool { return t.Engine == name })
		t := Target{Engine: name}
		if i >= 0 {
			t = targets[i]
		}
		for _, res := range r.engine(ctx, t, i >= 0) {
			r.change(func(s *State) { s.Results = append(s.Results, res) })
		}
		r.change(func(s *State) { s.Done = len(s.Results) })
	}
	r.change(func(s *State) {
		slices.SortStableFunc(s.Results, func(a, b Result) int { return cmp.Compare(place(a.Workload), place(b.Workload)) })
	})
}

func place(id string) int {
	return slices.IndexFunc(workloads, func(w Workload) bool { return w.ID == id })
}

// engine measures all workloads on one engine.
func (r *Runner) engine(ctx context.Context, t Target, there bool) []Result {
	results := make([]Result, len(workloads))
	not := func(why string) []Result {
		for i, w := range workloads {
			results[i] = Result{Workload: w.ID, Engine: t.Engine, Node: t.Node, Version: t.Version, Embedded: t.Embedded, Why: why}
		}
		return results
	}
	if !there {
		return not("no store of this engine is named for it")
	}
	e, err := open(t)
	if err != nil {
		return not(reason(err))
	}
	defer e.close()
	if err := within(ctx, prepare, e.prepare); err != nil {
		return not(reason(err))
	}
	defer func() { _ = within(context.WithoutCancel(ctx), prepare, e.clean) }() // leftovers are removed before the next run
	var disk string
	if err := within(ctx, opWithin, func(ctx context.Context) (err error) { disk, err = e.disk(ctx); return err }); err != nil {
		disk = "" // it may not be asked for that; what is measured stands
	}
	for i, w := range workloads {
		r.change(func(s *State) { s.Now = fmt.Sprintf("%s on %s", w.ID, t.Engine) })
		res := Result{Workload: w.ID, Engine: t.Engine, Node: t.Node, Version: t.Version, Embedded: t.Embedded, Disk: disk}
		res.How, res.Keeps = e.words(w.ID)
		r.measure(ctx, e, w.ID, &res)
		results[i] = res
		r.change(func(s *State) { s.Done++ })
	}
	return results
}

func within(ctx context.Context, d time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return do(ctx)
}
