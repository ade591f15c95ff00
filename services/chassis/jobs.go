package chassis

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// JobsPath is where jobs stand: POST of JobsPath and a job's name starts it, GET tells its [Progress].
const JobsPath = "/jobs/"

// States of a job.
const (
	JobIdle    = "idle" // it never ran in this process
	JobRunning = "running"
	JobDone    = "done"
	JobFailed  = "failed"
)

// Progress is how far a job is. What a process did is forgotten when it ends.
type Progress struct {
	State     string    `json:"state"`
	Said      string    `json:"said,omitempty"` // what it does, did, or why it failed, in words
	Done      int64     `json:"done"`           // of Total, in whatever the job counts
	Total     int64     `json:"total"`          // 0: not known yet
	PerSecond float64   `json:"per_second"`     // since Total was known
	LeftMS    int64     `json:"left_ms"`        // until it ends at that speed; -1: not known
	Before    string    `json:"before,omitempty"`
	After     string    `json:"after,omitempty"` // digests of the data that the job must not have changed; both, or none
	Began     time.Time `json:"began,omitzero"`
	Ended     time.Time `json:"ended,omitzero"`

	counting time.Time // when Total was known; zero: since it began
}

// Report is how a job at work tells of its progress. Its methods may be called from any goroutine.
type Report struct {
	mu  sync.Mutex
	now Progress
}

// Expect sets how much there is to do, from now on.
func (r *Report) Expect(total int64) {
	r.change(func(p *Progress) { p.Total, p.Done, p.counting = total, 0, time.Now() })
}

// Add counts what is done.
func (r *Report) Add(n int64) { r.change(func(p *Progress) { p.Done += n }) }

// Say puts into words what is being done.
func (r *Report) Say(format string, args ...any) {
	r.change(func(p *Progress) { p.Said = fmt.Sprintf(format, args...) })
}

// Before keeps the digest of the data as they were.
func (r *Report) Before(digest string) { r.change(func(p *Progress) { p.Before = digest }) }

// After keeps the digest of the data as they are.
func (r *Report) After(digest string) { r.change(func(p *Progress) { p.After = digest }) }

func (r *Report) change(do func(p *Progress)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do(&r.now)
}

// progress is a copy, with speed and time left as of now.
func (r *Report) progress(now time.Time) Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.now
	if p.State == JobIdle {
		return p
	}
	if !p.Ended.IsZero() {
		now = p.Ended
	}
	p.LeftMS = -1
	since := p.Began
	if !p.counting.IsZero() {
		since = p.counting
	}
	if took := now.Sub(since).Seconds(); took > 0 {
		p.PerSecond = float64(p.Done) / took
	}
	switch {
	case p.State != JobRunning:
		p.LeftMS = 0
	case p.PerSecond > 0 && p.Total > 0:
		p.LeftMS = int64(1000 * float64(max(0, p.Total-p.Done)) / p.PerSecond)
	}
	return p
}

// jobs are a service's, of which one runs at a time.
type jobs struct {
	mu      sync.Mutex
	running string // name of the job at work; empty: none
	begin   chan func(context.Context)
	starts  map[string]func() error // by name; set before Run
}

// Job makes run a job of the service: whoever runs the service starts it, or the service itself what was cut off, and one
// job runs at a time. run ends with the service; what it left half done it has to find and finish when the service starts
// again. Call it before Run.
func (s *Service) Job(name string, run func(ctx context.Context, report *Report) error) {
	if s.jobs == nil {
		s.jobs = &jobs{begin: make(chan func(context.Context), 1), starts: map[string]func() error{}}
		s.Go("jobs", s.jobs.work)
	}
	report := &Report{now: Progress{State: JobIdle}}
	start := func() error {
		return s.jobs.start(name, report, func(ctx context.Context) error { return s.run(ctx, name, run, report) })
	}
	s.jobs.starts[name] = start
	s.HandleAdmin("GET "+JobsPath+name, func(w http.ResponseWriter, _ *http.Request) error {
		return WriteJSON(w, http.StatusOK, report.progress(time.Now()))
	})
	s.HandleAdmin("POST "+JobsPath+name, func(w http.ResponseWriter, _ *http.Request) error {
		if err := start(); err != nil {
			return err
		}
		return WriteJSON(w, http.StatusAccepted, report.progress(time.Now()))
	})
}

// run runs a job and makes an error of a panic.
func (s *Service) run(ctx context.Context, name string, run func(context.Context, *Report) error, report *Report) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
		if err != nil && ctx.Err() == nil {
			s.Log.Error("job failed", "job", name, "err", err)
		}
	}()
	s.Log.Info("job begins", "job", name)
	if err := run(ctx, report); err != nil {
		return err
	}
	s.Log.Info("job done", "job", name, "said", report.progress(time.Now()).Said)
	return nil
}

// start hands a job to the worker; a *Problem 409 where one runs.
func (j *jobs) start(name string, report *Report, run func(context.Context) error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.running != "" {
		return Errorf(http.StatusConflict, "%s is running; wait for its end", j.running)
	}
	j.running = name
	report.change(func(p *Progress) { *p = Progress{State: JobRunning, Began: time.Now()} })
	j.begin <- func(ctx context.Context) { // it has room for one, and one runs at a time
		err := run(ctx)
		report.change(func(p *Progress) {
			p.State, p.Ended = JobDone, time.Now()
			if err != nil {
				p.State, p.Said = JobFailed, reasonOf(err)
			}
		})
		j.mu.Lock()
		defer j.mu.Unlock()
		j.running = ""
	}
	return nil
}

// reasonOf is why a job failed, for whoever started it.
func reasonOf(err error) string {
	var p *Problem
	if errors.As(err, &p) {
		return p.Detail
	}
	return strings.TrimSpace(err.Error())
}

// work runs what is started until ctx ends.
func (j *jobs) work(ctx context.Context) error {
	for {
		select {
		case run := <-j.begin:
			run(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}
