package workloads

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// engine does the workloads in its own idiom. Its methods may be called from many goroutines.
type engine interface {
	// prepare makes the scratch data anew; what an earlier run left is removed.
	prepare(ctx context.Context) error
	// count adds one to the counter, counted reads it.
	count(ctx context.Context) error
	counted(ctx context.Context) (int64, error)
	// document reads document doc and sets its nested field to n.
	document(ctx context.Context, doc, n int) error
	// join stores the order n of a user and a product and reads it with both names.
	join(ctx context.Context, n int64, user, product int) error
	// refuses says whether an order of a user that does not exist is refused.
	refuses(ctx context.Context) error
	// disk says whether a change waits for the disk before it is acknowledged, as the store itself tells.
	disk(ctx context.Context) (string, error)
	// words say how a workload is done, and what that guarantees.
	words(workload string) (how, keeps string)
	clean(ctx context.Context) error
	close()
}

// open makes the engine of a target.
func open(t Target) (engine, error) {
	switch t.Engine {
	case "postgres":
		return openPostgres(t.URL)
	case "mongodb":
		return openMongo(t.URL)
	case "redis":
		return openRedis(t.URL)
	}
	return nil, fmt.Errorf("engine %q cannot be measured", t.Engine)
}

// tally is what the workers of one measurement counted.
type tally struct {
	took   []time.Duration // of each operation in the measured time
	ops    int64           // that went well, the warm-up's included
	failed int64           // likewise
	err    error           // the first
}

// measure runs one workload with all workers and fills res.
func (r *Runner) measure(ctx context.Context, e engine, workload string, res *Result) {
	var before int64
	var err error
	switch workload {
	case "counter":
		before, err = e.counted(ctx)
	case "join":
		err = within(ctx, opWithin, e.refuses)
	}
	if err != nil {
		res.Why = reason(err)
		return
	}
	t, took := r.work(ctx, e, workload)
	if ctx.Err() != nil {
		res.Why = "the dashboard ended meanwhile"
		return
	}
	if len(t.took) == 0 {
		res.Why = "not one operation went well"
		if t.err != nil {
			res.Why = reason(t.err)
		}
		return
	}
	if workload == "counter" {
		after, err := e.counted(ctx)
		if err != nil {
			res.Why = reason(err)
			return
		}
		// One that failed may have counted all the same: its answer was lost.
		if n := after - before; n < t.ops || n > t.ops+t.failed {
			res.Why = fmt.Sprintf("the counter went up by %d where %d increments were acknowledged", n, t.ops)
			return
		}
	}
	slices.Sort(t.took)
	res.Ops, res.Errors = int64(len(t.took)), t.failed
	res.PerSecond = float64(len(t.took)) / took.Seconds()
	res.P50MS, res.P99MS = quantile(t.took, 0.50), quantile(t.took, 0.99)
}

// quantile is the q-th of sorted durations in milliseconds: the smallest that at least that share does not exceed.
func quantile(sorted []time.Duration, q float64) float64 {
	i := min(len(sorted)-1, max(0, int(float64(len(sorted))*q+0.999999)-1))
	return float64(sorted[i].Microseconds()) / 1000
}

// work lets the workers work, first to warm up, then for as long as is measured, and returns what they counted and how
// long the measured time was.
func (r *Runner) work(ctx context.Context, e engine, workload string) (tally, time.Duration) {
	var (
		orders atomic.Int64
		mu     sync.Mutex
		sum    tally
		all    sync.WaitGroup
	)
	begun := time.Now().Add(warmFor)
	end := begun.Add(r.For)
	for worker := range workers {
		all.Go(func() {
			var t tally
			for n := worker; ctx.Err() == nil; n += workers {
				from := time.Now()
				if !from.Before(end) {
					break
				}
				octx, cancel := context.WithTimeout(ctx, opWithin)
				var err error
				switch workload {
				case "counter":
					err = e.count(octx)
				case "document":
					err = e.document(octx, n%subjects, n)
				case "join":
					err = e.join(octx, orders.Add(1), n%subjects, (7*n)%subjects)
				}
				cancel()
				to := time.Now()
				switch {
				case err != nil:
					t.failed++
					if t.err == nil {
						t.err = err
					}
					if t.failed > 100 && t.ops == 0 { // it will not go well any more
						from = end
					}
				default:
					t.ops++
					if !from.Before(begun) && !to.After(end) {
						t.took = append(t.took, to.Sub(from))
					}
				}
				if from == end {
					break
				}
			}
			mu.Lock()
			defer mu.Unlock()
			sum.took = append(sum.took, t.took...)
			sum.ops += t.ops
			sum.failed += t.failed
			if sum.err == nil {
				sum.err = t.err
			}
		})
	}
	all.Wait()
	return sum, r.For
}

// reason puts into words why a store could not be measured, without its address.
func reason(err error) string {
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "it did not answer in time"
	case errors.Is(err, context.Canceled):
		return "the dashboard ended meanwhile"
	case errors.As(err, &op):
		return op.Op + ": " + op.Err.Error()
	}
	text := err.Error()
	if i := strings.Index(text, "://"); i >= 0 { // a driver's word that quotes an address, which holds a password
		return "its address cannot be used"
	}
	return text
}
