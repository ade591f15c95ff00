package world

import "time"

// Observation is one thing that a watcher saw. The closed set: NodeSeen, UseSeen, ControlSeen, OutboxSeen, CopiesSeen,
// EventsSeen, StreamsSeen, BusSeen, CallsSeen, TakesSeen, TriesSeen, LoadSeen, ActionSeen, Tick.
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
	Faults   []Fault   `json:"faults,omitempty"`   // all that are in force, at most one of a kind
	// Replicas, of a node that runs more than once, by id; else empty. The node itself is up while any of them is.
	Replicas []ReplicaSeen `json:"replicas,omitempty"`
}

// ReplicaSeen is one of the runs of a node that runs more than once.
type ReplicaSeen struct {
	ID       string    `json:"id"` // unique within the node, short: "2"
	State    State     `json:"state"`
	Since    time.Time `json:"since"` // of the state
	Reason   string    `json:"reason,omitempty"`
	Consumer string    `json:"consumer,omitempty"` // what it is called within its consumer group
	Faults   []Fault   `json:"faults,omitempty"`   // in force on it; those of all replicas are the node's too
}

// UseSeen: a runtime says what a node uses of its machine, all its replicas together.
type UseSeen struct {
	At          time.Time `json:"at"`
	Node        string    `json:"node"`
	CPU         float64   `json:"cpu"`                    // cores, over the time since it was last asked
	CPULimit    float64   `json:"cpu_limit,omitempty"`    // cores; 0: none
	Memory      int64     `json:"memory"`                 // bytes, without what the kernel could take back
	MemoryLimit int64     `json:"memory_limit,omitempty"` // bytes; 0: none
}

// ControlSeen: a runtime says whether nodes can be acted on here.
type ControlSeen struct {
	At  time.Time `json:"at"`
	Can bool      `json:"can"`
	Why string    `json:"why,omitempty"` // not, and what to do about it, in a sentence
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

// Fault is one way in which a node that runs is made to misbehave.
type Fault struct {
	Kind      FaultKind `json:"kind"`
	LatencyMS int64     `json:"latency_ms,omitempty"` // slow: added to each of its answers
	Share     float64   `json:"share,omitempty"`      // errors: of its requests that fail, above 0, at most 1
}

// FaultKind is slow, cut or errors.
type FaultKind string

// The kinds of faults.
const (
	FaultSlow   FaultKind = "slow"   // its answers come later
	FaultCut    FaultKind = "cut"    // no network to it and from it: what is sent is lost
	FaultErrors FaultKind = "errors" // a share of its requests fails
)

// OutboxSeen: a service says what it has committed and not published yet.
type OutboxSeen struct {
	At      time.Time `json:"at"`
	Node    string    `json:"node"`
	Waiting int64     `json:"waiting"`        // events that were counted; negative: it does not say
	More    bool      `json:"more,omitempty"` // there are more than that
	Oldest  time.Time `json:"oldest"`         // of the oldest; zero for none
	// Republished is how many it has published once more because the bus had lost them, since it started.
	Republished   int64     `json:"republished,omitempty"`
	RepublishedAt time.Time `json:"republished_at,omitzero"` // when last
}

// CopiesSeen: a store was asked how much it holds of each kind.
type CopiesSeen struct {
	At    time.Time  `json:"at"`
	Node  string     `json:"node"`           // the store
	Down  string     `json:"down,omitempty"` // why it did not answer, in a sentence; empty: it did
	Kinds []HeldSeen `json:"kinds,omitempty"`
}

// HeldSeen is how much a store holds of one kind.
type HeldSeen struct {
	Kind      string `json:"kind"`
	Count     int64  `json:"count"`
	Bytes     int64  `json:"bytes"`               // that the store needs for it; -1 unknown
	Estimated bool   `json:"estimated,omitempty"` // Count is
	Why       string `json:"why,omitempty"`       // it could not say of this kind, in a sentence
}

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
	Size        int64     `json:"size,omitempty"`    // bytes, of one that is so large that its payload was not kept; else 0
	Dead        *DeadSeen `json:"dead,omitempty"`    // of a dead letter: what was said when it was put away
}

// DeadSeen is what stands on a dead letter.
type DeadSeen struct {
	Group    string `json:"group"`    // the consumer group that gave up
	Entry    string `json:"entry"`    // the entry's id in the stream that it came from
	Reason   string `json:"reason"`   // the last error's text
	Attempts int    `json:"attempts"` // how often the group had tried
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
	Missed        int64     `json:"missed,omitempty"` // entries that were trimmed before it read them; 0 where it is not known
	// Members are its consumers by name, asked for only where there is more than one; else empty.
	Members []MemberSeen `json:"members,omitempty"`
}

// MemberSeen is one consumer of a group.
type MemberSeen struct {
	Name    string `json:"name"`
	Pending int64  `json:"pending"` // entries delivered to it and not acknowledged
	IdleMS  int64  `json:"idle_ms"` // since it last asked the bus for anything
}

