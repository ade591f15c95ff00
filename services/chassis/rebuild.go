package chassis

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
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
