package control

// Labels of the containers that are nodes. Whoever writes the compose file sets them, and the Docker runtime and the
// socket proxy read them; a container without LabelNode is no node and is never touched.
const (
	LabelNode     = "io.stillup.node"     // the node's id
	LabelKind     = "io.stillup.kind"     // "service", "store", "bus" or "client"
	LabelOwner    = "io.stillup.owner"    // of a store: the service that it belongs to
	LabelNetworks = "io.stillup.networks" // its networks by their names in compose, comma between, to come back to after a cut
	LabelPort     = "io.stillup.port"     // where it listens, on all its networks
	LabelURL      = "io.stillup.url"      // a service's base address for others, which leads through its gate
	LabelFaults   = "io.stillup.faults"   // path that takes PUT of faults, where the node does slow and errors itself
	LabelGate     = "io.stillup.gate"     // address of its gate, which takes PUT of GateFaults: "http://gates:7000/gates/users"
)
