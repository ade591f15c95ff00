package viz

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// stamp is a time as the API writes it: RFC 3339 in UTC with milliseconds, null for none.
type stamp time.Time

// MarshalJSON writes the time.
func (t stamp) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	return time.Time(t).UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000Z"`), nil
}

// The API's forms of what the world knows: the same fields, with times as stamps and lists that are never null.
type (
	nodeAnswer struct {
		world.Node
		Since    stamp           `json:"since"`
		Replicas []replicaAnswer `json:"replicas"`
	}
	replicaAnswer struct {
		world.Replica
		Since stamp `json:"since"`
	}
	groupAnswer struct {
		Name          string `json:"name"`
		Service       string `json:"service"`
		Lag           int64  `json:"lag"` // not delivered yet; -1 unknown
		Pending       int64  `json:"pending"`
		OldestMS      int64  `json:"oldest_ms"`
		TrimmedUnread bool   `json:"trimmed_unread"`
	}
	streamAnswer struct {
		world.Lane
		FirstAt stamp         `json:"first_at"`
		Groups  []groupAnswer `json:"groups"`
	}
	eventAnswer struct {
		world.Event
		Time stamp `json:"time"`
	}
	worldAnswer struct {
		At      stamp           `json:"at"`
		Rev     int64           `json:"rev"`
		Name    string          `json:"name"`
		Nodes   []nodeAnswer    `json:"nodes"`
		Edges   []world.Edge    `json:"edges"`
		Streams []streamAnswer  `json:"streams"`
		Copies  []world.Holding `json:"copies"`
		Bus     *world.BusState `json:"bus"`
		Load    *world.Load     `json:"load"`
		Control *world.Control  `json:"control"` // null until it is known
	}
)

func (s *server) getWorld(w http.ResponseWriter, r *http.Request) error {
	return answer(w, s.worldAnswer(s.frame()))
}

func (s *server) worldAnswer(f world.Frame) worldAnswer {
	a := worldAnswer{At: stamp(f.At), Rev: f.Rev, Name: s.System.Name, Nodes: []nodeAnswer{}, Edges: f.Edges,
		Streams: []streamAnswer{}, Copies: f.Copies, Bus: f.Bus, Load: f.Load, Control: f.Control}
	if a.Copies == nil {
		a.Copies = []world.Holding{}
	}
	if a.Edges == nil {
		a.Edges = []world.Edge{}
	}
	for _, n := range f.Nodes {
		a.Nodes = append(a.Nodes, nodeOf(n))
	}
	groups := s.groups(f.Edges)
	for _, l := range f.Streams {
		of := groups[l.Name]
		if of == nil {
			of = []groupAnswer{}
		}
		a.Streams = append(a.Streams, streamOf(l, of))
	}
	return a
}

func streamOf(l world.Lane, groups []groupAnswer) streamAnswer {
	a := streamAnswer{Lane: l, Groups: groups}
	if l.FirstAt != nil {
		a.FirstAt = stamp(*l.FirstAt)
	}
	return a
}

// groups are the consumer groups by stream, read from the take edges.
func (s *server) groups(edges []world.Edge) map[string][]groupAnswer {
	groupOf := map[string]string{}
	for _, n := range s.System.Nodes {
		if n.Group != "" {
			groupOf[n.ID] = n.Group
		}
	}
	groups := map[string][]groupAnswer{}
	for _, e := range edges {
		if e.Kind != world.Take {
			continue
		}
		g := groupAnswer{Name: e.To, Service: e.To, Lag: -1, Pending: e.Pending, OldestMS: e.OldestMS, TrimmedUnread: e.TrimmedUnread}
		if name := groupOf[e.To]; name != "" {
			g.Name = name
		}
		if e.Waiting >= 0 {
			g.Lag = max(0, e.Waiting-e.Pending)
		}
		groups[e.From] = append(groups[e.From], g)
	}
	return groups
}

// The default and the most events of one answer.
const (
	eventsDefault = 100
	eventsMost    = 1000
)

// getEvents answers the newest events that match, newest first. "before" of the next page is the last one's seq.
func (s *server) getEvents(w http.ResponseWriter, r *http.Request) error {
	q, err := eventsQuery(r)
	if err != nil {
		return err
	}
	var events []world.Event
	s.hub.View(func(w *world.World) { events = w.Events(q) })
	a := struct {
		Events []eventAnswer `json:"events"`
	}{[]eventAnswer{}}
	for _, e := range events {
		a.Events = append(a.Events, eventAnswer{e, stamp(e.Time)})
	}
	return answer(w, a)
}

func eventsQuery(r *http.Request) (q world.Query, err error) {
	q.Limit = eventsDefault
	for name, values := range r.URL.Query() {
		v := values[0]
		switch name {
		case "stream":
			q.Stream = v
		case "type":
			q.Type = v
		case "subject":
			q.Subject = v
		case "node":
			q.Node = v
		case "text":
			q.Text = v
		case "before":
			if q.Before, err = strconv.ParseInt(v, 10, 64); err != nil || q.Before < 1 {
				return q, refuse(http.StatusBadRequest, "before is %q; give the seq of the last event that you have", v)
			}
		case "limit":
			if q.Limit, err = strconv.Atoi(v); err != nil || q.Limit < 1 || q.Limit > eventsMost {
				return q, refuse(http.StatusBadRequest, "limit is %q; give a number from 1 to %d", v, eventsMost)
			}
		default:
			return q, refuse(http.StatusBadRequest, "unknown parameter %q; there are stream, type, subject, node, text, before and limit", name)
		}
	}
	return q, nil
}

// eventDetailAnswer is one event, who has it, and what it is a part of.
type eventDetailAnswer struct {
	eventAnswer
	Deliveries []world.Delivery `json:"deliveries"`
	Chain      *world.Chain     `json:"chain"` // null: the event names no trace
}

func (s *server) getEvent(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	var (
		a  eventDetailAnswer
		ok bool
	)
	s.hub.View(func(w *world.World) { // all of one moment
		var e world.Event
		if e, ok = w.Event(id); !ok {
			return
		}
		a.eventAnswer, a.Deliveries = eventAnswer{e, stamp(e.Time)}, w.Deliveries(e)
		if c, traced := w.Chain(e); traced {
			a.Chain = &c
		}
	})
	if !ok {
		return refuse(http.StatusNotFound, "no event %q among the newest; older ones are forgotten", id)
	}
	return answer(w, a)
}

// node is how the world sees a node; ok is false for a node that it does not know.
func (s *server) node(id string) (world.Node, bool) {
	nodes := s.frame().Nodes
	i := slices.IndexFunc(nodes, func(n world.Node) bool { return n.ID == id })
	if i < 0 {
		return world.Node{}, false
	}
	return nodes[i], true
}

// verbs are those that a node knows here, in words.
func verbs(n world.Node) string {
	if len(n.Verbs) == 0 {
		return "none here"
	}
	return strings.Join(n.Verbs, ", ")
}
