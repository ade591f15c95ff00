// Package viz is the visualizer: it wires watchers, hub and runtime, and serves the page and the HTTP API.
package viz

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stillup/stillup/viz/class"
	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/copies"
	"github.com/stillup/stillup/viz/demo"
	"github.com/stillup/stillup/viz/hub"
	"github.com/stillup/stillup/viz/probes"
	"github.com/stillup/stillup/viz/tap"
	"github.com/stillup/stillup/viz/tour"
	"github.com/stillup/stillup/viz/traces"
	"github.com/stillup/stillup/viz/workloads"
	"github.com/stillup/stillup/viz/world"
	"github.com/stillup/stillup/web"
)

const (
	// endWithin is how long requests under way may still take once the visualizer ends.
	endWithin = 2 * time.Second
	// quietFor is how long nobody may have tried a cell before a probe does; calmFor is the same while nothing is known to
	// be wrong, so that a lab at rest is left at rest. A death is known at once, and then the probes are at once closer.
	quietFor = 750 * time.Millisecond
	calmFor  = 3500 * time.Millisecond
)

// Options of the visualizer.
type Options struct {
	System world.System
	BusURL string // redis:// of the streams
	// StoreURLs are addresses of stores by node id, through which they are looked into, read-only; a store that is not among
	// them is asked at the system file's. They may hold passwords, and are never told.
	StoreURLs map[string]string
	// Runtime owns the nodes; nil: the visualizer looks and does not touch. Then nothing can be killed, started or set,
	// and only features that are used by GET are probed.
	Runtime control.Runtime
	// Demo makes up the system, in place of all above: nothing is watched, and actions change what is made up. Nil: none.
	Demo *demo.Demo
	// Chapters is a folder of what can be walked through (see [tour.Read]); nil: nothing. A demo has none.
	Chapters fs.FS
	// Addr is the address that the listener was asked for, host:port; its host is one of the names under which the
	// dashboard may be called. Empty: the listener's own.
	Addr string
	// Published is where the engine publishes the dashboard, host:port, where it runs in a container; empty: it does not.
	Published string
	// Token is a secret that every request must carry. It may be empty on loopback only.
	Token string
	Log   *slog.Logger // nil: slog.Default()
}

// server is a visualizer at work.
type server struct {
	Options
	hub    *hub.Hub
	load   *probes.Load // nil: the traffic cannot be set
	copies *copies.Copies
	// workloads measures engines when it is asked to.
	workloads *workloads.Runner
	tour      *tour.Tour // never nil; empty where there is nothing to walk through
	walk      *walk
	begin     begin // of chapters
	classes   class.Classes
	page      http.Handler // the page and its files
	bus       *tap.Bus     // to be asked on demand; nil: its address cannot be read
	traces    http.Handler
	guard     *guard
	metrics   *metrics
	// looked: the bus answered, or did not; from then on the world says something about it.
	looked atomic.Bool
	// ending is done when the visualizer ends; actions end with it rather than with the browser that asked for them.
	ending context.Context
}