// StreamSeen is one stream as Redis describes it.
type StreamSeen struct {
	Name    string      `json:"name"`
	Length  int64       `json:"length"`
	Added   int64       `json:"added"`
	FirstID string      `json:"first_id"`
	LastID  string      `json:"last_id"`
	Bytes   int64       `json:"bytes,omitempty"` // of Redis' memory, as it last said; 0 and less: it does not
	Groups  []GroupSeen `json:"groups,omitempty"`
	// Dead, of a stream of dead letters: how many each consumer group gave up on; nil: not counted yet.
	Dead map[string]int64 `json:"dead,omitempty"`
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

// How a call travels.
const (
	ViaHTTP  = ""      // a request straight to the callee
	ViaBus   = "bus"   // a request event and a reply event
	ViaStore = "store" // the callee is another service's store, used directly
)

// CallSeen is one request between nodes, from a client span (Caller and Callee known) or a server span (Served).
type CallSeen struct {
	Via      string        `json:"via,omitempty"` // ViaHTTP, ViaBus or ViaStore; of a client span
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

// TakeSeen is one handling of an event by a consumer group, from a consumer span.
type TakeSeen struct {
	Node     string        `json:"node,omitempty"`  // that handled it; empty: the one that reads with Group
	Group    string        `json:"group,omitempty"` // may be empty
	Stream   string        `json:"stream"`
	EventID  string        `json:"event_id,omitempty"`
	Type     string        `json:"type,omitempty"` // of the event
	Start    time.Time     `json:"start"`
	Duration time.Duration `json:"duration"` // nanoseconds
	Failed   bool          `json:"failed"`
	Reason   string        `json:"reason,omitempty"`
	Outcome  Outcome       `json:"outcome,omitempty"` // of one that did not fail
	Why      string        `json:"why,omitempty"`     // it was skipped: "has version 5 already"
	TraceID  string        `json:"trace_id,omitempty"`
	SpanID   string        `json:"span_id,omitempty"`
	ParentID string        `json:"parent_id,omitempty"`
}

// Outcome is what a consumer decided on an event.
type Outcome string

// The outcomes; Put: it gave up and put the event away.
const (
	Applied Outcome = "applied"
	Skipped Outcome = "skipped"
	Put     Outcome = "dead letter"
)

// TakesSeen: traces of consumers came in.
type TakesSeen struct {
	At    time.Time  `json:"at"`
	Takes []TakeSeen `json:"takes"`
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
	SpanID   string        `json:"span_id,omitempty"` // that its request named as its parent
}

// TriesSeen: features were used.
type TriesSeen struct {
	At    time.Time `json:"at"`
	Tries []TrySeen `json:"tries"`
}

// LoadSeen: the traffic is set to so many journeys a second; negative: its node does not answer.
type LoadSeen struct {
	At        time.Time          `json:"at"`
	PerSecond float64            `json:"per_second"`
	Patterns  map[string]float64 `json:"patterns,omitempty"` // weight of each pattern among the journeys, 0 and more
	Features  map[string]float64 `json:"features,omitempty"` // share of journeys that use each feature, 0 to 1
	Dropped   int64              `json:"dropped,omitempty"`  // requests not made, ever: too many were on their way
}

// ActVerb is the verb of an action that the system file declares; its note says which, and of what.
const ActVerb = "act"

// ActionSeen: a person acted.
type ActionSeen struct {
	At   time.Time `json:"at"`
	Node string    `json:"node,omitempty"`
	Verb string    `json:"verb"` // a verb of a runtime, restore, load, resend, act, workloads, lose, trim or disturb
	Note string    `json:"note,omitempty"`
	// Replica, of a node that runs more than once, that alone was acted on; empty: all of it.
	Replica string `json:"replica,omitempty"`
}

// Tick: time passed. Rates fall, windows slide, outages grow older.
type Tick struct {
	At time.Time `json:"at"`
}

func (o NodeSeen) When() time.Time    { return o.At }
func (o UseSeen) When() time.Time     { return o.At }
func (o ControlSeen) When() time.Time { return o.At }
func (o OutboxSeen) When() time.Time  { return o.At }
func (o CopiesSeen) When() time.Time  { return o.At }
func (o EventsSeen) When() time.Time  { return o.At }
func (o StreamsSeen) When() time.Time { return o.At }
func (o BusSeen) When() time.Time     { return o.At }
func (o CallsSeen) When() time.Time   { return o.At }
func (o TakesSeen) When() time.Time   { return o.At }
func (o TriesSeen) When() time.Time   { return o.At }
func (o LoadSeen) When() time.Time    { return o.At }
func (o ActionSeen) When() time.Time  { return o.At }
func (o Tick) When() time.Time        { return o.At }
