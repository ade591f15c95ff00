// Package chassistest runs a service for its tests, asks it, and stands in for what is around it: the owners of events, the
// other services on the bus, servers that are dead or silent.
package chassistest

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stillup/stillup/services/chassis"
)

// Start runs a service on a free port, without a log, until the test ends, and then wants it to end without an error. It
// returns the service's base URL once it listens, which says nothing of its store: see [Ready]. Of cfg it sets Addr and
// Log.
func Start(t testing.TB, cfg chassis.Config, run func(context.Context, chassis.Config) error) (url string) {
	t.Helper()
	cfg.Addr, cfg.Log = Unused(t), slog.New(slog.DiscardHandler)
	background(t, cfg.Name, func(ctx context.Context) error { return run(ctx, cfg) })
	url = "http://" + cfg.Addr
	Eventually(t, "it listens", func() bool { return Get(url+"/healthz", nil) == http.StatusOK })
	return url
}

// Ready waits until the service at url has its store.
func Ready(t testing.TB, url string) {
	t.Helper()
	Eventually(t, "it is ready", func() bool { return Get(url+"/readyz", nil) == http.StatusOK })
}

// NotReady waits until the service at url says that its store is away. A store that is killed may answer for a moment
// more: Postgres' workers outlive their server.
func NotReady(t testing.TB, url string) {
	t.Helper()
	Eventually(t, "it is not ready", func() bool { return Get(url+"/readyz", nil) == http.StatusServiceUnavailable })
}

// background runs what is called name until the test ends, and then wants it to end without an error.
func background(t testing.TB, name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
}
