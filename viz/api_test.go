package viz

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/stillup/stillup/viz/control"
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

// fake is a runtime of nodes that are nothing but a state.
type fake struct {
	mu      sync.Mutex
	states  map[string]world.State
	urls    map[string]string
	fail    error // of the next action
	changed chan struct{}
}

func newFake() *fake {
	return &fake{states: map[string]world.State{"orders": world.Up, "purchases": world.Up, "bus": world.Up, "shoppers": world.Up},
		urls: map[string]string{}, changed: make(chan struct{}, 1)}
}

func (f *fake) Do(_ context.Context, node, verb string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fail; err != nil {
		f.fail = nil
		return fmt.Errorf("%s %s: %w", verb, node, err)
	}
	want := world.Down
	switch verb {
	case control.Kill, control.Stop:
	case control.Start:
		want = world.Up
	default:
		return fmt.Errorf("%q %s: %w", verb, node, control.ErrUnknownVerb)
	}
	if f.states[node] == "" {
		return fmt.Errorf("%s %s: %w", verb, node, control.ErrUnknownNode)
	}
	if f.states[node] == want {
		return fmt.Errorf("%s %s: %w", verb, node, control.ErrConflict)
	}
	f.states[node] = want
	select {
	case f.changed <- struct{}{}:
	default:
	}
	return nil
}

func (f *fake) Watch(ctx context.Context, see func(world.NodeSeen)) error {
	for {
		f.mu.Lock()
		for _, n := range system.Nodes {
			see(world.NodeSeen{At: time.Now(), Node: n.ID, State: f.states[n.ID], URL: f.urls[n.ID],
				Verbs: []string{control.Kill, control.Stop, control.Start}})
		}
		f.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-f.changed:
		}
	}
}

