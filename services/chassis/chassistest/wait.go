package chassistest

import (
	"context"
	"iter"
	"testing"
	"time"
)

// Patience is how long a test waits for what has to happen.
const Patience = 30 * time.Second

// Eventually asks cond, at once and then every few milliseconds, until it holds. After [Patience] the test fails.
func Eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(Patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// Paced counts from 0 until ctx ends, one number every so often, which leaves the machine time for others.
func Paced(ctx context.Context, every time.Duration) iter.Seq[int] {
	return func(yield func(int) bool) {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for n := 0; ctx.Err() == nil && yield(n); n++ {
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	}
}
