package traces

import (
	"encoding/hex"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/stillup/stillup/viz/world"
)

// sort are the requests between nodes and the uses of stores among the spans, and the handlings of events.
func (rc *Receiver) sort(data *tracepb.TracesData) (calls []world.CallSeen, takes []world.TakeSeen) {
	for _, r := range data.GetResourceSpans() {
		self := rc.o.Node(attributes(r.GetResource().GetAttributes()).text("service.name"))
		for _, s := range r.GetScopeSpans() {
			for _, span := range s.GetSpans() {
				if span.GetKind() == tracepb.Span_SPAN_KIND_CONSUMER {
					if t, ok := rc.take(self, span); ok {
						takes = append(takes, t)
					}
				} else if c, ok := rc.call(self, span); ok {
					calls = append(calls, c)
				}
			}
		}
	}
	return calls, takes
}

// call reads one span; ok is false where it is not a request between nodes. Self is the node that made the span, empty
// for one that is unknown.
func (rc *Receiver) call(self string, span *tracepb.Span) (c world.CallSeen, ok bool) {
	a := attributes(span.GetAttributes())
	if span.GetKind() == tracepb.Span_SPAN_KIND_CLIENT && a.text("db.system.name", "db.system") != "" {
		return rc.reach(self, a, span)
	}
	c.Method = a.text("http.request.method", "http.method")
	if c.Method == "" {
		return c, false
	}
	address, _ := url.Parse(a.text("url.full", "http.url"))
	if address == nil {
		address = &url.URL{}
	}
	c.Path = a.text("url.path", "http.target")
	if c.Path == "" {
		c.Path = address.Path
	}
	c.Path, _, _ = strings.Cut(c.Path, "?")
	switch span.GetKind() {
	case tracepb.Span_SPAN_KIND_CLIENT:
		c.Caller = self
		if a.text("messaging.system") == "" {
			c.Callee = rc.callee(a, address)
		} else if c.Path != "" { // else it is the sending of any message; and the address is the bus's
			c.Via, c.Callee = world.ViaBus, rc.o.Node(a.text(peerNames...))
		}
	case tracepb.Span_SPAN_KIND_SERVER:
		c.Served = true
		c.Callee = self
		if c.Route = a.text("http.route"); c.Route == "" {
			// A server's span is named by method and route, where it knows the route.
			if method, route, ok := strings.Cut(span.GetName(), " "); ok && method == c.Method && strings.HasPrefix(route, "/") {
				c.Route = route
			}
		}
		if c.Path == "/healthz" || c.Path == "/readyz" {
			return c, false
		}
	default:
		return c, false
	}
	if c.Callee == "" {
		return c, false
	}
	c.Status = int(a.number("http.response.status_code", "http.status_code"))
	c.Failed = c.Status == 0 || c.Status >= 500
	if c.Failed || c.Status >= 400 {
		c.Reason = reason(c.Callee, c.Status, span.GetStatus().GetMessage(), a.text("error.type"))
	}
	c.Start, c.Duration = timed(span)
	c.TraceID, c.SpanID, c.ParentID = placed(span)
	return c, true
}

// reach reads the span of a use of a store; ok is false where it does not say whose by a node's name: a service's own
// store is its own affair.
func (rc *Receiver) reach(self string, a attributes, span *tracepb.Span) (c world.CallSeen, ok bool) {
	c.Via, c.Caller, c.Callee = world.ViaStore, self, rc.o.Node(a.text(peerNames...))
	if c.Callee == "" || !rc.o.Store(c.Callee) {
		return c, false
	}
	c.Method = a.text("db.operation.name", "db.operation")
	if c.Method == "" {
		c.Method, _, _ = strings.Cut(span.GetName(), " ")
	}
	c.Path = a.text("db.collection.name", "db.namespace")
	if c.Failed = span.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR; c.Failed {
		c.Reason = reason(c.Callee, 0, span.GetStatus().GetMessage(), a.text("error.type"))
	}
	c.Start, c.Duration = timed(span)
	c.TraceID, c.SpanID, c.ParentID = placed(span)
	return c, true
}

// peerNames are the attributes by which a client span names its callee.
var peerNames = []string{"peer.service", "service.peer.name"}

// timed is when a span was.
func timed(span *tracepb.Span) (start time.Time, took time.Duration) {
	if span.GetEndTimeUnixNano() > span.GetStartTimeUnixNano() {
		took = time.Duration(span.GetEndTimeUnixNano() - span.GetStartTimeUnixNano())
	}
	return time.Unix(0, int64(span.GetStartTimeUnixNano())).UTC(), took
}

// placed is a span's place in its trace.
func placed(span *tracepb.Span) (trace, id, parent string) {
	return hex.EncodeToString(span.GetTraceId()), hex.EncodeToString(span.GetSpanId()), hex.EncodeToString(span.GetParentSpanId())
}

// callee is the node that a client span's request went to: by name, else by address.
func (rc *Receiver) callee(a attributes, address *url.URL) string {
	if node := rc.o.Node(a.text(peerNames...)); node != "" {
		return node
	}
	host, port := a.text("server.address", "net.peer.name"), a.number("server.port", "net.peer.port")
	if host == "" {
		host = address.Hostname()
	}
	if port == 0 {
		port, _ = strconv.ParseInt(address.Port(), 10, 32)
	}
	if port == 0 {
		port = 80
		if address.Scheme == "https" {
			port = 443
		}
	}
	if host == "" {
		return ""
	}
	return rc.o.NodeAt(net.JoinHostPort(strings.Trim(host, "[]"), strconv.FormatInt(port, 10)))
}

// attributes are a span's or a resource's.
type attributes []*commonpb.KeyValue

// text is the first of the names that is there, in its text form; empty for none.
func (a attributes) text(names ...string) string {
	for _, name := range names {
		for _, kv := range a {
			if kv.GetKey() != name {
				continue
			}
			if n, isInt := kv.GetValue().GetValue().(*commonpb.AnyValue_IntValue); isInt {
				return strconv.FormatInt(n.IntValue, 10)
			}
			if s := kv.GetValue().GetStringValue(); s != "" {
				return s
			}
		}
	}
	return ""
}

// number is the first of the names that is there as a whole number; 0 for none.
func (a attributes) number(names ...string) int64 {
	n, err := strconv.ParseInt(a.text(names...), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