// api is a server over a real hub and a fake runtime.
type api struct {
	*server
	t   *testing.T
	url string
	log *logged
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
	a := &api{t: t, log: &logged{}}
	ctx, cancel := context.WithCancel(context.Background())
	srv := httptest.NewUnstartedServer(nil)
	guard, err := newGuard(srv.Listener.Addr(), "", token)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(a.log, nil))
	a.server = newServer(ctx, Options{System: system, Runtime: runtime, Token: token, Log: log}, guard)
	srv.Config.Handler = a.handler()
	srv.Start()
	a.url = srv.URL
	var running sync.WaitGroup
	running.Go(func() {
		if err := a.hub.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	if runtime != nil {
		running.Go(func() {
			if err := runtime.Watch(ctx, func(n world.NodeSeen) { a.hub.Observe(n) }); err != nil {
				t.Error(err)
			}
		})
		a.await(ctx, 5*time.Second, func(f world.Frame) bool {
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

func TestBadInput(t *testing.T) {
	a := serve(t, newFake(), "")
	large := strings.Repeat(" ", bodyLimit+1)
	for _, tc := range []struct {
		method, path, body string
		status             int
		words              string
	}{
		{"GET", "/nowhere", "", 404, "nothing at /nowhere"},
		{"GET", "/api/v1/", "", 404, "openapi"},
		{"GET", "/static/js/none.js", "", 404, "no file"},
		{"POST", "/api/v1/world", "", 405, "use GET"},
		{"GET", "/api/v1/restore", "", 405, "use POST"},
		{"GET", "/api/v1/nodes/orders/kill", "", 405, "use POST"},
		{"PUT", "/api/v1/load", "", 405, "use POST"},
		{"GET", "/v1/traces", "", 405, "use POST"},
		{"GET", "/api/v1/events?limit=0", "", 400, "1 to 1000"},
		{"GET", "/api/v1/events?limit=1001", "", 400, "1 to 1000"},
		{"GET", "/api/v1/events?limit=many", "", 400, "1 to 1000"},
		{"GET", "/api/v1/events?before=-1", "", 400, "before"},
		{"GET", "/api/v1/events?sort=up", "", 400, "unknown parameter"},
		{"GET", "/api/v1/events/none", "", 404, "no event"},
		{"POST", "/api/v1/nodes/nobody/kill", "", 404, "nobody"},
		{"POST", "/api/v1/nodes/orders/explode", "", 404, "kill, stop, start"},
		{"POST", "/api/v1/nodes/orders/start", "", 409, "orders is running already"},
		{"POST", "/api/v1/load", "", 400, "not what is wanted"},
		{"POST", "/api/v1/load", "{", 400, "not what is wanted"},
		{"POST", "/api/v1/load", "{}", 400, "per_second"},
		{"POST", "/api/v1/load", `{"per_second":1} 2`, 400, "after the JSON"},
		{"POST", "/api/v1/load", `{"per_second":"1"}`, 400, "not what is wanted"},
		{"POST", "/api/v1/load", `{"per_second":1,"x":2}`, 400, "unknown field"},
		{"POST", "/api/v1/load", `{"per_second":-1}`, 400, "0 to 100"},
		{"POST", "/api/v1/load", `{"per_second":101}`, 400, "0 to 100"},
		{"POST", "/api/v1/load", large, 413, "65536 bytes"},
		{"POST", "/api/v1/restore", large, 413, "65536 bytes"},
		{"GET", "/ws", "", 426, "WebSocket"},
		{"GET", "/readyz", "", 503, "not looked at"},
	} {
		a.expect(tc.status, tc.words, tc.method, tc.path, tc.body)
	}
	// Without Content-Length the limit holds while reading.
	req, err := http.NewRequestWithContext(t.Context(), "POST", a.url+"/api/v1/load", io.MultiReader(strings.NewReader(large)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Errorf("a long body of unknown length: %d, want 413", resp.StatusCode)
	}
	if resp, _ := a.do("DELETE", "/api/v1/world", ""); resp.Header.Get("Allow") != "GET" {
		t.Errorf("Allow is %q", resp.Header.Get("Allow"))
	}
}

func TestKillAndRestore(t *testing.T) {
	f := newFake()
	a := serve(t, f, "")
	a.expect(200, `"state":"down"`, "POST", "/api/v1/nodes/orders/kill", "")
	a.expect(409, "orders is down already", "POST", "/api/v1/nodes/orders/kill", "")
	a.expect(200, `"state":"down"`, "POST", "/api/v1/nodes/bus/stop", "")
	a.expect(200, `{"started":["bus","orders"]}`, "POST", "/api/v1/restore", "")
	a.expect(200, `{"started":[]}`, "POST", "/api/v1/restore", "")
	for _, n := range a.frame().Nodes {
		if n.State != world.Up {
			t.Errorf("%s is %s after restore", n.ID, n.State)
		}
	}
	a.expect(200, "", "POST", "/api/v1/nodes/orders/kill", "")
	f.mu.Lock()
	f.fail = errors.New("port 5432 is taken")
	f.mu.Unlock()
	a.expect(502, "port 5432 is taken", "POST", "/api/v1/nodes/orders/start", "")
	f.mu.Lock()
	f.fail = context.DeadlineExceeded
	f.mu.Unlock()
	a.expect(504, "orders", "POST", "/api/v1/nodes/orders/start", "")
	f.mu.Lock()
	f.fail = errors.New("disk full")
	f.mu.Unlock()
	a.expect(502, "disk full", "POST", "/api/v1/restore", "")

	log := a.log.String()
	for _, line := range []string{
		"msg=action verb=kill node=orders remote=127.0.0.1:", "outcome=done", "msg=action verb=restore", "already",
	} {
		if !strings.Contains(log, line) {
			t.Errorf("the log lacks %q:\n%s", line, log)
		}
	}
	a.expect(200, `stillup_actions_total{outcome="done",verb="kill"} 2`, "GET", "/metrics", "")
}

func TestLookButNotTouch(t *testing.T) {
	a := serve(t, nil, "")
	for _, path := range []string{"/api/v1/nodes/orders/kill", "/api/v1/restore", "/api/v1/load"} {
		a.expect(409, "look but not touch", "POST", path, `{"per_second":1}`)
	}
	if f := a.frame(); f.System.MaxLoad != 0 {
		t.Errorf("the page offers a load up to %v that would be refused", f.System.MaxLoad)
	}
}

func TestLoad(t *testing.T) {
	set := make(chan string, 1)
	shoppers := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		set <- string(b)
	}))
	f := newFake()
	f.urls["shoppers"] = shoppers.URL
	a := serve(t, f, "")
	a.expect(200, `{"per_second":12.5}`, "POST", "/api/v1/load", `{"per_second":12.5}`)
	if got := <-set; got != `{"per_second":12.5}` {
		t.Errorf("shoppers got %s", got)
	}
	if l := a.frame().Load; l == nil || l.PerSecond != 12.5 || !l.Known {
		t.Errorf("the world has %+v", l)
	}
	shoppers.Close()
	a.expect(502, "shoppers refused the connection", "POST", "/api/v1/load", `{"per_second":1}`)
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

func TestShapes(t *testing.T) {
	a := serve(t, newFake(), "")
	a.see()
	var w struct {
		Nodes []struct {
			ID, Kind, State, Since string
			Faults                 []string
		}
		Edges   []map[string]any
		Streams []struct {
			Name   string
			Length int64
			Total  int64
			Groups []struct {
				Name, Service string
				Lag, Pending  int64
				OldestMS      int64 `json:"oldest_ms"`
			}
		}
		Bus *world.BusState
	}
	b := a.expect(200, "", "GET", "/api/v1/world", "")
	if err := json.Unmarshal(b, &w); err != nil {
		t.Fatal(err)
	}
	if len(w.Nodes) != 4 || w.Nodes[0].ID != "orders" || w.Nodes[0].State != "up" || w.Nodes[0].Faults == nil ||
		!regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`).MatchString(w.Nodes[0].Since) {
		t.Errorf("nodes %+v", w.Nodes)
	}
	if len(w.Streams) != 1 || w.Streams[0].Length != 42 || w.Streams[0].Total != 42 || len(w.Streams[0].Groups) != 1 {
		t.Fatalf("streams %+v", w.Streams)
	}
	if g := w.Streams[0].Groups[0]; g.Name != "buyers" || g.Service != "purchases" || g.Lag != 5 || g.Pending != 2 || g.OldestMS < 900 {
		t.Errorf("group %+v", g)
	}
	if len(w.Edges) < 3 || w.Bus == nil || !w.Bus.Up {
		t.Errorf("%d edges, bus %+v", len(w.Edges), w.Bus)
	}
	if regexp.MustCompile(`"(nodes|edges|streams|groups|faults)":null`).Match(b) {
		t.Errorf("a list is null: %s", b)
	}

	a.expect(200, `"last_error":"catalog refused the connection"`, "GET", "/api/v1/features", "")
	a.expect(200, `"time":"2026-11-24T10:00:00.120Z"`, "GET", "/api/v1/events/e-1", "")
	a.expect(200, `"entry_id":"1-0"`, "GET", "/api/v1/events/1-0", "")
	a.expect(200, `{"events":[]}`, "GET", "/api/v1/events?type=none", "")
	a.expect(200, `"id":"e-2"`, "GET", "/api/v1/events?stream=orders&subject=o%2F1&limit=1", "")
	a.expect(200, "openapi: 3", "GET", "/api/openapi.yaml", "")
	a.expect(200, "up", "GET", "/healthz", "")
	a.expect(200, "", "HEAD", "/api/v1/world", "")
	for _, line := range []string{`stillup_events_seen_total{stream="orders"} 42`, `stillup_group_lag{service="purchases",stream="orders"} 5`,
		`stillup_group_pending{service="purchases",stream="orders"} 2`, `stillup_node_up{kind="service",node="orders"} 1`, "stillup_bus_up 1",
		`stillup_calls_failed_total{callee="orders",caller="shoppers"} 1`, "stillup_sockets 0"} {
		a.expect(200, line, "GET", "/metrics", "")
	}
}

func TestEmptyWorld(t *testing.T) {
	a := serve(t, nil, "")
	a.expect(200, `{"events":[]}`, "GET", "/api/v1/events", "")
	a.expect(200, `"edges":[`, "GET", "/api/v1/world", "")
	a.expect(200, `{"cells":[`, "GET", "/api/v1/features", "")
}

func TestSocketAndPage(t *testing.T) {
	a := serve(t, newFake(), "")
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(a.url, "http")+"/ws", http.Header{"Origin": {a.url}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var f world.Frame
	if err := conn.ReadJSON(&f); err != nil || !f.Full || len(f.Nodes) != 4 {
		t.Errorf("the first frame: %v %+v", err, f)
	}
	a.expect(200, "", "GET", "/static/js/main.js", "")
	resp, b := a.do("GET", "/", "")
	if resp.StatusCode != 200 || !strings.Contains(string(b), "purchases") {
		t.Errorf("the page: %d %s", resp.StatusCode, b)
	}
}

// TestOpenAPI: the file lists exactly the routes that are served.
func TestOpenAPI(t *testing.T) {
	var listed, served []string
	path := ""
	for line := range strings.Lines(string(openAPI)) {
		if m := regexp.MustCompile(`^  (/\S*):$`).FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			path = m[1]
		}
		if m := regexp.MustCompile(`^    (get|post|put|delete|patch):$`).FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			listed = append(listed, strings.ToUpper(m[1])+" "+path)
		}
	}
	for _, rt := range serve(t, nil, "").routes() {
		served = append(served, rt.method+" "+strings.ReplaceAll(rt.path, "...", ""))
	}
	slices.Sort(listed)
	slices.Sort(served)
	if !slices.Equal(listed, served) {
		t.Errorf("openapi.yaml lists\n%s\nserved are\n%s", strings.Join(listed, "\n"), strings.Join(served, "\n"))
	}
}
