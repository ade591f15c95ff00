package services

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
)

// wiring hands out the lab's ports: one for each node to listen on, one for each link.
type wiring struct {
	free  []int
	ports map[string]int    // by node
	urls  map[string]string // by node, as it listens itself
	links []Link
}

// newWiring takes all ports that the lab needs.
func newWiring() (*wiring, error) {
	n := 2 // the bus, and the outside's link to it
	for _, s := range all {
		n += 2 + 2*3 + len(s.calls) + len(s.reaches) // itself, from outside; its store and the bus, likewise and its own
	}
	ports, err := freePorts(n)
	return &wiring{free: ports, ports: map[string]int{}, urls: map[string]string{}}, err
}

func (w *wiring) take() int { p := w.free[0]; w.free = w.free[1:]; return p }

// port is the port that the node itself listens on.
func (w *wiring) port(node string) int {
	if _, ok := w.ports[node]; !ok {
		w.ports[node] = w.take()
	}
	return w.ports[node]
}

// addr is the address that the node itself listens on.
func (w *wiring) addr(node string) string { return loopback(w.port(node)) }

// url is the address of node to for node from, by a link that is made for the two.
func (w *wiring) url(from, to string) string {
	l := Link{From: from, To: to, Listen: loopback(w.take()), Upstream: w.addr(to)}
	w.links = append(w.links, l)
	u, err := url.Parse(w.urls[to])
	if err != nil {
		panic(err) // it was made here
	}
	u.Host = l.Listen
	return u.String()
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// storeOf is the node id of a service's store.
func storeOf(service string) string { return service + "-db" }

// freePorts picks n loopback ports that nothing listens on now. They lie below those that the system gives to outgoing
// connections, so that a killed node's port is still free when it is started again.
func freePorts(n int) ([]int, error) {
	const low, high, tries = 10_000, 32_000, 1000
	var ports []int
	for range tries {
		if len(ports) == n {
			return ports, nil
		}
		port := low + rand.IntN(high-low)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue // taken
		}
		defer l.Close() // all held until all are picked, so that no two are the same
		ports = append(ports, port)
	}
	return nil, fmt.Errorf("found only %d of %d free ports from %d to %d on 127.0.0.1; end some programs that listen there", len(ports), n, low, high)
}
