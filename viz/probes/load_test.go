package probes_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stillup/stillup/viz/probes"
	"github.com/stillup/stillup/viz/world"
)

// traffic is a node that makes traffic, as its address takes and gives it.
type traffic struct {
	mu        sync.Mutex
	PerSecond float64            `json:"per_second"`
	Patterns  map[string]float64 `json:"patterns"`
	Features  map[string]float64 `json:"features"`
	Dropped   int64              `json:"dropped"`
}

func (tr *traffic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if r.Method == http.MethodPost {
		var wanted probes.Traffic
		switch err := json.NewDecoder(r.Body).Decode(&wanted); {
		case err != nil || wanted.Patterns["sync"] > 9:
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"detail":"not more than 9 of sync"}`)
			return
		case wanted.PerSecond != nil && *wanted.PerSecond > 100:
			w.WriteHeader(503)
			_, _ = io.WriteString(w, `{"detail":"too much for now"}`)
			return
		case wanted.PerSecond != nil:
			tr.PerSecond = *wanted.PerSecond
		}
		maps.Copy(tr.Patterns, wanted.Patterns)
		maps.Copy(tr.Features, wanted.Features)
	}
	_ = json.NewEncoder(w).Encode(tr)
}

func TestLoad(t *testing.T) {
	node := &traffic{PerSecond: 5, Patterns: map[string]float64{"sync": 1, "copies": 1}, Features: map[string]float64{"buy": 0.5}, Dropped: 7}
	srv := httptest.NewServer(node)
	defer srv.Close()
	seen := make(chan world.LoadSeen, 100)
	l := probes.Load{Spec: world.LoadSpec{Node: "shoppers", Path: "/load", Max: 500}, URL: func(string) string { return srv.URL },
		See: func(obs ...world.Observation) { seen <- obs[0].(world.LoadSeen) }}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	if got := await(t, seen); got.PerSecond != 5 || got.Patterns["copies"] != 1 || got.Features["buy"] != 0.5 || got.Dropped != 7 || got.At.IsZero() {
		t.Errorf("seen %+v", got)
	}
	n := 42.0
	got, err := l.Set(t.Context(), probes.Traffic{PerSecond: &n, Patterns: map[string]float64{"sync": 3}})
	if err != nil || got.PerSecond != 42 || got.Patterns["sync"] != 3 || got.Patterns["copies"] != 1 {
		t.Errorf("set: %+v, %v", got, err)
	}
	for await(t, seen).PerSecond != 42 {
	}
	if got, err := l.Set(t.Context(), probes.Traffic{Features: map[string]float64{"buy": 1}}); err != nil || got.PerSecond != 42 || got.Features["buy"] != 1 {
		t.Errorf("the rate is left as it is: %+v, %v", got, err)
	}
	_, err = l.Set(t.Context(), probes.Traffic{Patterns: map[string]float64{"sync": 10}})
	if !errors.Is(err, probes.ErrBadLoad) || !strings.HasSuffix(err.Error(), ": not more than 9 of sync") {
		t.Errorf("refused: %v", err)
	}
	n = 200
	_, err = l.Set(t.Context(), probes.Traffic{PerSecond: &n})
	if !errors.Is(err, probes.ErrNoLoad) || errors.Is(err, probes.ErrBadLoad) || !strings.Contains(err.Error(), "too much for now") {
		t.Errorf("unable: %v", err)
	}
	srv.Close()
	if _, err := l.Set(t.Context(), probes.Traffic{PerSecond: &n}); !errors.Is(err, probes.ErrNoLoad) || !strings.Contains(err.Error(), "shoppers refused the connection") {
		t.Errorf("dead: %v", err)
	}
	for await(t, seen).PerSecond >= 0 {
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
