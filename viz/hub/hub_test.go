package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/stillup/stillup/viz/hub"
	"github.com/stillup/stillup/viz/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// system has n services and nothing else.
func system(n int) world.System {
	s := world.System{Name: "test"}
	for i := range n {
		s.Nodes = append(s.Nodes, world.NodeSpec{ID: fmt.Sprintf("s%d", i), Kind: world.Service})
	}
	return s
}

// serve runs a hub over a world of n services; it ends with the test, or with the returned function.
func serve(t testing.TB, n int, o hub.Options) (*hub.Hub, *httptest.Server, func()) {
	h := hub.New(world.New(system(n), time.Now()), o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	srv := httptest.NewServer(h)
	ended := false
	end := func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() { end(); srv.Close(); http.DefaultClient.CloseIdleConnections() })
	return h, srv, end
}

func dial(t testing.TB, srv *httptest.Server) *websocket.Conn {
	t.Helper()
	conn, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		t.Fatalf("dial: %v (%v)", err, resp)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func read(t testing.TB, conn *websocket.Conn) world.Frame {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var f world.Frame
	if err := conn.ReadJSON(&f); err != nil {
		t.Fatal(err)
	}
	return f
}

func seen(node string, s world.State) world.NodeSeen {
	return world.NodeSeen{At: time.Now(), Node: node, State: s}
}

// follow reads until node is in state s, and returns the states of all nodes as the browser has merged them.
func follow(t testing.TB, conn *websocket.Conn, node string, s world.State) map[string]world.State {
	t.Helper()
	states, rev := map[string]world.State{}, int64(0)
	for states[node] != s {
		f := read(t, conn)
		if !f.Full && f.From != rev {
			t.Fatalf("a frame from revision %d reached a browser that has %d", f.From, rev)
		}
		rev = f.Rev
		for _, n := range f.Nodes {
			states[n.ID] = n.State
		}
	}
	return states
}

func TestSnapshotThenDiffs(t *testing.T) {
	h, srv, _ := serve(t, 2, hub.Options{})
	h.Observe(seen("s0", world.Up))
	conn := dial(t, srv)
	if f := read(t, conn); !f.Full || f.System == nil || len(f.Nodes) != 2 {
		t.Errorf("the first frame is %+v, want a full one with 2 nodes", f)
	}
	h.Observe(seen("s1", world.Down))
	for {
		f := read(t, conn)
		if f.Full {
			t.Fatalf("a second full frame: %+v", f)
		}
		if len(f.Nodes) == 0 {
			continue // a tick's
		}
		if f.Nodes[0].ID != "s1" || f.Nodes[0].State != world.Down || len(f.Nodes) != 1 {
			t.Errorf("the diff has %+v, want s1 down alone", f.Nodes)
		}
		return
	}
}

// TestBeat: while nothing changes a browser still hears that the server lives, in frames that change nothing.
func TestBeat(t *testing.T) {
	still := time.Now()
	h := hub.New(world.New(system(1), still), hub.Options{Now: func() time.Time { return still }})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	srv := httptest.NewServer(h)
	t.Cleanup(func() { cancel(); <-done; srv.Close() })
	conn := dial(t, srv)
	first := read(t, conn)
	for range 2 {
		begun := time.Now()
		f := read(t, conn)
		if f.Full || f.From != first.Rev || f.Rev != first.Rev || len(f.Nodes) != 0 {
			t.Fatalf("got %+v, want a frame without a change of revision %d", f, first.Rev)
		}
		if waited := time.Since(begun); waited > 3*time.Second {
			t.Errorf("nothing was heard for %v", waited)
		}
	}
}

// TestSlowBrowser: one that reads nothing for thousands of changes holds nobody up and ends with the same truth.
func TestSlowBrowser(t *testing.T) {
	const nodes = 50
	h, srv, _ := serve(t, nodes, hub.Options{})
	slow, quick := dial(t, srv), dial(t, srv)
	states := [...]world.State{world.Up, world.Down, world.Starting}
	for i := range 20_000 {
		h.Observe(seen(fmt.Sprintf("s%d", i%(nodes-1)), states[i%3]))
	}
	last := fmt.Sprintf("s%d", nodes-1)
	h.Observe(seen(last, world.Paused))
	a, b := follow(t, quick, last, world.Paused), follow(t, slow, last, world.Paused)
	want := map[string]world.State{}
	h.View(func(w *world.World) {
		for _, n := range w.Since(0).Nodes {
			want[n.ID] = n.State
		}
	})
	if !reflect.DeepEqual(a, want) || !reflect.DeepEqual(b, want) {
		t.Errorf("quick has %v, slow has %v, the world is %v", a, b, want)
	}
}

// TestFramesAreShared: what many browsers need at once is encoded once.
func TestFramesAreShared(t *testing.T) {
	const browsers, changes = 40, 10
	h, srv, _ := serve(t, 2, hub.Options{})
	var conns []*websocket.Conn
	for range browsers {
		conns = append(conns, dial(t, srv))
	}
	for i := range changes {
		s := [...]world.State{world.Up, world.Down}[i%2]
		h.Observe(seen("s0", s))
		for _, c := range conns {
			for !func() bool {
				for _, n := range read(t, c).Nodes {
					if n.ID == "s0" && n.State == s {
						return true
					}
				}
				return false
			}() {
			}
		}
	}
	if s := h.Stats(); s.Frames < browsers*changes || s.Encoded > s.Frames/4 || s.Sockets != browsers {
		t.Errorf("%+v: want %d frames at least, encoded a quarter as often at most", s, browsers*changes)
	}
}

func TestEnd(t *testing.T) {
	_, srv, end := serve(t, 1, hub.Options{})
	conn := dial(t, srv)
	read(t, conn)
	end()
	for {
		_, _, err := conn.ReadMessage()
		if websocket.IsCloseError(err, websocket.CloseGoingAway) {
			break
		}
		if err != nil {
			t.Fatalf("the socket ended with %v, want going away", err)
		}
	}
	_, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("after the end a socket got %v, %v, want 503", resp, err)
	}
}

func TestOrigin(t *testing.T) {
	_, srv, _ := serve(t, 1, hub.Options{})
	_, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(srv.URL, "http"), http.Header{"Origin": {"http://evil.example"}})
	if err == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("a page from elsewhere got %v, %v, want 403", resp, err)
	}
}

// BenchmarkObserve is one observation through fold, flush and 10 browsers; BenchmarkBareFold the fold alone.
func BenchmarkObserve(b *testing.B) {
	h, srv, _ := serve(b, 20, hub.Options{})
	for range 10 {
		conn := dial(b, srv)
		go func() {
			for {
				if _, _, err := conn.NextReader(); err != nil {
					return
				}
			}
		}()
	}
	states := [...]world.State{world.Up, world.Down}
	i := 0
	for b.Loop() {
		h.Observe(seen("s3", states[i%2]))
		i++
	}
}

func BenchmarkBareFold(b *testing.B) {
	w := world.New(system(20), time.Now())
	states := [...]world.State{world.Up, world.Down}
	i := 0
	for b.Loop() {
		w.Apply(seen("s3", states[i%2]))
		i++
	}
}

// BenchmarkFrame is a full frame of 60 nodes, taken and encoded.
func BenchmarkFrame(b *testing.B) {
	w := world.New(system(60), time.Now())
	for b.Loop() {
		if _, err := json.Marshal(w.Since(0)); err != nil {
			b.Fatal(err)
		}
	}
}
