package traces_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/stillup/stillup/viz/traces"
	"github.com/stillup/stillup/viz/world"
)

// receive makes a receiver for a system of orders and catalog, and what it has seen.
func receive() (*traces.Receiver, *[]world.CallSeen) {
	seen := &[]world.CallSeen{}
	return traces.New(traces.Options{
		Node: func(name string) string {
			switch name {
			case "orders", "catalog", "catalog-db":
				return name
			}
			return ""
		},
		Store: func(node string) bool { return node == "catalog-db" },
		NodeAt: func(hostport string) string {
			return map[string]string{"127.0.0.1:9001": "catalog", "[::1]:9001": "catalog", "catalog:80": "catalog"}[hostport]
		},
		See: func(obs ...world.Observation) {
			for _, o := range obs {
				*seen = append(*seen, o.(world.CallsSeen).Calls...)
			}
		},
	}), seen
}

func post(t *testing.T, h http.Handler, body []byte, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/v1/traces", bytes.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func attrs(pairs ...any) (kvs []*commonpb.KeyValue) {
	for i := 0; i < len(pairs); i += 2 {
		v := &commonpb.AnyValue{}
		switch x := pairs[i+1].(type) {
		case string:
			v.Value = &commonpb.AnyValue_StringValue{StringValue: x}
		case int:
			v.Value = &commonpb.AnyValue_IntValue{IntValue: int64(x)}
		}
		kvs = append(kvs, &commonpb.KeyValue{Key: pairs[i].(string), Value: v})
	}
	return kvs
}

const (
	client = tracepb.Span_SPAN_KIND_CLIENT
	served = tracepb.Span_SPAN_KIND_SERVER
)

