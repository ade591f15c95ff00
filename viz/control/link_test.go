package control

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// upstream runs serve for every connection, until the test ends.
func upstream(t testing.TB, serve func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() { ln.Close(); wg.Wait() })
	return ln.Addr().String()
}

func echo(c net.Conn) { _, _ = io.Copy(c, c) }

// opened is a link to upstream that listens at addr.
func opened(t testing.TB, upstream string) (l *link, addr string) {
	t.Helper()
	l = newLink(Link{To: "node", Listen: "127.0.0.1:0", Upstream: upstream}, nil)
	if err := l.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l, l.ln.Addr().String()
}

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

func send(t testing.TB, c net.Conn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
}

func receive(t testing.TB, c net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("received %q (%v), want %q", got[:min(len(got), 20)], err, want[:min(len(want), 20)])
	}
}

func TestLinkCarriesMuchBothWays(t *testing.T) {
	for _, latency := range []time.Duration{0, 20 * time.Millisecond} {
		l, addr := opened(t, upstream(t, echo))
		l.apply(faults{latency: latency})
		c := dial(t, addr)
		much := bytes.Repeat([]byte("0123456789abcdef"), 1<<19) // 8 MiB, more than the queue of a slow answer holds
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = c.Write(much) })
		receive(t, c, much)
		wg.Wait()
		l.close()
	}
}

func TestManyShortConnections(t *testing.T) {
	l, addr := opened(t, upstream(t, echo))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 250 {
				c, err := net.Dial("tcp", addr)
				if err != nil {
					t.Error(err)
					return
				}
				got := make([]byte, 5)
				_, err = c.Write([]byte("hello"))
				if err == nil {
					_, err = io.ReadFull(c, got)
				}
				if err != nil || string(got) != "hello" {
					t.Errorf("%v %q", err, got)
				}
				c.Close()
			}
		})
	}
	wg.Wait()
	l.close()
	if len(l.conns) > 0 {
		t.Errorf("%d connections are left", len(l.conns))
	}
}

// TestClientsThatLeave: those that leave in the middle of an answer, slow or not, leave nothing behind.
func TestClientsThatLeave(t *testing.T) {
	large := make([]byte, 8<<20)
	gone := make(chan struct{}, 40)
	l, addr := opened(t, upstream(t, func(c net.Conn) { _, _ = c.Write(large); gone <- struct{}{} }))
	for i := range cap(gone) {
		l.apply(faults{latency: time.Duration(i%2) * 10 * time.Millisecond})
		c := dial(t, addr)
		receive(t, c, make([]byte, 100))
		c.Close()
	}
	for range cap(gone) {
		select {
		case <-gone: // upstream learned of it while the link was open
		case <-time.After(20 * time.Second):
			t.Fatal("upstream still writes to a client that left")
		}
	}
}

// TestLatencyIsNotPerChunk: an answer in many parts comes one latency later, not one for each.
func TestLatencyIsNotPerChunk(t *testing.T) {
	const latency = 200 * time.Millisecond
	l, addr := opened(t, upstream(t, func(c net.Conn) {
		for b := make([]byte, 1); ; {
			if _, err := c.Read(b); err != nil {
				return
			}
			for range 50 {
				_, _ = c.Write(make([]byte, 10))
				<-time.After(time.Millisecond)
			}
		}
	}))
	c := dial(t, addr)
	for _, slow := range []time.Duration{latency, 0} {
		l.apply(faults{latency: slow})
		begun := time.Now()
		send(t, c, []byte("?"))
		receive(t, c, make([]byte, 500))
		if took := time.Since(begun); took < slow || took > slow+20*latency {
			t.Errorf("50 parts took %s with %s added", took, slow)
		}
	}
	// What waits when the latency is lifted comes at once.
	l.apply(faults{latency: MaxLatency})
	send(t, c, []byte("?"))
	for waits := false; !waits; <-time.After(time.Millisecond) {
		l.mu.Lock()
		for c := range l.conns {
			waits = c.delayed.Load() > 0
		}
		l.mu.Unlock()
	}
	l.apply(faults{})
	receive(t, c, make([]byte, 500))
}

func TestCutAndHeal(t *testing.T) {
	l, addr := opened(t, upstream(t, echo))
	busy, idle := dial(t, addr), dial(t, addr)
	for _, c := range []net.Conn{busy, idle} {
		send(t, c, []byte("one"))
		receive(t, c, []byte("one"))
	}
	l.apply(faults{cut: true})
	fresh := dial(t, addr)
	for _, c := range []net.Conn{busy, fresh} {
		send(t, c, []byte("two"))
		if err := c.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read %d bytes (%v) through a cut", n, err)
		}
	}
	l.apply(faults{})
	for _, c := range []net.Conn{busy, fresh} {
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a connection that lost bytes: %d bytes, %v; want its end", n, err)
		}
	}
	for _, c := range []net.Conn{idle, dial(t, addr)} { // one that lost nothing goes on
		send(t, c, []byte("three"))
		receive(t, c, []byte("three"))
	}
}

