package world

import (
	"encoding/json"
	"time"
)

// Frame is what a browser gets: everything (Full), or the parts that changed since revision From. Parts are whole and keyed:
// a later one replaces the earlier one of the same key, and totals only grow, so frames can be merged or skipped without
// losing a count.
type Frame struct {
	From    int64     `json:"from"` // 0 in a full frame
	Rev     int64     `json:"rev"`
	Full    bool      `json:"full,omitempty"`
	At      time.Time `json:"at"`
	System  *Layout   `json:"system,omitempty"` // in full frames
	Nodes   []Node    `json:"nodes,omitempty"`
	Edges   []Edge    `json:"edges,omitempty"`
	Streams []Lane    `json:"streams,omitempty"`
	Cells   []Cell    `json:"cells,omitempty"`
	Copies  []Holding `json:"copies,omitempty"` // keyed by node and kind
	Events  []Event   `json:"events,omitempty"` // a sample of the newest, oldest first; at most 40, fewer above 1,000 a second
	Notes   []Note    `json:"notes,omitempty"`  // what happened, in words, oldest first
	Load    *Load     `json:"load,omitempty"`
	Bus     *BusState `json:"bus,omitempty"`
	Control *Control  `json:"control,omitempty"` // absent until something is known
}

// Layout is the part of the system file that a browser needs.
type Layout struct {
	Name     string     `json:"name"`
	Kinds    []KindSpec `json:"kinds"`
	Patterns []Pattern  `json:"patterns"`
	Features []Feature  `json:"features"`
	MaxLoad  float64    `json:"max_load"`        // 0: the traffic cannot be set
	Later    []string   `json:"later,omitempty"` // services that may join later: they sit behind all others, so that these need not move
}

// Pattern is one column of the matrix and what of the map it uses.
type Pattern struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Say     string   `json:"say"`     // how it gets others' data, in a sentence; may be empty
	Nodes   []string `json:"nodes"`   // that any of its requests needs, and the clients
	Calls   bool     `json:"calls"`   // services call each other
	Reaches bool     `json:"reaches"` // services reach into others' stores
	Streams []string `json:"streams"` // that carry its data
}

// Feature is one row of the matrix.
type Feature struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Crosses bool   `json:"crosses"`
}

// Node is one node as known now.
type Node struct {
	ID       string    `json:"id"`
	Kind     NodeKind  `json:"kind"`
	Label    string    `json:"label,omitempty"`
	Engine   string    `json:"engine,omitempty"`  // postgres | mongodb | redis
	Version  string    `json:"version,omitempty"` // "Redis 7.0.15"
	Owner    string    `json:"owner,omitempty"`
	URL      string    `json:"url,omitempty"`
	State    State     `json:"state"`
	Since    time.Time `json:"since"` // of the state
	Reason   string    `json:"reason,omitempty"`
	Volatile bool      `json:"volatile"`
	Faults   []Fault   `json:"faults"` // in force
	Outbox   Outbox    `json:"outbox"` // of a service that tells
	Holds    []Hold    `json:"holds,omitempty"`
	Verbs    []string  `json:"verbs,omitempty"`
	Rate     float64   `json:"rate"`     // requests served a second, over 5 s
	P50MS    float64   `json:"p50_ms"`   // of those
	Errors   float64   `json:"errors"`   // failed a second, over 5 s
	Use      *Use      `json:"use"`      // null where it is not known
	Replicas []Replica `json:"replicas"` // of a node that runs more than once, by id
}

// Use is what a node uses of its machine, all its replicas together. CPU comes in steps of 0.01 and memory in steps of a
// MiB, and neither changes for less than a step.
type Use struct {
	CPU         float64 `json:"cpu"`          // cores
	CPULimit    float64 `json:"cpu_limit"`    // cores; 0: none
	Memory      int64   `json:"memory"`       // bytes
	MemoryLimit int64   `json:"memory_limit"` // bytes; 0: none
}

// Replica is one of the runs of a node that runs more than once.
type Replica struct {
	ID      string    `json:"id"`
	State   State     `json:"state"`
	Since   time.Time `json:"since"` // of the state
	Reason  string    `json:"reason,omitempty"`
	Pending int64     `json:"pending"` // entries that its consumer holds unacknowledged, over all streams; -1 unknown
	Faults  []Fault   `json:"faults"`  // in force on it
}

// Control says whether nodes can be acted on.
type Control struct {
	Can bool   `json:"can"`
	Why string `json:"why"` // not, in a sentence; else empty
}

// Outbox is what a service has committed and not published yet.
type Outbox struct {
	Waiting  int64 `json:"waiting"`   // events that were counted; -1 unknown
	More     bool  `json:"more"`      // there are more than that
	OldestMS int64 `json:"oldest_ms"` // age of the oldest
}

