// Package storestest gives tests a running private store of each engine.
package storestest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/stillup/stillup/services/stores"
)

// Postgres returns the URL of an empty database of the test's own, on a server that all tests of the binary share. The
// database goes with the test.
func Postgres(t testing.TB) string {
	t.Helper()
	u := shared(t, stores.Postgres)
	name := fmt.Sprintf("test_%d", count.Add(1))
	server := u.String()
	exec := func(sql string) error {
		ctx, cancel := context.WithTimeout(context.Background(), startWithin)
		defer cancel()
		conn, err := pgx.Connect(ctx, server)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, sql)
		return err
	}
	if err := exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("storestest: create database: %v", err)
	}
	t.Cleanup(func() {
		if err := exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("storestest: drop database: %v", err)
		}
	})
	u.Path = "/" + name
	return u.String()
}

// Mongo returns the URL of an empty database of the test's own, on a server that all tests of the binary share. The
// database goes with the test. The URL's path is the database's name; [Database] opens it.
func Mongo(t testing.TB) string {
	t.Helper()
	u := shared(t, stores.MongoDB)
	u.Path = fmt.Sprintf("/test_%d", count.Add(1))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startWithin)
		defer cancel()
		client, err := mongo.Connect(options.Client().ApplyURI(u.String()))
		if err != nil {
			t.Errorf("storestest: %v", err)
			return
		}
		err = client.Database(u.Path[1:]).Drop(ctx)
		if err := errors.Join(err, client.Disconnect(ctx)); err != nil {
			t.Errorf("storestest: drop database: %v", err)
		}
	})
	return u.String()
}

// Database opens the database that a MongoDB URL names, until the test ends.
func Database(t testing.TB, mongoURL string) *mongo.Database {
	t.Helper()
	u, err := url.Parse(mongoURL)
	if err != nil {
		t.Fatalf("storestest: %v", err)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(mongoURL).SetServerSelectionTimeout(5 * time.Second))
	if err != nil {
		t.Fatalf("storestest: %v", err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	return client.Database(strings.TrimPrefix(u.Path, "/"))
}

// Redis returns the URL of an empty numbered database of the test's own, on a server that all tests of the binary
// share. It is emptied with the test. Channels, configuration and the list of clients are shared; a test that needs
// those to itself uses Start.
func Redis(t testing.TB) string {
	t.Helper()
	u := shared(t, stores.Redis)
	u.Path = fmt.Sprintf("/%d", count.Add(1)%redisDatabases)
	opt, err := redis.ParseURL(u.String())
	if err != nil {
		t.Fatalf("storestest: %v", err)
	}
	empty := func() {
		rdb := redis.NewClient(opt)
		defer rdb.Close()
		if err := rdb.FlushDB(context.Background()).Err(); err != nil {
			t.Errorf("storestest: empty Redis: %v", err)
		}
	}
	empty()
	t.Cleanup(empty)
	return u.String()
}

const (
	startWithin    = 30 * time.Second
	workersWithin  = 5 * time.Second // the end of what a killed Postgres leaves behind
	redisDatabases = 512
)

var (
	count  atomic.Int64
	once   sync.Mutex
	common = map[string]*Server{}
)

// shared returns the address of the binary's one server of an engine, started at first use and again if it died.
func shared(t testing.TB, engine string) *url.URL {
	t.Helper()
	once.Lock()
	defer once.Unlock()
	s := common[engine]
	if s == nil {
		var err error
		if s, err = launch(engine); err != nil {
			t.Fatalf("storestest: %s: %v", engine, err)
		}
		common[engine] = s
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatalf("storestest: %v", err)
	}
	return u
}

// Server is a store of one test's own, which it may kill.
type Server struct {
	Engine string
	URL    string
	dir    string
	cmd    stores.Command
	run    *exec.Cmd // nil while dead
	guard  *os.File  // closed by this process's end, which wakes the guard
}

// Start runs a store for the test alone. It ends with the test.
func Start(t testing.TB, engine string) *Server {
	t.Helper()
	s, err := launch(engine)
	if err != nil {
		t.Fatalf("storestest: %s: %v", engine, err)
	}
	t.Cleanup(func() {
		s.end()
		if s.guard != nil {
			s.guard.Close()
		}
		os.RemoveAll(s.dir)
	})
	return s
}

// Kill ends the server with SIGKILL and returns when it is dead. Its data stay.
func (s *Server) Kill() { s.end() }

// Start runs the killed server again on the same data and port and returns when it answers.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	// Workers of a killed Postgres outlive it by a moment, and no other starts on their data.
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(workersWithin)
	err := s.start()
	for err != nil && s.Engine == stores.Postgres && time.Now().Before(deadline) {
		<-tick.C
		err = s.start()
	}
	if err != nil {
		t.Fatalf("storestest: start %s: %v", s.Engine, err)
	}
}

// Pid is the running server's process id.
func (s *Server) Pid() int { return s.run.Process.Pid }

func launch(engine string) (*Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute) // a first build of the embedded engines
	defer cancel()
	unlock := func() {}
	var embedded string
	found, err := stores.Find(ctx, engine, "")
	if err != nil && engine == stores.MongoDB {
		if embedded, unlock, err = build(ctx); err == nil {
			found, err = stores.Find(ctx, engine, embedded)
		}
	}
	defer unlock()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "stillup-storestest-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // Postgres runs as another user when root tests
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd, err := found.Prepare(ctx, dir, port)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	switch engine {
	case stores.Postgres:
		cmd.Args = append(cmd.Args, "-c", "fsync=off") // the machine does not die in a test, only processes
	case stores.Redis:
		cmd.Args = append(cmd.Args, "--databases", fmt.Sprint(redisDatabases))
	}
	s := &Server{Engine: engine, URL: cmd.URL, dir: dir, cmd: cmd}
	if err := s.start(); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

func (s *Server) start() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	run := exec.Command(s.cmd.Path, s.cmd.Args...)
	run.Env, run.Dir = append(os.Environ(), s.cmd.Env...), s.cmd.Dir
	run.Stdout, run.Stderr = log, log
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt from the keyboard is for the test
	if s.cmd.UID != 0 {
		run.SysProcAttr.Credential = &syscall.Credential{Uid: s.cmd.UID, Gid: s.cmd.GID}
	}
	if err := run.Start(); err != nil {
		return err
	}
	s.run = run
	err = os.WriteFile(s.pidFile(), fmt.Appendln(nil, run.Process.Pid), 0o600)
	if err == nil && s.guard == nil {
		err = s.watch()
	}
	if err != nil {
		s.end()
		return err
	}
	return s.await()
}

