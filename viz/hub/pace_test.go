package hub

import (
	"testing"
	"time"
)

// TestPace: few browsers hear of a change at once, many share what the machine has left for them.
func TestPace(t *testing.T) {
	for n, want := range map[int]time.Duration{0: frameEvery, 1: frameEvery, 20: frameEvery, 300: 150 * time.Millisecond, MaxSockets: 500 * time.Millisecond} {
		if got := pace(n); got != want {
			t.Errorf("%d browsers: %s, wanted %s", n, got, want)
		}
	}
}
