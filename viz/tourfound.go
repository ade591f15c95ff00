package viz

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/stillup/stillup/viz/tour"
)

const (
	findAgain = time.Second     // how often a store or a node is asked for the same
	foundFor  = 5 * time.Second // how long an answer counts while no newer one comes
)

// found is what stores and nodes last answered to what steps ask for beside the frame. Its methods may be called from any
// goroutine.
type found struct {
	s    *server
	wake chan struct{} // holds one token while something may be new among what is wanted

	mu     sync.Mutex // guards what follows
	fields map[tour.Field]*answered[string]
	jobs   map[string]*answered[tour.Job]
}

// answered is what came of asking for one thing.
type answered[T any] struct {
	asked time.Time     // last
	busy  chan struct{} // closed by the answer to that
	since time.Time     // when what is known was asked for; zero: nothing is known
	value T
}

func newFound(s *server) *found {
	return &found{s: s, wake: make(chan struct{}, 1), fields: map[tour.Field]*answered[string]{}, jobs: map[string]*answered[tour.Job]{}}
}

// want has what is asked for be found soon.
func (f *found) want(asks tour.Asks) {
	if len(asks.Fields)+len(asks.Jobs) == 0 {
		return
	}
	select {
	case f.wake <- struct{}{}:
	default: // it looks at all that is wanted anyway
	}
}

// field is a field's value, as it was at that time or later.
func (f *found) field(of tour.Field, since time.Time) (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.fields[of]
	if a == nil || a.since.IsZero() || a.since.Before(since) || time.Since(a.since) > foundFor {
		return "", false
	}
	return a.value, true
}

// job is how far a job is.
func (f *found) job(action string) (tour.Job, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.jobs[action]
	if a == nil || a.since.IsZero() || time.Since(a.since) > foundFor {
		return tour.Job{}, false
	}
	return a.value, true
}

// keep finds what is wanted again and again, until ctx ends; it returns nil then.
func (f *found) keep(ctx context.Context, wanted func() tour.Asks) error {
	tick := time.NewTicker(findAgain)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-f.wake:
		}
		f.find(ctx, wanted(), time.Time{})
		f.forget()
	}
}

// find asks for fields and jobs that were not asked for within the last second or since that time, all at once, and returns
// when all are answered or were given up.
func (f *found) find(ctx context.Context, asks tour.Asks, since time.Time) {
	var asking sync.WaitGroup
	defer asking.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, field := range asks.Fields {
		ask(f, &asking, f.fields, field, since, func() (string, bool) { return f.askField(ctx, field) })
	}
	for _, id := range asks.Jobs {
		ask(f, &asking, f.jobs, id, since, func() (tour.Job, bool) { return f.askJob(ctx, id) })
	}
}

// ask asks for one thing in a goroutine of asking, or has asking wait for the answer to who asked last; f's lock is held.
func ask[K comparable, T any](f *found, asking *sync.WaitGroup, of map[K]*answered[T], key K, since time.Time, do func() (T, bool)) {
	a, now := of[key], time.Now()
	if a == nil {
		a = &answered[T]{}
		of[key] = a
	}
	if now.Sub(a.asked) < findAgain*9/10 && !a.asked.Before(since) { // a tick may come a little early
		busy := a.busy
		asking.Go(func() { <-busy }) // every answer has an end
		return
	}
	busy := make(chan struct{})
	a.asked, a.busy = now, busy
	asking.Go(func() {
		defer close(busy)
		value, known := do()
		f.mu.Lock()
		defer f.mu.Unlock()
		if now.Before(a.since) {
			return // a later one was quicker
		}
		if a.value, a.since = value, now; !known {
			a.since = time.Time{}
		}
	})
}

// forget drops what nobody asked for of late.
func (f *found) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.fields, func(_ tour.Field, a *answered[string]) bool { return time.Since(a.asked) > foundFor })
	maps.DeleteFunc(f.jobs, func(_ string, a *answered[tour.Job]) bool { return time.Since(a.asked) > foundFor })
}

// askField asks the stores for a field as its owner has it.
func (f *found) askField(ctx context.Context, field tour.Field) (value string, known bool) {
	thing, err := f.s.copies.Read(ctx, field.Kind, field.ID)
	if err != nil || len(thing.Records) == 0 || thing.Records[0].Node != f.s.copies.Owner(field.Kind) || !thing.Records[0].Found {
		return "", false
	}
	for _, of := range thing.Records[0].Fields {
		if of.Name == field.Name {
			return of.Value, true
		}
	}
	return "", false
}

// askJob asks a node how far a job is.
func (f *found) askJob(ctx context.Context, id string) (job tour.Job, known bool) {
	spec, err := f.s.action(id)
	if err != nil {
		return job, false
	}
	p, err := f.s.progressOf(ctx, spec)
	if err != nil {
		return job, false
	}
	job = tour.Job{State: p.State, Ended: p.Ended, Done: p.Done, Total: p.Total}
	if p.State == "failed" {
		job.Why = p.Said
	}
	return job, true
}
