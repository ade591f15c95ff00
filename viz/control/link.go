package control

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// acceptAgain is the pause after a connection could not be accepted: the system has no file left for it.
const acceptAgain = 10 * time.Millisecond

// link carries the connections of one [Link]. It is our own and not Shopify's toxiproxy (2.5.0): there, two goroutines
// stay for ever when a client leaves in the middle of an answer, Stop waits for none of them, and a round trip takes 15 us
// where it takes 9 here and 5 without a link.
//
// A link may have as many connections as the system gives files: those that open them also close them.
type link struct {
	Link
	inForce func() faults // on its two ends, as far as the link has to do it; not used where apply is called directly
	afresh  bool          // a lifted cut ends all connections, not only those that lost bytes: upstream may be elsewhere then
	failed  func()        // called when upstream could not be reached for a caller, if not nil; it must not wait

	applying sync.Mutex // held while inForce is asked and applied, so that the last answer stays
	now      atomic.Pointer[conditions]

	mu    sync.Mutex
	ln    net.Listener // nil while it does not listen
	conns map[*conn]struct{}
	wg    sync.WaitGroup // the goroutines that accept and carry
}

// conditions are what holds on a link until they are replaced.
type conditions struct {
	faults
	replaced chan struct{} // closed then
}

func newLink(l Link, inForce func() faults) *link {
	k := &link{Link: l, inForce: inForce, conns: map[*conn]struct{}{}}
	k.now.Store(&conditions{replaced: make(chan struct{})})
	return k
}

func (l *link) String() string {
	if l.From == "" {
		return "the link to " + l.To
	}
	return "the link from " + l.From + " to " + l.To
}

// open starts to listen; ctx bounds the look-up of the name where it does. The caller closes the link; it is not open already.
func (l *link) open(ctx context.Context) error {
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	ln, err := lc.Listen(ctx, "tcp", l.Listen)
	if err != nil {
		return fmt.Errorf("%s cannot be opened: %w; end what else listens there", l, err)
	}
	l.mu.Lock()
	l.ln = ln
	l.mu.Unlock()
	l.wg.Go(func() { l.accept(ln) })
	return nil
}

// close stops listening, ends every connection and waits. A closed link can be opened again.
func (l *link) close() {
	l.mu.Lock()
	if l.ln != nil {
		l.ln.Close()
		l.ln = nil
	}
	for c := range l.conns {
		c.close()
	}
	l.mu.Unlock()
	l.wg.Wait()
}

func (l *link) accept(ln net.Listener) {
	for {
		client, err := ln.Accept()
		l.mu.Lock()
		over := l.ln != ln
		if over || err != nil {
			l.mu.Unlock()
			if err == nil {
				client.Close()
			}
			if over {
				return
			}
			<-time.After(acceptAgain)
			continue
		}
		c := newConn(l, client.(*net.TCPConn))
		l.conns[c] = struct{}{}
		l.mu.Unlock()
		l.wg.Go(func() {
			c.serve()
			l.mu.Lock()
			delete(l.conns, c)
			l.mu.Unlock()
		})
	}
}

// refresh applies what is in force now.
func (l *link) refresh() {
	l.applying.Lock()
	defer l.applying.Unlock()
	l.apply(l.inForce())
}

// apply makes f hold for what passes from now on, and for the answers that wait. Where it lifts a cut, the connections
// that lost bytes are ended, for what their ends believe of each other is no longer so; all of them where the link says so.
func (l *link) apply(f faults) {
	was := l.now.Load()
	if was.faults == f {
		return
	}
	l.now.Store(&conditions{faults: f, replaced: make(chan struct{})})
	close(was.replaced)
	if !was.cut || f.cut {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if l.afresh || c.lossy.Load() {
			c.close()
		}
	}
}
