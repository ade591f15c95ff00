package services

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"

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
	URL        string // base address of a service; empty for stores
	StoreURL   string // of stores and the bus: holds a password, so it is never shown
	Engine     string // of stores, as found: "Redis 7.0.15"
	Volatile   bool
	// Alive says whether it answers at all; Ready whether a service can also serve its own feature.
	Alive, Ready func(ctx context.Context) error
}

// Prepare finds the engines, prepares the stores' folders and returns the nodes, stores before services, and what
// had to be done differently from the first choice, in sentences.
func (l Lab) Prepare(ctx context.Context) (nodes []Node, remarks []string, err error) {
	found := map[string]stores.Found{}
	for _, engine := range []string{stores.Postgres, stores.MongoDB, stores.Redis} {
		f, err := stores.Find(ctx, engine, l.Embedded)
		if err != nil {
			return nil, nil, err
		}
		found[engine] = f
		if f.Embedded {
			remarks = append(remarks, f.Remark())
		}
	}
	ports, err := freePorts(2*len(all) + 1)
	if err != nil {
		return nil, nil, err
	}
	take := func() int { p := ports[0]; ports = ports[1:]; return p }

	type store struct{ id, engine, url string }
	wanted := []store{{id: Bus, engine: stores.Redis}}
	for _, s := range all {
		if s.engine != "" {
			wanted = append(wanted, store{id: s.name + "-db", engine: s.engine})
		}
	}
	nodes = make([]Node, len(wanted))
	urls := make([]string, len(wanted))
	g, gctx := errgroup.WithContext(ctx)
	for i, w := range wanted {
		port, f := take(), found[w.engine]
		g.Go(func() error {
			cmd, err := f.Prepare(gctx, filepath.Join(l.Data, w.id), port)
			if err != nil {
				return fmt.Errorf("prepare %s: %w", w.id, err)
			}
			urls[i] = cmd.URL
			ping := func(ctx context.Context) error { return stores.Ping(ctx, cmd.URL) }
			nodes[i] = Node{ID: w.id, Path: cmd.Path, Args: cmd.Args, Env: cmd.Env, Dir: cmd.Dir,
				UID: cmd.UID, GID: cmd.GID, StopSignal: cmd.StopSignal, LogFile: l.log(w.id),
				StoreURL: cmd.URL, Engine: f.Version, Volatile: f.Volatile, Alive: ping, Ready: ping}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	urlOf := map[string]string{}
	for i, w := range wanted {
		urlOf[w.id] = urls[i]
	}
	addrs, peers := map[string]string{}, map[string]string{}
	for _, s := range all {
		addrs[s.name] = net.JoinHostPort("127.0.0.1", strconv.Itoa(take()))
		peers[s.name] = "http://" + addrs[s.name]
	}
	for _, s := range all {
		cfg := chassis.Config{Name: s.name, Addr: addrs[s.name], StoreURL: urlOf[s.name+"-db"], BusURL: urlOf[Bus],
			Peers: peers, OTLPEndpoint: l.OTLP, OTLPToken: l.Token}
		nodes = append(nodes, Node{ID: s.name, Path: l.Self, Args: []string{"service", s.name}, Env: Env(cfg),
			StopSignal: syscall.SIGTERM, LogFile: l.log(s.name), URL: peers[s.name],
			Alive: getter(peers[s.name] + "/healthz"), Ready: getter(peers[s.name] + "/readyz")})
	}
	return nodes, remarks, nil
}

func (l Lab) log(id string) string { return filepath.Join(l.Data, "logs", id+".log") }

// Env writes a service's configuration as the environment that [FromEnv] reads.
func Env(cfg chassis.Config) []string {
	var peers []string
	for name, url := range cfg.Peers {
		if name != cfg.Name {
			peers = append(peers, name+"="+url)
		}
	}
	sort.Strings(peers)
	return []string{
		"STILLUP_ADDR=" + cfg.Addr,
		"STILLUP_STORE=" + cfg.StoreURL,
		"STILLUP_BUS=" + cfg.BusURL,
		"STILLUP_PEERS=" + strings.Join(peers, ","),
		"STILLUP_TOKEN=" + cfg.OTLPToken,
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + cfg.OTLPEndpoint,
	}
}

// FromEnv reads the configuration of the service called name, with getenv in place of os.Getenv.
func FromEnv(name string, getenv func(string) string) (chassis.Config, error) {
	cfg := chassis.Config{Name: name, Addr: getenv("STILLUP_ADDR"), StoreURL: getenv("STILLUP_STORE"),
		BusURL: getenv("STILLUP_BUS"), OTLPEndpoint: getenv("OTEL_EXPORTER_OTLP_ENDPOINT"),
		OTLPToken: getenv("STILLUP_TOKEN"), Peers: map[string]string{}}
	if cfg.Addr == "" {
		return cfg, fmt.Errorf("service %s: STILLUP_ADDR is not set; give the address to listen on, such as 127.0.0.1:8080", name)
	}
	for pair := range strings.SplitSeq(getenv("STILLUP_PEERS"), ",") {
		if pair == "" {
			continue
		}
		peer, url, ok := strings.Cut(pair, "=")
		if !ok || peer == "" || url == "" {
			return cfg, fmt.Errorf("service %s: STILLUP_PEERS has %q; write name=http://host:port, comma between", name, pair)
		}
		cfg.Peers[peer] = url
	}
	return cfg, nil
}

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

// freePorts picks n loopback ports that nothing listens on now. They lie below those that the system gives to outgoing
// connections, so that a killed node's port is still free when it is started again.
func freePorts(n int) ([]int, error) {
	const low, high, tries = 10_000, 32_000, 1000
	var ports []int
	for range tries {
		if len(ports) == n {
			return ports, nil
		}
		port := low + rand.IntN(high-low)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue // taken
		}
		defer l.Close() // all held until all are picked, so that no two are the same
		ports = append(ports, port)
	}
	return nil, fmt.Errorf("found only %d of %d free ports from %d to %d on 127.0.0.1; end some programs that listen there", len(ports), n, low, high)
}
