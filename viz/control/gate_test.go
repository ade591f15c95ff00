package control

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestGateFollowsItsNode: callers are refused while the node is down, within 100 ms of its death, and whatever was done to
// it ends with it.
func TestGateFollowsItsNode(t *testing.T) {
	n := &target{addr: freeAddr(t)}
	g := gated(t, n.addr)
	g.refused(t)
	fastest := time.Hour // of three, since the machine may be busy
	for range 3 {
		n.start(t)
		g.until(t, true)
		if got := g.state(t); got != (GateState{Open: true}) {
			t.Fatalf("a started node's gate: %+v", got)
		}
		c := dial(t, g.addr)
		send(t, c, []byte("one"))
		receive(t, c, []byte("one"))
		g.put(t, `{"latency_ms": 10000, "cut": true}`)
		n.kill()
		died := time.Now()
		eventually(t, "callers are refused", func() bool { return !g.accepts() })
		fastest = min(fastest, time.Since(died))
		if n, err := c.Read(make([]byte, 1)); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a connection to a dead node: %v", err)
		}
		g.until(t, false)
	}
	if fastest > 100*time.Millisecond {
		t.Errorf("callers were accepted for %s after the node was killed", fastest)
	}
	t.Logf("callers are refused %s after the death", fastest)
}

// TestSilentNodeLeavesTheGateOpen: callers meet silence, not refusal.
func TestSilentNodeLeavesTheGateOpen(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // the system accepts for it, as for a process that is stopped
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	g := gated(t, ln.Addr().String())
	g.until(t, true)
	c := dial(t, g.addr)
	send(t, c, []byte("one"))
	if err := c.SetReadDeadline(time.Now().Add(2 * tryWithin)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a silent node's caller: %v, want silence", err)
	}
	if !g.accepts() || !g.state(t).Open {
		t.Error("the gate of a silent node closed")
	}
}

// TestIdleConnectionsThatAreClosed: a server that closes connections on which nothing is said is there all the same.
func TestIdleConnectionsThatAreClosed(t *testing.T) {
	const closings = 10
	var unsaid sync.Map // connections on which nothing came yet
	closed := make(chan struct{}, closings)
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }),
		ReadHeaderTimeout: 20 * time.Millisecond,
		IdleTimeout:       20 * time.Millisecond,
		ConnState: func(c net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				unsaid.Store(c, true)
			case http.StateActive:
				unsaid.Delete(c)
			case http.StateClosed:
				if _, watched := unsaid.LoadAndDelete(c); watched {
					select {
					case closed <- struct{}{}:
					default: // more than are counted
					}
				}
			}
		},
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	defer func() { server.Close(); <-served }()
	g := gated(t, ln.Addr().String())
	g.until(t, true)
	asked, answered, client := 0, 0, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	for seen := 0; seen < closings; asked++ {
		res, err := client.Get("http://" + g.addr)
		if errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("request %d, after %d closings: %v", asked, seen, err)
		}
		if err != nil { // the machine is busy, and the server gave up on the request before it came
			continue
		}
		answered++
		if b, err := io.ReadAll(res.Body); err != nil || string(b) != "hello" {
			t.Fatalf("request %d: %q, %v", asked, b, err)
		}
		res.Body.Close()
		select {
		case <-closed:
			seen++
		default:
		}
	}
	if opened := g.logged("gate open"); opened != 1 {
		t.Errorf("the gate opened %d times", opened)
	}
	if answered < asked/2 {
		t.Errorf("%d of %d requests were answered", answered, asked)
	}
	t.Logf("%d requests over %d closings", asked, closings)
}

// TestNodeThatStopsGently: it accepts no more while its connections go on. The first caller finds out for all.
func TestNodeThatStopsGently(t *testing.T) {
	n := &target{addr: freeAddr(t)}
	n.start(t)
	g := gated(t, n.addr)
	g.until(t, true)
	n.ln.Close()
	c, err := net.Dial("tcp", g.addr)
	if err == nil { // else the reset came sooner
		defer c.Close()
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the first caller: %v, want a reset", err)
	}
	g.until(t, false)
	g.refused(t)
}