// TestAnEndIsLostToACut: the other side learns of it with the heal and not before.
func TestAnEndIsLostToACut(t *testing.T) {
	ended := make(chan struct{})
	l, addr := opened(t, upstream(t, func(c net.Conn) { echo(c); close(ended) }))
	c := dial(t, addr)
	send(t, c, []byte("one"))
	receive(t, c, []byte("one"))
	l.apply(faults{cut: true})
	c.Close()
	select {
	case <-ended:
		t.Error("upstream saw the end through a cut")
	case <-time.After(100 * time.Millisecond):
	}
	l.apply(faults{})
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("upstream never saw the end")
	}
}

func TestErrorsBreakTheConnection(t *testing.T) {
	l, addr := opened(t, upstream(t, echo))
	c := dial(t, addr)
	send(t, c, []byte("one"))
	receive(t, c, []byte("one"))
	l.apply(faults{share: 1})
	send(t, c, []byte("two"))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
}

// TestErrorsCountRequests: a request in many parts is one request.
func TestErrorsCountRequests(t *testing.T) {
	size := 40 * chunkSize
	l, addr := opened(t, upstream(t, func(c net.Conn) {
		for b := make([]byte, size); ; {
			if _, err := io.ReadFull(c, b); err != nil {
				return
			}
			_, _ = c.Write([]byte("!"))
		}
	}))
	l.apply(faults{share: 0.1})
	broke := 0
	for range 100 {
		c := dial(t, addr)
		_, _ = c.Write(make([]byte, size)) // the reading says whether it broke
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			broke++
		}
		c.Close()
	}
	if broke > 40 { // 10 are expected; were each part a request, 98
		t.Errorf("%d of 100 requests broke at a share of 0.1", broke)
	}
}

func TestUpstreamThatRefuses(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	_, addr := opened(t, ln.Addr().String())
	c, err := net.Dial("tcp", addr)
	if err == nil { // else the reset came sooner
		defer c.Close()
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
}

// TestLinkOpensAgain: a closed link ends its connections and refuses, one that is opened again carries.
func TestLinkOpensAgain(t *testing.T) {
	l, addr := opened(t, upstream(t, echo))
	l.Listen = addr
	for range 20 {
		c := dial(t, addr)
		send(t, c, []byte("one"))
		receive(t, c, []byte("one"))
		l.apply(faults{latency: MaxLatency}) // an answer that waits does not hold it up
		send(t, c, []byte("two"))
		l.close()
		l.apply(faults{})
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Fatalf("read %d bytes from a closed link", n)
		}
		if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("a closed link: %v", err)
		}
		if err := l.open(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFaultsChangeUnderTraffic(t *testing.T) {
	l, addr := opened(t, upstream(t, echo))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				c, err := net.Dial("tcp", addr)
				if err != nil {
					t.Error(err)
					return
				}
				_ = c.SetDeadline(time.Now().Add(20 * time.Millisecond))
				for b := make([]byte, 64); err == nil; {
					if _, err = c.Write(b); err == nil {
						_, err = io.ReadFull(c, b)
					}
				}
				c.Close()
			}
		})
	}
	for i := range 300 {
		l.apply([]faults{{}, {latency: time.Millisecond}, {cut: true}, {cut: true, share: 0.5}, {share: 0.1}}[i%5])
		<-time.After(time.Millisecond)
	}
	l.apply(faults{})
	close(stop)
	wg.Wait()
	c := dial(t, addr)
	send(t, c, []byte("one"))
	receive(t, c, []byte("one"))
}

func BenchmarkRoundTrip(b *testing.B) {
	direct := upstream(b, echo)
	_, linked := opened(b, direct)
	for _, way := range []struct{ name, addr string }{{"direct", direct}, {"link", linked}} {
		b.Run(way.name, func(b *testing.B) {
			c := dial(b, way.addr)
			_ = c.SetDeadline(time.Time{})
			msg := make([]byte, 64)
			b.ReportAllocs()
			for b.Loop() {
				send(b, c, msg)
				receive(b, c, msg)
			}
		})
		b.Run(way.name+" with a new connection", func(b *testing.B) {
			msg := make([]byte, 64)
			for b.Loop() {
				c, err := net.Dial("tcp", way.addr)
				if err != nil {
					b.Fatal(err)
				}
				send(b, c, msg)
				receive(b, c, msg)
				c.Close()
			}
		})
	}
}
