package world

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"
)

// node is one node: what the file says of it, what was seen, and what is shown.
type node struct {
	stamp
	spec     NodeSpec
	state    State
	since    time.Time
	reason   string
	url      string
	version  string
	volatile bool
	verbs    []string
	faults   []Fault
	outbox   outbox
	again    again
	told     bool // a runtime knows it
	joined   bool // of one that comes later: it was up, or the bus knows it
	use      use
	replicas replicas
	holds    []Hold // without their places

	wasUp  bool
	downAt time.Time // since when it is not up, after it once was; zero while it is
	pile   pile

	published time.Time // of its events on the bus, the newest's own time

	served counter
	took   durations
	routes map[routeKey]*servedRoute
	errors ring[failure]
	shown  Node
}

func (w *World) declareNode(spec NodeSpec) {
	if w.nodeBy[spec.ID] != nil {
		return // ParseSystem refuses it; a hand-made system keeps the first
	}
	n := &node{spec: spec, state: Unknown, since: w.now, url: spec.address(), faults: []Fault{}, outbox: outbox{waiting: -1},
		replicas: replicas{shown: []Replica{}}}
	for _, h := range spec.Holds { // where they stand is nothing for browsers
		n.holds = append(n.holds, Hold{Kind: h.Kind, Copy: h.Copy})
	}
	w.nodes = append(w.nodes, n)
	w.later = w.later || spec.Later
	w.nodeBy[spec.ID] = n
	if group := n.group(); w.groups[group] == nil {
		w.groups[group] = n
	}
	if source := n.source(); w.sources[source] == nil {
		w.sources[source] = n
	}
	w.touch(n)
}

func (n *node) group() string {
	if n.spec.Group != "" {
		return n.spec.Group
	}
	return n.spec.ID
}

func (n *node) source() string {
	if n.spec.Source != "" {
		return n.spec.Source
	}
	return n.spec.ID
}

// nodeSeen takes a runtime's word. Of a node that the file does not declare nothing is known, and nothing is shown.
func (w *World) nodeSeen(o NodeSeen) {
	n := w.nodeBy[o.Node]
	if n == nil {
		return
	}
	n.told = true
	if o.URL != "" && o.URL != n.url {
		n.url = o.URL
		w.at = nil
	}
	if o.Engine != "" {
		n.version = o.Engine
	}
	n.volatile = o.Volatile
	n.verbs = slices.Clone(o.Verbs)
	was := n.state
	w.nodeState(n, o.State, o.Reason, clock(o.At))
	if n.state == Down {
		n.again.ended()
	}
	w.replicasSeen(n, o.Replicas, was, clock(o.At))
	w.nodeFaults(n, inForce(o.Faults), clock(o.At))
	w.touch(n)
	if n.state == Up {
		w.join(n)
	}
}

// nodeFaults takes what is in force on a node and notes what is new, and that it was healed. A death ends faults without
// a word: it has its own.
func (w *World) nodeFaults(n *node, faults []Fault, at time.Time) {
	if slices.Equal(faults, n.faults) {
		return
	}
	for _, f := range faults {
		if !slices.Contains(n.faults, f) {
			w.note(at, n.spec.ID, bad, n.bearer(f)+" "+f.words())
		}
	}
	if len(n.faults) > 0 && len(faults) == 0 && n.state == Up {
		w.note(at, n.spec.ID, good, n.spec.ID+" is healed")
	}
	n.faults = faults
	w.touchCells()
}

// words say what the fault does to its node.
func (f Fault) words() string {
	switch f.Kind {
	case FaultSlow:
		return fmt.Sprintf("is slow: %d ms are added to its answers", f.LatencyMS)
	case FaultErrors:
		return fmt.Sprintf("fails on purpose: %.4g %% of its requests", f.Share*100)
	}
	return "is cut off"
}