// TestLiftedCutEndsAll: also those that lost nothing, for the node may be somewhere else now. The gate looks.
func TestLiftedCutEndsAll(t *testing.T) {
	n := &target{addr: freeAddr(t)}
	n.start(t)
	g := gated(t, n.addr)
	g.until(t, true)
	idle, busy := dial(t, g.addr), dial(t, g.addr)
	for _, c := range []net.Conn{idle, busy} {
		send(t, c, []byte("one"))
		receive(t, c, []byte("one"))
	}
	watched := n.accepted.Load()
	if got := g.put(t, `{"cut": true}`); got != (GateState{GateFaults{Cut: true}, true}) {
		t.Errorf("after the cut: %+v", got)
	}
	send(t, busy, []byte("two"))
	if got := g.put(t, `{}`); got != (GateState{Open: true}) {
		t.Errorf("after the heal: %+v", got)
	}
	for name, c := range map[string]net.Conn{"idle": idle, "busy": busy} {
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s goes on after the heal", name)
		}
	}
	eventually(t, "upstream is dialled anew", func() bool { return n.accepted.Load() > watched })
	c := dial(t, g.addr)
	send(t, c, []byte("three"))
	receive(t, c, []byte("three"))
}

// TestDeathInACut: a death that can be seen closes the gate, cut or not.
func TestDeathInACut(t *testing.T) {
	n := &target{addr: freeAddr(t)}
	n.start(t)
	g := gated(t, n.addr)
	g.until(t, true)
	g.put(t, `{"cut": true}`)
	c := dial(t, g.addr)
	send(t, c, []byte("lost"))
	n.kill()
	g.until(t, false)
	g.refused(t)
	if got := g.state(t); got.Cut {
		t.Errorf("after the death: %+v", got)
	}
}

// TestAddressThatComesLater: the gate waits for its own address, and says so once.
func TestAddressThatComesLater(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var tries atomic.Int64
	up := upstream(t, func(c net.Conn) { tries.Add(1); echo(c) })
	g := gatedAt(t, other.Addr().String(), up)
	eventually(t, "it tries again", func() bool { return tries.Load() > 3 })
	other.Close()
	g.until(t, true)
	if said := g.logged("cannot listen"); said != 1 {
		t.Errorf("said %d times", said)
	}
}

// target is an echo server that can be killed: its listener and its connections end at once.
type target struct {
	addr     string
	accepted atomic.Int64
	ln       net.Listener
	mu       sync.Mutex
	conns    []net.Conn
	dead     bool
	wg       sync.WaitGroup
}

func (n *target) start(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp", n.addr)
	if err != nil {
		t.Fatal(err)
	}
	n.ln, n.dead = ln, false
	n.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			n.accepted.Add(1)
			n.mu.Lock()
			if n.dead {
				c.Close()
			}
			n.conns = append(n.conns, c)
			n.mu.Unlock()
			n.wg.Go(func() { defer c.Close(); echo(c) })
		}
	})
	t.Cleanup(n.kill)
}

func (n *target) kill() {
	n.ln.Close()
	n.mu.Lock()
	for _, c := range n.conns {
		c.Close()
	}
	n.conns, n.dead = nil, true
	n.mu.Unlock()
	n.wg.Wait()
}

// freeAddr is an address that nobody listens on, below the range from which the system gives ports to whoever connects.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)))
		if err == nil {
			defer ln.Close()
			return ln.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !is(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("it never was so: %s", what)
		}
	}
}

// refused checks that callers are refused and not just reset.
func (g *running) refused(t *testing.T) {
	t.Helper()
	if c, err := net.Dial("tcp", g.addr); !errors.Is(err, syscall.ECONNREFUSED) {
		if err == nil {
			c.Close()
		}
		t.Errorf("a closed gate: %v", err)
	}
}

func (g *running) accepts() bool {
	c, err := net.Dial("tcp", g.addr)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// until waits for the gate to be open, or closed.
func (g *running) until(t *testing.T, open bool) {
	t.Helper()
	eventually(t, map[bool]string{true: "open", false: "closed"}[open], func() bool { return g.state(t).Open == open })
}

// logged counts the lines of the gates' log that hold a text.
func (g *running) logged(text string) int { return strings.Count(g.log.String(), text) }
