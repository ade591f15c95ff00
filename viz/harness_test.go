package viz

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/tour"
	"github.com/stillup/stillup/viz/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// system is a small shop: orders emits, purchases takes, shoppers ask.
var system = world.System{
	Name: "test",
	Nodes: []world.NodeSpec{
		{ID: "orders", Kind: world.Service, Emits: []string{"orders"}},
		{ID: "purchases", Kind: world.Service, Takes: []string{"orders"}, Group: "buyers"},
		{ID: "bus", Kind: world.Bus, Engine: "redis"},
		{ID: "shoppers", Kind: world.Client},
	},
	Streams:  []world.StreamSpec{{Name: "orders", Kind: "orders"}},
	Kinds:    []world.KindSpec{{ID: "orders", Name: "orders"}},
	Patterns: []world.PatternSpec{{ID: "sync", Name: "Synchronous requests"}},
	Features: []world.FeatureSpec{{ID: "buy", Name: "buy", Crosses: true, Requests: map[string]world.RequestSpec{
		"sync": {Node: "orders", Method: "POST", Path: "/sync/orders"}}}},
	Load: &world.LoadSpec{Node: "shoppers", Path: "/load", Max: 100},
}

// fake is a runtime of nodes that are nothing but a state and faults.
type fake struct {
	mu      sync.Mutex
	states  map[string]world.State
	faults  map[string][]world.Fault
	urls    map[string]string
	fail    error    // of the next action
	done    []string // all that was, as "kill orders" or "kill purchases 2"
	changed chan struct{}
	// replicas are the ids of a node that runs more than once; their states and faults stand under "purchases 2".
	replicas map[string][]string
	nodes    []world.NodeSpec // that it has
}

func newFake() *fake {
	return &fake{states: map[string]world.State{"orders": world.Up, "purchases": world.Up, "bus": world.Up, "shoppers": world.Up},
		faults: map[string][]world.Fault{}, urls: map[string]string{}, changed: make(chan struct{}, 1),
		replicas: map[string][]string{}, nodes: system.Nodes}
}

// newScaled is a fake in which purchases runs three times.
func newScaled() *fake {
	f := newFake()
	for _, id := range []string{"1", "2", "3"} {
		f.replicas["purchases"] = append(f.replicas["purchases"], id)
		f.states["purchases "+id] = world.Up
	}
	return f
}

// verbs of a fake's node; shoppers are a client.
func (f *fake) verbs(node string) []string {
	if node == "shoppers" {
		return []string{control.Kill, control.Stop, control.Start, control.Pause, control.Resume, control.Cut, control.Heal}
	}
	return []string{control.Kill, control.Stop, control.Start, control.Pause, control.Resume, control.Slow, control.Cut,
		control.Errors, control.Heal}
}

func (f *fake) Do(_ context.Context, node string, a control.Action) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fail; err != nil {
		f.fail = nil
		return fmt.Errorf("%s %s: %w", a.Verb, node, err)
	}
	if f.states[node] == "" {
		return fmt.Errorf("%s %s: %w", a.Verb, node, control.ErrUnknownNode)
	}
	if !slices.Contains(f.verbs(node), a.Verb) {
		return fmt.Errorf("%q %s: %w", a.Verb, node, control.ErrUnknownVerb)
	}
	ids := f.replicas[node]
	switch {
	case a.Replica != "" && !slices.Contains(ids, a.Replica):
		return fmt.Errorf("%s %s: it has no replica %q: %w", a.Verb, node, a.Replica, control.ErrBadAction)
	case a.Replica != "":
		return f.doTo(node+" "+a.Replica, a)
	case len(ids) == 0:
		return f.doTo(node, a)
	}
	var err error
	done := false
	for _, id := range ids {
		if one := f.doTo(node+" "+id, a); one == nil {
			done = true
		} else {
			err = one
		}
	}
	if done {
		return nil
	}
	return err
}

