package chassis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// caller is a client with one peer, catalog, at url.
func caller(t *testing.T, url string) *Client {
	t.Helper()
	s, err := New(Config{Name: "orders", Peers: map[string]string{"catalog": url}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Client.close)
	return s.Client
}

func TestCallErrors(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/problem":
			writeProblem(w, Errorf(503, storeDown))
		case "/plain":
			http.Error(w, "oops", 500)
		case "/passed-on":
			writeProblem(w, Errorf(504, "users did not answer within 0.95 s"))
		case "/garbage":
			w.Write([]byte("<html>"))
		case "/silent":
			<-r.Context().Done()
		case "/half":
			w.Write([]byte(`{"a":`))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/cut":
			panic(http.ErrAbortHandler)
		}
	}))
	defer peer.Close()
	soon := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(t.Context(), 60*time.Millisecond)
	}
	for _, tt := range []struct {
		url, path    string
		short        bool
		kind, detail string
		status       int
		text         string
	}{
		{"http://" + nobody.Addr().String(), "/", false, kindRefused, "connection refused", 0, "catalog refused the connection"},
		{peer.URL, "/problem", false, kindStatus, storeDown, 503, "catalog answered 503: its store does not answer"},
		{peer.URL, "/plain", false, kindStatus, "", 500, "catalog answered 500"},
		{peer.URL, "/passed-on", false, kindStatus, "users did not answer within 0.95 s", 504,
			"users did not answer within 0.95 s, so catalog answered 504"},
		{peer.URL, "/garbage", false, kindMalformed, "invalid character '<' looking for beginning of value", 200,
			"catalog sent an answer that cannot be read: invalid character '<' looking for beginning of value"},
		{peer.URL, "/silent", false, kindTimeout, "no answer in time", 0, "catalog did not answer within 1 s"},
		{peer.URL, "/silent", true, kindTimeout, "no answer in time", 0, "catalog did not answer within 0.06 s"},
		{peer.URL, "/half", true, kindTimeout, "no answer in time", 0, "catalog did not answer within 0.06 s"},
		{peer.URL, "/cut", false, kindNetwork, "it closed the connection", 0, "no answer from catalog: it closed the connection"},
	} {
		t.Run(fmt.Sprint(tt.path, tt.short), func(t *testing.T) {
			ctx := t.Context()
			if tt.short {
				short, cancel := soon()
				defer cancel()
				ctx = short
			}
			var out map[string]any
			err := caller(t, tt.url).Call(ctx, "catalog", http.MethodGet, tt.path, nil, &out)
			var e *CallError
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if e.Peer != "catalog" || e.Kind != tt.kind || e.Status != tt.status || e.Detail != tt.detail || e.Error() != tt.text {
				t.Errorf("got %+v: %s", e, e)
			}
		})
	}
	t.Run("given up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := caller(t, peer.URL).Call(ctx, "catalog", http.MethodGet, "/silent", nil, nil)
		if err == nil || err.Error() != "no answer from catalog: the caller gave up" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no time left", func(t *testing.T) {
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancel()
		err := caller(t, peer.URL).Call(ctx, "catalog", http.MethodGet, "/silent", nil, nil)
		if err == nil || err.Error() != "there was no time left to ask catalog" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no such peer", func(t *testing.T) {
		var e *CallError
		if err := caller(t, peer.URL).Call(t.Context(), "nobody", "GET", "/", nil, nil); err == nil || errors.As(err, &e) {
			t.Errorf("got %v", err)
		}
	})
}

// TestBudget: a callee's context ends a little before its caller stops waiting, so the innermost culprit is named.
func TestBudget(t *testing.T) {
	left := make(chan time.Duration, 2)
	note := func(r *http.Request) {
		deadline, _ := r.Context().Deadline()
		left <- time.Until(deadline)
	}
	catalog := start(t, Config{Name: "catalog"}, func(s *Service) {
		s.Handle("GET /x", func(w http.ResponseWriter, r *http.Request) error {
			note(r)
			<-r.Context().Done()
			return r.Context().Err()
		})
	})
	orders := start(t, Config{Name: "orders", Peers: map[string]string{"catalog": catalog.url}}, func(s *Service) {
		s.Handle("GET /x", func(w http.ResponseWriter, r *http.Request) error {
			note(r)
			return s.Client.Call(r.Context(), "catalog", http.MethodGet, "/x", nil, nil)
		})
	})
	client := start(t, Config{Name: "shoppers", Peers: map[string]string{"orders": orders.url}}, func(*Service) {}).Client
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	if err := client.Call(ctx, "orders", http.MethodGet, "/x", nil, nil); err == nil {
		t.Error("no error")
	} else if e := new(CallError); !errors.As(err, &e) || e.Kind == kindTimeout {
		t.Errorf("orders did not get to say why: %v", err)
	}
	if d := <-left; d > 350*time.Millisecond {
		t.Errorf("orders had %v", d)
	}
	if d := <-left; d > 300*time.Millisecond {
		t.Errorf("catalog had %v", d)
	}
	r := httptest.NewRequest("GET", "/", nil)
	for header, want := range map[string]time.Duration{"": requestTimeout, "x": requestTimeout, "-5": requestTimeout,
		"999999": requestTimeout, "250": 250 * time.Millisecond} {
		r.Header.Set(budgetHeader, header)
		if got := budgetOf(r); got != want {
			t.Errorf("budget %q is %v, want %v", header, got, want)
		}
	}
}