// EdgeKind is emit (service to stream), take (stream to service), call (node to node) or reach (service to another's store).
type EdgeKind string

// The kinds of edges.
const (
	Emit  EdgeKind = "emit"
	Take  EdgeKind = "take"
	Call  EdgeKind = "call"
	Reach EdgeKind = "reach"
)

// Edge is one connection. Its id is "emit:orders>orders", "take:orders>purchases", "call:shoppers>orders"; the same from
// and to may stand in several kinds.
type Edge struct {
	ID         string   `json:"id"`
	Kind       EdgeKind `json:"kind"`
	From       string   `json:"from"`
	To         string   `json:"to"`
	Total      int64    `json:"total"`  // ever since the visualizer started
	Failed     int64    `json:"failed"` // calls that failed, ever
	Rate       float64  `json:"rate"`   // a second, over 5 s
	FailedRate float64  `json:"failed_rate"`
	Reason     string   `json:"reason,omitempty"` // of the last failure of the last 5 s
	P50MS      float64  `json:"p50_ms,omitempty"` // calls: median duration over 5 s
	// Take edges: the group's backlog.
	Waiting  int64 `json:"waiting"` // lag plus pending; -1 unknown
	Pending  int64 `json:"pending"`
	OldestMS int64 `json:"oldest_ms"` // age of the oldest waiting entry at the frame's time
	// TrimmedUnread: entries were trimmed before the group read them, and its copy misses them: until their owner has
	// published once more what it has, and the group has applied that.
	TrimmedUnread bool  `json:"trimmed_unread,omitempty"`
	Missed        int64 `json:"missed,omitempty"` // how many; 0 where it is not known
	Dead          int64 `json:"dead"`             // letters that the group gave up on, as they are there now; -1 unknown
}

// Lane is one stream.
type Lane struct {
	Name   string  `json:"name"`
	Kind   string  `json:"kind,omitempty"`
	Length int64   `json:"length"`
	Total  int64   `json:"total"` // entries ever added, as counted on the tap
	Rate   float64 `json:"rate"`
	Dead   bool    `json:"dead,omitempty"` // a stream of dead letters
	Bytes  int64   `json:"bytes"`          // of Redis' memory; -1 unknown
	// KeepEntries and KeepBytes are the bounds that its publishers are declared to keep; 0: none.
	KeepEntries int64      `json:"keep_entries"`
	KeepBytes   int64      `json:"keep_bytes"`
	FirstAt     *time.Time `json:"first_at"` // of the oldest entry; null: it is empty
}

// CellState is how a feature does in a pattern.
type CellState string

// The states of a cell; Untried: nothing was measured yet.
const (
	Works   CellState = "works"
	Slow    CellState = "slow"
	Stale   CellState = "stale"
	Fails   CellState = "fails"
	Untried CellState = "untried"
)

// Cell is one cell of the matrix, over the last 5 s.
type Cell struct {
	Feature   string    `json:"feature"`
	Pattern   string    `json:"pattern"`
	State     CellState `json:"state"`
	Success   float64   `json:"success"` // share, 0 to 1
	Tries     int       `json:"tries"`
	P50MS     float64   `json:"p50_ms"`
	P99MS     float64   `json:"p99_ms"`
	StaleMS   int64     `json:"stale_ms,omitempty"` // how far the copy is behind its owner
	LastError string    `json:"last_error,omitempty"`
	// Because are the nodes whose state explains that the cell does not work; empty where none is known.
	Because []string `json:"because,omitempty"`
	Cost    *Cost    `json:"cost,omitempty"`  // of one typical request; nil: none was seen whole yet
	Trace   string   `json:"trace,omitempty"` // that request's trace id
}

// Cost is what one request costs.
type Cost struct {
	Services int `json:"services"` // that took part, other services' stores among them
	Hops     int `json:"hops"`     // requests made for it, the first included
	Messages int `json:"messages"` // events on the bus that it caused
	Depth    int `json:"depth"`    // longest chain of hops
}

// Waterfall is one typical request of a cell, hop by hop.
type Waterfall struct {
	Trace    string    `json:"trace"`
	At       time.Time `json:"at"` // when it began
	TookMS   float64   `json:"took_ms"`
	Failed   bool      `json:"failed"`
	Cost     Cost      `json:"cost"`
	Hops     []Hop     `json:"hops"`     // by start
	Messages []Message `json:"messages"` // by time
}

