package viz

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/stillup/stillup/viz/tap"
	"github.com/stillup/stillup/viz/world"
)

// askWithin is how long the bus may take to answer what only somebody who looks wants to know.
const askWithin = time.Second

// The API's forms of one node, with every field always there.
type (
	routeAnswer struct {
		world.Route
		LastErrorAt stamp `json:"last_error_at"`
	}
	takenAnswer struct {
		world.Taken
		Retries int64 `json:"retries"` // delivered more than once and not applied; -1 unknown
	}
	callAnswer struct {
		Edge       string         `json:"edge"`
		From       string         `json:"from"`
		To         string         `json:"to"`
		Kind       world.EdgeKind `json:"kind"`
		Rate       float64        `json:"rate"`
		FailedRate float64        `json:"failed_rate"`
		P50MS      float64        `json:"p50_ms"`
		Reason     string         `json:"reason"`
	}
	failureAnswer struct {
		world.Failure
		At stamp `json:"at"`
	}
	nodeDetailAnswer struct {
		Node    nodeAnswer      `json:"node"`
		Routes  []routeAnswer   `json:"routes"`
		Emits   []world.Emitted `json:"emits"`
		Takes   []takenAnswer   `json:"takes"`
		Calls   []callAnswer    `json:"calls"`
		Callers []callAnswer    `json:"callers"`
		Stores  []nodeAnswer    `json:"stores"`
		Owner   *nodeAnswer     `json:"owner"`
		Errors  []failureAnswer `json:"errors"`
		Env     []envAnswer     `json:"env"`
	}
)

func nodeOf(n world.Node) nodeAnswer {
	if n.Faults == nil {
		n.Faults = []world.Fault{}
	}
	replicas := make([]replicaAnswer, 0, len(n.Replicas))
	for _, r := range n.Replicas {
		replicas = append(replicas, replicaAnswer{r, stamp(r.Since)})
	}
	return nodeAnswer{n, stamp(n.Since), replicas}
}

func callsOf(edges []world.Edge) []callAnswer {
	all := make([]callAnswer, 0, len(edges))
	for _, e := range edges {
		all = append(all, callAnswer{e.ID, e.From, e.To, e.Kind, e.Rate, e.FailedRate, e.P50MS, e.Reason})
	}
	return all
}

// getNode answers all that is known of one node.
func (s *server) getNode(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	var (
		d  world.NodeDetail
		ok bool
	)
	s.hub.View(func(w *world.World) { d, ok = w.NodeDetail(id) })
	if !ok {
		return refuse(http.StatusNotFound, "no node is called %q; /api/v1/world lists them", id)
	}
	a := nodeDetailAnswer{Node: nodeOf(d.Node), Routes: []routeAnswer{}, Emits: d.Emits, Takes: s.retried(r.Context(), d.Takes),
		Calls: callsOf(d.Calls), Callers: callsOf(d.Callers), Stores: []nodeAnswer{}, Errors: []failureAnswer{}, Env: s.environment(id)}
	for _, route := range d.Routes {
		a.Routes = append(a.Routes, routeAnswer{route, stamp(route.LastErrorAt)})
	}
	for _, n := range d.Stores {
		a.Stores = append(a.Stores, nodeOf(n))
	}
	if d.Owner != nil {
		owner := nodeOf(*d.Owner)
		a.Owner = &owner
	}
	for _, f := range d.Errors {
		a.Errors = append(a.Errors, failureAnswer{f, stamp(f.At)})
	}
	return answer(w, a)
}