// doTo acts on a node or a replica of one.
func (f *fake) doTo(node string, a control.Action) error {
	state := f.states[node]
	fault, imposes := map[string]world.Fault{
		control.Slow:   {Kind: world.FaultSlow, LatencyMS: a.Latency.Milliseconds()},
		control.Cut:    {Kind: world.FaultCut},
		control.Errors: {Kind: world.FaultErrors, Share: a.Share},
	}[a.Verb]
	var next world.State
	ok := state == world.Up
	switch a.Verb {
	case control.Kill, control.Stop:
		next, ok = world.Down, state != world.Down
	case control.Start:
		next, ok = world.Up, state == world.Down
	case control.Pause:
		next = world.Paused
	case control.Resume:
		next, ok = world.Up, state == world.Paused
	case control.Heal:
		next, ok = state, ok || len(f.faults[node]) == 0
	case control.Cut:
		next, ok = state, ok && !slices.Contains(f.faults[node], fault)
	default:
		next = state
	}
	if !ok {
		return fmt.Errorf("%s %s: %w", a.Verb, node, control.ErrConflict)
	}
	kept := slices.DeleteFunc(slices.Clone(f.faults[node]), func(old world.Fault) bool {
		return a.Verb == control.Heal || next == world.Down || imposes && old.Kind == fault.Kind
	})
	if imposes {
		kept = append(kept, fault)
	}
	f.states[node], f.faults[node] = next, kept
	f.done = append(f.done, a.Verb+" "+node)
	select {
	case f.changed <- struct{}{}:
	default:
	}
	return nil
}

func (f *fake) Watch(ctx context.Context, see func(world.Observation)) error {
	for {
		f.mu.Lock()
		for _, n := range f.nodes {
			see(f.seen(n.ID))
		}
		f.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-f.changed:
		}
	}
}

// seen is how a node is: of one that runs more than once, its best replica's state and all their faults.
func (f *fake) seen(node string) world.NodeSeen {
	o := world.NodeSeen{At: time.Now(), Node: node, State: f.states[node], URL: f.urls[node], Faults: f.faults[node], Verbs: f.verbs(node)}
	for i, id := range f.replicas[node] {
		r := world.ReplicaSeen{ID: id, State: f.states[node+" "+id], Since: o.At, Faults: f.faults[node+" "+id], Consumer: "c-" + id}
		o.Replicas = append(o.Replicas, r)
		if i == 0 || r.State == world.Up {
			o.State = r.State
		}
		o.Faults = append(slices.Clone(o.Faults), r.Faults...)
	}
	return o
}

// api is a server over a real hub and a fake runtime.
type api struct {
	*server
	t   *testing.T
	url string
	log *logged
	end context.CancelFunc // ends what the server does, as the dashboard's end
}

// logged is what was logged.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serve runs the HTTP side with hub and runtime, without the watchers of the bus and of features.
func serve(t *testing.T, runtime control.Runtime, token string) *api {
	t.Helper()
	return serveSystem(t, system, runtime, token)
}

// serveSystem is serve for another system than the small shop.
func serveSystem(t *testing.T, of world.System, runtime control.Runtime, token string) *api {
	t.Helper()
	return serveChapters(t, of, runtime, token, nil)
}

// serveChapters is serveSystem with something to walk through.
func serveChapters(t *testing.T, of world.System, runtime control.Runtime, token string, chapters fs.FS) *api {
	t.Helper()
	walkthrough, err := Options{System: of, Chapters: chapters}.readTour()
	if err != nil {
		t.Fatal(err)
	}
	return serveTour(t, of, runtime, token, walkthrough)
}

