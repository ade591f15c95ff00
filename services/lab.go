package services

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/stores"
)

// Lab plans the whole shop on this machine, every node a process of its own on a free loopback port.
type Lab struct {
	Data     string // folder of all data; made where missing
	Self     string // path of the program that knows "service NAME"
	Embedded string // path of the program with the embedded engines
	OTLP     string // base URL that takes the services' traces
	Token    string // sent along with them; may be empty
}

// Node is one process of the lab, ready to be run.
type Node struct {
	ID         string
	Path       string
	Args       []string
	Env        []string
	Dir        string
	UID, GID   uint32
	StopSignal syscall.Signal
	LogFile    string
	URL        string // base address of a service for the outside; empty for stores
	StoreURL   string // of stores and the bus, for the outside: holds a password, so it is never shown
	Engine     string // of stores, as found: "Redis 7.0.15"
	Volatile   bool
	Client     bool // it only makes traffic
	Later      bool // it is not started with the others: it joins when it is told to, and has not yet
	// Alive says whether it answers at all; Ready whether a service can also serve its own feature.
	Alive, Ready func(ctx context.Context) error
	// SetFaults makes a service slow by so much and lets that share of its requests fail; nil for stores.
	SetFaults func(ctx context.Context, latency time.Duration, errorShare float64) error
}

// Outside is the caller of links that stands for whoever is not a node: the dashboard, a person with curl.
const Outside = ""

// Link is a way of its own from one node to another, so that a node can be cut off: From reaches To by connecting to
// Listen, and what runs the lab forwards that to Upstream, where To listens.
type Link struct{ From, To, Listen, Upstream string } // From may be Outside; the addresses are host:port

// Prepare finds the engines, prepares the stores' folders and returns the nodes, stores before services, the links
// between them, and what had to be done differently from the first choice, in sentences.
func (l Lab) Prepare(ctx context.Context) (nodes []Node, links []Link, remarks []string, err error) {
	found := map[string]stores.Found{}
	for _, engine := range []string{stores.Postgres, stores.MongoDB, stores.Redis} {
		f, err := stores.Find(ctx, engine, l.Embedded)
		if err != nil {
			return nil, nil, nil, err
		}
		found[engine] = f
		if f.Embedded {
			remarks = append(remarks, f.Remark())
		}
	}
	w, err := newWiring()
	if err != nil {
		return nil, nil, nil, err
	}
	type store struct {
		id, engine string
		later      bool
	}
	wanted := []store{{Bus, stores.Redis, false}}
	for _, s := range all {
		if s.engine != "" {
			wanted = append(wanted, store{storeOf(s.name), s.engine, s.later && !l.joined(s)})
		}
	}
	nodes = make([]Node, len(wanted))
	urls := make([]string, len(wanted))
	g, gctx := errgroup.WithContext(ctx)
	for i, want := range wanted {
		f, port := found[want.engine], w.port(want.id)
		g.Go(func() error {
			cmd, err := f.Prepare(gctx, filepath.Join(l.Data, want.id), port)
			if err != nil {
				return fmt.Errorf("prepare %s: %w", want.id, err)
			}
			urls[i] = cmd.URL
			ping := func(ctx context.Context) error { return stores.Ping(ctx, cmd.URL) }
			nodes[i] = Node{ID: want.id, Path: cmd.Path, Args: cmd.Args, Env: cmd.Env, Dir: cmd.Dir,
				UID: cmd.UID, GID: cmd.GID, StopSignal: cmd.StopSignal, LogFile: l.log(want.id),
				Engine: f.Version, Volatile: f.Volatile, Later: want.later, Alive: ping, Ready: ping}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, nil, err
	}
	for i, want := range wanted {
		w.urls[want.id] = urls[i]
		nodes[i].StoreURL = w.url(Outside, want.id)
	}
	for _, s := range all {
		w.urls[s.name] = "http://" + w.addr(s.name)
	}
	for _, s := range all {
		direct := w.urls[s.name]
		nodes = append(nodes, Node{ID: s.name, Path: l.Self, Args: []string{"service", s.name}, Env: Env(l.config(s, w)),
			StopSignal: syscall.SIGTERM, LogFile: l.log(s.name), URL: w.url(Outside, s.name), Client: s.client(), Later: s.later && !l.joined(s),
			Alive: getter(direct + "/healthz"), Ready: getter(direct + "/readyz"), SetFaults: faultSetter(direct)})
	}
	return nodes, w.links, remarks, nil
}

// config is what a service is told: addresses of what it needs, each by a link of its own.
func (l Lab) config(s service, w *wiring) chassis.Config {
	cfg := chassis.Config{Name: s.name, Addr: w.addr(s.name), Instance: s.name + "@" + w.addr(s.name),
		Peers: map[string]string{}, OtherStores: map[string]string{}, OTLPEndpoint: l.OTLP, OTLPToken: l.Token}
	if s.engine != "" {
		cfg.StoreURL = w.url(s.name, storeOf(s.name))
	}
	if !s.offBus {
		cfg.BusURL = w.url(s.name, Bus)
	}
	for _, peer := range s.calls {
		cfg.Peers[peer] = w.url(s.name, peer)
	}
	for _, store := range s.reaches {
		cfg.OtherStores[store] = w.url(s.name, store)
	}
	return cfg
}

// joined says whether a service that joins later did so in an earlier run: its store has written something. One with a store
// that forgets on restart has to be told to join again.
func (l Lab) joined(s service) bool {
	written, err := filepath.Glob(filepath.Join(l.Data, storeOf(s.name), "appendonlydir", "*"))
	if err == nil && len(written) == 0 { // before Redis 7 it was one file
		written, err = filepath.Glob(filepath.Join(l.Data, storeOf(s.name), "appendonly.aof"))
	}
	return err == nil && len(written) > 0 // an error is one of the pattern, which is ours
}

func (l Lab) log(id string) string { return filepath.Join(l.Data, "logs", id+".log") }

// getter makes a check that url answers 200.
func getter(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("GET %s: %s", url, resp.Status)
		}
		return nil
	}
}

// faultSetter makes a function that sets the faults of the service at url.
func faultSetter(url string) func(context.Context, time.Duration, float64) error {
	return func(ctx context.Context, latency time.Duration, errorShare float64) error {
		body, err := json.Marshal(chassis.Faults{LatencyMS: latency.Milliseconds(), ErrorShare: errorShare})
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPut, url+chassis.FaultsPath, bytes.NewReader(body))
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("PUT %s: %s", req.URL, resp.Status)
		}
		return nil
	}
}
