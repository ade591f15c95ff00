package viz

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

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
		{"POST", "/api/v1/nodes/orders/explode", "", 404, "there is kill, stop, start, pause, resume, slow, cut, errors, heal"},
		{"POST", "/api/v1/nodes/orders/explode", `{"x":1}`, 404, "there is kill"},
		{"POST", "/api/v1/nodes/shoppers/slow", `{"latency_ms":1}`, 404, "there is kill, stop, start, pause, resume, cut, heal"},
		{"POST", "/api/v1/nodes/orders/start", "", 409, "orders is running already"},
		{"POST", "/api/v1/nodes/orders/resume", "", 409, "orders is not paused; it is up"},
		{"POST", "/api/v1/nodes/orders/slow", "", 400, "it is empty; send {"},
		{"POST", "/api/v1/nodes/orders/slow", "{}", 400, "from 1 to 10000"},
		{"POST", "/api/v1/nodes/orders/slow", "300", 400, "from 1 to 10000"},
		{"POST", "/api/v1/nodes/orders/slow", `{"latency_ms":0}`, 400, "latency_ms is 0; send"},
		{"POST", "/api/v1/nodes/orders/slow", `{"latency_ms":10001}`, 400, "latency_ms is 10001; send"},
		{"POST", "/api/v1/nodes/orders/slow", `{"latency_ms":9223372036854775807}`, 400, "from 1 to 10000"},
		{"POST", "/api/v1/nodes/orders/slow", `{"latency_ms":1.5}`, 400, "a whole number"},
		{"POST", "/api/v1/nodes/orders/slow", `{"latency_ms":"1"}`, 400, "a whole number"},
		{"POST", "/api/v1/nodes/orders/slow", `{"share":0.5}`, 400, "a whole number from 1 to 10000"},
		{"POST", "/api/v1/nodes/orders/errors", "", 400, "a number above 0 and at most 1"},
		{"POST", "/api/v1/nodes/orders/errors", `{"share":0}`, 400, "share is 0; send"},
		{"POST", "/api/v1/nodes/orders/errors", `{"share":-0.5}`, 400, "share is -0.5; send"},
		{"POST", "/api/v1/nodes/orders/errors", `{"share":1.01}`, 400, "share is 1.01; send"},
		{"POST", "/api/v1/nodes/orders/errors", `{"latency_ms":1}`, 400, "a number above 0 and at most 1"},
		{"POST", "/api/v1/nodes/orders/cut", `{"latency_ms":1}`, 400, "cut takes no numbers; send no body"},
		{"POST", "/api/v1/nodes/orders/kill", "now", 400, "kill takes no numbers"},
		{"POST", "/api/v1/nodes/orders/kill", large + "x", 413, "65536 bytes"},
		{"POST", "/api/v1/load", "", 400, "not what is wanted"},
		{"POST", "/api/v1/load", "{", 400, "not what is wanted"},
		{"POST", "/api/v1/load", "{}", 400, "per_second"},
		{"POST", "/api/v1/load", `{"per_second":1} 2`, 400, "after the JSON"},
		{"POST", "/api/v1/load", `{"per_second":"1"}`, 400, "not what is wanted"},
		{"POST", "/api/v1/load", `{"per_second":1,"x":2}`, 400, "unknown field"},
		{"POST", "/api/v1/load", `{"per_second":-1}`, 400, "0 to 100"},
		{"POST", "/api/v1/load", `{"per_second":101}`, 400, "0 to 100"},
		{"POST", "/api/v1/load", `{"per_second":1e999}`, 400, "not what is wanted"},
		{"POST", "/api/v1/load", `{"patterns":{}}`, 400, "per_second"},
		{"POST", "/api/v1/load", `{"patterns":{"sink":1}}`, 400, "; there are sync"},
		{"POST", "/api/v1/load", `{"patterns":{"sync":-1}}`, 400, "pattern sync is -1; give a weight of 0 or more"},
		{"POST", "/api/v1/load", `{"features":{"steal":1}}`, 400, "; there are buy"},
		{"POST", "/api/v1/load", `{"features":{"buy":1.5}}`, 400, "feature buy is 1.5; give a share from 0 to 1"},
		{"GET", "/api/v1/features/steal/sync", "", 404, "no feature is called"},
		{"GET", "/api/v1/features/buy/sink", "", 404, "buy cannot be had in a pattern called"},
		{"POST", "/api/v1/features/buy/sync", "", 405, "use GET"},
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
	a.expect(200, `{"started":["bus","orders"],"resumed":[],"healed":[]}`, "POST", "/api/v1/restore", "")
	a.expect(200, `{"started":[],"resumed":[],"healed":[]}`, "POST", "/api/v1/restore", "")
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