// pidFile tells the guard what to kill.
func (s *Server) pidFile() string { return filepath.Join(s.dir, "pid") }

// watch starts a guard: a shell that waits for the end of this process, however it comes, then ends the server and
// deletes its folder.
func (s *Server) watch() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	// SIGQUIT is Postgres' immediate end, with all its workers; what does not heed it is killed.
	const script = `read _
if read pid <"$1/pid"; then
	kill -QUIT "$pid"
	for i in 1 2 3 4 5; do kill -0 "$pid" || break; sleep 0.1; done
	kill -KILL "$pid"
	sleep 0.1
fi 2>/dev/null
rm -rf "$1"`
	cmd := exec.Command("/bin/sh", "-c", script, "sh", s.dir)
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		w.Close()
		return err
	}
	s.guard = w
	return nil
}

// await waits until the server answers; a death before that is an error with the server's last words.
func (s *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := stores.Ping(ctx, s.URL)
		if err == nil {
			return nil
		}
		var status syscall.WaitStatus
		if pid, _ := syscall.Wait4(s.run.Process.Pid, &status, syscall.WNOHANG, nil); pid > 0 {
			_ = os.Remove(s.pidFile())
			s.run = nil
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("it ended (%v): %s", status, log)
		}
		select {
		case <-ctx.Done():
			s.end()
			return fmt.Errorf("it does not answer: %w", err)
		case <-tick.C:
		}
	}
}

// end kills the server and its workers and waits for it.
func (s *Server) end() {
	if s.run == nil {
		return
	}
	_ = s.run.Process.Kill()
	_ = s.run.Wait()
	_ = os.Remove(s.pidFile())
	s.run = nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// build builds the embedded engines into the user's cache, where an up-to-date program is left alone, and holds a lock
// on it until unlock, for other test binaries build it too.
func build(ctx context.Context) (path string, unlock func(), err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "stillup")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", func() {}, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", func() {}, err
	}
	unlock = func() { lock.Close() }
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", unlock, err
	}
	path = filepath.Join(dir, "stillup-stores")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "github.com/stillup/stillup/services/stores/embedded").CombinedOutput()
	if err != nil {
		return "", unlock, fmt.Errorf("build the embedded engines: %w: %s", err, out)
	}
	return path, unlock, nil
}
