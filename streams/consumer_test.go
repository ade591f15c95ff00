package streams_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// event is the nth event about a subject.
func event(subject string, n int64) streams.Event {
	return streams.Event{
		ID: fmt.Sprintf("%s/%d", subject, n), Source: "test", Type: "thing.changed.v1", Subject: subject, Version: n,
		Time: time.Now(), Data: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n)),
	}
}

func publish(t *testing.T, rdb *redis.Client, stream string, events ...streams.Event) []string {
	t.Helper()
	ids, err := streams.Publish(t.Context(), rdb, stream, events...)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// store is what a service's handler would write to: it applies each version of a subject once and in order.
type store struct {
	mu      sync.Mutex
	applied map[string][]int64 // versions by subject, in the order of their first application
	doubles int
}

func (s *store) Handle(_ context.Context, e streams.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.applied == nil {
		s.applied = make(map[string][]int64)
	}
	if slices.Contains(s.applied[e.Event.Subject], e.Event.Version) {
		s.doubles++
		return nil
	}
	s.applied[e.Event.Subject] = append(s.applied[e.Event.Subject], e.Event.Version)
	return nil
}

// versions are those of the subject that were applied, in order.
func (s *store) versions(subject string) []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.applied[subject])
}

func (s *store) count() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, versions := range s.applied {
		n += len(versions)
	}
	return n
}

// run starts a consumer; the function returned ends it and waits for that.
func run(t *testing.T, c *streams.Consumer) (stop func()) {
	t.Helper()
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func pending(t *testing.T, rdb *redis.Client, stream, group string) int64 {
	t.Helper()
	p, err := rdb.XPending(t.Context(), stream, group).Result()
	if err != nil {
		return -1
	}
	return p.Count
}

func TestConsumerKeepsOrderPerSubject(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	const subjects, versions = 20, 30
	for v := range int64(versions) {
		var events []streams.Event
		for s := range subjects {
			events = append(events, event(fmt.Sprint("s", s), v+1))
		}
		publish(t, rdb, "things", events[:subjects/2]...)
		publish(t, rdb, "others", events[subjects/2:]...)
	}
	var st store
	var at atomic.Int32
	met, meet := context.WithTimeout(t.Context(), 10*time.Second) // ends once two handlers were at work at once
	defer meet()
	run(t, &streams.Consumer{Redis: rdb, Group: "g", Name: "a", Streams: []string{"things", "others"},
		Handle: func(ctx context.Context, e streams.Entry) error {
			if at.Add(1) == 2 {
				meet()
			}
			defer at.Add(-1)
			<-met.Done() // the first waits for another
			if rand.IntN(10) == 0 {
				return errors.New("a moment's failure")
			}
			return st.Handle(ctx, e)
		}})
	eventually(t, "all are applied", func() bool { return st.count() == subjects*versions })
	for subject, got := range st.applied {
		if !slices.IsSorted(got) || len(got) != versions {
			t.Errorf("%s: %v", subject, got)
		}
	}
	if st.doubles > 0 {
		t.Errorf("%d were handled twice without need", st.doubles)
	}
	if !errors.Is(met.Err(), context.Canceled) {
		t.Error("different subjects were never handled at once")
	}
	eventually(t, "all are acknowledged", func() bool {
		return pending(t, rdb, "things", "g") == 0 && pending(t, rdb, "others", "g") == 0
	})
}

// abandon makes a member that reads n entries and dies.
func abandon(t *testing.T, rdb *redis.Client, stream, group, name string, n int64) {
	t.Helper()
	if err := rdb.XGroupCreateMkStream(t.Context(), stream, group, "0").Err(); err != nil {
		t.Fatal(err)
	}
	_, err := rdb.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: group, Consumer: name, Streams: []string{stream, ">"}, Count: n, Block: -1}).Result()
	if err != nil {
		t.Fatal(err)
	}
}

func mustFirst(t *testing.T, rdb *redis.Client, stream string) string {
	t.Helper()
	first, err := rdb.XRangeN(t.Context(), stream, "-", "+", 1).Result()
	if err != nil || len(first) == 0 {
		t.Fatalf("first of %s: %v", stream, err)
	}
	return first[0].ID
}

