package chassis_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// versions is a copy that knows of each subject its highest version.
type versions struct {
	chassis.RedisMark
	slow atomic.Pointer[func()] // called before each event that is applied; nil: nothing
}

const versionsKey = "versions"

var putVersion = redis.NewScript(`if tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or 0) < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
return 1`)

func (v *versions) Digest(ctx context.Context) (*chassis.Digest, error) {
	all, err := v.HGetAll(ctx, versionsKey).Result()
	d := &chassis.Digest{}
	for id, version := range all {
		if err := d.Add(id, version); err != nil {
			return nil, err
		}
	}
	return d, err
}

func (v *versions) Wipe(ctx context.Context) error { return v.Del(ctx, versionsKey).Err() }

func (v *versions) take(ctx context.Context, e streams.Event) error {
	if slow := v.slow.Load(); slow != nil {
		(*slow)()
	}
	return putVersion.Run(ctx, v.Client, []string{versionsKey}, e.Subject, e.Version).Err()
}

// setup is a bus, a store, and what runs a service with a copy in it.
type setup struct {
	bus   *redis.Client
	store *versions
	run   func(context.Context, chassis.Config) error
	cfg   chassis.Config
}

func newSetup(t *testing.T, peers map[string]string) *setup {
	server := streamstest.Start(t)
	rdb, err := streams.Open(storestest.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rdb.Close() })
	s := &setup{bus: server.Client(), store: &versions{RedisMark: chassis.RedisMark{Client: rdb}},
		cfg: chassis.Config{Name: "reader", Instance: "reader-1", Peers: peers}}
	s.run = func(ctx context.Context, cfg chassis.Config) error {
		svc, err := chassis.New(cfg)
		if err != nil {
			return err
		}
		takes := chassis.Takes{"thing.changed.v1": s.store.take}
		svc.Consume("copies", &streams.Consumer{Redis: s.bus, Group: cfg.Name, Name: cfg.Instance, Streams: []string{"one", "two"},
			Handle: takes.Handler(cfg.Name), Healthy: svc.Healthy, Log: svc.Log}, chassis.Rebuild{Job: "rebuild", Takes: takes, Copy: s.store})
		return svc.Run(ctx)
	}
	return s
}

// tell puts n events, of 50 subjects in turn, on both streams; versions begin at first.
func (s *setup) tell(t *testing.T, first, n int) {
	t.Helper()
	for _, stream := range []string{"one", "two"} {
		events := make([]streams.Event, n)
		for i := range events {
			events[i] = chassistest.Event(t, stream, "thing.changed.v1", fmt.Sprintf("%s-%d", stream, i%50), int64(first+i/50), i)
		}
		if _, err := streams.Publish(t.Context(), s.bus, stream, events...); err != nil {
			t.Fatal(err)
		}
	}
}

// applied waits until the group has nothing left to do.
func (s *setup) applied(t *testing.T) {
	t.Helper()
	chassistest.Eventually(t, "all is applied", func() bool {
		found, err := streams.Inspect(t.Context(), s.bus, []string{"one", "two"})
		for _, stream := range found {
			if len(stream.Groups) != 1 || stream.Groups[0].Applied != stream.LastID {
				return false
			}
		}
		return err == nil && len(found) == 2
	})
}

