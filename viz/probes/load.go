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

// Errors of Load.Set, with the reason in words.
var (
	// ErrNoLoad is wrapped where the node that makes the traffic did not do as it was told.
	ErrNoLoad = errors.New("the traffic could not be set")
	// ErrBadLoad is wrapped where that node refuses what it was told.
	ErrBadLoad = errors.New("the traffic cannot be set so")
)

// Load watches and sets what traffic there is. All fields must be set.
type Load struct {
	Spec world.LoadSpec
	URL  func(node string) string // a node's base address; empty: not known yet
	See  func(...world.Observation)
}

// Traffic is what is to be set; what is left out stays as it is.
type Traffic struct {
	PerSecond *float64           `json:"per_second,omitempty"` // journeys
	Patterns  map[string]float64 `json:"patterns,omitempty"`   // weight of each among the journeys
	Features  map[string]float64 `json:"features,omitempty"`   // share of journeys that use each
}

// Run asks every second until ctx ends and returns nil then. See gets a LoadSeen each time, negative where the node
// does not answer.
func (l *Load) Run(ctx context.Context) error {
	client := newClient(loadWithin)
	tick := time.NewTicker(loadEvery)
	defer tick.Stop()
	for {
		seen, err := l.get(ctx, client)
		if err != nil {
			seen = world.LoadSeen{PerSecond: -1}
		}
		if ctx.Err() != nil {
			return nil
		}
		seen.At = time.Now()
		l.See(seen)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Set sets the traffic, asks how it is then, tells See at once and returns it. Errors wrap ErrNoLoad or ErrBadLoad.
func (l *Load) Set(ctx context.Context, wanted Traffic) (world.LoadSeen, error) {
	body, err := json.Marshal(wanted)
	if err != nil {
		return world.LoadSeen{}, fmt.Errorf("set the traffic: %w", err)
	}
	client := newClient(loadWithin)
	status, answer, err := l.ask(ctx, client, http.MethodPost, body)
	switch {
	case err != nil:
		return world.LoadSeen{}, fmt.Errorf("%w: %w", ErrNoLoad, err)
	case status == http.StatusBadRequest:
		return world.LoadSeen{}, fmt.Errorf("%w: %s", ErrBadLoad, problem(l.Spec.Node, status, answer))
	case status >= 300:
		return world.LoadSeen{}, fmt.Errorf("%w: %s", ErrNoLoad, problem(l.Spec.Node, status, answer))
	}
	seen, err := l.get(ctx, client)
	if err != nil {
		return seen, fmt.Errorf("%w, or so it seems: %w", ErrNoLoad, err)
	}
	seen.At = time.Now()
	l.See(seen)
	return seen, nil
}

// get asks the node what traffic is set.
func (l *Load) get(ctx context.Context, client *http.Client) (seen world.LoadSeen, err error) {
	status, answer, err := l.ask(ctx, client, http.MethodGet, nil)
	if err != nil {
		return seen, err
	}
	if status >= 300 {
		return seen, errors.New(problem(l.Spec.Node, status, answer))
	}
	var said struct {
		Traffic
		Dropped int64 `json:"dropped"`
	}
	if err := json.Unmarshal(answer, &said); err != nil || said.PerSecond == nil || *said.PerSecond < 0 {
		return seen, fmt.Errorf("%s answered something else than its traffic", l.Spec.Node)
	}
	return world.LoadSeen{PerSecond: *said.PerSecond, Patterns: said.Patterns, Features: said.Features, Dropped: said.Dropped}, nil
}

// ask sends one request to the node; its error says in words why there was no answer.
func (l *Load) ask(ctx context.Context, client *http.Client, method string, body []byte) (status int, answer []byte, err error) {
	base := l.URL(l.Spec.Node)
	if base == "" {
		return 0, nil, fmt.Errorf("the address of %s is not known yet", l.Spec.Node)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(base, "/")+l.Spec.Path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if status, answer, err = exchange(client, req); err != nil {
		return 0, nil, errors.New(words(l.Spec.Node, err))
	}
	return status, answer, nil
}
