package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// bin is where the programs under test were built.
var bin string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "stillup-test")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	// Postgres, run as another user, must pass through it.
	if err := os.Chmod(dir, 0o755); err != nil {
		return 0, err
	}
	bin = dir
	for name, pkg := range map[string]string{"stillup": ".", "stillup-stores": "./services/stores/embedded"} {
		out, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, name), pkg).CombinedOutput()
		if err != nil {
			return 0, fmt.Errorf("build %s: %w\n%s", pkg, err, out)
		}
	}
	return m.Run(), nil
}

// lab is a running stack with a client for its API.
type lab struct {
	*stack
	t    *testing.T
	base string
	end  func()
}

// patience is how many times as long as on a machine with nothing else to do what is tried may take until a test gives it
// up. What has to be fast is measured many times and judged by a quantile, not by the one that a busy machine held up.
const patience = 4

// startLab runs a whole lab on fresh data and waits until all nodes are up. It ends with the test.
func startLab(t *testing.T) *lab {
	t.Helper()
	return runLab(t, dataDir(t))
}

// startLabWith is startLab with options of its own; what they leave out is as there.
func startLabWith(t *testing.T, o upOptions) *lab {
	t.Helper()
	if o.data == "" {
		o.data = dataDir(t)
	}
	if o.addr == "" {
		o.addr = "127.0.0.1:0"
	}
	o.self = filepath.Join(bin, "stillup")
	return runLabWith(t, o)
}

// runLab runs a whole lab on the data in a folder and waits until all nodes are up. It ends with the test or with end.
func runLab(t *testing.T, data string) *lab {
	t.Helper()
	return startLabWith(t, upOptions{data: data})
}

func runLabWith(t *testing.T, o upOptions) *lab {
	t.Helper()
	s, err := prepare(t.Context(), o, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.run(ctx) }()
	l := &lab{stack: s, t: t, base: "http://" + s.ln.Addr().String()}
	l.end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the lab ended with: %v", err)
		}
		s.close()
		if t.Failed() {
			l.printLogs()
		}
	})
	t.Cleanup(l.end)
	select {
	case <-s.ready:
	case err := <-done:
		done <- err
		t.Fatalf("the lab ended before it was ready: %v", err)
	}
	l.eventually(time.Second, "all nodes are up", l.allUp)
	return l
}

func (l *lab) printLogs() {
	logs, _ := filepath.Glob(filepath.Join(l.data, "logs", "*.log"))
	for _, path := range logs {
		b, _ := os.ReadFile(path)
		l.t.Logf("%s:\n%s", filepath.Base(path), b[max(0, len(b)-400):])
	}
}

// eventually polls check until it passes; its last error is the test's.
func (l *lab) eventually(within time.Duration, what string, check func() error) {
	l.t.Helper()
	within *= patience
	begun := time.Now()
	ctx, cancel := context.WithTimeout(l.t.Context(), within)
	defer cancel()
	if err := until(ctx, func(context.Context) error { return check() }); err != nil {
		l.t.Fatalf("not within %s: %s: %v", within, what, err)
	}
	l.t.Logf("%s after %s", what, time.Since(begun).Round(time.Millisecond))
}

// call sends in as JSON to url, or to the dashboard where url begins with a slash, and decodes the answer into out.
func (l *lab) call(method, url string, in, out any) (status int, err error) {
	if strings.HasPrefix(url, "/") {
		url = l.base + url
	}
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(l.t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp.StatusCode, err
	}
	if resp.StatusCode >= 400 {
		return resp.StatusCode, fmt.Errorf("%s %s: %d %s", method, url, resp.StatusCode, b)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			return resp.StatusCode, fmt.Errorf("%s %s: %w in %s", method, url, err, b)
		}
	}
	return resp.StatusCode, nil
}

// do acts on a node and fails the test when it is refused.
func (l *lab) do(node, verb string) {
	l.t.Helper()
	if _, err := l.call(http.MethodPost, "/api/v1/nodes/"+node+"/"+verb, nil, nil); err != nil {
		l.t.Fatal(err)
	}
}

// url is a service's base address.
func (l *lab) url(service string) string {
	for _, n := range l.nodes {
		if n.ID == service {
			return n.URL
		}
	}
	l.t.Fatalf("no service %s", service)
	return ""
}

// env is what a node is told under that name.
func (l *lab) env(node, key string) string {
	for _, n := range l.nodes {
		for _, pair := range n.Env {
			if v, ok := strings.CutPrefix(pair, key+"="); ok && n.ID == node {
				return v
			}
		}
	}
	l.t.Fatalf("node %s has no %s", node, key)
	return ""
}

func (l *lab) allUp() error {
	var w struct{ Nodes []world.Node }
	if _, err := l.call(http.MethodGet, "/api/v1/world", nil, &w); err != nil {
		return err
	}
	if len(w.Nodes) < 16 {
		return fmt.Errorf("%d nodes", len(w.Nodes))
	}
	for _, n := range w.Nodes {
		if n.State != world.Up {
			return fmt.Errorf("%s is %s: %s", n.ID, n.State, n.Reason)
		}
	}
	return nil
}

// cell checks the state of one cell of the matrix.
func (l *lab) cell(feature, pattern string, want world.CellState) error {
	var f struct{ Cells []world.Cell }
	if _, err := l.call(http.MethodGet, "/api/v1/features", nil, &f); err != nil {
		return err
	}
	for _, c := range f.Cells {
		if c.Feature == feature && c.Pattern == pattern {
			if c.State == want {
				return nil
			}
			return fmt.Errorf("%s in %s %s (%s), want %s", feature, pattern, c.State, c.LastError, want)
		}
	}
	return fmt.Errorf("no cell %s in %s", feature, pattern)
}
