package control_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/control/controltest"
	"github.com/stillup/stillup/viz/world"
)

func TestMain(m *testing.M) {
	switch os.Getenv("CONTROL_TEST_ROLE") {
	case "launcher":
		launcher()
	case "node":
		node()
	default:
		goleak.VerifyTestMain(m)
	}
}

// launcher starts one child that has a child of its own, prints both ids and waits to be murdered.
func launcher() {
	p, err := control.NewProcesses([]control.Process{{ID: "a", Path: "/bin/sleep", Args: []string{"300"}}}, nil)
	if err == nil {
		err = p.Do(context.Background(), "a", control.Action{Verb: control.Start})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(p.PIDs()["a"])
	select {}
}

// TestConformance runs the suite over a node that is made slow and failing by its links, as stores are, and over one that
// does so itself, as services do.
func TestConformance(t *testing.T) {
	for _, own := range []bool{false, true} {
		t.Run(fmt.Sprintf("faults of its own %v", own), func(t *testing.T) {
			controltest.Conformance(t, func(t *testing.T) controltest.Fixture { return fixture(t, own) })
		})
	}
}

func fixture(t *testing.T, ownFaults bool) controltest.Fixture {
	ports := freePorts(t, 5)
	direct, linked, peerDirect, peerLinked, toPeer := ports[0], ports[1], ports[2], ports[3], ports[4]
	process := func(id, addr, peer string) control.Process {
		return control.Process{ID: id, Path: os.Args[0], LogFile: filepath.Join(t.TempDir(), id+".log"),
			Env:   []string{"CONTROL_TEST_ROLE=node", "ADDR=" + addr, "PEER=" + peer},
			Ready: func(ctx context.Context) error { _, err := get(ctx, "http://"+addr+"/"); return err }}
	}
	node := process("node", direct, toPeer)
	if ownFaults {
		node.SetFaults = func(ctx context.Context, latency time.Duration, share float64) error {
			return putFaults(ctx, direct, latency, share)
		}
	}
	p, err := control.NewProcesses([]control.Process{node, process("peer", peerDirect, "")}, []control.Link{
		{To: "node", Listen: linked, Upstream: direct},
		{To: "peer", Listen: peerLinked, Upstream: peerDirect},
		{From: "node", To: "peer", Listen: toPeer, Upstream: peerDirect},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return controltest.Fixture{Runtime: p, Node: "node", Peer: "peer",
		Ask: func(ctx context.Context) error { _, err := get(ctx, "http://"+linked+"/"); return err },
		Heard: func(ctx context.Context) (n int, err error) {
			text, err := get(ctx, "http://"+peerLinked+"/heard")
			if err == nil {
				n, err = strconv.Atoi(text)
			}
			return n, err
		},
		Murder: func(t *testing.T) {
			if err := syscall.Kill(p.PIDs()["node"], syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}}
}

func TestNoChildSurvivesTheLauncher(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CONTROL_TEST_ROLE=launcher")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("launcher said %q", line)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	awaitGone(t, child)
}

func TestGrandchildren(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	// setsid: a session and group of its own, as Postgres' workers have.
	p, err := control.NewProcesses([]control.Process{{ID: "tree", Path: "/bin/sh",
		Args: []string{"-c", "setsid sh -c 'echo $$ > " + pidFile + "; while :; do :; done' & wait"},
		Ready: func(context.Context) error {
			b, err := os.ReadFile(pidFile)
			if err == nil && len(b) == 0 {
				return errors.New("empty")
			}
			return err
		}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	do := func(verb string) {
		t.Helper()
		if err := p.Do(t.Context(), "tree", control.Action{Verb: verb}); err != nil {
			t.Fatal(err)
		}
	}
	do(control.Start)
	b, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	grandchild, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{control.Pause, control.Resume, control.Pause} {
		do(verb)
		for _, pid := range []int{p.PIDs()["tree"], grandchild} {
			if stopped := stateOf(pid) == "T"; stopped != (verb == control.Pause) {
				t.Errorf("process %d is %s after %s", pid, stateOf(pid), verb)
			}
		}
	}
	do(control.Kill)
	awaitGone(t, grandchild)
}

func TestNoLinkToNowhere(t *testing.T) {
	nodes := []control.Process{{ID: "a", Path: "/bin/true"}, {ID: "b", Path: "/bin/true"}}
	for _, tc := range []struct {
		links []control.Link
		words string
	}{
		{[]control.Link{{From: "a", To: "c", Listen: "127.0.0.1:1"}}, `leads to "c"`},
		{[]control.Link{{From: "c", To: "a", Listen: "127.0.0.1:1"}}, `comes from "c"`},
		{[]control.Link{{To: "a", Listen: "127.0.0.1:1"}, {To: "b", Listen: "127.0.0.1:1"}}, "two links listen on 127.0.0.1:1"},
	} {
		if _, err := control.NewProcesses(nodes, tc.links); err == nil || !strings.Contains(err.Error(), tc.words) {
			t.Errorf("%+v: %v, want %q", tc.links, err, tc.words)
		}
	}
}

func TestVerbsOfANode(t *testing.T) {
	p, err := control.NewProcesses([]control.Process{{ID: "client", Path: "/bin/sleep", Args: []string{"300"}, Client: true,
		SetFaults: func(context.Context, time.Duration, float64) error { return nil }}, {ID: "asked", Path: "/bin/true"},
		{ID: "alone", Path: "/bin/true"}}, []control.Link{{From: "client", To: "asked", Listen: "127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	got := map[string]string{}
	ctx, cancel := context.WithCancel(t.Context())
	if err := p.Watch(ctx, func(o world.Observation) {
		n, ok := o.(world.NodeSeen)
		if !ok {
			return
		}
		got[n.Node] = strings.Join(n.Verbs, " ")
		if len(got) == 3 {
			cancel()
		}
	}); err != nil {
		t.Fatal(err)
	}
	for node, want := range map[string]string{
		"client": "kill stop start pause resume cut heal",
		"asked":  "kill stop start pause resume slow cut errors heal",
		"alone":  "kill stop start pause resume",
	} {
		if got[node] != want {
			t.Errorf("%s: %s, want %s", node, got[node], want)
		}
	}
	err = p.Do(t.Context(), "client", control.Action{Verb: control.Slow, Latency: time.Second})
	if !errors.Is(err, control.ErrUnknownVerb) {
		t.Errorf("slow of a client: %v", err)
	}
}

func TestALinkWhosePortIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := taken.Addr().String()
	p, err := control.NewProcesses([]control.Process{{ID: "a", Path: "/bin/sleep", Args: []string{"300"}}},
		[]control.Link{{To: "a", Listen: addr, Upstream: "127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	err = p.Do(t.Context(), "a", control.Action{Verb: control.Start})
	if err == nil || !strings.Contains(err.Error(), addr) || !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("start: %v, want that %s is taken", err, addr)
	}
	if pids := p.PIDs(); len(pids) != 0 {
		t.Errorf("it runs all the same: %v", pids)
	}
	taken.Close()
	if err := p.Do(t.Context(), "a", control.Action{Verb: control.Start}); err != nil {
		t.Errorf("start with the port free: %v", err)
	}
}

func TestFaultsThatAProcessDoesNotTake(t *testing.T) {
	p, err := control.NewProcesses([]control.Process{{ID: "a", Path: "/bin/sleep", Args: []string{"300"},
		SetFaults: func(context.Context, time.Duration, float64) error { return errors.New("it says no") }}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Do(t.Context(), "a", control.Action{Verb: control.Start}); err != nil {
		t.Fatal(err)
	}
	err = p.Do(t.Context(), "a", control.Action{Verb: control.Slow, Latency: time.Second})
	if err == nil || !strings.Contains(err.Error(), "it says no") {
		t.Errorf("slow: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := p.Watch(ctx, func(o world.Observation) {
		n, ok := o.(world.NodeSeen)
		if !ok {
			return
		}
		if len(n.Faults) > 0 {
			t.Errorf("faults %+v are told that are not in force", n.Faults)
		}
		cancel()
	}); err != nil {
		t.Fatal(err)
	}
}

func TestDeathWordsQuoteTheLog(t *testing.T) {
	p, err := control.NewProcesses([]control.Process{{ID: "bad", Path: "/bin/sh",
		Args:    []string{"-c", "echo port 5432 is taken >&2; exit 3"},
		LogFile: filepath.Join(t.TempDir(), "bad.log"),
		Ready:   func(context.Context) error { return errors.New("never") }}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	err = p.Do(t.Context(), "bad", control.Action{Verb: control.Start})
	if err == nil || !strings.Contains(err.Error(), "exit code 3: port 5432 is taken") {
		t.Fatalf("got %v", err)
	}
}

func TestStopOfADeafNodeKillsIt(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the whole grace")
	}
	ready := filepath.Join(t.TempDir(), "ready")
	p, err := control.NewProcesses([]control.Process{{ID: "deaf", Path: "/bin/sh",
		Args:  []string{"-c", "trap '' TERM; : > " + ready + "; while :; do sleep 1; done"},
		Ready: func(context.Context) error { _, err := os.Stat(ready); return err }}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Do(t.Context(), "deaf", control.Action{Verb: control.Start}); err != nil {
		t.Fatal(err)
	}
	if err := p.Do(t.Context(), "deaf", control.Action{Verb: control.Stop}); err != nil {
		t.Fatal(err)
	}
}

// awaitGone waits until no process of that id is alive; a zombie nobody reaped is dead.
func awaitGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if s := stateOf(pid); s == "" || s == "Z" {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("process %d is still alive: %s", pid, stateOf(pid))
		}
	}
}

// stateOf is the letter of a process' state; empty for one that is not there.
func stateOf(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	return strings.Fields(string(stat[strings.LastIndex(string(stat), ")")+1:]))[0]
}