func (s *setup) digest(t *testing.T) string {
	t.Helper()
	d, err := s.store.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// rebuild starts the job.
func rebuild(t *testing.T, url string) {
	t.Helper()
	var p chassis.Problem
	if status := chassistest.Call(url, http.MethodPost, "/jobs/rebuild", nil, &p); status != http.StatusAccepted {
		t.Fatalf("start: %d %s", status, p.Detail)
	}
}

func progress(url string) (p chassis.Progress) {
	chassistest.Get(url+"/jobs/rebuild", &p)
	return p
}

// ended waits for the job's end and wants it in that state.
func ended(t *testing.T, url, state string) (p chassis.Progress) {
	t.Helper()
	chassistest.Eventually(t, "the job has ended", func() bool {
		p = progress(url)
		return p.State == chassis.JobDone || p.State == chassis.JobFailed
	})
	if p.State != state {
		t.Fatalf("%+v, want %s", p, state)
	}
	return p
}

// TestRebuild: under traffic the copy is built again as it was at a point, while what comes after waits; then the consumer
// goes on.
func TestRebuild(t *testing.T) {
	s := newSetup(t, nil)
	url := chassistest.Start(t, s.cfg, s.run)
	s.tell(t, 1, 500)
	s.applied(t)
	before := s.digest(t)

	inside, on := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(inside) })
	block := func() { once(); <-on }
	s.store.slow.Store(&block)
	rebuild(t, url)
	<-inside
	s.tell(t, 100, 100) // new versions, which have to wait
	if p := progress(url); p.State != chassis.JobRunning || p.Total != 1000 || p.Before != before || p.After != "" || p.Said != "applying again 1000 events from the log" {
		t.Errorf("in the middle: %+v", p)
	}
	found, err := streams.Inspect(t.Context(), s.bus, []string{"one", "two"})
	if err != nil || found[0].Groups[0].Lag != 100 || found[1].Groups[0].Lag != 100 {
		t.Errorf("meanwhile: %+v, %v", found, err)
	}
	s.store.slow.Store(nil)
	close(on)
	if p := ended(t, url, chassis.JobDone); p.Done != 1000 || p.Total != 1000 || p.Before != before || p.After != before || p.PerSecond <= 0 ||
		!strings.HasPrefix(p.Said, "the copy equals what it was: 100 records from 1000 events in ") {
		t.Errorf("done: %+v", p)
	}
	s.applied(t)
	if v := s.store.HGet(t.Context(), versionsKey, "two-49").Val(); v != "101" {
		t.Errorf("after it: version %s, want 101", v)
	}
}

// TestRebuildIsFinished: one that was cut off is finished when the service starts again, before it consumes.
func TestRebuildIsFinished(t *testing.T) {
	s := newSetup(t, nil)
	ctx, kill := context.WithCancel(t.Context())
	dead := make(chan error, 1)
	cfg := s.cfg
	cfg.Addr = chassistest.Unused(t)
	go func() { dead <- s.run(ctx, cfg) }()
	url := "http://" + cfg.Addr
	chassistest.Eventually(t, "it listens", func() bool { return chassistest.Get(url+"/healthz", nil) == http.StatusOK })
	s.tell(t, 1, 2000)
	s.applied(t)
	before := s.digest(t)
	var n atomic.Int64
	cut := func() {
		if n.Add(1) == 100 {
			kill()
			<-ctx.Done()
		}
	}
	s.store.slow.Store(&cut)
	rebuild(t, url)
	if err := <-dead; err != nil {
		t.Fatal(err)
	}
	s.store.slow.Store(nil)
	if s.digest(t) == before {
		t.Fatal("it was not cut off in the middle")
	}
	s.tell(t, 1000, 100)

	// Another replica does not touch what is half built.
	other := s.cfg
	other.Instance = "reader-2"
	waits := chassistest.Start(t, other, s.run)
	chassistest.Eventually(t, "it has looked and waits", func() bool {
		mark, err := s.store.Mark(t.Context())
		return err == nil && mark != "" && progress(waits).State == chassis.JobIdle
	})

	if n := len(s.bus.XInfoConsumers(t.Context(), "one", "reader").Val()); n != 1 {
		t.Errorf("%d consumers, want the one that was cut off", n)
	}
	url = chassistest.Start(t, s.cfg, s.run)
	if p := ended(t, url, chassis.JobDone); p.Before != before || p.After != before {
		t.Errorf("%+v, want %s", p, before)
	}
	s.applied(t)
	if v := s.store.HGet(t.Context(), versionsKey, "one-49").Val(); v != "1001" {
		t.Errorf("after it: version %s, want 1001", v)
	}
}

