package shoppers

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestPace: the rate holds to the unit, and changes at once.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(5)
		var starts atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.run(ctx, func() { starts.Add(1) })
		}()
		defer func() { cancel(); <-done }()
		synctest.Wait()
		for i, tt := range []struct {
			rate  float64
			after time.Duration
			want  int64
		}{
			{5, 10 * time.Second, 50},
			{500, 10 * time.Second, 5000},
			{0, time.Hour, 0},
			{2, 10 * time.Second, 20},
			{0.5, 10 * time.Second, 5},
			{100, 500 * time.Millisecond, 50},
			{1e-300, time.Minute, 0},
		} {
			p.set(tt.rate)
			before := starts.Load()
			time.Sleep(tt.after) // the bubble's clock
			synctest.Wait()
			// After a change there may be what was due at the new rate already, a tenth of a second's worth, and one more.
			got, slack := starts.Load()-before, int64(tt.rate*maxCatchUp.Seconds())+1
			if got < tt.want-1 || got > tt.want+slack || tt.rate == 0 && got != 0 {
				t.Errorf("%d: at %v a second for %v: %d starts, want %d", i, tt.rate, tt.after, got, tt.want)
			}
		}
	})
}
