package demo

import (
	"strconv"
	"strings"

	"github.com/stillup/stillup/viz/world"
)

// plan is what a state is made of.
type plan struct {
	system   world.System
	base     map[string]int64    // entries that streams held before anybody looked
	keep     int                 // entries that a stream keeps
	peers    map[string][]string // services that a service asks
	jobs     []job
	requests float64 // a second, over all jobs
	journeys float64 // a second, as the node that makes the traffic says
	probed   bool    // nobody makes requests but the dashboard
	flows    []flow
	reacts   map[cause]fact // what a node says because of an event that it took
	dead     []string       // nodes that die, or replicas: "purchases 2"
	replicas map[string]int // how often nodes run that run more than once
	uses     bool           // what nodes use of their machines is told
	nothing  bool           // nothing is ever seen
	joins    bool           // nodes that are declared to come later join

	requestsOn, repliesOn string // streams of requests over the bus
}

// flow is what a node says by itself.
type flow struct {
	node      string
	fact      fact
	perSecond float64
	untraced  bool
}

// cause is an event of a kind, taken by a node.
type cause struct{ node, kind string }

// flow lets nodes say what they say by themselves.
func (d *Demo) flow() {
	for i := range d.plan.flows {
		f := &d.plan.flows[i]
		n := d.nodes[f.node]
		for range d.flows[i].beats(f.perSecond, d.span) {
			if n.state != world.Up || !n.stores() {
				continue
			}
			said := f.fact
			if said.subject = d.subject(said.subject); !f.untraced {
				said.trace = parentOf(d.hex(16), d.hex(8))
			}
			said.at = d.now.Add(-d.about(stepEvery / 5))
			d.emit(n, said)
		}
	}
}

// react lets a node say what follows from an event that it took.
func (d *Demo) react(n *node, e *entry) {
	f, ok := d.plan.reacts[cause{n.spec.ID, e.kind}]
	if !ok {
		return
	}
	f.subject, f.trace, f.at = e.subject, e.trace, d.now.Add(-d.about(stepEvery/5))
	d.emit(n, f)
}

// subject makes what an event is about: "order-#" becomes "order-7f31c2".
func (d *Demo) subject(of string) string {
	before, ok := strings.CutSuffix(of, "#")
	if !ok {
		return d.filled(of)
	}
	return before + strconv.FormatUint(d.rng.Uint64()>>40, 16)
}

// envelope is the event as it would stand on the bus: JSON. None of the texts needs an escape.
func envelope(e *world.EventSeen) []byte {
	b := make([]byte, 0, 384)
	put := func(name, value string) {
		if value != "" {
			b = append(b, `,"`...)
			b = append(b, name...)
			b = append(b, `":"`...)
			b = append(b, value...)
			b = append(b, '"')
		}
	}
	b = append(b, `{"specversion":"1.0"`...)
	put("id", e.ID)
	put("source", e.Source)
	put("type", e.Type)
	put("subject", e.Subject)
	b = append(b, `,"time":"`...)
	b = e.Time.AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, '"')
	put("traceparent", e.TraceParent)
	b = append(b, `,"data":{"id":"`...)
	b = append(b, e.Subject...)
	return append(b, `","invented":true}}`...)
}
