package viz

import (
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/hub"
	"github.com/stillup/stillup/viz/world"
)

// metrics tells Prometheus what the world knows, read when it asks.
type metrics struct {
	hub     *hub.Hub
	handler http.Handler
	actions *prometheus.CounterVec
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("stillup_"+name, help, labels, nil)
}

var (
	eventsDesc   = desc("events_seen_total", "Entries ever added to the stream, as counted on the tap.", "stream")
	lengthDesc   = desc("stream_length", "Entries in the stream.", "stream")
	memDesc      = desc("stream_bytes", "Of Redis' memory that the stream needs; left out where unknown.", "stream")
	lagDesc      = desc("group_lag", "Entries not delivered to the service's group yet; left out where unknown.", "stream", "service")
	pendingDesc  = desc("group_pending", "Entries delivered to the service's group and not acknowledged.", "stream", "service")
	oldestDesc   = desc("group_oldest_seconds", "Age of the oldest entry that the service has not applied.", "stream", "service")
	deadDesc     = desc("dead_letters", "Dead letters that the service's group gave up on, as they are there now; left out where unknown.", "stream", "service")
	upDesc       = desc("node_up", "1 where the node is up.", "node", "kind")
	cpuDesc      = desc("node_cpu_cores", "Cores that the node uses; left out where unknown.", "node")
	memoryDesc   = desc("node_memory_bytes", "Memory that the node uses; left out where unknown.", "node")
	replicasDesc = desc("node_replicas", "How often the node runs, dead replicas among them.", "node")
	aliveDesc    = desc("node_replicas_up", "Of those that are up.", "node")
	heldDesc     = desc("held_things", "Things of the kind that the store holds, maybe an estimate; left out where unknown.", "node", "kind")
	heldMemDesc  = desc("held_bytes", "Bytes that the store needs for them; left out where unknown.", "node", "kind")
	staleDesc    = desc("copy_stale_seconds", "Age of the oldest event of the kind that the store's service has not applied.", "node", "kind")
	busDesc      = desc("bus_up", "1 where the bus answers the tap.")
	callsDesc    = desc("calls_seen_total", "Requests from one node to another, as told by traces.", "caller", "callee")
	failedDesc   = desc("calls_failed_total", "Those that failed.", "caller", "callee")
	successDesc  = desc("feature_success_ratio", "Share of the feature's uses of the last seconds that succeeded; left out where nobody tried.", "feature", "pattern")
	latencyDesc  = desc("feature_p99_seconds", "99th percentile of their durations.", "feature", "pattern")
	socketsDesc  = desc("sockets", "Browsers connected now.")
	framesDesc   = desc("frames_sent_total", "Frames written to browsers.")
	bytesDesc    = desc("frame_bytes_total", "Bytes of those frames.")
	encodedDesc  = desc("frames_encoded_total", "Frames made; the rest were shared between browsers.")
	revisionDesc = desc("revision", "Revision of the world.")
)

func newMetrics(h *hub.Hub) *metrics {
	m := &metrics{hub: h, actions: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "stillup_actions_total",
		Help: "Actions that people took."}, []string{"verb", "outcome"})}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m, m.actions, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
	return m
}

// acted counts one action.
func (m *metrics) acted(verb string, done bool) {
	outcome := "refused"
	if done {
		outcome = "done"
	}
	switch verb {
	case control.Kill, control.Stop, control.Start, control.Pause, control.Resume, control.Slow, control.Cut, control.Errors,
		control.Heal, "restore", "load", "resend", "workloads", "begin", "leave", "step", world.ActVerb:
	default:
		verb = "other" // what a stranger made up is no label
	}
	m.actions.WithLabelValues(verb, outcome).Inc()
}

// Describe leaves the collector unchecked: which streams and nodes there are is known when asked.
func (m *metrics) Describe(chan<- *prometheus.Desc) {}

// Collect reads the world and the hub.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	var f world.Frame
	m.hub.View(func(w *world.World) { f = w.Since(0) })
	put := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels []string) {
		for i := range labels {
			labels[i] = strings.ToValidUTF8(labels[i], "?") // names of streams are any bytes
		}
		out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) { put(d, prometheus.GaugeValue, v, labels) }
	count := func(d *prometheus.Desc, v int64, labels ...string) {
		put(d, prometheus.CounterValue, float64(v), labels)
	}
	flag := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	for _, l := range f.Streams {
		count(eventsDesc, l.Total, l.Name)
		gauge(lengthDesc, float64(l.Length), l.Name)
		if l.Bytes >= 0 {
			gauge(memDesc, float64(l.Bytes), l.Name)
		}
	}
	for _, n := range f.Nodes {
		gauge(upDesc, flag(n.State == world.Up), n.ID, string(n.Kind))
		if n.Use != nil {
			gauge(cpuDesc, n.Use.CPU, n.ID)
			gauge(memoryDesc, float64(n.Use.Memory), n.ID)
		}
		alive, all := flag(n.State == world.Up), 1
		if len(n.Replicas) > 0 {
			alive, all = 0, len(n.Replicas)
			for _, r := range n.Replicas {
				alive += flag(r.State == world.Up)
			}
		}
		gauge(replicasDesc, float64(all), n.ID)
		gauge(aliveDesc, alive, n.ID)
	}
	for _, e := range f.Edges {
		switch e.Kind {
		case world.Take:
			if e.Waiting >= 0 {
				gauge(lagDesc, float64(max(0, e.Waiting-e.Pending)), e.From, e.To)
			}
			gauge(pendingDesc, float64(e.Pending), e.From, e.To)
			if e.Dead >= 0 {
				gauge(deadDesc, float64(e.Dead), e.From, e.To)
			}
			gauge(oldestDesc, float64(e.OldestMS)/1000, e.From, e.To)
		case world.Call:
			count(callsDesc, e.Total, e.From, e.To)
			count(failedDesc, e.Failed, e.From, e.To)
		}
	}
	for _, c := range f.Cells {
		if c.Tries > 0 {
			gauge(successDesc, c.Success, c.Feature, c.Pattern)
			gauge(latencyDesc, c.P99MS/1000, c.Feature, c.Pattern)
		}
	}
	for _, h := range f.Copies {
		if h.Known {
			gauge(heldDesc, float64(h.Count), h.Node, h.Kind)
			if h.Bytes >= 0 {
				gauge(heldMemDesc, float64(h.Bytes), h.Node, h.Kind)
			}
		}
		if h.Copy {
			gauge(staleDesc, float64(h.StaleMS)/1000, h.Node, h.Kind)
		}
	}
	if f.Bus != nil {
		gauge(busDesc, flag(f.Bus.Up))
	}
	gauge(revisionDesc, float64(f.Rev))
	s := m.hub.Stats()
	gauge(socketsDesc, float64(s.Sockets))
	count(framesDesc, s.Frames)
	count(bytesDesc, s.Bytes)
	count(encodedDesc, s.Encoded)
}
