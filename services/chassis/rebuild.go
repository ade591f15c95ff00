package chassis

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

const (
	// wholeTimeout bounds what reads or wipes a whole copy.
	wholeTimeout = 2 * time.Minute
	// holdTimeout is how long the own consumer may take to come to rest.
	holdTimeout = 20 * time.Second
	// watchEvery is how often a service that may not consume looks whether it may.
	watchEvery = 500 * time.Millisecond
	// resumeEvery is how often a rebuild that was cut off is tried anew where it fails, as while the bus is away.
	resumeEvery = 2 * time.Second
)

// Copy is what a service keeps of others' data in its own store, as its rebuild sees it.
type Copy interface {
	Marks
	// Digest is that of what the events make of it, whatever order within the streams' rules they came in.
	Digest(ctx context.Context) (*Digest, error)
	// Wipe deletes it, as if no event had ever come.
	Wipe(ctx context.Context) error
}

// Rebuild says how a copy is wiped and built again from the log, by a job.
type Rebuild struct {
	Job     string   // its name
	Streams []string // that the copy is made of, some of the consumer's; nil: all of them
	Takes   Takes    // as the consumer's Handle uses them
	Copy    Copy
}

// Rebuilder runs a consumer and the job that rebuilds its copy.
//
// The consumer is held at a point, where all that it was delivered is applied; the copy is wiped; the entries from each
// stream's first to that point are applied again, as the consumer applies them; the consumer goes on. Two digests, before
// and after, prove that nothing is lost. From before the wipe to the end a mark stands in the copy's own store: a service
// that was cut off in between finishes before it consumes, and another replica that starts meanwhile waits. Where the group
// has other live members the job is refused, for they would go on applying events.
type Rebuilder struct {
	Rebuild
	svc      *Service
	consumer *streams.Consumer
	wake     chan struct{} // holds one: look at the mark

	building atomic.Bool
	mu       sync.Mutex
	held     bool           // this has the consumer's hold
	busy     bool           // the job runs
	resumed  time.Time      // when what was cut off was last tried
	markers  map[string]int // by stream: how many times its owner has ended publishing again, as consumed here
}

// mark is what stands in the copy's store.
type mark struct {
	By     string            `json:"by"`   // the instance that rebuilds
	UpTo   map[string]string `json:"upto"` // by stream, the last entry to apply again
	Before string            `json:"before"`
}

// Consume runs consumer as background work called name, with the job r. The consumer's Hold becomes the rebuild's. Call it
// before Run.
func (s *Service) Consume(name string, consumer *streams.Consumer, r Rebuild) *Rebuilder {
	if r.Streams == nil {
		r.Streams = consumer.Streams
	}
	rb := &Rebuilder{Rebuild: r, svc: s, consumer: consumer, wake: make(chan struct{}, 1), markers: map[string]int{}}
	consumer.Hold = streams.NewHold()
	rb.held = consumer.Hold.Take(context.Background()) == nil // nobody else has it yet
	consumer.Handle = rb.noting(consumer.Handle)
	s.Job(r.Job, rb.run)
	s.Go(name, consumer.Run)
	s.Go(name+", rebuild", rb.watch)
	return rb
}

// Ready is a *Problem 503 while the copy is being rebuilt: what is half there would be a wrong answer.
func (rb *Rebuilder) Ready() error {
	if rb.building.Load() {
		return Errorf(http.StatusServiceUnavailable, "its copy is being rebuilt from the log")
	}
	return nil
}

// noting is handle, and counts the events that end publishing again.
func (rb *Rebuilder) noting(handle func(context.Context, streams.Entry) error) func(context.Context, streams.Entry) error {
	return func(ctx context.Context, e streams.Entry) error {
		if e.Event.Type == shop.Republished(e.Stream) {
			rb.mu.Lock()
			rb.markers[e.Stream]++
			rb.mu.Unlock()
		}
		return handle(ctx, e)
	}
}

func (rb *Rebuilder) marker(stream string) int {
	rb.mu.Lock()
	defer rb.mu.Unlock()
	return rb.markers[stream]
}

