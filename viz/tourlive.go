package viz

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/stillup/stillup/viz/tour"
	"github.com/stillup/stillup/viz/world"
)

const (
	lookAgain = 200 * time.Millisecond // how often a step that somebody looks at is looked at
	// maxWalkers is how many may listen to steps at once; one more is refused.
	maxWalkers = 2000
)

// errFull is why nobody more may listen.
var errFull = errors.New("too many are listening")

// walk holds the steps that are being walked, of all who walk: whoever listens to a step sees the same run of it. A run
// begins with its first listener, or with its deed, and is kept until its chapter begins again. Its methods may be called
// from any goroutine; run and ask are each run once.
type walk struct {
	s     *server
	found *found // what steps ask for beside the frame

	mu      sync.Mutex // guards what follows
	steps   map[stepKey]*walked
	begun   map[string]time.Time         // by chapter
	worst   map[string]map[copyKey]int64 // by chapter, the most ms that a copy was seen to be behind since it began
	walkers int
}

type stepKey struct{ chapter, step string }

type copyKey struct{ kind, store string }

// walked is one step that is or was walked.
type walked struct {
	chapter *tour.Chapter
	step    *tour.Step
	asks    tour.Asks
	run     *tour.Run
	begun   time.Time // the run
	heard   int       // by how many
	verdict tour.Verdict
	text    []byte        // of the verdict, as JSON; shared by all who listen, and never changed
	changed chan struct{} // closed by the next verdict
}

func newWalk(s *server) *walk {
	return &walk{s: s, found: newFound(s), steps: map[stepKey]*walked{}, begun: map[string]time.Time{}, worst: map[string]map[copyKey]int64{}}
}

// stepDone says whether a step is done as it is being walked now.
func (s *server) stepDone(chapter, step string) bool {
	s.walk.mu.Lock()
	defer s.walk.mu.Unlock()
	h := s.walk.steps[stepKey{chapter, step}]
	return h != nil && h.verdict.Phase == tour.Done
}

// run looks at all steps that somebody listens to, until ctx ends; it returns nil then.
func (w *walk) run(ctx context.Context) error {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			w.look()
		}
	}
}

// ask finds what those steps ask for beside the frame, until ctx ends; it returns nil then.
func (w *walk) ask(ctx context.Context) error { return w.found.keep(ctx, w.wanted) }

// look looks once, at one moment for all; without listeners it does nothing.
func (w *walk) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	var open []*walked
	for _, h := range w.steps {
		if h.heard > 0 && h.verdict.Phase != tour.Done {
			open = append(open, h)
		}
	}
	if len(open) == 0 {
		return
	}
	v := w.s.tourView(time.Now())
	for _, h := range open {
		w.see(h, v)
	}
}

// see has a step look at the world, and wakes its listeners where its verdict is another; w.mu is held.
func (w *walk) see(h *walked, v tour.View) {
	v.Begun = w.begun[h.chapter.ID]
	v.Field = func(f tour.Field) (string, bool) { return w.found.field(f, h.begun) }
	v.Job = w.found.job
	v.Worst = w.worstWith(h.chapter.ID, v.Frame.Copies)
	h.verdict = h.run.See(v)
	text, err := json.Marshal(h.verdict)
	if err != nil || bytes.Equal(text, h.text) { // verdicts always marshal
		return
	}
	h.text = text
	close(h.changed)
	h.changed = make(chan struct{})
}

// worstWith is how many ms each copy was seen to be behind at most since the chapter began, now included; w.mu is held.
func (w *walk) worstWith(chapter string, now []world.Holding) func(kind, store string) int64 {
	worst := w.worst[chapter]
	if worst == nil {
		worst = map[copyKey]int64{}
		w.worst[chapter] = worst
	}
	for _, c := range now {
		key := copyKey{c.Kind, c.Node}
		worst[key] = max(worst[key], c.StaleMS)
	}
	return func(kind, store string) int64 { return worst[copyKey{kind, store}] }
}

