package demo

import (
	"context"
	"net"
	"sync"
	"time"
)

// How long a flaky server is there, and how long it is away.
const (
	hereFor = 15 * time.Second
	awayFor = 5 * time.Second
)

// Flaky is ln of a server that goes away for 5 seconds after every 15: then all its connections are cut, and new ones too
// as soon as they come. Run must be running.
type Flaky struct {
	net.Listener

	mu   sync.Mutex // guards what follows
	away bool
	open map[*conn]struct{}
}

// NewFlaky makes a server's listener flaky.
func NewFlaky(ln net.Listener) *Flaky { return &Flaky{Listener: ln, open: map[*conn]struct{}{}} }

// conn is a connection that says when it is closed.
type conn struct {
	net.Conn
	of *Flaky
}

// Accept is [net.Listener.Accept].
func (f *Flaky) Accept() (net.Conn, error) {
	for {
		got, err := f.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{got, f}
		f.mu.Lock()
		away := f.away
		if !away {
			f.open[c] = struct{}{}
		}
		f.mu.Unlock()
		if !away {
			return c, nil
		}
		_ = got.Close() // which is the point
	}
}

// Close is [net.Conn.Close].
func (c *conn) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// Run lets the server go and come until ctx ends, and returns nil then.
func (f *Flaky) Run(ctx context.Context) error {
	timer := time.NewTimer(hereFor)
	defer timer.Stop()
	for away := true; ; away = !away {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		f.mu.Lock()
		f.away = away
		var cut []net.Conn
		if away {
			for c := range f.open {
				cut = append(cut, c.Conn)
			}
		}
		f.mu.Unlock()
		for _, c := range cut {
			_ = c.Close() // its owner finds out
		}
		timer.Reset(map[bool]time.Duration{true: awayFor, false: hereFor}[away])
	}
}
