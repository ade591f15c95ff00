// Package chassis is what every service of the shop stands on: HTTP server and client, health, telemetry, graceful stop.
package chassis

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Config is all that a service is told from outside.
type Config struct {
	Name         string            // the service's node id
	Addr         string            // listen address, host:port
	StoreURL     string            // postgres://, mongodb:// or redis:// of its own store; empty where it has none
	BusURL       string            // redis:// of the bus; empty where it has none
	Peers        map[string]string // base URLs by service name
	OTLPEndpoint string            // base URL that takes OTLP/HTTP traces at /v1/traces; empty: none are exported
	OTLPToken    string            // sent as a bearer token with them; may be empty
	Log          *slog.Logger
}

// Patterns that the service answers, the first path segment of its routes.
const (
	Sync   = "sync"
	Copies = "copies"
)

// Service is one running service: routes, background work and health. Use New, then Handle/Go/Ready, then Run.
type Service struct {
	Config
	Client *Client
}

// New prepares a service from its configuration: telemetry, the client for its peers, /healthz, /readyz.
func New(cfg Config) (*Service, error) { panic("stub") }

// Handle serves pattern ("GET /sync/users/{id}"). An error becomes a problem document: a *Problem as it is, a *CallError
// as 502 or 504, anything else as 500 (or 503 where Ready's check fails). It is logged once, here.
func (s *Service) Handle(pattern string, h func(w http.ResponseWriter, r *http.Request) error) {
	panic("stub")
}

// Go adds background work that runs from Run until its context ends; an error ends the service.
func (s *Service) Go(name string, run func(ctx context.Context) error) { panic("stub") }

// Ready sets the check of the service's own store, behind /readyz and Healthy. It never asks another service.
func (s *Service) Ready(check func(ctx context.Context) error) { panic("stub") }

// Healthy runs the check given to Ready.
func (s *Service) Healthy(ctx context.Context) error { panic("stub") }

// Run serves until ctx ends, then stops gracefully and returns nil.
func (s *Service) Run(ctx context.Context) error { panic("stub") }

// Problem is an RFC 9457 problem document.
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
}

func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// Errorf makes a Problem whose title is the status text.
func Errorf(status int, format string, args ...any) *Problem { panic("stub") }

// ReadJSON decodes the request's body, at most 64 KiB, into v; unknown fields and trailing data are errors (*Problem 400).
func ReadJSON(r *http.Request, v any) error { panic("stub") }

// WriteJSON answers with v as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) error { panic("stub") }

// Client calls peers. Every call has a time-out, carries the trace and the remaining budget, and is made once: no retries.
type Client struct{}

// CallTimeout is how long one call to a peer may take.
const CallTimeout = time.Second

// Call sends in (nil for no body) as JSON to the peer and decodes the answer into out (nil to drop it). An answer of 400
// and more, or none, is a *CallError.
func (c *Client) Call(ctx context.Context, peer, method, path string, in, out any) error {
	panic("stub")
}

// CallError says in a newcomer's words why a call to a peer failed.
type CallError struct {
	Peer   string
	Kind   string // refused | timeout | status | network | malformed
	Status int    // of the peer's answer, 0 for none
	Detail string // the peer's problem detail, or the error's text
}

// Error reads like "catalog refused the connection", "catalog did not answer within 1 s", "catalog answered 503: its store does not answer".
func (e *CallError) Error() string { panic("stub") }

// Event starts a CONSUMER span for an event that came over a stream, linked to and continuing its traceparent; call the
// returned function with the outcome.
func StartEvent(ctx context.Context, stream, group, traceparent, id, typ string) (context.Context, func(error)) {
	panic("stub")
}

// TraceParent returns the W3C traceparent of ctx's span, empty for none.
func TraceParent(ctx context.Context) string { panic("stub") }
