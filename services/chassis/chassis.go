// Package chassis is what every service of the shop stands on: HTTP server and client, health, telemetry, faults, the way
// into stores of others, graceful stop.
package chassis

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Config is all that a service is told from outside.
type Config struct {
	Name     string            // the service's node id
	Addr     string            // listen address, host:port
	Instance string            // name of this replica in consumer groups, which it keeps over a restart; empty: Name@Addr
	StoreURL string            // postgres://, mongodb:// or redis:// of its own store; empty where it has none
	BusURL   string            // redis:// of the bus; empty where it has none
	Peers    map[string]string // base URLs by service name, of those that it calls
	// OtherStores are addresses of other services' stores, by node id ("users-db"), of those that it reaches into in the
	// pattern Shared and should not.
	OtherStores  map[string]string
	OTLPEndpoint string       // base URL that takes OTLP/HTTP traces at /v1/traces; empty: none are exported
	OTLPToken    string       // sent as a bearer token with them; may be empty
	Log          *slog.Logger // nil: slog.Default()
}

// Patterns, the first path segment of every route: how a feature gets the data of other services.
const (
	Monolith = "monolith" // there are no others: one process, one database
	Shared   = "shared"   // it reads the others' databases
	Sync     = "sync"     // it asks them over HTTP
	Bus      = "bus"      // it asks them over the bus
	Copies   = "copies"   // it has copies of its own, kept by their events
)

// ServicePatterns are all that a service of the shop answers, the monolith apart.
func ServicePatterns() []string { return []string{Shared, Sync, Bus, Copies} }

// healthTimeout bounds one check of the own store.
const healthTimeout = time.Second

// Service is one running service: routes, background work and health. Use New, then Handle/Go/Ready, then Run, once and
// from one goroutine; only Healthy and Client are for concurrent use.
type Service struct {
	Config
	Client *Client

	mux       *http.ServeMux
	telemetry *telemetry
	repeats   repeats
	work      []work
	jobs      *jobs           // nil: it has none
	admin     map[string]bool // paths of routes for whoever runs the service
	faults    atomic.Pointer[Faults]

	mu      sync.Mutex
	check   func(context.Context) error
	closers []func() // of other services' stores that were opened

	republished func() (int64, time.Time) // nil: none is told
}

// work is one piece of background work.
type work struct {
	name string
	run  func(context.Context) error
}

// New prepares a service from its configuration: telemetry, the client for its peers, /healthz, /readyz, /faults. Run
// gives back what it holds. An error is a fault in cfg.
func New(cfg Config) (*Service, error) {
	if cfg.Name == "" {
		return nil, fmt.Errorf("a service needs a name")
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Instance == "" {
		cfg.Instance = cfg.Name + "@" + cfg.Addr
	}
	client, err := newClient(cfg.Peers)
	if err != nil {
		return nil, fmt.Errorf("service %s: %w", cfg.Name, err)
	}
	tel, err := newTelemetry(cfg)
	if err != nil {
		return nil, fmt.Errorf("service %s: %w", cfg.Name, err)
	}
	client.trace(tel.provider)
	s := &Service{Config: cfg, Client: client, mux: http.NewServeMux(), telemetry: tel, admin: map[string]bool{}}
	s.HandleAdmin("GET "+healthPath, s.serveHealth)
	s.HandleAdmin("GET "+readyPath, s.serveReady)
	s.HandleAdmin("GET "+FaultsPath, s.getFaults)
	s.HandleAdmin("PUT "+FaultsPath, s.putFaults)
	return s, nil
}

// Go adds background work that runs from Run until its context ends; an error ends the service. Work that returns nil
// early has just done what it had to do.
func (s *Service) Go(name string, run func(ctx context.Context) error) {
	s.work = append(s.work, work{name, run})
}

// Ready sets the check of the service's own store, behind /readyz and Healthy. It never asks another service.
func (s *Service) Ready(check func(ctx context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.check = check
}

// Healthy runs the check given to Ready, for at most a second. Without one the service is always healthy.
func (s *Service) Healthy(ctx context.Context) error { return s.healthy(ctx, healthTimeout) }

func (s *Service) healthy(ctx context.Context, timeout time.Duration) error {
	s.mu.Lock()
	check := s.check
	s.mu.Unlock()
	if check == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return check(ctx)
}