// TestStaleConnection: a peer that died and came back does not fail the first call over a kept connection, and a call
// that has a body is answered once.
func TestStaleConnection(t *testing.T) {
	var answered atomic.Int32
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answered.Add(1); w.Write([]byte("{}")) })
	serve := func(addr string) *httptest.Server {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewUnstartedServer(handler)
		s.Listener.Close()
		s.Listener = l
		s.Start()
		return s
	}
	peer := serve("127.0.0.1:0")
	c := caller(t, peer.URL)
	var out struct{}
	for i := range 10 {
		if err := c.Call(t.Context(), "catalog", http.MethodPost, "/x", out, &out); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
		addr := peer.Listener.Addr().String()
		peer.CloseClientConnections()
		peer.Close()
		peer = serve(addr)
	}
	peer.Close()
	if n := answered.Load(); n != 10 {
		t.Errorf("answered %d times", n)
	}
}

// TestTraces: one trace goes from a request through a call to an event; failures are in the client span in words.
func TestTraces(t *testing.T) {
	viz := newCollector(t)
	heard := make(chan string, 1)
	cfg := func(name string, peers map[string]string) Config {
		return Config{Name: name, Peers: peers, OTLPEndpoint: viz.URL + "/", OTLPToken: "s3cret"}
	}
	published := make(chan string, 1)
	catalog := start(t, cfg("catalog", nil), func(s *Service) {
		s.Handle("GET /sync/products/{id}", func(w http.ResponseWriter, r *http.Request) error {
			published <- TraceParent(r.Context())
			Skip(r.Context(), "which is of no event")
			return Errorf(404, "unknown product %s", r.PathValue("id"))
		})
	})
	orders := start(t, cfg("orders", map[string]string{"catalog": catalog.url}), func(s *Service) {
		s.Handle("GET /sync/x", func(w http.ResponseWriter, r *http.Request) error {
			return s.Client.Call(r.Context(), "catalog", http.MethodGet, "/sync/products/p-99?a=b", nil, nil)
		})
		s.Go("consume", func(ctx context.Context) error {
			ctx, end := StartEvent(ctx, "catalog", "orders", <-published, "e1", "product.listed.v1")
			heard <- TraceParent(ctx)
			inner, cancel := context.WithTimeout(ctx, time.Second)
			SkipVersion(inner, 5)
			cancel()
			end(errors.New("store is away"))
			return nil
		})
	})
	problemOf(t, "GET", orders.url+"/sync/x", "")
	get(t, "GET", orders.url+healthPath, "")

	server := viz.span(t, "orders GET /sync/x")
	call := viz.span(t, "orders GET catalog")
	served := viz.span(t, "catalog GET /sync/products/{id}")
	event := viz.span(t, "orders process catalog")
	for name, s := range map[string]*tracepb.Span{"call": call, "served": served, "event": event} {
		if string(s.TraceId) != string(server.TraceId) {
			t.Errorf("%s is in another trace", name)
		}
	}
	if string(call.ParentSpanId) != string(server.SpanId) || string(served.ParentSpanId) != string(call.SpanId) ||
		string(event.ParentSpanId) != string(served.SpanId) {
		t.Error("the spans do not form a chain")
	}
	if len(event.Links) != 1 || string(event.Links[0].SpanId) != string(served.SpanId) {
		t.Errorf("links of the event: %v", event.Links)
	}
	if want := fmt.Sprintf("00-%x-%x-01", event.TraceId, event.SpanId); <-heard != want {
		t.Errorf("traceparent is not %s", want)
	}
	if event.Kind != tracepb.Span_SPAN_KIND_CONSUMER || event.Status.Message != "store is away" {
		t.Errorf("event: %v %v", event.Kind, event.Status)
	}
	if got := attr(event, skipReason); got != "has version 5 already" || attr(served, skipReason) != "" {
		t.Errorf("the event was skipped because it %q, the request %q", got, attr(served, skipReason))
	}
	if call.Kind != tracepb.Span_SPAN_KIND_CLIENT || call.Status.Code != tracepb.Status_STATUS_CODE_ERROR ||
		call.Status.Message != "catalog answered 404: unknown product p-99" {
		t.Errorf("call: %v %v", call.Kind, call.Status)
	}
	for key, want := range map[string]string{"peer.service": "catalog", "http.response.status_code": "404",
		"http.request.method": "GET", "url.full": catalog.url + "/sync/products/p-99?a=b"} {
		if got := attr(call, key); got != want {
			t.Errorf("call: %s is %q, want %q", key, got, want)
		}
	}
	if viz.token != "Bearer s3cret" {
		t.Errorf("token: %q", viz.token)
	}
	for name := range viz.spans {
		if name == "orders GET "+healthPath {
			t.Error("/healthz is traced")
		}
	}

	catalog.stop()
	problemOf(t, "GET", orders.url+"/sync/x", "")
	eventually(t, "the span of a refused call", func() bool {
		s := viz.span(t, "orders GET catalog")
		return s.Status.Message == "catalog refused the connection" && attr(s, "peer.service") == "catalog"
	})
}

// TestNobodyTakesTraces: an outage of the visualizer is one line, and its end another.
func TestNobodyTakesTraces(t *testing.T) {
	viz := newCollector(t)
	viz.setAway(true)
	s := start(t, Config{Name: "stock", OTLPEndpoint: viz.URL}, func(s *Service) {
		s.Handle("GET /x", func(w http.ResponseWriter, r *http.Request) error { return WriteJSON(w, 200, 1) })
	})
	for range 3 {
		get(t, "GET", s.url+"/x", "")
		s.telemetry.provider.ForceFlush(t.Context())
	}
	viz.setAway(false)
	get(t, "GET", s.url+"/x", "")
	viz.span(t, "stock GET /x")
	eventually(t, "the end is logged", func() bool { return s.log.count("traces are taken") == 1 })
	if n := s.log.count("traces are not taken"); n != 1 {
		t.Errorf("the outage is logged %d times", n)
	}
}
