package chassis

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
)

// until asks how far the job is until it is in that state.
func until(t *testing.T, url, state string) (p Progress) {
	t.Helper()
	eventually(t, "the job is "+state, func() bool {
		_, _, body := get(t, http.MethodGet, url, "")
		p = Progress{}
		if err := json.Unmarshal([]byte(body), &p); err != nil {
			t.Fatal(err)
		}
		return p.State == state
	})
	return p
}

func TestJobs(t *testing.T) {
	step, ended := make(chan bool), make(chan struct{})
	svc := start(t, Config{Name: "a"}, func(s *Service) {
		s.Job("long", func(ctx context.Context, r *Report) error {
			r.Expect(10)
			r.Before("x")
			<-step
			r.Add(5)
			r.Say("half of %d", 10)
			<-step
			r.Add(5)
			r.After("x")
			return nil
		})
		s.Job("bad", func(context.Context, *Report) error { return errors.New("it broke") })
		s.Job("worse", func(context.Context, *Report) error { panic("oh") })
		s.Job("endless", func(ctx context.Context, _ *Report) error { <-ctx.Done(); close(ended); return ctx.Err() })
	})
	base := svc.url + JobsPath
	long := base + "long"
	if p := until(t, long, JobIdle); p.Done != 0 {
		t.Errorf("idle: %+v", p)
	}
	if status, _, body := get(t, http.MethodPost, long, ""); status != http.StatusAccepted {
		t.Fatalf("start: %d %s", status, body)
	}
	if status, _, body := get(t, http.MethodPost, base+"bad", ""); status != http.StatusConflict || !strings.Contains(body, "long is running") {
		t.Errorf("a second at once: %d %s", status, body)
	}
	step <- true
	for p := until(t, long, JobRunning); p.Done != 5; p = until(t, long, JobRunning) {
	}
	if p := until(t, long, JobRunning); p.Said != "half of 10" || p.Total != 10 || p.LeftMS < 0 || p.PerSecond <= 0 {
		t.Errorf("half: %+v", p)
	}
	step <- true
	if p := until(t, long, JobDone); p.Done != 10 || p.Before != p.After || p.LeftMS != 0 || p.Ended.IsZero() {
		t.Errorf("done: %+v", p)
	}
	get(t, http.MethodPost, base+"bad", "")
	if p := until(t, base+"bad", JobFailed); p.Said != "it broke" {
		t.Errorf("failed: %+v", p)
	}
	get(t, http.MethodPost, base+"worse", "")
	if p := until(t, base+"worse", JobFailed); p.Said != "panic: oh" {
		t.Errorf("panicked: %+v", p)
	}
	t.Cleanup(func() { <-ended }) // the service's end is the job's
	get(t, http.MethodPost, base+"endless", "")
	until(t, base+"endless", JobRunning)
}
