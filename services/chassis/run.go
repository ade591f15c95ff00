package chassis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	"golang.org/x/sync/errgroup"
)

// stopTimeout is how long requests in flight may still take once the service stops.
const stopTimeout = 3 * time.Second

// Run serves until ctx ends, then stops gracefully and returns nil: requests in flight may end, for 3 s, then the
// background work is told to stop and waited for. An error is an address that cannot be listened on, or that of the
// background work that failed first.
func (s *Service) Run(ctx context.Context) error {
	defer s.telemetry.close(s.Log)
	defer s.Client.close()
	defer s.closeReaches()
	listener, err := listen(ctx, s.Addr)
	if err != nil {
		return err
	}
	return s.serve(ctx, listener)
}

func (s *Service) serve(ctx context.Context, listener net.Listener) error {
	// Neither requests nor work end with ctx itself, so that the order of the stop is ours.
	base, stop := context.WithCancel(s.telemetry.in(context.WithoutCancel(ctx)))
	defer stop()
	server := &http.Server{
		Handler:           s.handler(),
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 2 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	g, failed := errgroup.WithContext(base)
	g.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve %s: %w", s.Addr, err)
		}
		return nil
	})
	for _, w := range s.work {
		g.Go(func() error {
			if err := w.run(failed); err != nil && failed.Err() == nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			return nil
		})
	}
	s.Log.Info("serving", "service", s.Name, "addr", listener.Addr().String())

	select {
	case <-ctx.Done():
	case <-failed.Done():
	}
	bounded, cancel := context.WithTimeout(base, stopTimeout)
	defer cancel()
	if err := server.Shutdown(bounded); err != nil {
		server.Close() // the requests that remain are cut off; that is what the bound is for
	}
	stop()
	return g.Wait()
}

// handler is the whole HTTP side: spans around the routes, except for those of HandleAdmin.
func (s *Service) handler() http.Handler {
	return otelhttp.NewHandler(http.HandlerFunc(s.route), s.Name,
		otelhttp.WithTracerProvider(s.telemetry.provider),
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithFilter(func(r *http.Request) bool { return !s.admin[r.URL.Path] }))
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen on %s: another program listens there; stop it or choose another address: %w", addr, err)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}
