package copies_test

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/copies"
)

// wire is a way to a store that can be made to lose all that is sent on it, for good on the connections that it has then.
type wire struct {
	url string

	mu     sync.Mutex
	silent *atomic.Bool // of the connections that are made now
}

// wired is a wire to the store at an address.
func wired(t testing.TB, to string) *wire {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	upstream := u.Host
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u.Host = ln.Addr().String()
	w := &wire{url: u.String(), silent: &atomic.Bool{}}
	var (
		running sync.WaitGroup
		mu      sync.Mutex // guards what follows
		conns   []net.Conn
		ended   bool
	)
	pass := func(from, to net.Conn, silent *atomic.Bool) {
		b := make([]byte, 32<<10)
		for {
			n, err := from.Read(b)
			if err != nil {
				if !silent.Load() {
					to.Close()
				}
				return
			}
			if silent.Load() {
				continue
			}
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
	}
	running.Go(func() {
		for {
			a, err := ln.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", upstream)
			if err != nil {
				a.Close()
				continue
			}
			mu.Lock()
			if ended {
				a.Close()
				b.Close()
			}
			conns = append(conns, a, b)
			mu.Unlock()
			w.mu.Lock()
			silent := w.silent
			w.mu.Unlock()
			running.Go(func() { pass(a, b, silent) })
			running.Go(func() { pass(b, a, silent) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		mu.Lock()
		ended = true
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return w
}

// cut loses from now on all that is sent.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silent.Store(true)
}

// mend lets new connections through; those that were cut stay lost.
func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silent = &atomic.Bool{}
}

// TestCutOff: a store that falls silent in the middle says so at every look, within a second; soon after the way is mended
// it is read again; and the end does not wait for it.
func TestCutOff(t *testing.T) {
	for _, p := range places {
		if p.name != "rows" && p.name != "documents" && p.name != "hashes" {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel() // they wait more than they work
			to := empty(t, p.engine)
			p.put(t, to, things[0])
			w := wired(t, to)
			c := copies.New(copies.Options{System: one(p.engine, &p.at), URLs: map[string]string{"shop-db": w.url}})
			defer c.Close()
			if r := record(t, c, "p-1"); !r.Found {
				t.Fatalf("before: %+v", r)
			}
			w.cut()
			for range 5 {
				begun := time.Now()
				r := record(t, c, "p-1")
				if r.Found || r.Why != "shop-db did not answer within 0.7 s" {
					t.Errorf("cut off: %+v", r)
				}
				if took := time.Since(begun); took > 2500*time.Millisecond {
					t.Errorf("it was waited for %v", took)
				}
			}
			w.mend()
			mended := time.Now()
			for r := record(t, c, "p-1"); !r.Found; r = record(t, c, "p-1") {
				if time.Since(mended) > 20*time.Second {
					t.Fatalf("not read again: %s", r.Why)
				}
			}
			took := time.Since(mended)
			t.Logf("read again after %v", took)
			if took > 10*time.Second {
				t.Errorf("read again after %v", took)
			}
			w.cut()
			record(t, c, "p-1")
			begun := time.Now()
			c.Close()
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("the end took %v", took)
			}
		})
	}
}