// watch lets the consumer begin once no rebuild is under way, and finishes one that was cut off.
func (rb *Rebuilder) watch(ctx context.Context) error {
	for {
		var again <-chan time.Time
		if rb.look(ctx) {
			again = time.After(watchEvery)
		}
		select {
		case <-rb.wake:
		case <-again:
		case <-ctx.Done():
			return nil
		}
	}
}

// look reports whether to look again.
func (rb *Rebuilder) look(ctx context.Context) bool {
	rb.mu.Lock()
	defer rb.mu.Unlock()
	if !rb.held || rb.busy {
		return false // the job's end wakes
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	m, _, err := rb.mark(ctx)
	if err != nil {
		return true // the store is away
	}
	rb.building.Store(m != nil)
	switch {
	case m == nil:
		rb.held = false
		rb.consumer.Hold.Release()
		return false
	case m.By == rb.svc.Instance && time.Since(rb.resumed) >= resumeEvery:
		rb.resumed = time.Now()
		_ = rb.svc.jobs.starts[rb.Job]() // another job runs: later
	}
	return true
}

// mark reads the mark, nil for none, and its text.
func (rb *Rebuilder) mark(ctx context.Context) (*mark, string, error) {
	text, err := rb.Copy.Mark(ctx)
	if err != nil || text == "" {
		return nil, text, err
	}
	m := &mark{}
	if err := json.Unmarshal([]byte(text), m); err != nil {
		return nil, text, fmt.Errorf("the mark of the rebuild: %w", err)
	}
	return m, text, nil
}

func (rb *Rebuilder) run(ctx context.Context, report *Report) error {
	rb.mu.Lock()
	rb.busy = true
	rb.mu.Unlock()
	defer func() {
		rb.mu.Lock()
		rb.busy = false
		rb.mu.Unlock()
		select {
		case rb.wake <- struct{}{}:
		default: // it will look anyway
		}
	}()
	defer rb.beSeen(ctx)()
	m, text, err := rb.mark(ctx)
	if err != nil {
		return err
	}
	if err := rb.alone(ctx); err != nil {
		return err
	}
	if m != nil { // cut off: what has to be done stands in the mark
		if err := rb.hold(ctx); err != nil {
			return err
		}
		m.By = rb.svc.Instance
		if text, err = rb.swap(ctx, text, m); err != nil {
			return err
		}
		return rb.finish(ctx, report, m, text)
	}
	if err := rb.complete(ctx, report); err != nil {
		return err
	}
	if err := rb.hold(ctx); err != nil {
		return err
	}
	if m, text, err = rb.begin(ctx, report); err != nil {
		return fmt.Errorf("nothing was changed: %w", err)
	}
	return rb.finish(ctx, report, m, text)
}

// beSeen shows the group that this member lives, so that no other takes its rebuild over, until the function that it returns
// is called.
func (rb *Rebuilder) beSeen(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() {
		for pause(ctx, seenEvery) == nil {
			if err := rb.consumer.Seen(ctx); err != nil && ctx.Err() == nil {
				rb.svc.Log.Debug("rebuild", "err", err)
			}
		}
	})
	return func() { cancel(); work.Wait() }
}

// hold has the consumer stand still, if it does not yet. watch lets it go on when no mark stands after the job.
func (rb *Rebuilder) hold(ctx context.Context) error {
	rb.mu.Lock()
	held := rb.held
	rb.mu.Unlock()
	if held {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, holdTimeout)
	defer cancel()
	if err := rb.consumer.Hold.Take(ctx); err != nil {
		return fmt.Errorf("nothing was changed: the consumer did not come to rest within %v, as when the bus or the store is away", holdTimeout)
	}
	rb.mu.Lock()
	defer rb.mu.Unlock()
	rb.held = true
	return nil
}

