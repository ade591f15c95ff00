package chassistest

import (
	"net/http"
	"testing"

	"github.com/stillup/stillup/services/chassis"
)

// Begin starts a job of the service at url.
func Begin(t testing.TB, url, job string) {
	t.Helper()
	if status := Call(url, http.MethodPost, chassis.JobsPath+job, nil, nil); status != http.StatusAccepted {
		t.Fatalf("%s: %d, want 202", job, status)
	}
}

// Ended waits for the end of a job, for as long as it gets on.
func Ended(t testing.TB, url, job string) chassis.Progress {
	t.Helper()
	p := chassis.Progress{State: chassis.JobRunning, Done: -1}
	for p.State == chassis.JobRunning {
		last := p.Done
		Eventually(t, job+" gets on", func() bool {
			return Get(url+chassis.JobsPath+job, &p) == http.StatusOK && (p.State != chassis.JobRunning || p.Done > last)
		})
	}
	return p
}

// Finished runs a job and wants it to be done, whole, and to say so.
func Finished(t testing.TB, url, job, says string) chassis.Progress {
	t.Helper()
	Begin(t, url, job)
	p := Ended(t, url, job)
	if p.State != chassis.JobDone || p.Said != says || p.Done != p.Total {
		t.Fatalf("%s: %+v", job, p)
	}
	return p
}
