package workloads

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run runs all workloads on the targets and returns the last state.
func run(t *testing.T, of time.Duration, targets ...Target) State {
	t.Helper()
	r := &Runner{Targets: func() []Target { return targets }, For: of}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	if err := r.Start(); !errors.Is(err, ErrRunning) {
		t.Errorf("a second run at once: %v", err)
	}
	for end := time.Now().Add(time.Minute); r.State().State == "running"; {
		if time.Now().After(end) {
			t.Fatalf("it does not end: %+v", r.State())
		}
		<-time.After(time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	return r.State()
}

// TestWorkloads: every workload is measured on every engine, is what it says, and leaves nothing behind.
func TestWorkloads(t *testing.T) {
	targets := []Target{
		{Engine: "postgres", Node: "a-db", URL: storestest.Postgres(t)},
		{Engine: "mongodb", Node: "b-db", URL: storestest.Mongo(t)},
		{Engine: "redis", Node: "c-db", Version: "Redis", URL: storestest.Redis(t)},
	}
	for range 2 { // a second run finds the place clean, or makes it so
		s := run(t, 200*time.Millisecond, targets...)
		if s.State != "done" || s.Done != s.Total || len(s.Results) != 9 || s.Ended.IsZero() || s.LeftMS != 0 {
			t.Fatalf("%+v", s)
		}
		for i, res := range s.Results {
			if want := workloads[i/3].ID; res.Workload != want {
				t.Errorf("result %d is of %s, want %s", i, res.Workload, want)
			}
			if res.Why != "" || res.Ops == 0 || res.Errors > 0 || res.PerSecond <= 0 || res.P50MS > res.P99MS || res.How == "" || res.Keeps == "" || res.Disk == "" {
				t.Errorf("%+v", res)
			}
			t.Logf("%-9s %-9s %8.0f a second, p50 %6.2f ms, p99 %6.2f ms. %s", res.Workload, res.Engine, res.PerSecond, res.P50MS, res.P99MS, res.Disk)
		}
	}
	for _, target := range targets {
		if left := leftIn(t, target); left != "" {
			t.Errorf("%s: left behind: %s", target.Engine, left)
		}
	}
}

// leftIn is what a run left in a store.
func leftIn(t *testing.T, target Target) string {
	t.Helper()
	e, err := open(target)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	switch e := e.(type) {
	case *postgres:
		var n int
		if err := e.pool.QueryRow(t.Context(), "select count(*) from pg_namespace where nspname = $1", scratch).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return "its schema"
		}
	case *mongodb:
		names, err := e.db.ListCollectionNames(t.Context(), struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(names, " ")
	case *rediss:
		keys, err := e.rdb.Keys(t.Context(), scratch+"*").Result()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(keys, " ")
	}
	return ""
}

// TestDeadStore: what cannot be measured says why, without its address, and the rest is measured.
func TestDeadStore(t *testing.T) {
	s := run(t, 100*time.Millisecond,
		Target{Engine: "postgres", URL: "postgres://shop:geheim@127.0.0.1:1/shop"},
		Target{Engine: "redis", URL: storestest.Redis(t)})
	for _, res := range s.Results {
		if strings.Contains(res.Why, "geheim") || strings.Contains(res.Why, "127.0.0.1") {
			t.Errorf("its address is told: %q", res.Why)
		}
		if (res.Why == "") != (res.Engine == "redis") || res.Why != "" && res.PerSecond != 0 {
			t.Errorf("%+v", res)
		}
	}
}

// TestCancelled: a run that the dashboard's end breaks off leaves nothing behind.
func TestCancelled(t *testing.T) {
	target := Target{Engine: "redis", URL: storestest.Redis(t)}
	r := &Runner{Targets: func() []Target { return []Target{target} }, For: time.Minute}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	for leftIn(t, target) == "" || r.State().Now == "" {
		<-time.After(time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if left := leftIn(t, target); left != "" {
		t.Errorf("left behind: %s", left)
	}
}

// wrong is an engine that loses increments.
type wrong struct {
	engine
	n int64
}

func (w *wrong) count(context.Context) error            { time.Sleep(time.Millisecond); return nil }
func (w *wrong) counted(context.Context) (int64, error) { w.n++; return w.n, nil }

// TestLostIncrements: a counter that is not what its workers were told is no measurement.
func TestLostIncrements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &Runner{}
		r.init()
		var res Result
		r.measure(t.Context(), &wrong{}, "counter", &res)
		if !strings.HasPrefix(res.Why, "the counter went up by 1 where") || res.PerSecond != 0 {
			t.Errorf("%+v", res)
		}
	})
}

func TestQuantile(t *testing.T) {
	var d []time.Duration
	for i := 1; i <= 200; i++ {
		d = append(d, time.Duration(i)*time.Millisecond)
	}
	for q, want := range map[float64]float64{0: 1, 0.5: 100, 0.99: 198, 1: 200} {
		if got := quantile(d, q); got != want {
			t.Errorf("%v: %v, want %v", q, got, want)
		}
	}
}

// BenchmarkCounter is the bare driver beside a worker's way, in the same run.
func BenchmarkCounter(b *testing.B) {
	url := storestest.Redis(b)
	e, err := openRedis(url)
	if err != nil {
		b.Fatal(err)
	}
	defer e.close()
	o, err := redis.ParseURL(url)
	if err != nil {
		b.Fatal(err)
	}
	bare := redis.NewClient(o)
	defer bare.Close()
	b.Run("worker", func(b *testing.B) {
		for b.Loop() {
			if err := e.count(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			if err := bare.Incr(b.Context(), "bare").Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestEngines: those that are measured are those that services have.
func TestEngines(t *testing.T) {
	if want := []string{stores.Postgres, stores.MongoDB, stores.Redis}; !slices.Equal(engineNames, want) {
		t.Errorf("%v, want %v", engineNames, want)
	}
	if n := len(fmt.Sprint(productOf(1))); n < 1200 || n > 2600 {
		t.Errorf("a document has %d bytes as text; about 2 kB are said", n)
	}
}
