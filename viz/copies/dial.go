package copies

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// dialer makes connections that never wait for long. The Postgres driver gives one that fell silent up to 15 s to end in
// good order, and keeps its place in the pool meanwhile; here that takes as long as a call at most, and nothing once the
// dialer is closed.
type dialer struct {
	mu     sync.Mutex // guards what follows
	open   map[*hasty]struct{}
	closed bool
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: callWithin}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	h := &hasty{Conn: conn, of: d}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		conn.Close()
		return nil, net.ErrClosed
	}
	if d.open == nil {
		d.open = map[*hasty]struct{}{}
	}
	d.open[h] = struct{}{}
	return h, nil
}

// close ends all connections, and every one that is still dialed.
func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for h := range d.open {
		_ = h.Conn.Close() // nothing was left to be written
	}
}

// hasty is a connection on which nothing waits longer than callWithin.
type hasty struct {
	net.Conn
	of      *dialer
	bounded atomic.Bool // a deadline was set by its user
}

// SetDeadline is [net.Conn.SetDeadline]; one further away than callWithin is brought to that.
func (h *hasty) SetDeadline(t time.Time) error {
	h.bounded.Store(!t.IsZero())
	if most := time.Now().Add(callWithin); t.After(most) {
		t = most
	}
	return h.Conn.SetDeadline(t)
}

// Read is [net.Conn.Read].
func (h *hasty) Read(b []byte) (int, error) {
	if !h.bounded.Load() {
		if err := h.Conn.SetReadDeadline(time.Now().Add(callWithin)); err != nil {
			return 0, err
		}
	}
	return h.Conn.Read(b)
}

// Close is [net.Conn.Close].
func (h *hasty) Close() error {
	h.of.mu.Lock()
	delete(h.of.open, h)
	h.of.mu.Unlock()
	return h.Conn.Close()
}
