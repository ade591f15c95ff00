package world

// System is the system file: all that the visualizer is told of the system that it shows. JSON, snake_case.
type System struct {
	Name     string        `json:"name"`
	Nodes    []NodeSpec    `json:"nodes"`
	Streams  []StreamSpec  `json:"streams"`
	Kinds    []KindSpec    `json:"kinds"`    // kinds of data, in the order of their colours
	Patterns []PatternSpec `json:"patterns"` // columns of the matrix
	Features []FeatureSpec `json:"features"` // rows of the matrix
	Load     *LoadSpec     `json:"load,omitempty"`
	// Vars are the values that a probe fills "{name}" in paths and bodies with, one at random each time.
	Vars map[string][]string `json:"vars,omitempty"`
	// Actions are what a person can have the system do, in the order in which they are offered.
	Actions []ActionSpec `json:"actions,omitempty"`
	// Workloads names the stores on which engines are measured, by engine; Choices says why services have which.
	Workloads map[string]string `json:"workloads,omitempty"`
	Choices   []ChoiceSpec      `json:"choices,omitempty"`
}

// NodeSpec declares one node.
type NodeSpec struct {
	ID     string   `json:"id"`
	Kind   NodeKind `json:"kind"`
	Label  string   `json:"label,omitempty"`  // what it does, in words: "sign up"
	Engine string   `json:"engine,omitempty"` // stores and the bus: postgres | mongodb | redis
	Owner  string   `json:"owner,omitempty"`  // stores: the service that it belongs to
	URL    string   `json:"url,omitempty"`    // a service's base address; the runtime's word goes before it
	Group  string   `json:"group,omitempty"`  // the consumer group it reads with; default its id
	Source string   `json:"source,omitempty"` // the CloudEvents source it emits under; default its id
	Holds  []Hold   `json:"holds,omitempty"`  // stores: the kinds of data in it, the owner's own first
	Takes  []string `json:"takes,omitempty"`  // services: streams it reads, so that the map is whole before anything flows
	Emits  []string `json:"emits,omitempty"`  // services: streams it writes
	// Reaches are the stores of other services that it uses directly, which it should not.
	Reaches []string `json:"reaches,omitempty"`
	// Outbox is the path under its address that answers GET with {"waiting": n, "more": bool, "oldest": time or null}: what
	// it has committed and not published yet, and whether there is more than was counted; and, where it can lose nothing
	// with the bus, {"republished": n, "republished_at": time or null}: what it has published once more since it started.
	Outbox string `json:"outbox,omitempty"`
	// Later: the node is not there at first and joins when it is told to. Until it was seen it is not shown.
	Later bool `json:"later,omitempty"`
}

// NodeKind is service, store, bus or client.
type NodeKind string

// The kinds of nodes.
const (
	Service NodeKind = "service"
	Store   NodeKind = "store"
	Bus     NodeKind = "bus"
	Client  NodeKind = "client"
)

// Hold is one kind of data in a store.
type Hold struct {
	Kind string `json:"kind"`
	Copy bool   `json:"copy"`         // a copy of what another store owns
	At   *Place `json:"at,omitempty"` // where it stands; nil: it is not looked at
}

// StreamSpec declares one stream.
type StreamSpec struct {
	Name string `json:"name"`
	Kind string `json:"kind,omitempty"` // the kind of data its events are about
	// Transient: its entries are of use for seconds only, so what was trimmed before it was read is no loss.
	Transient bool `json:"transient,omitempty"`
	Keep      Keep `json:"keep,omitzero"`
}

// Keep is how much of a stream its publishers keep: what is older than either bound allows is trimmed, roughly.
type Keep struct {
	Entries int64 `json:"entries,omitempty"` // 0: no bound is declared
	Bytes   int64 `json:"bytes,omitempty"`   // of Redis' memory; 0: no bound is declared
}

// KindSpec is one kind of data.
type KindSpec struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// PatternSpec is one way in which a cross-service feature gets others' data.
type PatternSpec struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Say     string   `json:"say,omitempty"`     // how, in a sentence
	Calls   bool     `json:"calls,omitempty"`   // services call each other
	Reaches bool     `json:"reaches,omitempty"` // services reach into others' stores
	Streams []string `json:"streams,omitempty"` // that carry its data
}

// pattern is what a browser needs of it.
func (s *System) pattern(p PatternSpec) Pattern {
	used := map[string]bool{}
	for _, f := range s.Features {
		if r, ok := f.Requests[p.ID]; ok {
			used[r.Node] = true
			for _, id := range r.Needs {
				used[id] = true
			}
		}
	}
	nodes := []string{}
	for _, n := range s.Nodes {
		if used[n.ID] || n.Kind == Client {
			nodes = append(nodes, n.ID)
		}
	}
	return Pattern{ID: p.ID, Name: p.Name, Say: p.Say, Nodes: nodes, Calls: p.Calls, Reaches: p.Reaches, Streams: whole(p.Streams)}
}

// FeatureSpec is one thing that a user of the system can do.
type FeatureSpec struct {
	ID       string                 `json:"id"`
	Name     string                 `json:"name"`
	Crosses  bool                   `json:"crosses"`  // needs data of more than one service
	Requests map[string]RequestSpec `json:"requests"` // by pattern id
}

// RequestSpec is the request by which a feature is used: matched against the calls of clients, and sent as a probe when
// nobody asks. Path segments in braces match anything and are filled from the system's Vars by a probe.
type RequestSpec struct {
	Node   string `json:"node"`
	Method string `json:"method"`
	Path   string `json:"path"`           // "/copies/purchases/{user}"
	Body   any    `json:"body,omitempty"` // JSON; "{name}" in strings is filled from Vars, "{uuid}" anew each time
	OK     []int  `json:"ok,omitempty"`   // statuses that are an answer besides 2xx and 3xx: 409 for "sold out"
	// Reads names the streams whose events the answer rests on (own copies): lag there makes the answer stale.
	Reads []string `json:"reads,omitempty"`
	// Needs names the nodes without which it cannot be answered, its own and all further down the chain included.
	Needs []string `json:"needs,omitempty"`
}

// LoadSpec says where the traffic is set: POST takes any of {"per_second": n, "patterns": {id: weight}, "features": {id:
// share}}, GET gives them, and how many requests were not made as "dropped".
type LoadSpec struct {
	Node string  `json:"node"`
	Path string  `json:"path"`
	Max  float64 `json:"max"`
}
