package chassistest

import (
	"testing"
	"time"
)

// Patience is how long a test waits for what has to happen.
const Patience = 10 * time.Second

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