func TestConsumerStops(t *testing.T) {
	srv := streamstest.Start(t)
	rdb := srv.Client()
	stopped := func(t *testing.T, stop func()) {
		t.Helper()
		began := time.Now()
		stop()
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("Run returned %v after its context", took)
		}
	}
	idle := streams.Consumer{Redis: rdb, Group: "g", Name: "a", Streams: []string{"x"},
		Handle: func(context.Context, streams.Entry) error { return nil }}

	t.Run("idle", func(t *testing.T) {
		c := idle
		stop := run(t, &c)
		publish(t, rdb, "x", event("s", 1))
		eventually(t, "it reads", func() bool { return pending(t, rdb, "x", "g") == 0 })
		stopped(t, stop)
	})
	t.Run("in flight", func(t *testing.T) {
		c := idle
		entered, release := make(chan struct{}), make(chan struct{})
		c.Streams = []string{"flight"}
		c.Handle = func(ctx context.Context, e streams.Entry) error {
			close(entered) // only the first of the subject is begun
			<-release
			return ctx.Err()
		}
		stop := run(t, &c)
		publish(t, rdb, "flight", event("s", 1), event("s", 2), event("s", 3))
		<-entered
		time.AfterFunc(100*time.Millisecond, func() { close(release) })
		stopped(t, stop)
		if n := pending(t, rdb, "flight", "g"); n != 2 {
			t.Errorf("%d pending, want the 2 that were not begun", n)
		}
	})
	t.Run("handler that hangs", func(t *testing.T) {
		c := idle
		entered := make(chan struct{})
		c.Streams = []string{"hang"}
		c.Handle = func(ctx context.Context, e streams.Entry) error {
			close(entered)
			<-ctx.Done()
			return ctx.Err()
		}
		stop := run(t, &c)
		publish(t, rdb, "hang", event("s", 1))
		<-entered
		stopped(t, stop)
		if n := pending(t, rdb, "hang", "g"); n != 1 {
			t.Errorf("%d pending, want 1", n)
		}
	})
	t.Run("silent bus", func(t *testing.T) {
		c := idle
		stop := run(t, &c)
		srv.Pause()
		defer srv.Resume()
		stopped(t, stop)
	})
	t.Run("dead bus", func(t *testing.T) {
		c := idle
		stop := run(t, &c)
		srv.Kill()
		stopped(t, stop)
	})
}

func TestConsumerChecksItself(t *testing.T) {
	for _, c := range []streams.Consumer{{}, {Group: "g", Name: "a"}} {
		if err := c.Run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "streams: consumer") {
			t.Errorf("Run of %+v: %v", c, err)
		}
	}
}

func TestPublishRefusesWhatIsNotAnEvent(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	bad := event("s", 2)
	bad.Type = ""
	if _, err := streams.Publish(t.Context(), rdb, "x", event("s", 1), bad); !errors.Is(err, streams.ErrNotEvent) {
		t.Errorf("Publish: %v", err)
	}
	if n := rdb.XLen(t.Context(), "x").Val(); n != 0 {
		t.Errorf("%d were appended", n)
	}
}

// BenchmarkConsumer is the catching up of a consumer that was away: entries a second with a handler that costs nothing.
func BenchmarkConsumer(b *testing.B) {
	rdb := streamstest.Start(b, "--appendfsync", "everysec").Client()
	const batch = 500
	events := make([]streams.Event, batch)
	for i := range events {
		events[i] = event(fmt.Sprint("s", i%100), int64(i+1))
	}
	for n := 0; n < b.N; n += batch {
		if _, err := streams.Publish(b.Context(), rdb, "x", events[:min(batch, b.N-n)]...); err != nil {
			b.Fatal(err)
		}
	}
	var handled atomic.Int64
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	c := streams.Consumer{Redis: rdb, Group: "g", Name: "a", Streams: []string{"x"}, Handle: func(context.Context, streams.Entry) error {
		if handled.Add(1) == int64(b.N) {
			close(done)
		}
		return nil
	}}
	b.ResetTimer()
	go func() { <-done; cancel() }()
	if err := c.Run(ctx); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
