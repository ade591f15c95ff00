// Package streamstest runs a real Redis (or Valkey) server for one test, to be killed, paused and wiped at will.
package streamstest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
)

// startTimeout bounds how long a server may take to load its data and be ready.
const startTimeout = 20 * time.Second

// Server is a private server on a loopback port, with its data (append-only file, fsync always) in the test's temporary
// directory. It keeps its address for its life. Its methods may be called from any goroutine; what goes wrong fails the
// test. The server ends with the test, and with the test's process however that ends.
type Server struct {
	t    testing.TB
	bin  string
	dir  string
	port int
	args []string

	mu     sync.Mutex
	cmd    *exec.Cmd     // nil while the server is down
	exited chan struct{} // closed once cmd is gone
}

// Start starts a server for t and returns once it is ready. Further args are given to it as they are ("--appendonly",
// "no" for one that forgets). A machine without redis-server and valkey-server fails the test.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		if bin, err = exec.LookPath("valkey-server"); err != nil {
			t.Fatal("streamstest: neither redis-server nor valkey-server is on the PATH; install one to run this test")
		}
	}
	s := &Server{t: t, bin: bin, dir: t.TempDir(), args: args}
	t.Cleanup(s.Kill)
	for range 20 {
		s.port = freePort()
		if err = s.start(); err == nil {
			return s
		}
	}
	t.Fatalf("streamstest: %v", err)
	return nil
}

// freePort finds a port below those that the system gives to outgoing connections, so that it is still free when a
// killed server is started again.
func freePort() int {
	for {
		port := 10_000 + rand.IntN(22_000)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = l.Close()
			return port
		}
	}
}

// Addr is the server's host:port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the server's redis:// address.
func (s *Server) URL() string { return "redis://" + s.Addr() }

// Client opens a client as streams.Open does. It is closed with the test.
func (s *Server) Client() *redis.Client {
	s.t.Helper()
	rdb, err := streams.Open(s.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// Start starts a killed server with the data that it had and returns once it is ready.
func (s *Server) Start() {
	s.t.Helper()
	if err := s.start(); err != nil {
		s.t.Errorf("streamstest: %v", err)
	}
}

// Kill ends the server with SIGKILL and returns once it is gone; a server that is down stays so.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kill()
}

// Pause stops the server from running (SIGSTOP): it is there and silent.
func (s *Server) Pause() { s.t.Helper(); s.signal(syscall.SIGSTOP) }

// Resume lets a paused server run on.
func (s *Server) Resume() { s.t.Helper(); s.signal(syscall.SIGCONT) }

// Wipe kills the server, deletes its data and starts it again, empty.
func (s *Server) Wipe() {
	s.t.Helper()
	s.Kill()
	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	for _, f := range files {
		err = errors.Join(err, os.RemoveAll(f))
	}
	if err != nil {
		s.t.Errorf("streamstest: wipe: %v", err)
	}
	s.Start()
}

// Name makes base a name of this test's own, for streams and groups of tests that share a server.
func Name(t testing.TB, base string) string {
	return base + "." + strings.ReplaceAll(t.Name(), "/", ".") + "." + strconv.FormatUint(rand.Uint64(), 36)
}

func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return errors.New("start: the server is up")
	}
	args := append([]string{
		"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir,
		"--appendonly", "yes", "--appendfsync", "always", "--save", "", "--daemonize", "no",
	}, s.args...)
	cmd := exec.Command(s.bin, args...)
	cmd.SysProcAttr = dieWithParent()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	started, exited := make(chan error, 1), make(chan struct{})
	ready := make(chan struct{})
	go func() {
		// The kernel ends the child when the thread that started it ends, so that thread is held until then.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(exited)
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		watch(out, ready)
		_ = cmd.Wait() // it was killed; why else it ended is told by start's log
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start: %w", err)
	}
	s.cmd, s.exited = cmd, exited
	select {
	case <-ready:
		return nil
	case <-exited:
		s.cmd = nil
		return fmt.Errorf("start: %s ended at once: %v", s.bin, cmd.ProcessState)
	case <-time.After(startTimeout):
		s.kill()
		return fmt.Errorf("start: %s was not ready after %v", s.bin, startTimeout)
	}
}

// watch reads the server's log to its end and closes ready at the line that says so.
func watch(log io.Reader, ready chan<- struct{}) {
	told := false
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if !told && strings.Contains(lines.Text(), "Ready to accept connections") {
			told = true
			close(ready)
		}
	}
}

func (s *Server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // fails only where it is gone already
	<-s.exited
	s.cmd = nil
}

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		s.t.Errorf("streamstest: %v: the server is down", sig)
		return
	}
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Errorf("streamstest: %v: %v", sig, err)
	}
}
