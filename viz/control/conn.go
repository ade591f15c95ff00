package control

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	dialWithin = 10 * time.Second // how long upstream may take to accept; a stopped process' backlog may be full
	chunkSize  = 16 << 10
	maxQueued  = 256 // chunks that wait for their time on a connection, 4 MiB; then upstream waits too
)

// conn is one connection through a link. An end on either side ends it whole, after the answers under way.
type conn struct {
	link   *link
	client *net.TCPConn
	ctx    context.Context // done once it is closed
	done   context.CancelFunc
	lossy  atomic.Bool // bytes of it are lost
	turn   atomic.Bool // the client's next bytes begin a request: an answer came since its last ones

	mu sync.Mutex
	up *net.TCPConn // nil until dialled

	delayed atomic.Int64 // chunks that wait for their time
}

// chunk is a part of an answer that waits for its time.
type chunk struct {
	at time.Time // of its arrival from upstream
	b  []byte
}

func newConn(l *link, client *net.TCPConn) *conn {
	c := &conn{link: l, client: client}
	c.ctx, c.done = context.WithCancel(context.Background())
	c.turn.Store(true)
	return c
}

// serve carries the connection to its end, and waits for all that it started.
func (c *conn) serve() {
	defer c.close()
	if c.lost() { // it never comes to upstream: silence until the client gives up or the cut is lifted
		_, _ = io.Copy(io.Discard, c.client)
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, dialWithin)
	defer cancel()
	var d net.Dialer
	d.SetMultipathTCP(false)
	up, err := d.DialContext(ctx, "tcp", c.link.Upstream)
	if err != nil {
		if c.link.failed != nil {
			c.link.failed()
		}
		c.reset()
		return
	}
	c.mu.Lock()
	c.up = up.(*net.TCPConn)
	c.mu.Unlock()
	if c.ctx.Err() != nil { // closed before up was there to be closed with it
		up.Close()
		return
	}
	var answers sync.WaitGroup
	answers.Go(c.answers)
	c.requests()
	answers.Wait()
}

// requests carries what the client sends.
func (c *conn) requests() {
	buf := make([]byte, chunkSize)
	for {
		n, err := c.client.Read(buf)
		if n > 0 {
			if begins := c.turn.Swap(false); begins && !c.lost() && rand.Float64() < c.link.now.Load().share {
				c.reset()
				return
			}
			if !c.pass(c.up, buf[:n]) {
				return
			}
		}
		if err != nil {
			c.end()
			return
		}
	}
}

// answers carries what upstream sends, at once or after the latency.
func (c *conn) answers() {
	var (
		buf   = make([]byte, chunkSize)
		queue chan chunk // made when it is first needed
		late  sync.WaitGroup
	)
	for {
		n, err := c.up.Read(buf)
		if n > 0 {
			c.turn.Store(true)
			if c.link.now.Load().latency == 0 && c.delayed.Load() == 0 {
				if !c.pass(c.client, buf[:n]) {
					break
				}
			} else {
				if queue == nil {
					queue = make(chan chunk, maxQueued)
					late.Go(func() { c.deliver(queue) })
				}
				c.delayed.Add(1)
				queue <- chunk{time.Now(), bytes.Clone(buf[:n])} // full: upstream is not read, and so waits; deliver always goes on
			}
		}
		if err != nil {
			break
		}
	}
	if queue != nil {
		close(queue)
		late.Wait()
	}
	c.end()
}

// deliver passes the queue's chunks on, each at its time, until the queue is closed.
func (c *conn) deliver(queue <-chan chunk) {
	for k := range queue {
		if c.await(k.at) {
			c.pass(c.client, k.b) // a client that is gone closes the connection, which await tells for the rest
		}
		c.delayed.Add(-1)
	}
}

// await waits until the link's latency has passed since at; the latency may change meanwhile. It reports false at once
// when the connection is closed.
func (c *conn) await(at time.Time) bool {
	for {
		now := c.link.now.Load()
		left := now.latency - time.Since(at)
		if left <= 0 {
			return c.ctx.Err() == nil
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-now.replaced:
			timer.Stop()
		case <-c.ctx.Done():
			timer.Stop()
			return false
		}
	}
}

// pass writes b, or loses it to a cut. Where it cannot be written it closes the connection and reports false.
func (c *conn) pass(to net.Conn, b []byte) bool {
	if c.lost() {
		return true
	}
	if _, err := to.Write(b); err != nil {
		c.close()
		return false
	}
	return true
}

// lost says whether what was to be carried now is lost to a cut.
func (c *conn) lost() bool {
	if !c.link.now.Load().cut {
		return false
	}
	c.lossy.Store(true)
	if !c.link.now.Load().cut {
		c.close() // the cut was lifted in between, and may not have seen that this one lost something
	}
	return true
}

// end closes the connection since one side has; in a cut the other does not learn of it.
func (c *conn) end() {
	if !c.lost() {
		c.close()
	}
}

// reset closes the connection in a way that tells the client that it broke.
func (c *conn) reset() {
	_ = c.client.SetLinger(0) // it fails only where the connection is closed already
	c.close()
}

// close ends both sides; what carries them returns soon after. It may be called more than once.
func (c *conn) close() {
	c.done()
	c.client.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.up != nil {
		c.up.Close()
	}
}
