package control

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// running are gates under test with one gate, to "users".
type running struct {
	addr  string // of the gate
	admin string
	log   *syncedLog
}

type syncedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *syncedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *syncedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func gated(t *testing.T, upstream string) *running { return gatedAt(t, freeAddr(t), upstream) }

// gatedAt runs gates until the test ends.
func gatedAt(t *testing.T, addr, upstream string) *running {
	t.Helper()
	r := &running{addr: addr, log: &syncedLog{}}
	g, err := NewGates([]Gate{{"users", addr, upstream}}, slog.New(slog.NewTextHandler(r.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.admin = "http://" + ln.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx, ln) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the gates ended: %v", err)
		}
		if r.accepts() {
			t.Error("the gate listens after the end")
		}
		if t.Failed() {
			t.Log(r.log)
		}
	})
	return r
}

// ask sends a request to the gates' own address and decodes the answer into v.
func (g *running) ask(t *testing.T, method, path, body string, v any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, g.admin+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && v != nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		t.Fatalf("%s %s: %v (%s)", method, path, err, b)
	}
	return res.StatusCode
}

func (g *running) state(t *testing.T) (s GateState) {
	t.Helper()
	if status := g.ask(t, "GET", "/gates/users", "", &s); status != http.StatusOK {
		t.Fatalf("GET: %d", status)
	}
	return s
}

func (g *running) put(t *testing.T, body string) (s GateState) {
	t.Helper()
	if status := g.ask(t, "PUT", "/gates/users", body, &s); status != http.StatusOK {
		t.Fatalf("PUT %s: %d", body, status)
	}
	return s
}

func TestGateIsSlowAndFails(t *testing.T) {
	g := gated(t, upstream(t, echo))
	g.until(t, true)
	const latency = 80 * time.Millisecond
	if got := g.put(t, `{"latency_ms": 80}`); got != (GateState{GateFaults{LatencyMS: 80}, true}) {
		t.Errorf("answered %+v", got)
	}
	c := dial(t, g.addr)
	sent := time.Now()
	send(t, c, []byte("one"))
	receive(t, c, []byte("one"))
	if took := time.Since(sent); took < latency {
		t.Errorf("an answer took %s; it was to take at least %s", took, latency)
	}
	g.put(t, `{"error_share": 1}`)
	send(t, c, []byte("two"))
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes of a request that was to fail", n)
	}
	if got := g.put(t, `{}`); got != (GateState{Open: true}) || got != g.state(t) {
		t.Errorf("healed: %+v", got)
	}
	c = dial(t, g.addr)
	send(t, c, []byte("three"))
	receive(t, c, []byte("three"))
}

func TestGateRequests(t *testing.T) {
	open, shut := gated(t, upstream(t, echo)), gated(t, freeAddr(t))
	open.until(t, true)
	for _, c := range []struct {
		gate               *running
		method, path, body string
		status             int
		says               string
	}{
		{open, "PUT", "/gates/users", `{"latency_ms": 10001}`, 400, "it can be 0 to 10000"},
		{open, "PUT", "/gates/users", `{"latency_ms": -1}`, 400, "it can be 0 to 10000"},
		{open, "PUT", "/gates/users", `{"error_share": 1.5}`, 400, "it can be 0 to 1"},
		{open, "PUT", "/gates/users", `{"latency": 5}`, 400, `unknown field "latency"`},
		{open, "PUT", "/gates/users", `{} {}`, 400, "more than one"},
		{open, "PUT", "/gates/users", ``, 400, "send {"},
		{open, "PUT", "/gates/users", `{"cut":` + strings.Repeat(" ", maxGateBody), 413, "4096 bytes"},
		{open, "PUT", "/gates/nobody", `{}`, 404, "there is users"},
		{open, "GET", "/gates/nobody", ``, 404, "there is users"},
		{open, "POST", "/gates/users", `{}`, 405, "GET and PUT"},
		{open, "GET", "/gates", ``, 404, "/gates/{node}"},
		{shut, "PUT", "/gates/users", `{"cut": true}`, 409, "the gate is closed"},
	} {
		var p struct {
			Status int
			Detail string
		}
		status := c.gate.ask(t, c.method, c.path, c.body, &p)
		if status != c.status || p.Status != c.status || !strings.Contains(p.Detail, c.says) {
			t.Errorf("%s %s %.40s: %d, %+v; want %d and %q", c.method, c.path, c.body, status, p, c.status, c.says)
		}
	}
	if got := open.state(t); got != (GateState{Open: true}) {
		t.Errorf("what was refused left %+v", got)
	}
	if got := shut.put(t, `{}`); got != (GateState{}) {
		t.Errorf("a closed gate without faults: %+v", got)
	}
	if status := shut.ask(t, "GET", "/healthz", "", nil); status != http.StatusOK {
		t.Errorf("healthz: %d", status)
	}
}

func TestParseGate(t *testing.T) {
	if g, err := ParseGate("users=users-gate:8001=users:8001"); err != nil || g != (Gate{"users", "users-gate:8001", "users:8001"}) {
		t.Errorf("%+v, %v", g, err)
	}
	if _, err := ParseGate("users=:8001=[::1]:8001"); err != nil {
		t.Error(err)
	}
	for s, says := range map[string]string{
		"":                                "NODE=LISTEN=UPSTREAM",
		"users":                           "NODE=LISTEN=UPSTREAM",
		"users=:8001":                     "NODE=LISTEN=UPSTREAM",
		"=:8001=users:8001":               "NODE=LISTEN=UPSTREAM",
		"users=:8001=users:8001=more":     "NODE=LISTEN=UPSTREAM",
		"users=8001=users:8001":           `"8001" is no address`,
		"users=:8001=users":               `"users" is no address`,
		"users=:http=users:8001":          `":http" is no address`,
		"users=:8001=users:80010":         `"users:80010" is no address`,
		"users=users-gate:8001=:8001":     `":8001" names no host`,
		"users=users-gate:8001=http://u/": "is no address",
	} {
		if _, err := ParseGate(s); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v; want %q", s, err, says)
		}
	}
}

func TestNewGatesRefuses(t *testing.T) {
	for says, specs := range map[string][]Gate{
		"there is no gate":        nil,
		`"a" has two gates`:       {{"a", ":1", "a:1"}, {"a", ":2", "a:1"}},
		`"a" and "b" both listen`: {{"a", ":1", "a:1"}, {"b", ":1", "b:1"}},
	} {
		if _, err := NewGates(specs, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v; want %q", specs, err, says)
		}
	}
}

// TestGatesLeaveNothing: not a goroutine, whatever was under way.
func TestGatesLeaveNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("gates", func(t *testing.T) {
		gated(t, freeAddr(t))
		n := &target{addr: freeAddr(t)}
		n.start(t)
		g := gated(t, n.addr)
		g.until(t, true)
		for _, f := range []string{`{"latency_ms": 10000}`, `{"cut": true}`} {
			g.put(t, f)
			send(t, dial(t, g.addr), []byte("one"))
		}
	})
	goleak.VerifyNone(t, before)
}
