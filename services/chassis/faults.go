package chassis

// FaultsPath takes PUT and GET of [Faults], for whoever runs the service.
const FaultsPath = "/faults"

// Faults are how a service is made to misbehave. The zero value is a healthy one, and what a process starts with.
type Faults struct {
	LatencyMS  int64   `json:"latency_ms"`  // added to each answer to a request, over HTTP and the bus; 0 to 10,000
	ErrorShare float64 `json:"error_share"` // of requests that fail, 0 to 1
}