func TestFaults(t *testing.T) {
	f := newFake()
	a := serve(t, f, "")
	post := func(status int, words, what, body string) {
		t.Helper()
		a.expect(status, words, "POST", "/api/v1/nodes/"+what, body)
	}
	post(200, `{"node":"orders","verb":"pause","state":"paused","faults":[]}`, "orders/pause", "")
	for what, words := range map[string]string{"start": "orders is paused; resume it", "pause": "orders is paused already",
		"cut": "orders is paused; resume it first"} {
		post(409, words, "orders/"+what, "")
	}
	post(200, `"state":"up","faults":[]}`, "orders/resume", "{}")
	post(200, `"faults":[{"kind":"slow","latency_ms":250}]`, "orders/slow", `{"latency_ms":250}`)
	post(200, `"faults":[{"kind":"slow","latency_ms":300}]`, "orders/slow", `{"latency_ms":300}`)
	post(200, `{"kind":"errors","share":0.2}`, "orders/errors", `{"share":0.2}`)
	post(200, `{"kind":"cut"}`, "orders/cut", "")
	post(409, "orders is cut off already", "orders/cut", "")
	a.expect(200, `{"kind":"cut"}`, "GET", "/api/v1/world", "")
	post(200, `"faults":[]`, "orders/heal", "")
	post(200, `"faults":[]`, "orders/heal", "") // of a healthy one too
	post(200, `"state":"down","faults":[]`, "orders/kill", "")
	for what, words := range map[string]string{"pause": "orders is down; start it first", "cut": "orders is down; start it first",
		"resume": "orders is not paused; it is down"} {
		post(409, words, "orders/"+what, "")
	}
	post(409, "orders is down; start it first", "orders/slow", `{"latency_ms":1}`)
	f.mu.Lock()
	f.fail = control.ErrBadAction
	f.mu.Unlock()
	post(400, "cannot be done so", "bus/pause", "")

	notes := ""
	for _, n := range a.frame().Notes {
		notes += n.Text + "\n"
	}
	for _, want := range []string{"asked for: slow orders: 300 ms\n", "asked for: errors orders: 20 %\n", "asked for: cut orders\n",
		"orders is slow: 300 ms are added to its answers\n", "orders fails on purpose: 20 % of its requests\n",
		"orders is cut off\n", "orders is healed\n"} {
		if strings.Count(notes, want) != 1 {
			t.Errorf("%d times %q in the notes:\n%s", strings.Count(notes, want), want, notes)
		}
	}
}

func TestRestoreResumesAndHeals(t *testing.T) {
	f := newFake()
	a := serve(t, f, "")
	for what, body := range map[string]string{"orders/kill": "", "bus/slow": `{"latency_ms":5}`, "shoppers/cut": ""} {
		a.expect(200, "", "POST", "/api/v1/nodes/"+what, body)
	}
	a.expect(200, "", "POST", "/api/v1/nodes/purchases/errors", `{"share":1}`)
	a.expect(200, `"state":"paused","faults":[{"kind":"errors","share":1}]`, "POST", "/api/v1/nodes/purchases/pause", "")
	a.expect(200, `{"started":["orders"],"resumed":["purchases"],"healed":["bus","purchases","shoppers"]}`, "POST", "/api/v1/restore", "")
	for _, n := range a.frame().Nodes {
		if n.State != world.Up || len(n.Faults) > 0 {
			t.Errorf("%s is %s with faults %v after restore", n.ID, n.State, n.Faults)
		}
	}
	f.mu.Lock()
	want := len(f.done)
	f.mu.Unlock()
	a.expect(200, `{"started":[],"resumed":[],"healed":[]}`, "POST", "/api/v1/restore", "")
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.done) != want {
		t.Errorf("restore of what is whole did %v", f.done[want:])
	}
}

func TestLookButNotTouch(t *testing.T) {
	a := serve(t, nil, "")
	a.expect(200, `"control":{"can":false,"why":"This dashboard watches a system that somebody else runs."}`, "GET", "/api/v1/world", "")
	for _, path := range []string{"/api/v1/nodes/orders/kill", "/api/v1/restore", "/api/v1/load"} {
		a.expect(409, "look but not touch", "POST", path, `{"per_second":1}`)
	}
	if f := a.frame(); f.System.MaxLoad != 0 {
		t.Errorf("the page offers a load up to %v that would be refused", f.System.MaxLoad)
	}
}

func TestShapes(t *testing.T) {
	a := serve(t, newFake(), "")
	a.see()
	var w struct {
		Nodes []struct {
			ID, Kind, State, Since string
			Faults                 []world.Fault
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
	if regexp.MustCompile(`"(nodes|edges|streams|groups|faults|replicas)":null`).Match(b) {
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
