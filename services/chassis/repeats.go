package chassis

import (
	"sync"
	"time"
)

const (
	repeatEvery = 10 * time.Second // the same failure is logged once in this time
	maxRepeats  = 256              // different failures that are told apart; beyond that all are forgotten
)

// repeats tells a failure that is new from one that repeats. It needs no timer: an occurrence decides itself.
type repeats struct {
	mu   sync.Mutex
	last map[string]*repeat
}

type repeat struct {
	logged   time.Time
	unlogged int
}

// due says whether the failure key is to be logged now, and how often it was not since it last was.
func (r *repeats) due(key string, now time.Time) (unlogged int, due bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, known := r.last[key]
	if !known {
		if r.last == nil || len(r.last) >= maxRepeats {
			r.last = map[string]*repeat{}
		}
		r.last[key] = &repeat{logged: now}
		return 0, true
	}
	if now.Sub(f.logged) < repeatEvery {
		f.unlogged++
		return 0, false
	}
	unlogged = f.unlogged
	*f = repeat{logged: now}
	return unlogged, true
}