// TestRebuildBeyondTheLog: where the beginning of a log is gone its owner publishes again what it has, first; where it is
// dead nothing is wiped.
func TestRebuildBeyondTheLog(t *testing.T) {
	var s *setup
	var asked atomic.Int64
	owner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			asked.Add(1)
			events := make([]streams.Event, 50, 51)
			for i := range events {
				events[i] = chassistest.Event(t, "two", "thing.changed.v1", fmt.Sprintf("two-%d", i), 10, i)
			}
			events = append(events, chassistest.Event(t, "two", shop.Republished("two"), "", 0, shop.Subjects{Subjects: 50}))
			if _, err := streams.Publish(t.Context(), s.bus, "two", events...); err != nil {
				t.Error(err)
			}
		}
		_ = json.NewEncoder(w).Encode(chassis.Progress{State: chassis.JobDone})
	}))
	defer owner.Close()
	for _, tt := range []struct{ name, owner, state, said string }{
		{"dead", "http://" + chassistest.Unused(t), chassis.JobFailed, "nothing was changed: the beginning of the log of two is gone, " +
			"and its owner has to publish again what it has: two refused the connection; start it again and then this job"},
		{"there", owner.URL, chassis.JobDone, "the copy equals what it was: 100 records from 621 events"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s = newSetup(t, map[string]string{"two": tt.owner})
			url := chassistest.Start(t, s.cfg, s.run)
			s.tell(t, 1, 500)
			s.applied(t)
			before := s.digest(t)
			if n, err := s.bus.XTrimMaxLen(t.Context(), "two", 70).Result(); err != nil || n != 430 {
				t.Fatal(n, err)
			}
			rebuild(t, url)
			p := ended(t, url, tt.state)
			if !strings.HasPrefix(p.Said, tt.said) || s.digest(t) != before {
				t.Errorf("%+v, want %q", p, tt.said)
			}
			s.tell(t, 50, 50)
			s.applied(t)
		})
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the owner was asked %d times", n)
	}
}

// TestRebuildTellsOfLoss: where the log lost what it cannot know of, the digests differ and the job says so.
func TestRebuildTellsOfLoss(t *testing.T) {
	s := newSetup(t, nil)
	url := chassistest.Start(t, s.cfg, s.run)
	s.tell(t, 1, 100)
	s.applied(t)
	if err := s.bus.Del(t.Context(), "one").Err(); err != nil {
		t.Fatal(err)
	}
	chassistest.Tell(t, s.bus, "one", "thing.changed.v1", "one-7", 3, 0) // one of fifty
	s.applied(t)
	rebuild(t, url)
	p := ended(t, url, chassis.JobFailed)
	if p.Before == "" || p.After == "" || p.Before == p.After || !strings.HasPrefix(p.Said, "the copy is not what it was: the log has lost some of its events") {
		t.Errorf("%+v", p)
	}
	s.tell(t, 50, 50)
	s.applied(t) // it consumes again
}

// TestRebuildAlone: while the group has another live member there is no rebuild.
func TestRebuildAlone(t *testing.T) {
	s := newSetup(t, nil)
	url := chassistest.Start(t, s.cfg, s.run)
	other := s.cfg
	other.Instance = "reader-2"
	chassistest.Start(t, other, s.run)
	s.tell(t, 1, 100)
	s.applied(t)
	chassistest.Eventually(t, "both are members", func() bool {
		return len(s.bus.XInfoConsumers(t.Context(), "one", "reader").Val()) == 2
	})
	before := s.digest(t)
	rebuild(t, url)
	want := "reader-2 consumes too and would go on applying events; stop it for the time of the rebuild"
	if p := ended(t, url, chassis.JobFailed); p.Said != want || s.digest(t) != before {
		t.Errorf("%+v, want %q", p, want)
	}
}
