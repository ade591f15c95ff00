package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// invented is a running demo, as the command runs it.
type invented struct {
	url string // of the page, without a slash at the end
	pid int
	end func()
}

// startDemo runs a demo in a process of its own. It ends with the test or with end.
func startDemo(t testing.TB, state string) *invented {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, "stillup"), "demo", "--state", state, "--addr", "127.0.0.1:0")
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := &invented{pid: cmd.Process.Pid}
	ended := false
	d.end = func() {
		if ended {
			return
		}
		ended = true
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the demo ended with: %v", err)
		}
	}
	t.Cleanup(d.end)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "http://") {
			d.url = line
			return d
		}
	}
	t.Fatalf("the demo says no address: %v", lines.Err())
	return nil
}

// demoStands says when the page of a state shows what the state is about.
var demoStands = map[string]string{
	"calm":         cellsAre(`() => true`, "works"),
	"idle":         cellsAre(`() => true`, "works"),
	"brisk":        cellsAre(`() => true`, "works"),
	"busy":         cellsAre(`() => true`, "works"),
	"one-dead":     cellsAre(`(c) => c.dataset.feature === 'browse' && c.dataset.pattern !== 'monolith'`, "fails"),
	"three-dead":   cellsAre(`(c) => c.dataset.feature === 'my-purchases' && c.dataset.pattern !== 'monolith' && c.dataset.pattern !== 'shared'`, "fails"),
	"bus-dead":     cellsAre(`(c) => c.dataset.feature === 'my-purchases' && c.dataset.pattern === 'copies'`, "stale"),
	"scaled":       `document.querySelectorAll('[data-node="purchases"] .light').length === 3 && /holds \d/.test(document.querySelector('[data-node="purchases"]').innerText)`,
	"joined":       `document.querySelector('[data-node="recommendations"]')?.dataset.state === 'up' && document.querySelectorAll('[data-node]').length === 18`,
	"services-60":  `document.title.includes('60 services')`,
	"services-200": `document.title.includes('200 services')`,
	"empty":        `document.querySelectorAll('[data-node][data-state="unknown"]').length === 16`,
	"disconnected": `document.body.classList.contains('lost')`,
}

// TestDemoStates: every state of the demo can be seen in a browser, and its page does what it says.
func TestDemoStates(t *testing.T) {
	p := openPage(t, "about:blank")
	for state, stands := range demoStands {
		d := startDemo(t, state)
		p.visit(d.url)
		p.until(20*time.Second, state, stands)
		p.until(time.Second, "it says that it is invented", `document.querySelector('header').innerText.includes('invented')`)
		if state == "disconnected" {
			p.until(20*time.Second, "it comes back by itself", `!document.body.classList.contains('lost')`)
		}
		if state == "one-dead" {
			p.press("Start catalog")
			p.until(10*time.Second, "what was started works", cellsAre(`() => true`, "works"))
		}
		d.end()
	}
}

// TestDemoCommand: what cannot be shown is said in words, with what can be.
func TestDemoCommand(t *testing.T) {
	for want, args := range map[string][]string{
		"services-200": {"demo", "--state", "list"},
		"calm, idle":   {"demo", "--state", "none"},
	} {
		out, err := exec.Command(filepath.Join(bin, "stillup"), args...).CombinedOutput()
		if (err != nil) != (args[2] == "none") || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

// TestDemoPictures makes the pictures of every state that the demo has.
func TestDemoPictures(t *testing.T) {
	if !*pictures {
		t.Skip("writes to docs; make pictures runs it")
	}
	dir := filepath.Join("docs", "demo")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	p := openPage(t, "about:blank")
	for state, stands := range demoStands {
		if state == "idle" || state == "brisk" {
			continue // they look as calm and busy do
		}
		d := startDemo(t, state)
		p.visit(d.url)
		p.until(20*time.Second, state, stands)
		p.until(20*time.Second, "rates are those of 5 s and what waits has grown", `performance.now() > 9000`)
		p.shots(dir, state)
		d.end()
	}
}
