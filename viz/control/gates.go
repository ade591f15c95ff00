package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	maxGateBody = 4 << 10
	gatesGrace  = 2 * time.Second // what is being answered when the gates end may take so long
)

// GateFaults are what a gate does to the connections of its callers. The zero value is a healthy gate.
type GateFaults struct {
	LatencyMS  int64   `json:"latency_ms"`  // added to each answer; 0 to MaxLatency
	ErrorShare float64 `json:"error_share"` // of requests whose connection breaks, 0 to 1
	Cut        bool    `json:"cut"`         // what is sent, either way, is lost; all connections end when it is lifted
}

// GateState is what a gate answers: the faults in force, and whether it is open: its node accepts connections.
type GateState struct {
	GateFaults
	Open bool `json:"open"`
}

// check says whether the faults are within their bounds.
func (f GateFaults) check() error {
	switch {
	case f.LatencyMS < 0 || f.LatencyMS > MaxLatency.Milliseconds():
		return fmt.Errorf("latency_ms is %d; it can be 0 to %d", f.LatencyMS, MaxLatency.Milliseconds())
	case !(f.ErrorShare >= 0 && f.ErrorShare <= 1): // so written, not a number is out of bounds too
		return fmt.Errorf("error_share is %v; it can be 0 to 1", f.ErrorShare)
	}
	return nil
}

// Gates hold a forwarded address for every node of a system whose nodes run somewhere else, and make a node slow, failing
// or cut off when told over HTTP:
//
//	GET /gates/{node}   GateState
//	PUT /gates/{node}   takes GateFaults in the place of those that were, a field that is left out is 0; answers GateState
//	GET /healthz        200
//
// A gate is open while its node accepts connections. Faults can be set on an open gate only (409 else) and end when it
// closes: what is started is healthy. Whoever cuts a node off from its network, too, tells the gate before that, and lifts
// the cut here after the network is back. Errors are problem documents.
type Gates struct {
	log   *slog.Logger
	gates map[string]*gate
	names []string // in the order given
}

// NewGates makes the gates; nothing listens yet. It fails where there is none, and on two of one node or one address.
func NewGates(specs []Gate, log *slog.Logger) (*Gates, error) {
	if len(specs) == 0 {
		return nil, errors.New("there is no gate; give one for each node with --gate NODE=LISTEN=UPSTREAM")
	}
	g := &Gates{log: log, gates: map[string]*gate{}}
	listens := map[string]string{}
	for _, s := range specs {
		if _, twice := g.gates[s.Node]; twice {
			return nil, fmt.Errorf("node %q has two gates; one is enough for all its callers", s.Node)
		}
		if other, twice := listens[s.Listen]; twice {
			return nil, fmt.Errorf("the gates of %q and %q both listen on %s", other, s.Node, s.Listen)
		}
		listens[s.Listen] = s.Node
		g.gates[s.Node] = newGate(s, log)
		g.names = append(g.names, s.Node)
	}
	return g, nil
}

// Run opens and closes the gates and takes faults on ln, which it closes, until ctx ends. It returns once all has ended:
// nil then, or why it could not go on.
func (g *Gates) Run(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for _, one := range g.gates {
		wg.Go(func() { one.run(ctx) })
	}
	server := &http.Server{
		Handler:           g.handler(),
		ReadHeaderTimeout: 2 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		ErrorLog:          slog.NewLogLogger(g.log.Handler(), slog.LevelWarn),
	}
	wg.Go(func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.Background(), gatesGrace)
		defer cancel()
		if server.Shutdown(end) != nil {
			server.Close()
		}
	})
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the gates take no faults any more: %w", err)
	}
	return nil
}

func (g *Gates) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuseGate(w, http.StatusNotFound, "there is GET and PUT /gates/{node}, and GET /healthz")
	})
	mux.HandleFunc("/gates/{node}", func(w http.ResponseWriter, r *http.Request) {
		one, ok := g.gates[r.PathValue("node")]
		switch {
		case !ok:
			refuseGate(w, http.StatusNotFound, fmt.Sprintf("no gate leads to %q; there is %s", r.PathValue("node"), strings.Join(g.names, ", ")))
		case r.Method == http.MethodGet, r.Method == http.MethodHead:
			one.answer(w)
		case r.Method == http.MethodPut:
			one.put(w, r)
		default:
			w.Header().Set("Allow", "GET, HEAD, PUT")
			refuseGate(w, http.StatusMethodNotAllowed, "a gate takes GET and PUT")
		}
	})
	return mux
}

// put sets faults and answers what is in force then.
func (g *gate) put(w http.ResponseWriter, r *http.Request) {
	f, err := readGateFaults(w, r)
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		refuseGate(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body may have %d bytes", tooLarge.Limit))
		return
	}
	if err != nil {
		refuseGate(w, http.StatusBadRequest, err.Error())
		return
	}
	if err := g.set(faults{latency: time.Duration(f.LatencyMS) * time.Millisecond, share: f.ErrorShare, cut: f.Cut}); err != nil {
		refuseGate(w, http.StatusConflict, fmt.Sprintf("%s: %s", g.Node, err))
		return
	}
	g.log.Info("faults set", "latency_ms", f.LatencyMS, "error_share", f.ErrorShare, "cut", f.Cut)
	g.answer(w)
}

func readGateFaults(w http.ResponseWriter, r *http.Request) (GateFaults, error) {
	var f GateFaults
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxGateBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf(`the body cannot be read: %w; send {"latency_ms": 300, "error_share": 0.2, "cut": true}, or {} for none`, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return f, errors.New("the body holds more than one JSON value")
	}
	return f, f.check()
}

func (g *gate) answer(w http.ResponseWriter) {
	f, open := g.told()
	writeGate(w, http.StatusOK, "application/json", GateState{GateFaults{f.latency.Milliseconds(), f.share, f.cut}, open})
}

func refuseGate(w http.ResponseWriter, status int, detail string) {
	writeGate(w, status, "application/problem+json", struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{"about:blank", http.StatusText(status), status, detail})
}

func writeGate(w http.ResponseWriter, status int, kind string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		b = []byte("{}") // unreachable: numbers within bounds and strings always marshal
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b) // whoever asked may be gone
}