// Hop is one request of a waterfall.
type Hop struct {
	From    string  `json:"from"` // empty: the dashboard's own probe
	To      string  `json:"to"`
	Via     string  `json:"via"` // "" a request, "bus", "store"
	Method  string  `json:"method"`
	Path    string  `json:"path"`
	Status  int     `json:"status"`
	Failed  bool    `json:"failed"`
	Reason  string  `json:"reason,omitempty"`
	StartMS float64 `json:"start_ms"` // after the first hop began
	TookMS  float64 `json:"took_ms"`
	Depth   int     `json:"depth"` // of the chain, from 1
}

// Message is one event on the bus that a request caused.
type Message struct {
	Stream  string  `json:"stream"`
	Type    string  `json:"type"`
	Subject string  `json:"subject"`
	Node    string  `json:"node,omitempty"` // that emitted it
	AtMS    float64 `json:"at_ms"`          // after the first hop began
}

// Event is one event in the list and on the map.
type Event struct {
	Seq         int64           `json:"seq"`
	Stream      string          `json:"stream"`
	EntryID     string          `json:"entry_id"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	Subject     string          `json:"subject"`
	Version     int64           `json:"version,omitempty"`
	Time        time.Time       `json:"time"`
	Node        string          `json:"node,omitempty"` // the node that emitted it
	Problem     string          `json:"problem,omitempty"`
	Size        int64           `json:"size,omitempty"`  // bytes, of one so large that its payload is not kept; else 0
	Again       bool            `json:"again,omitempty"` // the stream had this event before
	TraceParent string          `json:"traceparent,omitempty"`
	Raw         json.RawMessage `json:"raw,omitempty"` // only in the API's answers, not in frames
}

// Note is one thing that happened, in words.
type Note struct {
	Seq  int64     `json:"seq"`
	At   time.Time `json:"at"`
	Node string    `json:"node,omitempty"`
	Tone string    `json:"tone"` // good | bad | plain
	Text string    `json:"text"` // "catalog was killed", "catalog is back after 12 s", "purchases caught up on 184 events"
}

// Load is the traffic as set.
type Load struct {
	PerSecond float64            `json:"per_second"`
	Known     bool               `json:"known"`              // its node answers
	Patterns  map[string]float64 `json:"patterns,omitempty"` // weight of each, 0 and more
	Features  map[string]float64 `json:"features,omitempty"` // share of journeys that use each, 0 to 1
	Dropped   int64              `json:"dropped"`            // requests not made, ever: too many were on their way
}

// BusState is the bus as the tap sees it.
type BusState struct {
	Up      bool    `json:"up"`
	Reason  string  `json:"reason,omitempty"`
	Rate    float64 `json:"rate"`      // events a second over all streams
	ToHubMS float64 `json:"to_hub_ms"` // median over 5 s: from the event's time to here
}

// Since is the frame from revision rev to now: only what changed. Since(0) is the full frame, and so is one from a
// revision that this world has not come to yet: the asker knew another world.
func (w *World) Since(rev int64) Frame {
	full := rev <= 0 || rev > w.rev
	if full {
		rev = 0
	}
	f := Frame{From: rev, Rev: w.rev, Full: full, At: w.now}
	if full {
		f.System = w.layout()
	}
	for _, n := range w.nodes {
		if n.rev > rev {
			f.Nodes = append(f.Nodes, n.shown)
		}
	}
	for _, e := range w.edges {
		if e.rev > rev {
			f.Edges = append(f.Edges, e.shown)
		}
	}
	for _, l := range w.lanes {
		if l.rev > rev {
			f.Streams = append(f.Streams, l.shown)
		}
	}
	for _, c := range w.cells {
		if c.rev > rev {
			f.Cells = append(f.Cells, c.shown)
		}
	}
	for _, h := range w.holdings {
		if h.rev > rev {
			f.Copies = append(f.Copies, h.shown)
		}
	}
	if w.load.rev > rev {
		l := w.load.shown
		f.Load = &l
	}
	if w.bus.rev > rev {
		b := w.bus.shown
		f.Bus = &b
	}
	if w.control.rev > rev {
		c := w.control.shown
		f.Control = &c
	}
	f.Events = w.events.sample(rev, w.shown(full))
	f.Notes = w.notes.after(rev)
	return f
}

func (w *World) layout() *Layout {
	s := w.system
	l := &Layout{Name: s.Name, Kinds: whole(s.Kinds), Patterns: []Pattern{}, Features: []Feature{}, Later: s.laterIDs()}
	for _, p := range s.Patterns {
		l.Patterns = append(l.Patterns, s.pattern(p))
	}
	for _, f := range s.Features {
		l.Features = append(l.Features, Feature{f.ID, f.Name, f.Crosses})
	}
	if s.Load != nil {
		l.MaxLoad = s.Load.Max
	}
	return l
}
