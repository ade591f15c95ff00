package shoppers

import (
	"context"
	"sync"
	"time"
)

const (
	// maxCatchUp is how far behind its plan the pacer may make up for by starts in quick succession.
	maxCatchUp = 100 * time.Millisecond
	maxGap     = time.Hour // between two starts, at the lowest rates
)

// pacer starts things at a steady rate, however long each takes.
type pacer struct {
	mu      sync.Mutex
	rate    float64       // a second
	changed chan struct{} // holds one: that the rate was set
}

func newPacer(rate float64) *pacer {
	return &pacer{rate: rate, changed: make(chan struct{}, 1)}
}

func (p *pacer) get() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rate
}

// set changes the rate at once: the next start comes as if the new rate had held since the last one.
func (p *pacer) set(rate float64) {
	p.mu.Lock()
	p.rate = rate
	p.mu.Unlock()
	select {
	case p.changed <- struct{}{}:
	default: // the pacer has not looked since the last change; it will see this one too
	}
}

// run calls start, which must not block, at the rate until ctx ends. At rate 0 it sleeps until the rate is set.
func (p *pacer) run(ctx context.Context, start func()) {
	last := time.Now()
	timer := time.NewTimer(maxGap)
	defer timer.Stop()
	for {
		rate := p.get()
		next := last.Add(gap(rate))
		var due <-chan time.Time
		if rate > 0 {
			timer.Reset(time.Until(next))
			due = timer.C
		}
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
		case <-due:
			start()
			last = next
			if earliest := time.Now().Add(-maxCatchUp); last.Before(earliest) {
				last = earliest
			}
		}
	}
}

func gap(rate float64) time.Duration {
	if rate < 1/maxGap.Seconds() {
		return maxGap
	}
	return time.Duration(float64(time.Second) / rate)
}
