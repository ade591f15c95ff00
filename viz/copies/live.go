package copies

import (
	"context"
	"reflect"
	"sync"
	"time"
)

const (
	// pollEvery is how long after its answer a store is asked again for a thing that somebody watches; with every pollTogether
	// things more that are watched it is that much longer, so that a store is not asked without end.
	pollEvery    = 150 * time.Millisecond
	pollTogether = 4
	// firstWithin is how long the first look waits for slow stores.
	firstWithin = 150 * time.Millisecond
	// MaxReaders is how many may watch at once.
	MaxReaders = 32
)

type thingKey struct{ kind, id string }

// Reader watches one thing as it changes; those that watch the same share one look at the stores. Not safe for concurrent
// use.
type Reader struct {
	of   *watched
	seen int64 // revision
	once sync.Once
}

// watched is a thing that somebody watches.
type watched struct {
	c       *Copies
	key     thingKey
	of      []*holder
	begun   time.Time
	cancel  context.CancelFunc
	ended   <-chan struct{}
	readers int // guarded by the lock of c

	mu      sync.Mutex // guards what follows
	latest  []Record   // not compared yet
	asked   []bool
	late    bool // a copy was newer than the owner at the owner's last answer
	shown   Thing
	rev     int64         // 0: nothing can be shown yet
	changed chan struct{} // closed by the next change
}

// Watch begins to watch a thing; the caller closes the Reader. More than MaxReaders at once are ErrFull.
func (c *Copies) Watch(kind, id string) (*Reader, error) {
	of := c.of(kind)
	if len(of) == 0 {
		return nil, ErrUnknownKind
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, ErrClosed
	case c.readers >= MaxReaders:
		return nil, ErrFull
	}
	c.readers++
	key := thingKey{kind, id}
	t := c.watched[key]
	if t == nil {
		ctx, cancel := context.WithCancel(context.Background())
		t = &watched{c: c, key: key, of: of, begun: time.Now(), cancel: cancel, ended: ctx.Done(), latest: make([]Record, len(of)),
			asked: make([]bool, len(of)), changed: make(chan struct{})}
		c.watched[key] = t
		for i := range of {
			c.polling.Go(func() { t.poll(ctx, i) })
		}
	}
	t.readers++
	return &Reader{of: t}, nil
}

// Close ends the watching; the last one's ends the looking.
func (r *Reader) Close() {
	r.once.Do(func() {
		c := r.of.c
		c.mu.Lock()
		defer c.mu.Unlock()
		c.readers--
		if r.of.readers--; r.of.readers == 0 {
			delete(c.watched, r.of.key)
			r.of.cancel()
		}
	})
}

// Next waits until the thing looks different from what Next last returned. What a slow reader misses is left out. It ends
// with ctx, or with ErrClosed.
func (r *Reader) Next(ctx context.Context) (Thing, error) {
	for {
		r.of.mu.Lock()
		thing, rev, changed := r.of.shown, r.of.rev, r.of.changed
		r.of.mu.Unlock()
		if rev > r.seen {
			r.seen = rev
			return thing, nil
		}
		select {
		case <-ctx.Done():
			return Thing{}, ctx.Err()
		case <-r.of.ended:
			return Thing{}, ErrClosed
		case <-changed:
		}
	}
}

// poll looks at one store again and again, until the watching ends.
func (t *watched) poll(ctx context.Context, i int) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		r := t.of[i].read(ctx, t.key.id)
		if ctx.Err() != nil {
			return
		}
		t.told(i, r)
		timer.Reset(t.c.pause())
	}
}

// pause is how long a store is left alone between two looks at one thing.
func (c *Copies) pause() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return pollEvery * time.Duration(1+max(0, len(c.watched)-1)/pollTogether)
}

// told takes a store's answer, and shows it if anything looks different.
func (t *watched) told(i int, r Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.latest[i], t.asked[i] = r, true
	all := true
	records := make([]Record, len(t.latest))
	for j, h := range t.of {
		records[j] = t.latest[j]
		if !t.asked[j] {
			all = false
			records[j] = h.blank(t.key.id)
			records[j].Why = h.spec.ID + " has not answered yet"
		}
	}
	if !all && time.Since(t.begun) < firstWithin {
		return
	}
	if t.tooEarly(i, records) {
		return
	}
	now := t.c.judge(t.of, t.key.id, records)
	if t.rev > 0 && reflect.DeepEqual(looks(now), looks(t.shown)) {
		return
	}
	t.shown = now
	t.rev++
	close(t.changed)
	t.changed = make(chan struct{})
}

// tooEarly says whether the owner is to be waited for: a copy is newer than what the owner last answered, which had the
// change before. Where the owner still has not after two answers, it is shown so. i is the store that answered.
func (t *watched) tooEarly(i int, records []Record) bool {
	if !ahead(records) {
		t.late = false
		return false
	}
	if i > 0 {
		return !t.late
	}
	first := !t.late
	t.late = true
	return first
}

// looks are the records as far as a change of them is worth telling: an age grows by the second.
func looks(t Thing) []Record {
	all := make([]Record, len(t.Records))
	copy(all, t.Records)
	for i := range all {
		all[i].BehindMS /= 1000
	}
	return all
}