// begin sets the mark. Nothing is wiped yet.
func (rb *Rebuilder) begin(ctx context.Context, report *Report) (*mark, string, error) {
	point, err := rb.point(ctx)
	if err != nil {
		return nil, "", err
	}
	report.Say("taking the fingerprint of the copy as it is")
	before, err := rb.digest(ctx)
	if err != nil {
		return nil, "", err
	}
	m := &mark{By: rb.svc.Instance, UpTo: point, Before: before.String()}
	text, err := rb.swap(ctx, "", m)
	if err != nil {
		return nil, "", err
	}
	// Requests that are under way read the copy as it is, those that come now are refused. Who began to consume before the
	// mark stood is seen after this.
	rb.building.Store(true)
	select {
	case <-time.After(settleFor):
	case <-ctx.Done():
	}
	if err := rb.alone(ctx); err != nil {
		if _, err := rb.swap(ctx, text, nil); err == nil {
			rb.building.Store(false)
		}
		return nil, "", err
	}
	return m, text, nil
}

// finish wipes, applies again, compares, and takes the mark away.
func (rb *Rebuilder) finish(ctx context.Context, report *Report, m *mark, text string) error {
	rb.building.Store(true)
	report.Before(m.Before)
	entries, err := rb.count(ctx, m.UpTo)
	if err != nil {
		return err
	}
	report.Say("wiping the copy")
	if err := within(ctx, wholeTimeout, rb.Copy.Wipe); err != nil {
		return fmt.Errorf("wipe the copy: %w", err)
	}
	report.Expect(entries)
	report.Say("applying again %d events from the log", entries)
	began := time.Now()
	skipped, err := rb.consumer.Replay(ctx, m.UpTo, rb.apply, func(n int) { report.Add(int64(n)) })
	if err != nil {
		return err
	}
	took := time.Since(began)
	// The count was taken while others published and trimmed; now it is known.
	report.change(func(p *Progress) { p.Total = p.Done; entries = p.Done })
	after, err := rb.digest(ctx)
	if err != nil {
		return err
	}
	report.After(after.String())
	if _, err := rb.swap(ctx, text, nil); err != nil {
		return err
	}
	rb.building.Store(false)
	if after.String() != m.Before {
		return fmt.Errorf("the copy is not what it was: the log has lost some of its events since they were applied, as when the bus was wiped "+
			"or trimmed meanwhile; have %s publish again what they have, which puts back what is missing", strings.Join(rb.Streams, ", "))
	}
	said := fmt.Sprintf("the copy equals what it was: %d records from %d events in %.1f s", after.Records(), entries, took.Seconds())
	if skipped > 0 {
		said += fmt.Sprintf("; %d that could not be applied were skipped, as at first", skipped)
	}
	report.Say("%s", said)
	return nil
}

// apply is what the consumer does with an entry, without a span: nobody waits for it, and its trace is long over.
func (rb *Rebuilder) apply(ctx context.Context, e streams.Entry) error {
	if take, known := rb.Takes[e.Event.Type]; known {
		return take(ctx, e.Event)
	}
	return nil
}

func (rb *Rebuilder) digest(ctx context.Context) (d *Digest, err error) {
	err = within(ctx, wholeTimeout, func(ctx context.Context) (err error) {
		d, err = rb.Copy.Digest(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("fingerprint of the copy: %w", err)
	}
	return d, nil
}

// swap replaces the mark's text by m's (nil: by none) and returns that.
func (rb *Rebuilder) swap(ctx context.Context, old string, m *mark) (text string, err error) {
	if m != nil {
		b, err := json.Marshal(m)
		if err != nil {
			return "", err
		}
		text = string(b)
	}
	ok, err := rb.Copy.SwapMark(ctx, old, text)
	if err != nil {
		return "", fmt.Errorf("mark the rebuild: %w", err)
	}
	if !ok {
		return "", Errorf(http.StatusConflict, "another replica rebuilds the copy")
	}
	return text, nil
}

// within calls f with a context that ends after d at the latest.
func within(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return f(ctx)
}

// others are the live members of the group beside this one.
func others(groups []streams.Group, me string) (names []string) {
	for _, g := range groups {
		for _, m := range g.Members {
			if m.Name != me && m.Idle < liveFor && !slices.Contains(names, m.Name) {
				names = append(names, m.Name)
			}
		}
	}
	return names
}
