package copies

import (
	"context"
	"sync"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// How often stores are asked how much they hold.
const (
	totalsEvery = 5 * time.Second
	totalsRetry = time.Second // of a store that did not answer
	// A store that takes long is asked more seldom, so that it spends no more than a fiftieth of its time on the answers.
	totalsShare = 50
	totalsMost  = 2 * time.Minute
)

// Run asks every store how much it holds, each on its own, until ctx ends, and returns nil then. see gets a CopiesSeen as
// soon as a store has answered, or is known not to; it is called from many goroutines.
func (c *Copies) Run(ctx context.Context, see func(...world.Observation)) error {
	var asking sync.WaitGroup
	for _, s := range c.stores {
		var holds []world.Hold
		for _, h := range s.spec.Holds {
			if h.At != nil {
				holds = append(holds, h)
			}
		}
		if len(holds) == 0 {
			continue
		}
		asking.Go(func() { s.follow(ctx, holds, c.hidden, see) })
	}
	asking.Wait()
	return nil
}

func (s *opened) follow(ctx context.Context, holds []world.Hold, hidden func(string) bool, see func(...world.Observation)) {
	for {
		wait := totalsRetry
		if !hidden(s.spec.ID) {
			begun := time.Now()
			seen := s.seen(ctx, holds)
			if ctx.Err() != nil {
				return // the end of the visualizer is no failure of the system
			}
			seen.At = time.Now()
			see(seen)
			if s.store == nil {
				return // nothing will change that
			}
			if seen.Down == "" {
				wait = min(max(totalsEvery, totalsShare*time.Since(begun)), totalsMost)
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// seen asks once.
func (s *opened) seen(ctx context.Context, holds []world.Hold) world.CopiesSeen {
	o := world.CopiesSeen{Node: s.spec.ID, Down: s.why}
	if s.store == nil {
		return o
	}
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	var err error
	if o.Kinds, err = s.store.totals(ctx, holds); err != nil {
		o.Kinds, o.Down = nil, reason(s.spec.ID, err)
	}
	return o
}
