// Package socketproxy stands between whoever may look at, and act on, some containers and the Docker engine's socket,
// which may do everything. It lets through what is listed in routes.go and nothing else, and that only for one compose project:
//
//   - lists of containers and networks are narrowed to the project; a caller's own filters stay;
//   - a container is looked up before it is read or acted on, and must be of the project and carry the label of nodes;
//   - a network is looked up too, and must be of the project; what is connected or disconnected must be such a container;
//   - of events there are those of the project's containers, and the connecting and disconnecting of these. The engine's own
//     filter by label drops all events of networks (20.10), so the proxy reads the stream and drops the others itself.
//
// Requests are made anew: of the caller's there remain the route, the parameters listed for it and, of a body, the fields
// that are known. What is looked up is then named by its full id, so that a name cannot come to mean something else.
// Refusals are 403 with the engine's kind of body, {"message": "..."}. Where the engine cannot be reached, or the project is not
// known, it is 502, and the next request tries again.
package socketproxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const grace = 2 * time.Second // what is being answered when the proxy ends may take so long

// Options say what is let through.
type Options struct {
	Socket  string // the engine's, such as /var/run/docker.sock
	Project string // the compose project; empty: that of the container Self
	Self    string // host name of the proxy's own container, which is the beginning of its id
	Label   string // that a container must carry, whatever its value
	Log     *slog.Logger
}

// Serve answers on ln, which it closes, until ctx ends; streams end then, too. It returns nil then, or why it could not go
// on. That the engine is not there is no reason: it may come later.
func Serve(ctx context.Context, ln net.Listener, o Options) error {
	p := newProxy(o)
	defer p.engine.CloseIdleConnections()
	if project, err := p.scope(ctx); err != nil {
		o.Log.Warn("not ready; every request tries again", "error", err)
	} else {
		o.Log.Info("ready", "project", project, "socket", o.Socket)
	}
	server := &http.Server{
		Handler:           p,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	ended, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-ended.Done()
		bounded, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if server.Shutdown(bounded) != nil {
			server.Close()
		}
	}()
	err := server.Serve(ln)
	cancel()
	<-done
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the socket proxy: %w", err)
	}
	return nil
}

// proxy is the handler.
type proxy struct {
	Options
	engine  *http.Client
	learned atomic.Pointer[string] // the project, once it is known
}

func newProxy(o Options) *proxy {
	p := &proxy{Options: o}
	if o.Project != "" {
		p.learned.Store(&o.Project)
	}
	var d net.Dialer
	p.engine = &http.Client{
		Transport: &http.Transport{
			DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", o.Socket) },
			DisableCompression: true,
			IdleConnTimeout:    30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return p
}

// ServeHTTP lets a request through or refuses it.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := p.route(r)
	if err == nil {
		err = c.route.do(p, w, r, c)
	}
	if err == nil {
		return
	}
	var refused *refusal
	if !errors.As(err, &refused) {
		refused = &refusal{http.StatusBadGateway, err.Error()}
	}
	p.Log.Warn("refused", "method", r.Method, "path", r.URL.Path, "remote", r.RemoteAddr, "status", refused.status, "why", refused.message)
	refused.write(w)
}
