package shoppers

import (
	"log/slog"
	"sync"
	"time"
)

const (
	// maxUnderWay bounds the requests under way at one time of each feature in each pattern.
	//
	// By Little's law, requests under way = requests a second x time of each. So a bound of 3 lets through 3 a second of a
	// feature that hangs until the time-out of 1 s, 30 a second where an answer takes 100 ms, 300 where it takes 10 ms: nearly
	// all that a healthy shop is asked for at the highest rate, and of a sick one enough to show that it is sick. With 8 the
	// embedded MongoDB, asked from ten cells, came to time-outs at the highest rate. What is above the bound is not made,
	// and counted. It must not wait: a queue of ours would turn a slow service into time-outs that
	// the shop never had, and make the rate of all other features depend on the slowest. And since each feature in each
	// pattern has a bound of its own, one that hangs holds 3 requests, and no place of any other's.
	maxUnderWay = 3

	// maxJourneys bounds the journeys on their way. Each makes one request at a time, so the bounds above hold them to
	// 3 x 6 features x 5 patterns = 90 already; this is twice that, reached only where the machine itself cannot keep up.
	maxJourneys = 180

	dropLogEvery = 10 * time.Second
)

// cell is one feature in one pattern.
type cell struct{ feature, pattern string }

// bounds counts what is under way and what was not made because too much was. It is for concurrent use.
type bounds struct {
	log *slog.Logger

	mu       sync.Mutex
	underWay map[cell]int
	journeys int
	dropped  int64
	logged   time.Time
}

func newBounds(log *slog.Logger) *bounds { return &bounds{log: log, underWay: map[cell]int{}} }

// enter is true where one more request of the cell may be made; leave then has to follow. Otherwise it is counted as
// dropped.
func (b *bounds) enter(c cell) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.underWay[c] == maxUnderWay {
		b.drop(1, "feature", c.feature, "pattern", c.pattern, "under_way", maxUnderWay)
		return false
	}
	b.underWay[c]++
	return true
}

func (b *bounds) leave(c cell) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.underWay[c]--
}

// begin is true where one more journey may begin; end then has to follow. Otherwise its requests are counted as dropped.
func (b *bounds) begin(requests int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.journeys == maxJourneys {
		b.drop(int64(requests), "journeys", maxJourneys)
		return false
	}
	b.journeys++
	return true
}

func (b *bounds) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.journeys--
}

// drop counts n requests that are not made; it is said once in a while. b.mu is held.
func (b *bounds) drop(n int64, why ...any) {
	b.dropped += n
	if now := time.Now(); now.Sub(b.logged) >= dropLogEvery {
		b.logged = now
		b.log.Warn("requests are not made: too many are under way", append(why, "dropped_so_far", b.dropped)...)
	}
}

// droppedSoFar is how many requests were not made since the start.
func (b *bounds) droppedSoFar() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dropped
}
