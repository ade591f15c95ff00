package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	tryWithin   = 250 * time.Millisecond // what upstream, and the look-up of its name, may take to accept
	tryEvery    = 50 * time.Millisecond  // how often upstream is tried while it does not accept
	listenAgain = 2 * time.Second        // the longest pause between tries to listen
)

// Gate is a forwarded address of a node that runs somewhere else, in a container: callers connect to Listen, and that is
// forwarded to Upstream. Both are HOST:PORT; names are looked up anew each time.
type Gate struct{ Node, Listen, Upstream string }

// ParseGate reads NODE=LISTEN=UPSTREAM.
func ParseGate(s string) (Gate, error) {
	parts := strings.Split(s, "=")
	if len(parts) != 3 || parts[0] == "" {
		return Gate{}, fmt.Errorf("gate %q: write NODE=LISTEN=UPSTREAM, such as users=users-gate:8001=users:8001", s)
	}
	g := Gate{parts[0], parts[1], parts[2]}
	for i, addr := range parts[1:] {
		host, port, err := net.SplitHostPort(addr)
		if _, numeric := strconv.ParseUint(port, 10, 16); err != nil || numeric != nil {
			return Gate{}, fmt.Errorf("gate %q: %q is no address; write HOST:PORT, such as users:8001", s, addr)
		}
		if host == "" && i == 1 {
			return Gate{}, fmt.Errorf("gate %q: the upstream %q names no host", s, addr)
		}
	}
	return g, nil
}

// gate is one Gate's life. It listens while its upstream accepts connections, so that the callers of a node that is down
// are refused, as they would be by the node itself. It knows from a connection of its own to upstream, which it watches:
// when that ends it dials again at once, and what comes of that says whether the node is there. So a node that is silent,
// stopped or without network, leaves the gate open, and its callers meet silence too.
type gate struct {
	Gate
	log     *slog.Logger
	link    *link
	watched atomic.Pointer[net.TCPConn] // the connection that is watched; closed from outside where upstream is in doubt

	mu   sync.Mutex // held while faults are set and while the gate closes
	open bool
}

func newGate(spec Gate, log *slog.Logger) *gate {
	g := &gate{Gate: spec, log: log.With("node", spec.Node)}
	g.link = newLink(Link{To: spec.Node, Listen: spec.Listen, Upstream: spec.Upstream}, nil)
	g.link.afresh = true // a container that was cut off may come back with another address
	g.link.failed = g.doubt
	return g
}

// run opens and closes the gate until ctx ends; it is closed then, and nothing of it is left.
func (g *gate) run(ctx context.Context) {
	pause := tryEvery
	for ctx.Err() == nil {
		watch, err := g.dial(ctx)
		if err != nil {
			wait(ctx, tryEvery)
			continue
		}
		g.watched.Store(watch)
		if err := g.unlock(ctx); err != nil {
			watch.Close()
			if pause == tryEvery && ctx.Err() == nil {
				g.log.Warn("the gate cannot listen; it goes on trying", "listen", g.Listen, "error", err)
			}
			pause = min(2*pause, listenAgain)
			wait(ctx, pause)
			continue
		}
		pause = tryEvery
		g.log.Info("gate open", "listen", g.Listen, "upstream", g.Upstream)
		why := g.watch(ctx, watch)
		g.lock()
		g.log.Info("gate closed", "because", why)
	}
}

// dial tries whether upstream accepts. Nothing is ever sent, not even to keep the connection alive: silence is no end.
func (g *gate) dial(ctx context.Context) (*net.TCPConn, error) {
	ctx, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	d := net.Dialer{KeepAlive: -1}
	d.SetMultipathTCP(false)
	c, err := d.DialContext(ctx, "tcp", g.Upstream)
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// watch waits until upstream does not accept any more, or ctx ends, and says why. It closes the connection c, and those
// that it opens in its place.
func (g *gate) watch(ctx context.Context, c *net.TCPConn) error {
	for short := false; ; {
		since := time.Now()
		g.watched.Store(c)
		if err := listenTo(ctx, c); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			g.awaitNoCut(ctx)
		}
		wasShort, left := short, tryEvery-time.Since(since)
		if short = left > 0; short && wasShort { // upstream accepts and closes at once; it is not asked all the time
			wait(ctx, left)
		}
		var err error
		c, err = g.dial(ctx)
		if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() { // of a busy machine one try tells nothing
			c, err = g.dial(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// listenTo waits until c ends, or ctx does, and closes it. It returns nil where the other side has ended it.
func listenTo(ctx context.Context, c *net.TCPConn) error {
	defer context.AfterFunc(ctx, func() { c.Close() })()
	defer c.Close()
	_, err := io.Copy(io.Discard, c)
	return err
}

// awaitNoCut returns once the gate is not told to cut the node off, or ctx ends.
func (g *gate) awaitNoCut(ctx context.Context) {
	for now := g.link.now.Load(); now.cut; now = g.link.now.Load() {
		select {
		case <-now.replaced:
		case <-ctx.Done():
			return
		}
	}
}

// doubt has the gate find out whether upstream still accepts. In a cut it does nothing: a node that is cut off is silent.
func (g *gate) doubt() {
	if c := g.watched.Load(); c != nil && !g.link.now.Load().cut {
		c.Close()
	}
}

// unlock has the gate listen.
func (g *gate) unlock(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, listenAgain)
	defer cancel()
	if err := g.link.open(ctx); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = true
	return nil
}

// lock has the gate refuse its callers, and ends its connections and faults: they were those of a run that is over.
func (g *gate) lock() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = false
	g.link.close()
	g.link.apply(faults{})
}

// errShut: faults can be set only while the gate is open.
var errShut = errors.New("the gate is closed, for its node accepts no connections; faults begin and end with a node's run")

// set puts f in force, in the place of what was. Where that lifts a cut, all connections end.
func (g *gate) set(f faults) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open && f != (faults{}) {
		return errShut
	}
	lifted := g.link.now.Load().cut && !f.cut
	g.link.apply(f)
	if lifted {
		g.doubt()
	}
	return nil
}

// told are the faults in force, and whether the gate is open.
func (g *gate) told() (faults, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.link.now.Load().faults, g.open
}

// wait waits for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
