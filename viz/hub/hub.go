// Package hub keeps the world and gives every browser a snapshot, then diffs.
package hub

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/stillup/stillup/viz/world"
)

const (
	// tickEvery moves the world's clock while nothing happens: rates fall, outages grow older. What is only measured changes
	// with it, so it is also how often a page at rest hears of rates over 5 s.
	tickEvery = time.Second
	// frameEvery is the least time between two frames to one browser. The first frame after a quiet spell goes out at once;
	// under load an event waits half of this on average, which is why it is less than a screen's own 16 ms.
	frameEvery = 10 * time.Millisecond
	// frameEach is what each browser adds to that time once they are many, so that a class leaves the machine to what it looks
	// at: above 20 browsers the frames of all come at most every so much times their number, 300 of them every 150 ms.
	frameEach = 500 * time.Microsecond
	// MaxSockets is how many browsers are served at once; one more is refused with 503.
	MaxSockets = 1000
)

// Options of a hub; the zero value works.
type Options struct {
	Log *slog.Logger // nil: none
	// Origin says whether a socket's request may connect; nil: same host only.
	Origin func(*http.Request) bool
	// Now is the clock of ticks; nil: time.Now.
	Now func() time.Time
}

// Hub owns a world: it folds observations from many goroutines and serves frames to many sockets. A slow browser's diffs
// coalesce (it gets one frame from the last revision that it has); nothing blocks the fold.
type Hub struct {
	log      *slog.Logger
	now      func() time.Time
	upgrader websocket.Upgrader

	mu    sync.Mutex // guards world
	world *world.World

	changed chan struct{} // holds one token while the world is ahead of the browsers

	cmu     sync.Mutex // guards what follows
	clients map[*client]struct{}
	closed  bool
	cache   map[int64]*frame // of the present flush, by the revision they start from
	stats   Stats
	serving sync.WaitGroup
}

// Stats are the hub's totals since it was made.
type Stats struct {
	Sockets int   // open now
	Frames  int64 // written to sockets
	Bytes   int64 // of those frames, before compression
	Encoded int64 // frames made; the rest were shared between sockets
}

// New is a hub over w, which from now on is the hub's alone.
func New(w *world.World, o Options) *Hub {
	h := &Hub{log: o.Log, now: o.Now, world: w, changed: make(chan struct{}, 1), clients: map[*client]struct{}{},
		cache: map[int64]*frame{}}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.now == nil {
		h.now = time.Now
	}
	// What browsers share is compressed once for all, to a quarter and less.
	h.upgrader = websocket.Upgrader{CheckOrigin: o.Origin, HandshakeTimeout: 5 * time.Second, WriteBufferSize: 16 << 10, EnableCompression: true}
	return h
}

// Observe folds observations in order. It never waits for a browser.
func (h *Hub) Observe(obs ...world.Observation) {
	h.mu.Lock()
	before := h.world.Rev()
	for _, o := range obs {
		h.world.Apply(o)
	}
	moved := h.world.Rev() != before
	h.mu.Unlock()
	if moved {
		select {
		case h.changed <- struct{}{}:
		default: // a flush is due anyway and will take this along
		}
	}
}

// View runs f with the world; f must not keep it.
func (h *Hub) View(f func(*world.World)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(h.world)
}

// Stats are the totals so far.
func (h *Hub) Stats() Stats {
	h.cmu.Lock()
	defer h.cmu.Unlock()
	s := h.stats
	s.Sockets = len(h.clients)
	return s
}

// Run ticks the world, wakes the browsers' writers when it changed, and ends all sockets when ctx ends; it returns nil
// when all are gone.
func (h *Hub) Run(ctx context.Context) error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	changed := h.changed
	for {
		select {
		case <-ctx.Done():
			h.close()
			return nil
		case <-tick.C:
			h.Observe(world.Tick{At: h.now()})
		case <-changed:
			n := h.flush()
			changed = nil // until the pause is over
			pause.Reset(pace(n))
		case <-pause.C:
			changed = h.changed
		}
	}
}

// pace is the least time between two frames to each of n browsers.
func pace(n int) time.Duration { return max(frameEvery, time.Duration(n)*frameEach) }

// flush starts a new generation of shared frames and wakes every writer; it returns how many these are.
func (h *Hub) flush() int {
	h.cmu.Lock()
	defer h.cmu.Unlock()
	clear(h.cache)
	for c := range h.clients {
		select {
		case c.wake <- struct{}{}:
		default: // still writing: its next frame will hold this change too
		}
	}
	return len(h.clients)
}

// close ends every socket and waits for their handlers.
func (h *Hub) close() {
	h.cmu.Lock()
	h.closed = true
	for c := range h.clients {
		close(c.end)
	}
	clear(h.clients)
	h.cmu.Unlock()
	h.serving.Wait()
}
