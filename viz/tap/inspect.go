package tap

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/viz/world"
)

// How often Redis is asked about its streams and groups.
const (
	inspectBusy  = 250 * time.Millisecond // least time between two questions
	inspectIdle  = time.Second            // while nothing flows and nothing changes
	inspectLimit = 2 * time.Second        // how long one answer may take
)

// inspector asks Redis about the streams that the tap has met.
type inspector struct {
	rdb  *redis.Client
	wake chan struct{} // holds one token once something flowed

	dead deadCounts // used from run alone
	size sizes      // likewise

	mu       sync.Mutex
	declared []string        // asked for whether met or not
	met      map[string]bool // besides those
}

func newInspector(rdb *redis.Client, declared []string) *inspector {
	return &inspector{rdb: rdb, wake: make(chan struct{}, 1), declared: declared, met: map[string]bool{}, dead: deadCounts{}, size: sizes{of: map[string]int64{}}}
}

// flows learns the streams of a batch and wakes the inspector.
func (in *inspector) flows(b streams.Batch) {
	in.mu.Lock()
	for i := range b.Entries {
		in.met[b.Entries[i].Stream] = true
	}
	for name := range b.Bases {
		in.met[name] = true
	}
	in.mu.Unlock()
	select {
	case in.wake <- struct{}{}:
	default: // it is awake already
	}
}

// run asks until ctx ends: every inspectBusy while something flows or what Redis says still changes, every inspectIdle
// otherwise. While the bus is down there is nothing to tell; the tap says so.
func (in *inspector) run(ctx context.Context, see func(...world.Observation)) {
	var last []world.StreamSeen
	for ctx.Err() == nil {
		wait := inspectIdle
		if now, ok := in.ask(ctx); ok {
			see(world.StreamsSeen{At: time.Now(), Streams: now})
			if now = still(now); !reflect.DeepEqual(now, last) {
				wait = inspectBusy
			}
			last = now
		}
		pause(ctx, inspectBusy, nil)
		pause(ctx, wait-inspectBusy, in.wake)
	}
}

// still is what Redis said without how long consumers have been idle, which always changes, and how much memory streams need,
// which is news by itself.
func still(seen []world.StreamSeen) []world.StreamSeen {
	seen = slices.Clone(seen)
	for i := range seen {
		seen[i].Bytes = 0
		seen[i].Groups = slices.Clone(seen[i].Groups)
		for j := range seen[i].Groups {
			members := slices.Clone(seen[i].Groups[j].Members)
			for k := range members {
				members[k].IdleMS = 0
			}
			seen[i].Groups[j].Members = members
		}
	}
	return seen
}

// pause waits for d, for wake or for the end of ctx.
func pause(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-wake:
	}
}

// ask asks Redis once; ok is false where it did not answer.
func (in *inspector) ask(ctx context.Context) (seen []world.StreamSeen, ok bool) {
	names := in.names()
	if len(names) == 0 {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, inspectLimit)
	defer cancel()
	found, err := streams.Inspect(ctx, in.rdb, names)
	if err != nil {
		return nil, false
	}
	in.size.ask(ctx, in.rdb, found)
	seen = make([]world.StreamSeen, 0, len(found))
	for _, s := range found {
		o := world.StreamSeen{Name: s.Name, Length: s.Length, Added: s.Added, FirstID: s.FirstID, LastID: s.LastID, Bytes: in.size.of[s.Name]}
		for _, g := range s.Groups {
			seen := world.GroupSeen{Stream: s.Name, Group: g.Name, Consumers: g.Consumers,
				Pending: g.Pending, Lag: g.Lag, Applied: g.Applied, Oldest: g.Oldest, TrimmedUnread: g.TrimmedUnread, Missed: g.Missed}
			for _, m := range g.Members {
				seen.Members = append(seen.Members, world.MemberSeen{Name: m.Name, Pending: m.Pending, IdleMS: m.Idle.Milliseconds()})
			}
			o.Groups = append(o.Groups, seen)
		}
		if strings.HasSuffix(s.Name, streams.DeadSuffix) {
			o.Dead = in.dead.count(ctx, in.rdb, &s)
		}
		seen = append(seen, o)
	}
	in.dead.forget(found)
	in.forget(names, seen)
	return seen, true
}

// names are the declared streams, then the others by name.
func (in *inspector) names() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	names := slices.Clone(in.declared)
	for _, name := range slices.Sorted(maps.Keys(in.met)) {
		if !slices.Contains(in.declared, name) {
			names = append(names, name)
		}
	}
	return names
}

// forget drops the streams that were asked for and are gone; the tap tells of one that comes again.
func (in *inspector) forget(asked []string, found []world.StreamSeen) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, name := range asked {
		if !slices.ContainsFunc(found, func(s world.StreamSeen) bool { return s.Name == name }) {
			delete(in.met, name)
		}
	}
}