// retried asks the bus how much of each was delivered again. Of a bus that does not answer nothing is known.
func (s *server) retried(ctx context.Context, takes []world.Taken) []takenAnswer {
	all := make([]takenAnswer, 0, len(takes))
	readers := make([]tap.Reader, 0, len(takes))
	for _, t := range takes {
		all = append(all, takenAnswer{t, -1})
		readers = append(readers, tap.Reader{Stream: t.Stream, Group: t.Group})
	}
	if len(readers) == 0 || !s.busAnswers() {
		return all
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	if counts, err := s.bus.Retries(ctx, readers...); err == nil {
		for i, n := range counts {
			all[i].Retries = n
		}
	}
	return all
}

// busAnswers says whether it is of use to ask the bus: the tap would have said if not.
func (s *server) busAnswers() bool {
	f := s.frame()
	return s.bus != nil && (f.Bus == nil || f.Bus.Up)
}

// The API's forms of one stream and one edge.
type (
	endAnswer struct {
		EntryID string `json:"entry_id"`
		At      stamp  `json:"at"`
	}
	groupDetailAnswer struct {
		Name          string `json:"name"`
		Service       string `json:"service"`
		Lag           int64  `json:"lag"` // not delivered yet; -1 unknown
		Pending       int64  `json:"pending"`
		Consumers     int    `json:"consumers"` // -1 unknown
		Retries       int64  `json:"retries"`   // -1 unknown
		Dead          int64  `json:"dead"`      // -1 unknown
		OldestMS      int64  `json:"oldest_ms"`
		LagMS         int64  `json:"lag_ms"` // age of the oldest entry that it has not read or applied; -1 unknown
		TrimmedUnread bool   `json:"trimmed_unread"`
	}
	streamDetailAnswer struct {
		Stream   streamAnswer        `json:"stream"`
		First    *endAnswer          `json:"first"` // null: it is empty, or the bus does not answer
		Last     *endAnswer          `json:"last"`
		Emitters []string            `json:"emitters"`
		Groups   []groupDetailAnswer `json:"groups"`
	}
	passedAnswer struct {
		world.Passed
		At stamp `json:"at"`
	}
)

func endOf(e *tap.End) *endAnswer {
	if e == nil {
		return nil
	}
	return &endAnswer{e.EntryID, stamp(e.At)}
}

// getStream answers all that is known of one stream; what only the bus knows is unknown where it does not answer.
func (s *server) getStream(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	var (
		takers []world.Taken
		lane   world.Lane
		a      = streamDetailAnswer{Groups: []groupDetailAnswer{}}
		f      world.Frame
		ok     bool
	)
	s.hub.View(func(w *world.World) { // both of one moment
		takers, a.Emitters, lane, ok = w.Takers(name)
		f = w.Since(0)
	})
	if !ok {
		return refuse(http.StatusNotFound, "no stream is called %q; /api/v1/world lists them", name)
	}
	a.Stream = streamOf(lane, nil)
	if a.Stream.Groups = s.groups(f.Edges)[name]; a.Stream.Groups == nil {
		a.Stream.Groups = []groupAnswer{}
	}
	for _, t := range s.retried(r.Context(), takers) {
		g := groupDetailAnswer{Name: t.Group, Service: t.Service, Lag: t.Lag, Pending: t.Pending, Consumers: t.Consumers,
			Retries: t.Retries, Dead: t.Dead, OldestMS: t.OldestMS, LagMS: t.OldestMS, TrimmedUnread: t.TrimmedUnread}
		if t.Lag < 0 {
			g.LagMS = -1
		}
		a.Groups = append(a.Groups, g)
	}
	if s.busAnswers() {
		ctx, cancel := context.WithTimeout(r.Context(), askWithin)
		defer cancel()
		if first, last, err := s.bus.Ends(ctx, name); err == nil {
			a.First, a.Last = endOf(first), endOf(last)
		}
	}
	return answer(w, a)
}

// getEdge answers one edge and the newest of what passed over it.
func (s *server) getEdge(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	var (
		e    world.Edge
		last []world.Passed
		ok   bool
	)
	s.hub.View(func(w *world.World) { e, last, ok = w.EdgeDetail(id) })
	if !ok {
		return refuse(http.StatusNotFound, "no edge has the id %q; /api/v1/world lists them", id)
	}
	a := struct {
		Edge world.Edge     `json:"edge"`
		Last []passedAnswer `json:"last"`
	}{e, []passedAnswer{}}
	for _, p := range last {
		a.Last = append(a.Last, passedAnswer{p, stamp(p.At)})
	}
	slices.SortStableFunc(a.Last, func(p, q passedAnswer) int { return q.Passed.At.Compare(p.Passed.At) })
	return answer(w, a)
}
