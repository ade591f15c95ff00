package control_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
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
)

func TestMain(m *testing.M) {
	switch os.Getenv("CONTROL_TEST_ROLE") {
	case "launcher":
		launcher()
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

func TestConformance(t *testing.T) {
	controltest.Conformance(t, func(t *testing.T) controltest.Fixture {
		p, err := control.NewProcesses([]control.Process{{ID: "sleeper", Path: "/bin/sleep", Args: []string{"300"},
			LogFile: filepath.Join(t.TempDir(), "sleeper.log")}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		return controltest.Fixture{Runtime: p, Node: "sleeper", Murder: func(t *testing.T) {
			if err := syscall.Kill(p.PIDs()["sleeper"], syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}}
	})
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

func TestKillTakesGrandchildren(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	// setsid: a session and group of its own, as Postgres' workers have.
	p, err := control.NewProcesses([]control.Process{{ID: "tree", Path: "/bin/sh",
		Args: []string{"-c", "setsid sh -c 'echo $$ > " + pidFile + "; sleep 300' & wait"},
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
	if err := p.Do(t.Context(), "tree", control.Action{Verb: control.Start}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	grandchild, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Do(t.Context(), "tree", control.Action{Verb: control.Kill}); err != nil {
		t.Fatal(err)
	}
	awaitGone(t, grandchild)
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
	deadline := time.After(3 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("process %d is still alive: %s", pid, stat)
		}
	}
}
