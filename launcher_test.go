package main

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dataDir makes a folder that every user may pass through, as Postgres needs it.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(bin, "data")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// launch runs the real program's "up" and returns it with its output so far, once a line holds word.
func launch(t *testing.T, word string, args ...string) (*exec.Cmd, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "stillup"), append([]string{"up"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), word) {
			return cmd, said.String()
		}
	}
	t.Fatalf("up ended without saying %q:\n%s", word, said.String())
	return nil, ""
}

// TestLauncherKilled: a SIGKILL of the launcher leaves nothing running, and the data is whole at the next up.
func TestLauncherKilled(t *testing.T) {
	data := dataDir(t)
	cmd, _ := launch(t, "nodes are ready", "--addr", "127.0.0.1:0", "--data", data)
	if len(using(data)) < 16 {
		t.Fatalf("only %d processes of the lab run", len(using(data)))
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	err := until(ctx, func(context.Context) error {
		if left := using(data); len(left) > 0 {
			return &leftError{left}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	again, _ := launch(t, "nodes are ready", "--addr", "127.0.0.1:0", "--data", data)
	t.Logf("the next up took %s", time.Since(begun).Round(time.Millisecond))
	if err := again.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := again.Wait(); err != nil {
		t.Errorf("a gentle end: %v", err)
	}
	if left := using(data); len(left) > 0 {
		t.Errorf("left after a gentle end: %v", left)
	}
}

type leftError struct{ left []string }

func (e *leftError) Error() string { return "still running: " + strings.Join(e.left, "; ") }

// using lists the command lines of the live processes of the lab on that data folder: those that name it in their command
// line or environment, or work in it.
func using(data string) []string {
	var all []string
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		cmdline, err := os.ReadFile(filepath.Join(d, "cmdline"))
		if err != nil || len(cmdline) == 0 || filepath.Base(d) == "self" {
			continue
		}
		cwd, _ := os.Readlink(filepath.Join(d, "cwd"))
		out, _ := os.Readlink(filepath.Join(d, "fd", "1")) // every node's output goes to a log in the folder
		if strings.Contains(string(cmdline), data) || strings.HasPrefix(cwd, data) || strings.HasPrefix(out, data) {
			if !strings.Contains(string(cmdline), "\x00up\x00") {
				all = append(all, strings.ReplaceAll(string(cmdline), "\x00", " "))
			}
		}
	}
	return all
}

func TestSecondUpOnTheSameData(t *testing.T) {
	data := dataDir(t)
	unlock, err := lock(data, "127.0.0.1:7070")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	_, said := launch(t, "another stillup runs", "--addr", "127.0.0.1:0", "--data", data)
	if !strings.Contains(said, "http://127.0.0.1:7070") || !strings.Contains(said, "--data") {
		t.Errorf("it says neither where nor what to do: %s", said)
	}
}

func TestBusyPort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, said := launch(t, "is in use", "--addr", ln.Addr().String(), "--data", dataDir(t))
	if !strings.Contains(said, ln.Addr().String()) || !strings.Contains(said, "--addr") {
		t.Errorf("it names neither the port nor what to do: %s", said)
	}
}

func TestForeignDataFolder(t *testing.T) {
	data := dataDir(t)
	thesis := filepath.Join(data, "thesis.txt")
	if err := os.WriteFile(thesis, []byte("years of work"), 0o644); err != nil {
		t.Fatal(err)
	}
	launch(t, "not Stillup's", "--addr", "127.0.0.1:0", "--fresh", "--data", data)
	if _, err := os.Stat(thesis); err != nil {
		t.Fatal(err)
	}
}