// serveTour is serveChapters with what was read of them.
func serveTour(t *testing.T, of world.System, runtime control.Runtime, token string, walkthrough *tour.Tour) *api {
	t.Helper()
	a := &api{t: t, log: &logged{}}
	ctx, cancel := context.WithCancel(context.Background())
	srv := httptest.NewUnstartedServer(nil)
	guard, err := newGuard(srv.Listener.Addr(), "", token)
	if err != nil {
		t.Fatal(err)
	}
	a.server = newServer(ctx, Options{System: of, Runtime: runtime, Token: token, Log: slog.New(slog.NewTextHandler(a.log, nil))}, guard, walkthrough)
	srv.Config.Handler = a.handler()
	srv.Start()
	a.url, a.end = srv.URL, cancel
	var running sync.WaitGroup
	running.Go(func() {
		if err := a.hub.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	for _, run := range []func(context.Context) error{a.walk.run, a.walk.ask} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	if runtime != nil {
		running.Go(func() {
			if err := runtime.Watch(ctx, func(o world.Observation) { a.hub.Observe(o) }); err != nil {
				t.Error(err)
			}
		})
		a.await(ctx, 20*time.Second, func(f world.Frame) bool {
			return !slices.ContainsFunc(f.Nodes, func(n world.Node) bool { return n.State == world.Unknown })
		})
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
		srv.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return a
}

// do sends a request; headers are pairs, and "Host" is one of them.
func (a *api) do(method, path, body string, headers ...string) (*http.Response, []byte) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp, b
}

// expect checks status and that the body holds the words; where the status is an error's, that it is a problem document.
func (a *api) expect(status int, words, method, path, body string, headers ...string) []byte {
	a.t.Helper()
	resp, b := a.do(method, path, body, headers...)
	if resp.StatusCode != status || !strings.Contains(string(b), words) {
		a.t.Errorf("%s %s: %d %s\nwant %d with %q", method, path, resp.StatusCode, b, status, words)
	}
	if status >= 400 && method != http.MethodHead {
		var p problem
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		if err := d.Decode(&p); err != nil || p.Type != "about:blank" || p.Title == "" || p.Status != status || p.Detail == "" ||
			!strings.HasPrefix(path, p.Instance) || resp.Header.Get("Content-Type") != "application/problem+json" {
			a.t.Errorf("%s %s: not a problem document (%v): %s %s", method, path, err, resp.Header.Get("Content-Type"), b)
		}
	}
	for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} {
		if resp.Header.Get(name) == "" {
			a.t.Errorf("%s %s: no %s", method, path, name)
		}
	}
	return b
}

// see gives the world something of everything.
func (a *api) see() {
	now := time.Now()
	at := time.Date(2026, 11, 24, 10, 0, 0, 120_456_789, time.UTC)
	raw := []byte(`{"specversion":"1.0","id":"e-1","source":"orders","type":"order.placed.v1","data":{"html":"<b>"}}`)
	a.hub.Observe(
		world.BusSeen{At: now},
		world.EventsSeen{At: now, Bases: map[string]int64{"orders": 40}, Events: []world.EventSeen{
			{Stream: "orders", EntryID: "1-0", ID: "e-1", Source: "orders", Type: "order.placed.v1", Subject: "o/1", Time: at, Raw: raw},
			{Stream: "orders", EntryID: "2-0", ID: "e-2", Source: "orders", Type: "order.confirmed.v1", Subject: "o/1", Time: at, Raw: raw}}},
		world.StreamsSeen{At: now, Streams: []world.StreamSeen{{Name: "orders", Length: 42, Added: 42, FirstID: "0-1", LastID: "2-0",
			Groups: []world.GroupSeen{{Stream: "orders", Group: "buyers", Consumers: 1, Pending: 2, Lag: 5, Applied: "0-35", Oldest: now.Add(-time.Second)}}}}},
		world.CallsSeen{At: now, Calls: []world.CallSeen{{Caller: "shoppers", Callee: "orders", Method: "POST", Path: "/sync/orders",
			Status: 502, Failed: true, Reason: "catalog refused the connection", Start: now, Duration: time.Millisecond}}},
		world.Tick{At: now.Add(time.Millisecond)},
	)
}
