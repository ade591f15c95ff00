package chassis

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// ReachTimeout is how long one use of another service's store may take, so that one that is there and silent is told to
// the caller within a second.
const ReachTimeout = 900 * time.Millisecond

// Reach is a way past a service straight into its store, as only the pattern Shared has it. The client is opened at the
// first use and closed when the service ends; the store need not be there before, and may go and come.
type Reach[C any] struct {
	node, system string
	service      string            // that reaches
	client       func() (C, error) // nil: there is no address
}

// newReach prepares the way to node, where an address of it is configured: prepare checks that address and says how to
// open a client, shut closes one.
func newReach[C any](s *Service, node, system string, prepare func(url string) (func() (C, error), error),
	shut func(C)) (*Reach[C], error) {
	r := &Reach[C]{node: node, system: system, service: s.Name}
	url := s.OtherStores[node]
	if url == "" {
		return r, nil
	}
	open, err := prepare(url)
	if err != nil {
		return nil, fmt.Errorf("address of %s: %w", node, err)
	}
	r.client = sync.OnceValues(func() (C, error) {
		c, err := open()
		if err != nil {
			return c, fmt.Errorf("open %s: %w", node, err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.closers = append(s.closers, func() { shut(c) })
		return c, nil
	})
	return r, nil
}

// Do uses the store once, for ReachTimeout at most and no longer than ctx's deadline, in a CLIENT span named after
// operation, the store's own word for what is done ("SELECT", "find", "EVALSHA"), and the store's node id. An error of use
// comes back as a *CallError whose Peer is that node; use returns nil where the store answers that there is nothing.
// Without an address of the store it is a *Problem 503, and use does not run.
func (r *Reach[C]) Do(ctx context.Context, operation string, use func(ctx context.Context, client C) error) error {
	if r.client == nil {
		return Errorf(http.StatusServiceUnavailable, "%s has no address of %s; give it one in STILLUP_OTHER_STORES", r.service, r.node)
	}
	client, err := r.client()
	if err != nil {
		return err
	}
	timeout := ReachTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline))
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ctx, span := tracer(ctx).Start(ctx, operation+" "+r.node, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("db.system.name", r.system),
		attribute.String("db.operation.name", operation),
		attribute.String("peer.service", r.node),
	))
	defer span.End()
	if err := use(ctx, client); err != nil {
		e := storeFailure(ctx, r.node, timeout, err)
		span.SetStatus(codes.Error, e.reason())
		return e
	}
	return nil
}

// closeReaches gives back the clients of other services' stores.
func (s *Service) closeReaches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, shut := range s.closers {
		shut()
	}
	s.closers = nil
}
