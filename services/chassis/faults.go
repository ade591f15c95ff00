package chassis

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// FaultsPath takes PUT and GET of [Faults], for whoever runs the service.
const FaultsPath = "/faults"

// maxLatency is the longest wait in milliseconds that can be set.
const maxLatency = 10_000

// Faults are how a service is made to misbehave. The zero value is a healthy one, and what a process starts with: they
// live in memory only.
type Faults struct {
	LatencyMS  int64   `json:"latency_ms"`  // added to each answer to a request, over HTTP and the bus; 0 to 10,000
	ErrorShare float64 `json:"error_share"` // of requests that fail, 0 to 1
}

// misbehave does to a request what the faults in force say, before its handler runs: it waits, at most until ctx ends,
// and returns the error that the request fails with, nil for none.
func (s *Service) misbehave(ctx context.Context) error {
	f := s.faults.Load()
	if f == nil {
		return nil
	}
	if f.LatencyMS > 0 {
		t := time.NewTimer(time.Duration(f.LatencyMS) * time.Millisecond)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			return Errorf(http.StatusServiceUnavailable, "%s is slow on purpose: each answer comes %s later", s.Name,
				words(time.Duration(f.LatencyMS)*time.Millisecond))
		}
	}
	if rand.Float64() < f.ErrorShare {
		return Errorf(http.StatusInternalServerError, "%s fails on purpose: %s %% of its requests", s.Name,
			strconv.FormatFloat(100*f.ErrorShare, 'g', 4, 64))
	}
	return nil
}

// getFaults answers what is in force.
func (s *Service) getFaults(w http.ResponseWriter, _ *http.Request) error {
	var now Faults
	if f := s.faults.Load(); f != nil {
		now = *f
	}
	return WriteJSON(w, http.StatusOK, now)
}

// putFaults puts faults in force, in the place of those that were; a field that is left out is 0.
func (s *Service) putFaults(w http.ResponseWriter, r *http.Request) error {
	var f Faults
	if err := ReadJSON(r, &f); err != nil {
		return err
	}
	switch {
	case f.LatencyMS < 0 || f.LatencyMS > maxLatency:
		return Errorf(http.StatusBadRequest, "latency_ms is %d; it can be 0 to %d", f.LatencyMS, maxLatency)
	case !(f.ErrorShare >= 0 && f.ErrorShare <= 1):
		return Errorf(http.StatusBadRequest, "error_share is %v; it can be 0 to 1", f.ErrorShare)
	}
	s.faults.Store(&f)
	s.Log.Info("faults set", "latency_ms", f.LatencyMS, "error_share", f.ErrorShare)
	return s.getFaults(w, r)
}
