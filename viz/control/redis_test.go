package control_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/viz/control"
)

// TestRedis: a real store behind a link, and a real client's view of each fault.
func TestRedis(t *testing.T) {
	found, err := stores.Find(t.Context(), stores.Redis, "")
	if err != nil {
		t.Fatal(err)
	}
	addrs := freePorts(t, 2)
	_, text, err := net.SplitHostPort(addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd, err := found.Prepare(t.Context(), filepath.Join(dir, "redis"), port)
	if err != nil {
		t.Fatal(err)
	}
	p, err := control.NewProcesses([]control.Process{{ID: "redis", Path: cmd.Path, Args: cmd.Args, Env: cmd.Env, Dir: cmd.Dir,
		UID: cmd.UID, GID: cmd.GID, StopSignal: cmd.StopSignal, LogFile: filepath.Join(dir, "redis.log"),
		Ready: func(ctx context.Context) error { return stores.Ping(ctx, cmd.URL) }}},
		[]control.Link{{To: "redis", Listen: addrs[1], Upstream: addrs[0]}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	do := func(a control.Action) {
		t.Helper()
		if err := p.Do(t.Context(), "redis", a); err != nil {
			t.Fatal(err)
		}
	}
	do(control.Action{Verb: control.Start})

	u, err := url.Parse(cmd.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = addrs[1]
	opt, err := redis.ParseURL(u.String())
	if err != nil {
		t.Fatal(err)
	}
	opt.ContextTimeoutEnabled, opt.MaxRetries, opt.DialerRetries = true, -1, 1
	rdb := redis.NewClient(opt)
	t.Cleanup(func() { rdb.Close() })
	ping := func() (time.Duration, error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		err := rdb.Ping(ctx).Err()
		return time.Since(begun), err
	}
	answers := func(when string) {
		t.Helper()
		if took, err := ping(); err != nil {
			t.Errorf("%s: %v after %s", when, err, took)
		}
	}
	silent := func(when string) {
		t.Helper()
		took, err := ping()
		if ne := net.Error(nil); !errors.As(err, &ne) || !ne.Timeout() || took < 900*time.Millisecond {
			t.Errorf("%s: %v after %s, want a time-out", when, err, took)
		}
	}
	answers("healthy")

	do(control.Action{Verb: control.Pause})
	silent("paused")
	do(control.Action{Verb: control.Resume})
	answers("resumed")

	do(control.Action{Verb: control.Cut})
	silent("cut off")
	do(control.Action{Verb: control.Heal})
	answers("healed")

	do(control.Action{Verb: control.Slow, Latency: 100 * time.Millisecond})
	for range 3 {
		if took, err := ping(); err != nil || took < 100*time.Millisecond {
			t.Errorf("slow: %v after %s", err, took)
		}
	}
	// Sixteen that ask at once wait at once, each on a connection of its own: in turn it would be more than a ping may take.
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() { answers("slow, at once") })
	}
	wg.Wait()
	do(control.Action{Verb: control.Heal})

	do(control.Action{Verb: control.Errors, Share: 1})
	for range 5 {
		if _, err := ping(); err == nil {
			t.Error("a request came through though all fail")
		}
	}
	do(control.Action{Verb: control.Heal})
	answers("healed of errors")

	do(control.Action{Verb: control.Kill})
	if _, err := ping(); !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, io.EOF) { // the latter on an old connection
		t.Errorf("killed: %v", err)
	}
	do(control.Action{Verb: control.Start})
	answers("started again")
}