// Serve runs the visualizer on ln until ctx ends, then ends gracefully within 3 seconds and returns nil. It closes ln.
// Without a token it serves loopback only; another address is an error, as is a bus address that cannot be read, and a
// mistake in a chapter.
func Serve(ctx context.Context, ln net.Listener, o Options) error {
	defer ln.Close()
	if o.Log == nil {
		o.Log = slog.Default()
	}
	guard, err := o.guard(ln.Addr())
	if err != nil {
		return err
	}
	walkthrough, err := o.readTour()
	if err != nil {
		return fmt.Errorf("the walkthrough cannot be read: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	s := newServer(ctx, o, guard, walkthrough)
	defer s.close()
	for _, run := range s.watchers() {
		g.Go(func() error { return run(ctx) })
	}
	srv := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	g.Go(func() error {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the dashboard: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
		defer cancel()
		if err := srv.Shutdown(end); err != nil {
			return srv.Close() // whoever did not end in time is cut off
		}
		return nil
	})
	return g.Wait()
}

func (o Options) guard(addr net.Addr) (*guard, error) {
	if o.Published != "" {
		return newPublishedGuard(addr, o.Published, o.Token)
	}
	return newGuard(addr, o.Addr, o.Token)
}

// newServer wires a visualizer; nothing runs yet.
func newServer(ctx context.Context, o Options, guard *guard, walkthrough *tour.Tour) *server {
	if o.Demo != nil {
		o.System, o.Runtime = o.Demo.System(), invented{o.Demo}
	}
	s := &server{Options: o, guard: guard, ending: ctx, tour: walkthrough}
	s.walk = newWalk(s)
	guard.isClass = s.classes.Has
	shown := o.System
	if o.Runtime == nil {
		shown.Load = nil // so that the page offers nothing that would be refused
	}
	s.hub = hub.New(world.New(shown, time.Now()), hub.Options{Log: o.Log, Origin: guard.sameOrigin})
	if o.Runtime == nil {
		s.hub.Observe(world.ControlSeen{At: time.Now(), Why: "This dashboard watches a system that somebody else runs."})
	}
	if o.System.Load != nil && o.Demo == nil {
		s.load = &probes.Load{Spec: *o.System.Load, URL: s.url, See: s.hub.Observe}
	}
	kinds := map[string]world.NodeKind{}
	for _, n := range o.System.Nodes {
		kinds[n.ID] = n.Kind
	}
	s.traces = traces.New(traces.Options{See: s.hub.Observe, Log: o.Log,
		Node: func(name string) string {
			if kinds[name] != "" {
				return name
			}
			return ""
		},
		Store: func(node string) bool { return kinds[node] == world.Store },
		NodeAt: func(hostport string) (node string) {
			s.hub.View(func(w *world.World) { node = w.NodeAt(hostport) })
			return node
		}})
	s.workloads = &workloads.Runner{Targets: s.targets}
	looked := copies.Options{System: o.System, URLs: o.StoreURLs, Missing: s.missing, Hidden: s.hidden}
	if o.Demo != nil {
		looked.Invented = o.Demo
	}
	s.copies = copies.New(looked)
	s.metrics = newMetrics(s.hub)
	s.page = web.Handler(web.Options{State: s.state, Invented: s.Demo != nil, Chapters: s.chapterIDs()})
	if bus, err := tap.OpenBus(o.BusURL); err == nil { // else the tap says what is wrong with the address
		s.bus = bus
	}
	return s
}

// close ends what a visualizer at work holds; nobody asks it anything any more.
func (s *server) close() {
	s.copies.Close()
	if s.bus != nil {
		_ = s.bus.Close() // nothing was left to be written
	}
}

// watchers are all that runs besides the HTTP server, each until its context ends.
func (s *server) watchers() []func(context.Context) error {
	all := []func(context.Context) error{s.hub.Run}
	see := func(obs ...world.Observation) {
		s.hub.Observe(obs...)
		s.looked.Store(true)
	}
	if s.Demo != nil {
		return append(all, func(ctx context.Context) error { return s.Demo.Run(ctx, see) })
	}
	bus := tap.Tap{URL: s.BusURL, Streams: streamsOf(s.System), Log: s.Log}
	all = append(all, func(ctx context.Context) error { return bus.Run(ctx, see) })
	tries := probes.Probes{System: s.System, Quiet: s.quiet, URL: s.url, ReadOnly: s.Runtime == nil, Log: s.Log}
	all = append(all, func(ctx context.Context) error { return tries.Run(ctx, s.hub.Observe) })
	boxes := probes.Outboxes{System: s.System, URL: s.url}
	all = append(all, func(ctx context.Context) error { return boxes.Run(ctx, s.hub.Observe) })
	all = append(all, func(ctx context.Context) error { return s.copies.Run(ctx, s.hub.Observe) }, s.workloads.Run)
	if len(s.tour.Chapters) > 0 {
		all = append(all, s.walk.run, s.walk.ask)
	}
	if s.load != nil {
		all = append(all, s.load.Run)
	}
	if s.Runtime != nil {
		all = append(all, func(ctx context.Context) error {
			return s.Runtime.Watch(ctx, func(o world.Observation) { s.hub.Observe(o) })
		})
	}
	return all
}

// streamsOf are the streams that the system file names.
func streamsOf(sys world.System) []string {
	var names []string
	met := map[string]bool{}
	add := func(more ...string) {
		for _, name := range more {
			if !met[name] {
				met[name] = true
				names = append(names, name)
			}
		}
	}
	for _, st := range sys.Streams {
		add(st.Name)
	}
	for _, n := range sys.Nodes {
		add(n.Emits...)
		add(n.Takes...)
	}
	return names
}

// missing is what a store has not got yet of one thing that it copies.
func (s *server) missing(store, kind, id string, have, owner int64) (m world.Missing) {
	s.hub.View(func(w *world.World) { m = w.Missing(store, kind, id, have, owner) })
	return m
}

// hidden says whether a node has yet to join.
func (s *server) hidden(node string) (yet bool) {
	s.hub.View(func(w *world.World) { yet = w.Hidden(node) })
	return yet
}

// url is a node's base address as known now.
func (s *server) url(node string) (url string) {
	s.hub.View(func(w *world.World) { url = w.URL(node) })
	return url
}

// quiet are the cells that nobody tried for a while.
func (s *server) quiet() (cells []world.CellKey) {
	s.hub.View(func(w *world.World) {
		within := quietFor
		if w.Calm() {
			within = calmFor
		}
		cells = w.Untried(time.Now(), within)
	})
	return cells
}

// frame is everything known now.
func (s *server) frame() (f world.Frame) {
	s.hub.View(func(w *world.World) { f = w.Since(0) })
	return f
}

// state is the full frame as JSON, for the page.
func (s *server) state() ([]byte, error) { return json.Marshal(s.frame()) }
