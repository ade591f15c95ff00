package traces_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/stillup/stillup/viz/traces"
	"github.com/stillup/stillup/viz/world"
)

// TestRealExporter: what the OpenTelemetry SDK and its HTTP instrumentation send by themselves is understood, and our
// answer satisfies them.
func TestRealExporter(t *testing.T) {
	catalog := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
		case "/bad":
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer catalog.Close()
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	seen := make(chan world.CallSeen, 10)
	rc := httptest.NewServer(traces.New(traces.Options{
		Node: func(name string) string { return map[string]string{"orders": "orders"}[name] },
		NodeAt: func(hostport string) string {
			return map[string]string{catalog.Listener.Addr().String(): "catalog", dead.Listener.Addr().String(): "stock"}[hostport]
		},
		See: func(obs ...world.Observation) {
			for _, c := range obs[0].(world.CallsSeen).Calls {
				seen <- c
			}
		},
	}))
	defer rc.Close()
	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(rc.URL+"/v1/traces"), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	if err != nil {
		t.Fatal(err)
	}
	provider := trace.NewTracerProvider(trace.WithSyncer(exporter), trace.WithResource(resource.NewSchemaless(attribute.String("service.name", "orders"))))
	client := http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport, otelhttp.WithTracerProvider(provider))}
	for _, tc := range []struct{ url, callee, reason string }{
		{catalog.URL + "/fine?x=1", "catalog", ""},
		{catalog.URL + "/bad", "catalog", "catalog answered 503"},
		{catalog.URL + "/slow", "catalog", "catalog did not answer in time"},
		{dead.URL + "/gone", "stock", "stock refused the connection"},
	} {
		within := 5 * time.Second
		if strings.HasSuffix(tc.url, "/slow") {
			within = 200 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), within)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, tc.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := client.Do(req); err == nil {
			resp.Body.Close()
		}
		cancel()
		select {
		case c := <-seen:
			if c.Caller != "orders" || c.Callee != tc.callee || c.Reason != tc.reason || c.Failed != (tc.reason != "") ||
				!strings.HasSuffix(strings.TrimSuffix(tc.url, "?x=1"), c.Path) || len(c.TraceID) != 32 || c.Duration <= 0 {
				t.Errorf("%s: %+v", tc.url, c)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: no call was seen", tc.url)
		}
	}
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestRealSpans: requests over the bus and uses of others' stores, as services tell them by the SDK, are understood with
// their place in the trace.
func TestRealSpans(t *testing.T) {
	seen := make(chan []world.CallSeen, 10)
	rc := httptest.NewServer(traces.New(traces.Options{
		Node:   func(name string) string { return name },
		NodeAt: func(string) string { return "" },
		Store:  func(node string) bool { return node == "users-db" },
		See:    func(obs ...world.Observation) { seen <- obs[0].(world.CallsSeen).Calls },
	}))
	defer rc.Close()
	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(rc.URL+"/v1/traces"))
	if err != nil {
		t.Fatal(err)
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(resource.NewSchemaless(attribute.String("service.name", "orders"))))
	tracer := provider.Tracer("test")
	ctx, root := tracer.Start(t.Context(), "GET /bus/top", oteltrace.WithSpanKind(oteltrace.SpanKindServer),
		oteltrace.WithAttributes(attribute.String("http.request.method", "GET"), attribute.String("url.path", "/bus/top"), attribute.Int("http.response.status_code", 200)))
	_, ask := tracer.Start(ctx, "request catalog", oteltrace.WithSpanKind(oteltrace.SpanKindClient), oteltrace.WithAttributes(
		attribute.String("messaging.system", "redis"), attribute.String("http.request.method", "GET"), attribute.String("url.path", "/bus/products"),
		attribute.String("peer.service", "catalog"), attribute.Int("http.response.status_code", 200)))
	ask.End()
	_, reach := tracer.Start(ctx, "SELECT users", oteltrace.WithSpanKind(oteltrace.SpanKindClient), oteltrace.WithAttributes(
		attribute.String("db.system.name", "postgresql"), attribute.String("db.collection.name", "users"), attribute.String("peer.service", "users-db")))
	reach.SetStatus(codes.Error, "dial tcp 127.0.0.1:1: connect: connection refused")
	reach.End()
	_, send := tracer.Start(ctx, "send orders", oteltrace.WithSpanKind(oteltrace.SpanKindProducer), oteltrace.WithAttributes(
		attribute.String("messaging.system", "redis"), attribute.String("peer.service", "catalog")))
	send.End()
	root.End()
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range <-seen {
		if c.TraceID != root.SpanContext().TraceID().String() || len(c.SpanID) != 16 || !c.Served && c.ParentID != root.SpanContext().SpanID().String() {
			t.Errorf("%+v is not in its place", c)
		}
		got = append(got, fmt.Sprintf("%s %s>%s %s %s %d %v %s", c.Via, c.Caller, c.Callee, c.Method, c.Path, c.Status, c.Served, c.Reason))
	}
	want := []string{"bus orders>catalog GET /bus/products 200 false ", "store orders>users-db SELECT users 0 false users-db refused the connection",
		" >orders GET /bus/top 200 true "}
	if !slices.Equal(got, want) {
		t.Errorf("seen\n%q\nwant\n%q", got, want)
	}
	http.DefaultClient.CloseIdleConnections()
}
