package probes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stillup/stillup/viz/world"
)

const (
	loadEvery  = time.Second // how often the traffic is asked for
	loadWithin = time.Second // how long an answer may take
)

// ErrNoLoad is wrapped where the node that makes the traffic did not do as it was told.
var ErrNoLoad = errors.New("the traffic could not be set")

// Load watches and sets how much traffic there is. All fields must be set.
type Load struct {
	Spec world.LoadSpec
	URL  func(node string) string // a node's base address; empty: not known yet
	See  func(...world.Observation)
}

// rate is what the node's address takes and gives.
type rate struct {
	PerSecond float64 `json:"per_second"`
}

// Run asks every second until ctx ends and returns nil then. See gets a LoadSeen each time, negative where the node
// does not answer.
func (l *Load) Run(ctx context.Context) error {
	client := newClient(loadWithin)
	tick := time.NewTicker(loadEvery)
	defer tick.Stop()
	for {
		seen, err := l.ask(ctx, client, http.MethodGet, nil)
		if err != nil {
			seen = -1
		}
		if ctx.Err() != nil {
			return nil
		}
		l.See(world.LoadSeen{At: time.Now(), PerSecond: seen})
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Set sets the traffic to n journeys a second and tells See at once. Errors wrap ErrNoLoad and say why in words.
func (l *Load) Set(ctx context.Context, n float64) error {
	body, err := json.Marshal(rate{n})
	if err != nil {
		return fmt.Errorf("set the traffic to %v: %w", n, err)
	}
	if _, err := l.ask(ctx, newClient(loadWithin), http.MethodPost, body); err != nil {
		return fmt.Errorf("%w to %v a second: %w", ErrNoLoad, n, err)
	}
	l.See(world.LoadSeen{At: time.Now(), PerSecond: n})
	return nil
}

// ask sends one request to the node and returns the rate that it answers.
func (l *Load) ask(ctx context.Context, client *http.Client, method string, body []byte) (float64, error) {
	base := l.URL(l.Spec.Node)
	if base == "" {
		return 0, fmt.Errorf("the address of %s is not known yet", l.Spec.Node)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(base, "/")+l.Spec.Path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	status, answer, err := exchange(client, req)
	if err != nil {
		return 0, errors.New(words(l.Spec.Node, err))
	}
	if status >= 300 {
		return 0, errors.New(problem(l.Spec.Node, status, answer))
	}
	if method != http.MethodGet {
		return 0, nil
	}
	var r rate
	if err := json.Unmarshal(answer, &r); err != nil || r.PerSecond < 0 {
		return 0, fmt.Errorf("%s answered something else than its rate", l.Spec.Node)
	}
	return r.PerSecond, nil
}