// at is the step as it is being walked, begun now where it is not; w.mu is held.
func (w *walk) at(c *tour.Chapter, st *tour.Step) *walked {
	key := stepKey{c.ID, st.ID}
	h := w.steps[key]
	if h == nil {
		h = &walked{chapter: c, step: st, asks: st.Asks(), changed: make(chan struct{})}
		w.steps[key] = h
		w.again(h)
	}
	return h
}

// again begins the step's run anew; w.mu is held.
func (w *walk) again(h *walked) {
	h.begun = time.Now()
	h.run, h.verdict = tour.NewRun(h.chapter, h.step, h.begun), tour.Verdict{}
	w.see(h, w.s.tourView(h.begun))
	w.found.want(h.asks)
}

// begins forgets how the chapter's steps were walked: the chapter begins now. Who listens sees them begin anew.
func (w *walk) begins(chapter string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun[chapter] = time.Now()
	delete(w.worst, chapter)
	for key, h := range w.steps {
		switch {
		case key.chapter != chapter:
		case h.heard == 0:
			delete(w.steps, key)
		default:
			w.again(h)
		}
	}
}

// act does a step's deeds by do. The world is looked at once more as it is before them, and the step's time counts anew
// from there.
func (w *walk) act(ctx context.Context, c *tour.Chapter, st *tour.Step, do func() ([]string, error)) ([]string, error) {
	w.mu.Lock()
	h := w.at(c, st)
	asks, begun := h.asks, h.begun
	w.mu.Unlock()
	w.found.find(ctx, asks, begun) // outside of the lock: a store may be silent
	w.mu.Lock()
	at := time.Now()
	w.see(h, w.s.tourView(at))
	if h.verdict.Phase == tour.Waiting { // else the deeds came before, and what they took is known
		h.run.Acted(at)
	}
	w.mu.Unlock()
	did, err := do()
	w.look()
	return did, err
}

// offers says whether the step has the deed, or now helps with it.
func (w *walk) offers(c *tour.Chapter, st *tour.Step, deed string) bool {
	for _, d := range st.Do {
		if d.String() == deed {
			return true
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.steps[stepKey{c.ID, st.ID}]
	if h == nil {
		return false
	}
	for _, said := range h.verdict.Help {
		if said.Deed == deed {
			return true
		}
	}
	return false
}

// wanted is all that the steps that somebody listens to ask for.
func (w *walk) wanted() tour.Asks {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all tour.Asks
	for _, h := range w.steps {
		if h.heard == 0 || h.verdict.Phase == tour.Done {
			continue
		}
		all.Fields = append(all.Fields, h.asks.Fields...)
		all.Jobs = append(all.Jobs, h.asks.Jobs...)
	}
	return all
}

// walker listens to one step. It is not for concurrent use.
type walker struct {
	w    *walk
	h    *walked
	told []byte // the last text that it was given
}

// listen begins to listen to a step; the caller closes the walker. More than maxWalkers at once are errFull.
func (w *walk) listen(c *tour.Chapter, st *tour.Step) (*walker, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.walkers >= maxWalkers {
		return nil, errFull
	}
	w.walkers++
	h := w.at(c, st)
	h.heard++
	if h.heard == 1 {
		w.found.want(h.asks)
	}
	return &walker{w: w, h: h}, nil
}

// next waits until the step's verdict is another than next last gave, and gives it as JSON. What a slow listener misses is
// left out. It ends with ctx.
func (l *walker) next(ctx context.Context) ([]byte, error) {
	for {
		l.w.mu.Lock()
		text, changed := l.h.text, l.h.changed
		l.w.mu.Unlock()
		if !bytes.Equal(text, l.told) {
			l.told = text
			return text, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

// close ends the listening.
func (l *walker) close() {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.w.walkers--
	l.h.heard--
}
