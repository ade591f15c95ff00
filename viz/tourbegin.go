package viz

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/stillup/stillup/viz/tour"
	"github.com/stillup/stillup/viz/world"
)

const (
	jobsWithin  = 60 * time.Second       // how long the jobs of a beginning may take, one after the other
	jobAgain    = 100 * time.Millisecond // how often a job is asked how far it is
	jobRetry    = 500 * time.Millisecond // how long one that could not be done now is left alone
	loadsWithin = 10 * time.Second       // how long the node that makes the traffic may need to answer once all is up
)

// begin puts the lab in order, for chapters and after them, one at a time.
type begin struct {
	mu     sync.Mutex
	doing  string   // what, and who asked for it, in words; empty: nothing
	before *float64 // the traffic before the first chapter began; nil: none has since the last was left
}

// alone runs do while nothing else that walks acts on the lab; 409 says what does, and who asked for it.
func (s *server) alone(r *http.Request, what string, do func() ([]string, error)) ([]string, error) {
	b := &s.begin
	b.mu.Lock()
	if b.doing != "" {
		defer b.mu.Unlock()
		return nil, refuse(http.StatusConflict, "%s; wait until that is done", b.doing)
	}
	b.doing = fmt.Sprintf("%s, asked for from %s", what, r.RemoteAddr)
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.doing = ""
	}()
	return do()
}

// beginChapter puts the lab in the state in which a chapter begins, and says in words what that took.
func (s *server) beginChapter(c *tour.Chapter) ([]string, error) {
	f := s.frame()
	if p := s.possibleDeeds(f); p != nil {
		return nil, p
	}
	did, err := s.restoreAll()
	if err != nil {
		return nil, err
	}
	if want := c.Begin.Load; want != nil && s.possibleLoad() == nil {
		s.rememberLoad(f.Load)
		more, err := s.loadSoon(*want)
		if err != nil {
			return nil, err
		}
		did = append(did, more...)
	}
	more, err := s.firstShape(c.Begin.Actions)
	if err != nil {
		return nil, err
	}
	s.walk.begins(c.ID)
	s.classes.Forget(c.ID)
	return append(did, more...), nil
}

// leaveWalk puts the lab back: all up and healthy, data in their first shape, and the traffic as before the first chapter.
func (s *server) leaveWalk() ([]string, error) {
	if p := s.possibleDeeds(s.frame()); p != nil {
		return nil, p
	}
	did, err := s.restoreAll()
	if err != nil {
		return nil, err
	}
	var actions []string
	for _, c := range s.tour.Chapters {
		for _, id := range c.Begin.Actions {
			if !slices.Contains(actions, id) {
				actions = append(actions, id)
			}
		}
	}
	more, err := s.firstShape(actions)
	if err != nil {
		return nil, err
	}
	did = append(did, more...)
	s.begin.mu.Lock()
	before := s.begin.before
	s.begin.mu.Unlock()
	if before == nil {
		return did, nil
	}
	if more, err = s.loadSoon(*before); err != nil {
		return nil, err
	}
	s.begin.mu.Lock()
	s.begin.before = nil
	s.begin.mu.Unlock()
	return append(did, more...), nil
}

// rememberLoad keeps the traffic as it is before the first chapter changes it; where its node did not answer then, as it is
// once that does.
func (s *server) rememberLoad(l *world.Load) {
	s.begin.mu.Lock()
	known := s.begin.before != nil
	s.begin.mu.Unlock()
	if known {
		return
	}
	if l == nil || !l.Known {
		s.await(s.ending, loadsWithin, func(f world.Frame) bool { l = f.Load; return l != nil && l.Known })
	}
	if l == nil || !l.Known {
		return // it is left as the chapter has it
	}
	s.begin.mu.Lock()
	defer s.begin.mu.Unlock()
	s.begin.before = &l.PerSecond
}

// loadSoon sets the traffic as soon as its node, which may have started just now, answers.
func (s *server) loadSoon(perSecond float64) (did []string, err error) {
	late := time.Now().Add(loadsWithin)
	for {
		done, err := s.loadTo(perSecond)
		switch p := (*problem)(nil); {
		case err == nil && done:
			return []string{loadWords(perSecond)}, nil
		case err == nil:
			return nil, nil
		case !errors.As(err, &p) || p.Status != http.StatusBadGateway || time.Now().After(late) || !pause(s.ending, jobRetry):
			return nil, err
		}
	}
}

// pause waits for d, and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// firstShape does jobs that put data in their first shape, one after the other, and says which of them changed anything. A
// job finds out by itself that there is nothing to do: nobody else knows who changed the data since it last ran.
func (s *server) firstShape(actions []string) ([]string, error) {
	ctx, cancel := context.WithTimeout(s.ending, jobsWithin)
	defer cancel()
	var did []string
	for _, id := range actions {
		spec, err := s.action(id)
		if err != nil {
			return nil, err
		}
		changed, err := s.jobDone(ctx, spec)
		if err != nil {
			return nil, err
		}
		if changed {
			did = append(did, actionWords(spec, ""))
		}
	}
	return did, nil
}

// jobDone does a job and waits for its end, and reports whether it had anything to do. A node that has just started may not
// be ready for it, or at another job: it is tried until ctx ends.
func (s *server) jobDone(ctx context.Context, spec world.ActionSpec) (changed bool, err error) {
	for {
		p, err := s.jobOnce(ctx, spec)
		if err == nil {
			if p.Done > 0 { // else it is no news
				s.hub.Observe(world.ActionSeen{At: time.Now(), Verb: world.ActVerb, Node: spec.Node, Note: spec.Name})
			}
			return p.Done > 0, nil
		}
		if pause(ctx, jobRetry) {
			continue
		}
		if s.ending.Err() != nil {
			return false, refuse(http.StatusServiceUnavailable, "the dashboard ends")
		}
		return false, refuse(http.StatusGatewayTimeout, "%s was not done within %g s: %s; begin again", spec.Name, jobsWithin.Seconds(), why(err))
	}
}

// jobOnce begins a job and follows it to its end. Nobody asked for it by name, so it is told only by what it changed.
func (s *server) jobOnce(ctx context.Context, spec world.ActionSpec) (*progress, error) {
	f, err := s.ready(spec, subject{})
	if err != nil {
		return nil, err
	}
	asking, cancel := context.WithTimeout(ctx, answerWithin)
	_, _, err = s.request(asking, spec.Node, f)
	cancel()
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(jobAgain)
	defer tick.Stop()
	for {
		p, err := s.progressOf(ctx, spec)
		switch {
		case err != nil:
			return nil, err
		case p.State == "done":
			return p, nil
		case p.State != jobRunning: // it failed, or its node began anew and knows of none
			return nil, errors.New(p.Said)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, errors.New("it is still at work: " + p.Said)
		}
	}
}

// why is an error in words for people.
func why(err error) string {
	if p := (*problem)(nil); errors.As(err, &p) {
		return p.Detail
	}
	return err.Error()
}
