package chassis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// onBus runs a service that answers over the bus with the routes that setup gives it, and returns its client over it.
func onBus(t *testing.T, rdb *redis.Client, cfg Config, setup func(*Service, *BusClient)) (running, *BusClient) {
	t.Helper()
	var client *BusClient
	s := start(t, cfg, func(s *Service) {
		client = s.AskOverBus(rdb)
		s.AnswerOverBus(rdb)
		if setup != nil {
			setup(s, client)
		}
	})
	return s, client
}

// onTheBus waits until the service's group is among the requests.
func onTheBus(t *testing.T, rdb *redis.Client, names ...string) {
	t.Helper()
	eventually(t, fmt.Sprint(names, " are on the bus"), func() bool {
		groups, err := rdb.XInfoGroups(t.Context(), shop.Requests).Result()
		there := map[string]bool{}
		for _, g := range groups {
			there[g.Name] = true
		}
		for _, name := range names {
			if !there[name] {
				return false
			}
		}
		return err == nil
	})
}

// TestBusIsAsHTTP: what a caller is told is the same, to the word, whichever way it asks.
func TestBusIsAsHTTP(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	catalog, _ := onBus(t, rdb, Config{Name: "catalog"}, func(s *Service, _ *BusClient) {
		fail := func(path string, err error) {
			s.Handle("GET "+path, func(http.ResponseWriter, *http.Request) error { return err })
		}
		fail("/bus/problem", Errorf(503, storeDown))
		fail("/bus/passed-on", &CallError{Peer: "users", Kind: kindTimeout})
		fail("/bus/error", errors.New("secret words"))
		s.Handle("GET /bus/panic", func(http.ResponseWriter, *http.Request) error { panic("at the disco") })
		s.Handle("GET /bus/plain", func(w http.ResponseWriter, _ *http.Request) error {
			http.Error(w, "oops", http.StatusTeapot)
			return nil
		})
		s.Handle("GET /bus/garbage", func(w http.ResponseWriter, _ *http.Request) error {
			_, err := w.Write([]byte("<html>"))
			return err
		})
		s.Handle("DELETE /bus/gone", func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusNoContent)
			return nil
		})
		s.Handle("POST /bus/echo/{id}", func(w http.ResponseWriter, r *http.Request) error {
			var in map[string]any
			if err := ReadJSON(r, &in); err != nil {
				return err
			}
			return WriteJSON(w, http.StatusCreated, map[string]any{"id": r.PathValue("id"), "q": r.FormValue("q"), "in": in})
		})
		s.Handle("GET /bus/slow", func(w http.ResponseWriter, r *http.Request) error {
			<-r.Context().Done()
			return r.Context().Err()
		})
		s.Handle("GET /sync/x", func(w http.ResponseWriter, r *http.Request) error { return WriteJSON(w, 200, 1) })
	})
	orders, over := onBus(t, rdb, Config{Name: "orders", Peers: map[string]string{"catalog": catalog.url}}, nil)
	onTheBus(t, rdb, "catalog")
	for _, tt := range []struct {
		method, path string
		in           any
		out, err     string
	}{
		{"GET", "/problem", nil, "", "catalog answered 503: its store does not answer"},
		{"GET", "/passed-on", nil, "", "users did not answer within 1 s, so catalog answered 504"},
		{"GET", "/error", nil, "", "catalog answered 500: catalog failed; its log says why"},
		{"GET", "/panic", nil, "", "catalog answered 500: catalog failed; its log says why"},
		{"GET", "/plain", nil, "", "catalog answered 418"},
		{"GET", "/nowhere", nil, "", "catalog answered 404: catalog has no /bus/nowhere"},
		{"GET", "/gone", nil, "", "catalog answered 405: catalog does not take GET at /bus/gone"},
		{"DELETE", "/gone", nil, "", ""},
		{"POST", "/echo/p%201?q=a%26b", map[string]any{"n": 1}, `{"id":"p 1","in":{"n":1},"q":"a\u0026b"}`, ""},
		{"POST", "/echo/1", nil, "", "catalog answered 400: the body is empty; send JSON"},
		{"POST", "/echo/1", strings.Repeat("x", maxBody), "", "catalog answered 413: the body is longer than 65536 bytes"},
		{"GET", "/slow", nil, "", "catalog answered 503: its store does not answer"},
	} {
		for way, c := range map[string]Caller{"HTTP": orders.Client, "bus": over} {
			var out any
			err := Under(Bus, c).Call(t.Context(), "catalog", tt.method, tt.path, tt.in, &out)
			said, told := "", ""
			if err != nil {
				said = err.Error()
			} else if out != nil {
				b, _ := json.Marshal(out)
				told = string(b)
			}
			if said != tt.err || told != tt.out {
				t.Errorf("%s %s over %s: %s %q, want %s %q", tt.method, tt.path, way, told, said, tt.out, tt.err)
			}
		}
	}
	var out any
	for path, want := range map[string]string{
		"/bus/garbage": "catalog sent an answer that cannot be read: json: cannot unmarshal string into Go value of type struct {}",
		"/sync/x":      "catalog answered 404: catalog answers over the bus what begins with /bus/, not /sync/x",
		"/faults":      "catalog answered 404: catalog answers over the bus what begins with /bus/, not /faults",
		"/bus/%zz":     `catalog answered 400: the request cannot be read: parse "/bus/%zz": invalid URL escape "%zz"`,
	} {
		if err := over.Call(t.Context(), "catalog", http.MethodGet, path, nil, &struct{}{}); err == nil || err.Error() != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := over.Call(t.Context(), "catalog", http.MethodGet, "/bus/x", func() {}, &out); err == nil || errors.As(err, new(*CallError)) {
		t.Errorf("a body without a JSON form: %v", err)
	}
}