func export(t *testing.T, service string, span *tracepb.Span) []byte {
	t.Helper()
	span.TraceId, _ = hex.DecodeString("0af7651916cd43dd8448eb211c80319c")
	span.SpanId, _ = hex.DecodeString("b7ad6b7169203331")
	span.StartTimeUnixNano, span.EndTimeUnixNano = 1_700_000_000_000_000_000, 1_700_000_000_002_000_000
	b, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:   &resourcepb.Resource{Attributes: attrs("service.name", service)},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{span}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSpans(t *testing.T) {
	failed := func(text string) *tracepb.Status {
		return &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: text}
	}
	for _, tc := range []struct {
		name    string
		service string
		kind    tracepb.Span_SpanKind
		attrs   []any
		status  *tracepb.Status
		want    world.CallSeen // its times and ids are the same for all; Callee empty: no call
	}{
		{"peer.service", "orders", client, []any{"http.request.method", "GET", "peer.service", "catalog", "url.full", "http://x/sync/products?ids=1", "http.response.status_code", 200}, nil,
			world.CallSeen{Caller: "orders", Callee: "catalog", Method: "GET", Path: "/sync/products", Status: 200}},
		{"server.address and port", "orders", client, []any{"http.request.method", "GET", "server.address", "127.0.0.1", "server.port", 9001, "url.full", "http://127.0.0.1:9001/a"}, failed("Get \"http://127.0.0.1:9001/a\": dial tcp 127.0.0.1:9001: connect: connection refused"),
			world.CallSeen{Caller: "orders", Callee: "catalog", Method: "GET", Path: "/a", Failed: true, Reason: "catalog refused the connection"}},
		{"old names", "orders", client, []any{"http.method", "POST", "net.peer.name", "127.0.0.1", "net.peer.port", 9001, "http.url", "http://127.0.0.1:9001/b?q=1", "http.status_code", 503}, nil,
			world.CallSeen{Caller: "orders", Callee: "catalog", Method: "POST", Path: "/b", Status: 503, Failed: true, Reason: "catalog answered 503"}},
		{"the address of the URL alone", "orders", client, []any{"http.request.method", "GET", "url.full", "http://[::1]:9001/c"}, failed("context deadline exceeded"),
			world.CallSeen{Caller: "orders", Callee: "catalog", Method: "GET", Path: "/c", Failed: true, Reason: "catalog did not answer in time"}},
		{"a port that is left out", "orders", client, []any{"http.request.method", "GET", "url.full", "http://catalog/d", "http.response.status_code", 201}, nil,
			world.CallSeen{Caller: "orders", Callee: "catalog", Method: "GET", Path: "/d", Status: 201}},
		{"a service's own words", "orders", client, []any{"http.request.method", "GET", "peer.service", "catalog", "url.path", "/e", "http.response.status_code", 503}, failed("catalog answered 503: its store does not answer"),
			world.CallSeen{Caller: "orders", Callee: "catalog", Method: "GET", Path: "/e", Status: 503, Failed: true, Reason: "catalog answered 503: its store does not answer"}},
		{"a client's mistake is no failure", "orders", client, []any{"http.request.method", "GET", "peer.service", "catalog", "url.path", "/f", "http.response.status_code", 404}, nil,
			world.CallSeen{Caller: "orders", Callee: "catalog", Method: "GET", Path: "/f", Status: 404, Reason: "catalog answered 404"}},
		{"a caller from elsewhere", "stranger", client, []any{"http.request.method", "GET", "peer.service", "catalog", "url.path", "/g", "http.response.status_code", 200}, nil,
			world.CallSeen{Callee: "catalog", Method: "GET", Path: "/g", Status: 200}},
		{"server", "catalog", served, []any{"http.request.method", "GET", "url.path", "/sync/products/p-01", "http.route", "/sync/products/{id}", "http.response.status_code", 200}, nil,
			world.CallSeen{Callee: "catalog", Served: true, Method: "GET", Path: "/sync/products/p-01", Route: "/sync/products/{id}", Status: 200}},
		{"server, old names", "catalog", served, []any{"http.method", "GET", "http.target", "/h?x=1", "http.status_code", "500"}, nil,
			world.CallSeen{Callee: "catalog", Served: true, Method: "GET", Path: "/h", Status: 500, Failed: true, Reason: "catalog answered 500"}},
		{"server, the route in the name alone", "catalog", served, []any{"http.request.method", "QUERY", "url.path", "/sync/products/p-01", "http.response.status_code", 200}, nil,
			world.CallSeen{Callee: "catalog", Served: true, Method: "QUERY", Path: "/sync/products/p-01", Route: "/products/{id}", Status: 200}},
		{"unknown callee", "orders", client, []any{"http.request.method", "GET", "url.full", "https://example.com/"}, nil, world.CallSeen{}},
		{"health", "catalog", served, []any{"http.request.method", "GET", "url.path", "/healthz", "http.response.status_code", 200}, nil, world.CallSeen{}},
		{"readiness", "catalog", served, []any{"http.request.method", "GET", "url.path", "/readyz", "http.response.status_code", 503}, nil, world.CallSeen{}},
		{"over the bus", "orders", client, []any{"messaging.system", "redis", "http.request.method", "GET", "url.path", "/bus/products?ids=1", "peer.service", "catalog", "server.address", "127.0.0.1", "server.port", 9001, "http.response.status_code", 200}, nil,
			world.CallSeen{Via: world.ViaBus, Caller: "orders", Callee: "catalog", Method: "GET", Path: "/bus/products", Status: 200}},
		{"over the bus, not answered", "orders", client, []any{"messaging.system", "redis", "http.request.method", "GET", "url.path", "/bus/products", "peer.service", "catalog"}, failed("context deadline exceeded"),
			world.CallSeen{Via: world.ViaBus, Caller: "orders", Callee: "catalog", Method: "GET", Path: "/bus/products", Failed: true, Reason: "catalog did not answer in time"}},
		{"served over the bus", "catalog", served, []any{"messaging.system", "redis", "http.request.method", "GET", "url.path", "/bus/products", "http.response.status_code", 200}, nil,
			world.CallSeen{Callee: "catalog", Served: true, Method: "GET", Path: "/bus/products", Status: 200}},
		{"a message to nobody by name", "orders", client, []any{"messaging.system", "redis", "http.request.method", "GET", "url.path", "/a", "server.address", "127.0.0.1", "server.port", 9001}, nil, world.CallSeen{}},
		{"a message that is no request", "orders", client, []any{"messaging.system", "redis", "peer.service", "catalog"}, nil, world.CallSeen{}},
		{"a message without a path", "orders", client, []any{"messaging.system", "redis", "http.request.method", "POST", "peer.service", "catalog"}, nil, world.CallSeen{}},
		{"another's store", "orders", client, []any{"db.system.name", "mongodb", "db.operation.name", "find", "db.collection.name", "products", "db.namespace", "catalog", "peer.service", "catalog-db"}, nil,
			world.CallSeen{Via: world.ViaStore, Caller: "orders", Callee: "catalog-db", Method: "find", Path: "products"}},
		{"another's store, old names", "orders", client, []any{"db.system", "mongodb", "db.operation", "find", "peer.service", "catalog-db"}, failed("server selection error: server selection timeout"),
			world.CallSeen{Via: world.ViaStore, Caller: "orders", Callee: "catalog-db", Method: "find", Failed: true, Reason: "server selection error: server selection timeout"}},
		{"another's store, over HTTP", "orders", client, []any{"db.system.name", "elasticsearch", "http.request.method", "GET", "db.namespace", "shop", "peer.service", "catalog-db"}, nil,
			world.CallSeen{Via: world.ViaStore, Caller: "orders", Callee: "catalog-db", Method: "query", Path: "shop"}},
		{"a store that is none", "orders", client, []any{"db.system.name", "mongodb", "db.operation.name", "find", "peer.service", "catalog"}, nil, world.CallSeen{}},
		{"a store of no name", "orders", client, []any{"db.system.name", "postgresql", "db.operation.name", "SELECT", "http.request.method", "GET", "server.address", "127.0.0.1", "server.port", 9001}, nil, world.CallSeen{}},
		{"not HTTP", "orders", client, []any{"db.system", "postgresql", "server.address", "127.0.0.1", "server.port", 9001}, nil, world.CallSeen{}},
		{"inside a service", "orders", tracepb.Span_SPAN_KIND_INTERNAL, []any{"http.request.method", "GET", "peer.service", "catalog"}, nil, world.CallSeen{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h, seen := receive()
			name := "query products"
			if tc.want.Method == "QUERY" {
				name = "QUERY /products/{id}"
			}
			w := post(t, h, export(t, tc.service, &tracepb.Span{Name: name, Kind: tc.kind, Attributes: attrs(tc.attrs...), Status: tc.status}), "Content-Type", "application/x-protobuf")
			if w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Content-Type") != "application/x-protobuf" {
				t.Fatalf("answered %d %q", w.Code, w.Body)
			}
			if tc.want.Callee == "" {
				if len(*seen) != 0 {
					t.Errorf("seen %+v, want nothing", *seen)
				}
				return
			}
			tc.want.Start, tc.want.Duration = time.Unix(1_700_000_000, 0).UTC(), 2*time.Millisecond
			tc.want.TraceID, tc.want.SpanID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
			if len(*seen) != 1 || !reflect.DeepEqual((*seen)[0], tc.want) {
				t.Errorf("seen %+v\nwant [%+v]", *seen, tc.want)
			}
		})
	}
}