// nodeState moves a node to a state and notes its death and its return.
func (w *World) nodeState(n *node, s State, reason string, at time.Time) {
	if s == "" {
		s = Unknown
	}
	was := n.state
	n.reason = clip(reason)
	if s == was {
		return
	}
	n.state, n.since = s, at
	if s == Down || s == Unknown {
		n.use = use{}
	}
	switch s {
	case Down:
		w.holdingsGone(n, "is down")
	case Paused:
		w.holdingsGone(n, paused)
	}
	w.touch(n)
	w.touchCells()
	if s != Up && n.hidden(w) {
		return // whoever told it to start is told why it did not
	}
	switch {
	case s == Up:
		if n.wasUp && !n.downAt.IsZero() {
			w.note(at, n.spec.ID, good, n.spec.ID+" is back after "+span(at.Sub(n.downAt)))
		}
		n.wasUp, n.downAt = true, time.Time{}
		return
	case s == Down && (was != Unknown || n.wasUp && n.downAt.IsZero()):
		w.note(at, n.spec.ID, bad, n.spec.ID+" "+died(reason))
	case s == Paused && was == Up:
		w.note(at, n.spec.ID, bad, n.spec.ID+" is paused: alive but silent")
	}
	if s != Unknown && n.wasUp && n.downAt.IsZero() {
		n.downAt = at
	}
}

func (n *node) settle(w *World, _ int64) bool {
	if n.hidden(w) {
		return false // its revision stays 0, so that no frame has it
	}
	n.took.take(w.now, w.now, windowSpan)
	rate, failed := n.served.rates(w.now)
	now := Node{ID: n.spec.ID, Kind: n.spec.Kind, Label: n.spec.Label, Engine: n.spec.Engine, Version: n.version,
		Owner: n.spec.Owner, URL: n.url, State: n.state, Since: n.since, Reason: n.reason, Volatile: n.volatile,
		Faults: n.faults, Holds: n.holds, Verbs: n.verbs, Rate: rate, P50MS: ms(n.took.median), Errors: failed,
		Outbox: Outbox{n.outbox.waiting, n.outbox.more, n.unpublished(w.now).Truncate(100 * time.Millisecond).Milliseconds()},
		Use:    n.use.settle(w.ticking), Replicas: n.replicas.settle(w.ticking)}
	if !w.ticking { // what is measured of it alone is no news
		last := n.shown
		last.Rate, last.P50MS, last.Errors = rate, now.P50MS, failed
		if n.rev > 0 && now.same(&last) {
			return false
		}
	}
	changed := n.rev == 0 || !now.same(&n.shown)
	n.shown = now
	return changed
}

// same says whether two looks at a node show the same. It is asked for at every call that a node serves, which
// reflection is too slow for.
func (n *Node) same(o *Node) bool {
	return n.ID == o.ID && n.Kind == o.Kind && n.Label == o.Label && n.Engine == o.Engine && n.Version == o.Version &&
		n.Owner == o.Owner && n.URL == o.URL && n.State == o.State && n.Since.Equal(o.Since) && n.Reason == o.Reason &&
		n.Volatile == o.Volatile && n.Outbox == o.Outbox && n.Rate == o.Rate && n.P50MS == o.P50MS && n.Errors == o.Errors &&
		slices.Equal(n.Faults, o.Faults) && slices.Equal(n.Holds, o.Holds) && slices.Equal(n.Verbs, o.Verbs) &&
		n.Use.same(o.Use) && slices.EqualFunc(n.Replicas, o.Replicas, Replica.same)
}

// address is the node's as it can be shown: a store's and the bus' may hold a password, which is left out.
func (n *NodeSpec) address() string {
	if n.Kind != Store && n.Kind != Bus {
		return n.URL
	}
	u, err := url.Parse(n.URL)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery = nil, ""
	return u.String()
}

// URL is a node's base address: the runtime's word, else the file's; empty where neither says.
func (w *World) URL(id string) string {
	if n := w.nodeBy[id]; n != nil {
		return n.url
	}
	return ""
}

// NodeAt is the node whose address has that host and port; empty for none. The names of this machine's loopback are one.
func (w *World) NodeAt(hostport string) string {
	if w.at == nil {
		w.at = map[string]string{}
		for _, n := range w.nodes {
			if key := addressOf(n.url); key != "" && w.at[key] == "" {
				w.at[key] = n.spec.ID
			}
		}
	}
	return w.at[loopback(hostport)]
}

// addressOf is the host and port of a URL; empty where it has no host.
func addressOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "redis": "6379", "rediss": "6379", "postgres": "5432",
			"postgresql": "5432", "mongodb": "27017"}[u.Scheme]
	}
	return loopback(net.JoinHostPort(u.Hostname(), port))
}

func loopback(hostport string) string {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return hostport
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
