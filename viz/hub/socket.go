package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/stillup/stillup/viz/world"
)

const (
	writeWithin = 10 * time.Second // a frame that the browser does not take by then ends its socket
	pingEvery   = 20 * time.Second
	// beatEvery is how long a browser hears nothing at most: it cannot see pings, and takes a server that is silent for 5 s
	// for one that hangs.
	beatEvery  = 2 * time.Second
	pongWithin = 50 * time.Second
	readLimit  = 512 // bytes; a browser says nothing but close and pong
)

// client is one browser.
type client struct {
	conn *websocket.Conn
	wake chan struct{} // holds one token while there may be something new
	end  chan struct{} // closed by the hub's end
	rev  int64         // the revision that the browser has
	said time.Time     // when it was last written to
}

// frame is one encoded frame, shared by all browsers that have the revision it starts from.
type frame struct {
	once sync.Once
	msg  *websocket.PreparedMessage // nil: nothing to send
	size int
	rev  int64
	err  error
}

// ServeHTTP upgrades to a WebSocket and sends frames until either side ends: first the full one, then diffs.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &client{wake: make(chan struct{}, 1), end: make(chan struct{})}
	if !h.admit(c) {
		http.Error(w, "too many browsers are connected, or the dashboard is ending; try again later", http.StatusServiceUnavailable)
		return
	}
	defer h.leave(c)
	conn, err := h.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	c.conn = conn
	gone := make(chan struct{})
	go func() { defer close(gone); c.read() }()
	err = h.write(c, gone)
	conn.Close()
	<-gone
	if err != nil {
		h.log.Debug("socket ended", "remote", r.RemoteAddr, "error", err)
	}
}

func (h *Hub) admit(c *client) bool {
	h.cmu.Lock()
	defer h.cmu.Unlock()
	if h.closed || len(h.clients) >= MaxSockets {
		return false
	}
	h.clients[c] = struct{}{}
	h.serving.Add(1)
	c.wake <- struct{}{} // the full frame is due
	return true
}

func (h *Hub) leave(c *client) {
	h.cmu.Lock()
	delete(h.clients, c)
	h.cmu.Unlock()
	h.serving.Done()
}

// read drops what the browser sends, answers its pings, and returns when it is gone.
func (c *client) read() {
	c.conn.SetReadLimit(readLimit)
	alive := func(string) error { return c.conn.SetReadDeadline(time.Now().Add(pongWithin)) }
	c.conn.SetPongHandler(alive)
	if alive("") != nil {
		return
	}
	for {
		if _, _, err := c.conn.NextReader(); err != nil {
			return
		}
	}
}

// write sends a frame for every token until the browser or the hub ends.
func (h *Hub) write(c *client, gone <-chan struct{}) error {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	beat := time.NewTicker(beatEvery / 2)
	defer beat.Stop()
	for {
		select {
		case <-gone:
			return nil
		case <-c.end:
			bye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "the dashboard ends")
			return c.conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second))
		case <-ping.C:
			if err := c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeWithin)); err != nil {
				return err
			}
		case <-beat.C:
			if err := c.beat(); err != nil {
				return err
			}
		case <-c.wake:
			if err := h.send(c); err != nil {
				return err
			}
		}
	}
}

// beat writes a frame in which nothing changed, where nothing else was written for a while.
func (c *client) beat() error {
	now := time.Now()
	if c.rev == 0 || now.Sub(c.said) < beatEvery/2 {
		return nil
	}
	if err := c.conn.SetWriteDeadline(now.Add(writeWithin)); err != nil {
		return err
	}
	c.said = now
	return c.conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"from":%d,"rev":%d}`, c.rev, c.rev))
}

// send brings the browser from its revision to the present one.
func (h *Hub) send(c *client) error {
	h.cmu.Lock()
	f := h.cache[c.rev]
	if f == nil {
		f = &frame{}
		h.cache[c.rev] = f
	}
	h.cmu.Unlock()
	f.once.Do(func() { h.encode(f, c.rev) })
	if f.err != nil || f.msg == nil {
		return f.err
	}
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return err
	}
	if err := c.conn.WritePreparedMessage(f.msg); err != nil {
		return err
	}
	c.rev, c.said = f.rev, time.Now()
	h.cmu.Lock()
	h.stats.Frames++
	h.stats.Bytes += int64(f.size)
	h.cmu.Unlock()
	return nil
}

func (h *Hub) encode(f *frame, from int64) {
	var fr world.Frame
	h.View(func(w *world.World) { fr = w.Since(from) })
	f.rev = fr.Rev
	if fr.Rev == from && !fr.Full {
		return
	}
	b, err := json.Marshal(fr)
	if err != nil {
		f.err = errors.Join(errors.New("encode a frame"), err)
		return
	}
	f.size = len(b)
	f.msg, f.err = websocket.NewPreparedMessage(websocket.TextMessage, b)
	h.cmu.Lock()
	h.stats.Encoded++
	h.cmu.Unlock()
}