// otlpJSON is what an exporter of OTLP/JSON sends: ids in hex, 64-bit numbers as strings, kinds as numbers.
const otlpJSON = `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"orders"}}]},
"scopeSpans":[{"scope":{"name":"x"},"spans":[{"traceId":"0AF7651916CD43DD8448EB211C80319C","spanId":"b7ad6b7169203331",
"parentSpanId":"00f067aa0ba902b7","name":"GET","kind":3,"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000002000000",
"attributes":[{"key":"http.request.method","value":{"stringValue":"GET"}},{"key":"peer.service","value":{"stringValue":"catalog"}},
{"key":"url.path","value":{"stringValue":"/a"}},{"key":"http.response.status_code","value":{"intValue":"200"}}],
"status":{},"aFieldOfTomorrow":1}]}]}]}`

func TestJSON(t *testing.T) {
	for _, zipped := range []bool{false, true} {
		h, seen := receive()
		body, headers := []byte(otlpJSON), []string{"Content-Type", "application/json; charset=utf-8"}
		if zipped {
			body, headers = zip(t, body), append(headers, "Content-Encoding", "gzip")
		}
		w := post(t, h, body, headers...)
		if w.Code != http.StatusOK || w.Body.String() != "{}" || w.Header().Get("Content-Type") != "application/json" {
			t.Fatalf("answered %d %q", w.Code, w.Body)
		}
		want := world.CallSeen{Caller: "orders", Callee: "catalog", Method: "GET", Path: "/a", Status: 200,
			Start: time.Unix(1_700_000_000, 0).UTC(), Duration: 2 * time.Millisecond,
			TraceID: "0af7651916cd43dd8448eb211c80319c", SpanID: "b7ad6b7169203331", ParentID: "00f067aa0ba902b7"}
		if len(*seen) != 1 || !reflect.DeepEqual((*seen)[0], want) {
			t.Errorf("seen %+v\nwant [%+v]", *seen, want)
		}
	}
}

