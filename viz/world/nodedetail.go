package world

import (
	"strings"
	"time"
)

// NodeDetail is all that is known of one node.
type NodeDetail struct {
	Node    Node
	Routes  []Route   // that it serves, the busiest first, at most 50
	Emits   []Emitted // by stream as the file has them
	Takes   []Taken
	Calls   []Edge    // that it makes: calls and reaches
	Callers []Edge    // that lead to it
	Stores  []Node    // of its own
	Owner   *Node     // of a store
	Errors  []Failure // newest first, at most 20
}

// Emitted is what a node writes to one stream.
type Emitted struct {
	Stream string      `json:"stream"`
	Rate   float64     `json:"rate"`
	Total  int64       `json:"total"`
	Types  []TypeCount `json:"types"` // of events, as first seen; at most 50
}

// TypeCount counts the events of one type.
type TypeCount struct {
	Type  string `json:"type"`
	Total int64  `json:"total"`
}

// Taken is how a consumer group does with one stream.
type Taken struct {
	Stream        string   `json:"stream"`
	Group         string   `json:"group"`
	Service       string   `json:"service"` // the node that reads so
	Rate          float64  `json:"rate"`
	Total         int64    `json:"total"`
	Waiting       int64    `json:"waiting"` // lag plus pending; -1 unknown
	Lag           int64    `json:"lag"`     // not delivered yet; -1 unknown
	Pending       int64    `json:"pending"`
	Consumers     int      `json:"consumers"` // -1 unknown
	OldestMS      int64    `json:"oldest_ms"` // age of the oldest entry not applied
	Dead          int64    `json:"dead"`      // letters that it gave up on; -1 unknown
	TrimmedUnread bool     `json:"trimmed_unread"`
	Members       []Member `json:"members"` // where there is more than one consumer, by name; at most 64
}

// Member is one consumer of a group. One whose container is gone stays in the group for ever.
type Member struct {
	Name    string `json:"name"`
	Replica string `json:"replica"` // of the node, that has that consumer; empty for none
	Pending int64  `json:"pending"`
	IdleMS  int64  `json:"idle_ms"` // since it last asked the bus for anything
}

// Failure is something that went wrong at a node: a request that it served or made, or an event that it could not apply.
type Failure struct {
	At    time.Time `json:"at"`
	Text  string    `json:"text"`
	Where string    `json:"where"` // a route, a peer or a stream
	Trace string    `json:"trace"` // empty where none is known
}

// maxTypes is how many types of events are counted on an edge; what is of more types is counted as a whole only.
const maxTypes = 50

// NodeDetail tells of a node; it is false for one that the system has not got.
func (w *World) NodeDetail(id string) (NodeDetail, bool) {
	n := w.nodeBy[id]
	if n == nil || n.hidden(w) {
		return NodeDetail{}, false
	}
	d := NodeDetail{Node: n.shown, Routes: n.servedNow(w), Emits: []Emitted{}, Takes: []Taken{}, Calls: []Edge{}, Callers: []Edge{},
		Stores: []Node{}, Errors: []Failure{}}
	for _, e := range w.edges {
		k := e.key
		switch {
		case e.hidden(w):
		case k.kind == Emit && k.from == id:
			d.Emits = append(d.Emits, Emitted{k.to, e.shown.Rate, e.shown.Total, whole(e.types)})
		case k.kind == Take && k.to == id:
			d.Takes = append(d.Takes, w.takenBy(e))
		case (k.kind == Call || k.kind == Reach) && k.from == id:
			d.Calls = append(d.Calls, e.shown)
		case (k.kind == Call || k.kind == Reach) && k.to == id:
			d.Callers = append(d.Callers, e.shown)
		}
	}
	for _, o := range w.nodes {
		switch {
		case o.hidden(w):
		case o.spec.Kind == Store && o.spec.Owner == id:
			d.Stores = append(d.Stores, o.shown)
		case n.spec.Kind == Store && o.spec.ID == n.spec.Owner:
			owner := o.shown
			d.Owner = &owner
		}
	}
	for i := range n.errors.list {
		f := n.errors.back(i)
		d.Errors = append(d.Errors, Failure{f.at, f.text, f.where, f.trace})
	}
	return d, true
}

// Takers are the consumer groups of a stream, as their edges were first seen; it is false for a stream that is not known.
func (w *World) Takers(stream string) (takers []Taken, emitters []string, lane Lane, ok bool) {
	l := w.laneBy[stream]
	if l == nil {
		return nil, nil, Lane{}, false
	}
	takers, emitters = []Taken{}, []string{}
	for _, e := range w.edges {
		switch {
		case e.hidden(w):
		case e.key.kind == Take && e.key.from == stream:
			takers = append(takers, w.takenBy(e))
		case e.key.kind == Emit && e.key.to == stream:
			emitters = append(emitters, e.key.from)
		}
	}
	return takers, emitters, l.shown, true
}

func (w *World) takenBy(e *edge) Taken {
	t := Taken{Stream: e.key.from, Group: w.groupOf(e), Service: e.key.to, Rate: e.shown.Rate, Total: e.shown.Total,
		Waiting: e.shown.Waiting, Lag: -1, Pending: e.shown.Pending, Consumers: -1, OldestMS: e.shown.OldestMS,
		Dead: e.shown.Dead, TrimmedUnread: e.shown.TrimmedUnread,
		Members: []Member{}}
	if t.Waiting >= 0 {
		t.Lag = max(0, t.Waiting-t.Pending)
	}
	if e.group.there {
		t.Consumers = e.group.consumers
	}
	for _, m := range e.group.members {
		t.Members = append(t.Members, Member{m.Name, w.nodeBy[e.key.to].replicaOf(m.Name), m.Pending, m.IdleMS})
	}
	return t
}

// groupOf is the name of the consumer group of a take.
func (w *World) groupOf(e *edge) string {
	if n := w.nodeBy[e.key.to]; n != nil {
		return n.group()
	}
	return strings.TrimPrefix(e.key.to, foreignGroup)
}

// foreignGroup begins the name of an edge's end that is a group called like a node which reads with another one.
const foreignGroup = "group "

// typed counts an event of that type on the edge that it was emitted by.
func (e *edge) typed(typ string) {
	for i := range e.types {
		if e.types[i].Type == typ {
			e.types[i].Total++
			return
		}
	}
	if len(e.types) < maxTypes {
		e.types = append(e.types, TypeCount{typ, 1})
	}
}