// TestBusSilence: a peer that is not there is known by its time-out, in about a second, and whoever asked it says so.
func TestBusSilence(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	_, users := onBus(t, rdb, Config{Name: "users"}, nil)
	onBus(t, rdb, Config{Name: "orders"}, func(s *Service, c *BusClient) {
		s.Handle("GET /bus/sales", func(w http.ResponseWriter, r *http.Request) error {
			return c.Call(r.Context(), "catalog", http.MethodGet, "/bus/products", nil, nil)
		})
	})
	onTheBus(t, rdb, "orders")
	for _, tt := range []struct {
		peer, path string
		kind       string
		want       string
	}{
		{"catalog", "/bus/products", kindTimeout, "^catalog did not answer within 1 s$"},
		{"orders", "/bus/sales", kindStatus, `^catalog did not answer within 0\.[89]\d* s, so orders answered 504$`}, // 0.9 but for a very busy machine
	} {
		begun := time.Now()
		err := users.Call(t.Context(), tt.peer, http.MethodGet, tt.path, nil, nil)
		var e *CallError
		if !errors.As(err, &e) || e.Kind != tt.kind || !regexp.MustCompile(tt.want).MatchString(e.Error()) {
			t.Errorf("%s: %v, want %s", tt.peer, err, tt.want)
		}
		if took := time.Since(begun); took < 900*time.Millisecond || took > 2500*time.Millisecond {
			t.Errorf("%s: it took %v", tt.peer, took)
		}
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := users.Call(short, "catalog", http.MethodGet, "/bus/x", nil, nil); err == nil || err.Error() != "catalog did not answer within 0.1 s" {
		t.Errorf("a caller in a hurry: %v", err)
	}
	if err := users.Call(short, "catalog", http.MethodGet, "/bus/x", nil, nil); err == nil || err.Error() != "there was no time left to ask catalog" {
		t.Errorf("no time left: %v", err)
	}
	gone, give := context.WithCancel(t.Context())
	give()
	if err := users.Call(gone, "catalog", http.MethodGet, "/bus/x", nil, nil); err == nil || err.Error() != "no answer from catalog: the caller gave up" {
		t.Errorf("given up: %v", err)
	}
}

// TestBusDown: it is the bus that is named, at once where it is dead, and all works again once it is back.
func TestBusDown(t *testing.T) {
	srv := streamstest.Start(t)
	rdb := srv.Client()
	_, users := onBus(t, rdb, Config{Name: "users"}, nil)
	orders, _ := onBus(t, rdb, Config{Name: "orders"}, func(s *Service, c *BusClient) {
		s.Handle("GET /bus/top", func(w http.ResponseWriter, r *http.Request) error {
			if err := c.Call(r.Context(), "users", http.MethodGet, "/bus/x", nil, nil); err != nil {
				return err
			}
			return WriteJSON(w, http.StatusOK, "well")
		})
	})
	onTheBus(t, rdb, "users", "orders")
	ask := func() (string, time.Duration) {
		begun := time.Now()
		err := users.Call(t.Context(), "orders", http.MethodGet, "/bus/y", nil, nil)
		return fmt.Sprint(err), time.Since(begun)
	}
	const well = "orders answered 404: orders has no /bus/y"
	if said, _ := ask(); said != well {
		t.Fatal(said)
	}
	srv.Kill()
	if said, took := ask(); said != "bus refused the connection" || took > 900*time.Millisecond {
		t.Errorf("dead: %s after %v", said, took)
	}
	if p := problemOf(t, "GET", orders.url+"/bus/top", ""); p.Status != http.StatusBadGateway || p.Detail != "bus refused the connection" {
		t.Errorf("dead, to a caller: %+v", p)
	}
	srv.Start()
	eventually(t, "it works again", func() bool { said, _ := ask(); return said == well })
	srv.Pause()
	if said, took := ask(); said != "bus did not answer within 1 s" || took > 2500*time.Millisecond {
		t.Errorf("silent: %s after %v", said, took)
	}
	srv.Resume()
	eventually(t, "it works again", func() bool { said, _ := ask(); return said == well })
	if err := rdb.Set(t.Context(), "x", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := rdb.Rename(t.Context(), "x", shop.Requests).Err(); err != nil {
		t.Fatal(err)
	}
	if said, _ := ask(); !strings.HasPrefix(said, "no answer from bus: WRONGTYPE") {
		t.Errorf("a bus that refuses: %s", said)
	}
}

// TestBusTraces: request event, its handling and the reply event stand in one trace, each below the one before.
func TestBusTraces(t *testing.T) {
	viz := newCollector(t)
	rdb := streamstest.Start(t).Client()
	cfg := func(name string) Config { return Config{Name: name, OTLPEndpoint: viz.URL} }
	onBus(t, rdb, cfg("catalog"), func(s *Service, _ *BusClient) {
		s.Handle("GET /bus/products/{id}", func(w http.ResponseWriter, r *http.Request) error {
			return Errorf(404, "unknown product %s", r.PathValue("id"))
		})
	})
	orders, _ := onBus(t, rdb, cfg("orders"), func(s *Service, c *BusClient) {
		s.Handle("GET /bus/x", func(w http.ResponseWriter, r *http.Request) error {
			return c.Call(r.Context(), "catalog", http.MethodGet, "/bus/products/p-99?a=b", nil, nil)
		})
		s.Handle("GET /bus/y", func(w http.ResponseWriter, r *http.Request) error {
			return c.Call(r.Context(), "stock", http.MethodPost, "/bus/reservations", nil, nil)
		})
	})
	onTheBus(t, rdb, "catalog", "orders")
	problemOf(t, "GET", orders.url+"/bus/x", "")
	server, call := viz.span(t, "orders GET /bus/x"), viz.span(t, "orders GET catalog")
	served := viz.span(t, "catalog GET /bus/products/{id}")
	if string(call.ParentSpanId) != string(server.SpanId) || string(served.ParentSpanId) != string(call.SpanId) ||
		string(call.TraceId) != string(server.TraceId) || string(served.TraceId) != string(server.TraceId) {
		t.Error("the spans do not form a chain")
	}
	if call.Kind != tracepb.Span_SPAN_KIND_CLIENT || call.Status.Code != tracepb.Status_STATUS_CODE_ERROR ||
		call.Status.Message != "catalog answered 404: unknown product p-99" {
		t.Errorf("call: %v %v", call.Kind, call.Status)
	}
	for key, want := range map[string]string{"messaging.system": "redis", "messaging.destination.name": shop.Requests,
		"peer.service": "catalog", "http.request.method": "GET", "url.path": "/bus/products/p-99", "http.response.status_code": "404"} {
		if got := attr(call, key); got != want {
			t.Errorf("call: %s is %q, want %q", key, got, want)
		}
	}
	if served.Kind != tracepb.Span_SPAN_KIND_SERVER || attr(served, "http.response.status_code") != "404" ||
		attr(served, "url.path") != "/bus/products/p-99" {
		t.Errorf("served: %v", served)
	}
	asked, replied := only(t, rdb, shop.Requests), only(t, rdb, shop.Replies)
	if want := fmt.Sprintf("00-%x-%x-01", call.TraceId, call.SpanId); asked.TraceParent != want || asked.Source != "orders" ||
		asked.Type != "catalog.requested.v1" || asked.Subject != "catalog" {
		t.Errorf("request event %+v, traceparent wanted %s", asked, want)
	}
	if want := fmt.Sprintf("00-%x-%x-01", served.TraceId, served.SpanId); replied.TraceParent != want || replied.Source != "catalog" ||
		replied.Type != "catalog.answered.v1" || replied.Subject != asked.ID {
		t.Errorf("reply event %+v, traceparent wanted %s", replied, want)
	}

	problemOf(t, "GET", orders.url+"/bus/y", "")
	silent := viz.span(t, "orders POST stock")
	if silent.Status.Message != "stock did not answer within 1 s" || attr(silent, "http.response.status_code") != "" {
		t.Errorf("a call in vain: %v", silent)
	}
}

// only is the one event of a stream.
func only(t *testing.T, rdb *redis.Client, stream string) streams.Event {
	t.Helper()
	entries, err := rdb.XRange(t.Context(), stream, "-", "+").Result()
	if err != nil || len(entries) != 1 {
		t.Fatalf("%s: %d entries, %v", stream, len(entries), err)
	}
	e, err := streams.ParseEvent([]byte(entries[0].Values[streams.Field].(string)))
	if err != nil {
		t.Fatal(err)
	}
	return e
}
