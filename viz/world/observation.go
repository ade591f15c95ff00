package world

import "time"

// Observation is one thing that a watcher saw. The closed set: NodeSeen, EventsSeen, StreamsSeen, BusSeen, CallsSeen,
// TriesSeen, LoadSeen, ActionSeen, Tick.
type Observation interface{ When() time.Time }

// NodeSeen: a runtime says how a node is.
type NodeSeen struct {
	At       time.Time `json:"at"`
	Node     string    `json:"node"`
	State    State     `json:"state"`
	Reason   string    `json:"reason,omitempty"` // of a death: "killed (signal 9)", "exit code 1: ..."
	URL      string    `json:"url,omitempty"`
	Volatile bool      `json:"volatile,omitempty"` // a store that forgets on restart
	Engine   string    `json:"engine,omitempty"`   // as found: "Redis 7.0.15", "FerretDB 1.24.0 (embedded)"
	Verbs    []string  `json:"verbs,omitempty"`    // what can be done to it here
}

// State of a node.
type State string

// The states of a node.
const (
	Up       State = "up"
	Starting State = "starting"
	Paused   State = "paused"
	Down     State = "down"
	Unknown  State = "unknown"
)

// EventSeen is one entry of a stream.
type EventSeen struct {
	Stream      string    `json:"stream"`
	EntryID     string    `json:"entry_id"`
	ID          string    `json:"id,omitempty"`
	Source      string    `json:"source,omitempty"`
	Type        string    `json:"type,omitempty"`
	Subject     string    `json:"subject,omitempty"`
	Version     int64     `json:"version,omitempty"`
	TraceParent string    `json:"traceparent,omitempty"`
	Time        time.Time `json:"time"`              // of the fact; the entry id's time where the event has none
	Raw         []byte    `json:"raw,omitempty"`     // envelope JSON, or the foreign entry's fields as a JSON object
	Problem     string    `json:"problem,omitempty"` // why it is not an event
}

// EventsSeen: the tap read entries.
type EventsSeen struct {
	At      time.Time        `json:"at"`
	Events  []EventSeen      `json:"events,omitempty"`
	History bool             `json:"history,omitempty"` // from before the visualizer looked: listed, not counted
	Bases   map[string]int64 `json:"bases,omitempty"`   // per stream: entries ever added before the first counted one
	Lost    []string         `json:"lost,omitempty"`    // streams that lost entries or are gone
}

// GroupSeen is one consumer group on one stream.
type GroupSeen struct {
	Stream        string    `json:"stream"`
	Group         string    `json:"group"`
	Consumers     int       `json:"consumers"`
	Pending       int64     `json:"pending"`
	Lag           int64     `json:"lag"` // undelivered; -1 unknown
	Applied       string    `json:"applied"`
	Oldest        time.Time `json:"oldest"` // of the oldest entry not applied; zero for none
	TrimmedUnread bool      `json:"trimmed_unread,omitempty"`
}

// StreamSeen is one stream as Redis describes it.
type StreamSeen struct {
	Name    string      `json:"name"`
	Length  int64       `json:"length"`
	Added   int64       `json:"added"`
	FirstID string      `json:"first_id"`
	LastID  string      `json:"last_id"`
	Groups  []GroupSeen `json:"groups,omitempty"`
}

// StreamsSeen: all streams were inspected.
type StreamsSeen struct {
	At      time.Time    `json:"at"`
	Streams []StreamSeen `json:"streams"`
}

// BusSeen: the bus answers, or does not.
type BusSeen struct {
	At   time.Time `json:"at"`
	Down string    `json:"down,omitempty"` // why not; empty: it answers
}

// CallSeen is one request between nodes, from a client span (Caller and Callee known) or a server span (Served).
type CallSeen struct {
	Caller   string        `json:"caller,omitempty"`
	Callee   string        `json:"callee"`
	Served   bool          `json:"served,omitempty"` // a server span: the callee's own word
	Method   string        `json:"method"`
	Path     string        `json:"path"`            // of the URL, without query
	Route    string        `json:"route,omitempty"` // of a server span
	Status   int           `json:"status"`          // HTTP; 0 where none came
	Failed   bool          `json:"failed"`          // no answer, or 500 and more
	Reason   string        `json:"reason,omitempty"`
	Start    time.Time     `json:"start"`
	Duration time.Duration `json:"duration"` // nanoseconds
	TraceID  string        `json:"trace_id,omitempty"`
	SpanID   string        `json:"span_id,omitempty"`
	ParentID string        `json:"parent_id,omitempty"`
}

// CallsSeen: traces came in.
type CallsSeen struct {
	At    time.Time  `json:"at"`
	Calls []CallSeen `json:"calls"`
}

// TrySeen is one use of a feature: by a client's call, or by a probe.
type TrySeen struct {
	Feature  string        `json:"feature"`
	Pattern  string        `json:"pattern"`
	OK       bool          `json:"ok"`
	Status   int           `json:"status"`
	Reason   string        `json:"reason,omitempty"`
	Start    time.Time     `json:"start"`
	Duration time.Duration `json:"duration"`
	Probe    bool          `json:"probe,omitempty"`
	TraceID  string        `json:"trace_id,omitempty"`
}

// TriesSeen: features were used.
type TriesSeen struct {
	At    time.Time `json:"at"`
	Tries []TrySeen `json:"tries"`
}

// LoadSeen: the traffic is set to so many journeys a second; negative: its node does not answer.
type LoadSeen struct {
	At        time.Time `json:"at"`
	PerSecond float64   `json:"per_second"`
}

// ActionSeen: a person acted.
type ActionSeen struct {
	At   time.Time `json:"at"`
	Node string    `json:"node,omitempty"`
	Verb string    `json:"verb"` // kill stop start restore load
	Note string    `json:"note,omitempty"`
}

// Tick: time passed. Rates fall, windows slide, outages grow older.
type Tick struct {
	At time.Time `json:"at"`
}

func (o NodeSeen) When() time.Time    { return o.At }
func (o EventsSeen) When() time.Time  { return o.At }
func (o StreamsSeen) When() time.Time { return o.At }
func (o BusSeen) When() time.Time     { return o.At }
func (o CallsSeen) When() time.Time   { return o.At }
func (o TriesSeen) When() time.Time   { return o.At }
func (o LoadSeen) When() time.Time    { return o.At }
func (o ActionSeen) When() time.Time  { return o.At }
func (o Tick) When() time.Time        { return o.At }