func zip(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRefusals(t *testing.T) {
	big := bytes.Repeat([]byte(" "), traces.MaxBody+1)
	for _, tc := range []struct {
		name    string
		body    []byte
		headers []string
		status  int
	}{
		{"no content type", nil, nil, 415},
		{"another content type", nil, []string{"Content-Type", "text/plain"}, 415},
		{"another encoding", nil, []string{"Content-Type", "application/json", "Content-Encoding", "br"}, 415},
		{"not gzip", []byte("{}"), []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, 400},
		{"cut off gzip", zip(t, []byte(otlpJSON))[:40], []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, 400},
		{"not JSON", []byte("{"), []string{"Content-Type", "application/json"}, 400},
		{"other JSON", []byte(`{"resourceSpans":7}`), []string{"Content-Type", "application/json"}, 400},
		{"an id that is not hex", []byte(strings.Replace(otlpJSON, "b7ad", "zzzz", 1)), []string{"Content-Type", "application/json"}, 400},
		{"not protobuf", []byte("\x0a\xff\xff"), []string{"Content-Type", "application/x-protobuf"}, 400},
		{"too large", big, []string{"Content-Type", "application/json"}, 413},
		{"too large once unzipped", zip(t, big), []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, 413},
		{"too large, protobuf", big, []string{"Content-Type", "application/x-protobuf"}, 413},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h, seen := receive()
			w := post(t, h, tc.body, tc.headers...)
			if w.Code != tc.status || len(*seen) != 0 {
				t.Fatalf("answered %d %q, seen %v, want %d", w.Code, w.Body, *seen, tc.status)
			}
			b, err := io.ReadAll(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			if w.Header().Get("Content-Type") == "application/json" {
				var s struct {
					Code    int
					Message string
				}
				if err := json.Unmarshal(b, &s); err != nil || s.Code == 0 || s.Message == "" {
					t.Errorf("answered %s, want a google.rpc.Status", b)
				}
			} else if len(b) < 4 || b[0] != 1<<3 || b[2] != 2<<3|2 {
				t.Errorf("answered %x, want a google.rpc.Status", b)
			}
		})
	}
}

// FuzzJSON: whatever comes, it is taken or refused, and an id is never made up.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(otlpJSON))
	f.Add([]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":5}]}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, _ := receive()
		if w := post(t, h, b, "Content-Type", "application/json"); w.Code != 200 && w.Code != 400 {
			t.Errorf("answered %d", w.Code)
		}
	})
}
