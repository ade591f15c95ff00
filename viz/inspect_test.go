package viz

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
	"github.com/stillup/stillup/viz/world"
)

// started is a fake runtime that knows what its nodes were started with.
type started struct{ *fake }

func (started) Environment(node string) []string {
	if node != "orders" {
		return nil
	}
	return []string{"STORE=postgres://orders:s3cret@db/orders", "API_TOKEN=s3cret", "ADDR=127.0.0.1:1"}
}

// until asks until the answer is a 200 for which ok holds.
func until[T any](t *testing.T, url, what string, ok func(T) bool) T {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		var v T
		if resp.StatusCode == 200 {
			d := json.NewDecoder(strings.NewReader(string(b)))
			if err := d.Decode(&v); err != nil {
				t.Fatalf("%s: %v: %s", url, err, b)
			}
			if ok(v) {
				return v
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not seen: %s\n%d %s", url, what, resp.StatusCode, b)
		}
	}
}

// send posts and returns status and body.
func send(t *testing.T, url, kind, body string) (int, string) {
	t.Helper()
	resp, err := http.Post(url, kind, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

const traceOfOrder = "0af7651916cd43dd8448eb211c80319c"

// spanJSON is one span in OTLP/JSON; kind 2 is a server's, 3 a client's, 5 a consumer's.
func spanJSON(service string, kind int, id, parent string, from time.Time, took time.Duration, failed string, attrs ...string) string {
	list, status := "", "{}"
	for i := 0; i < len(attrs); i += 2 {
		list += fmt.Sprintf(`,{"key":%q,"value":{"stringValue":%q}}`, attrs[i], attrs[i+1])
	}
	if failed != "" {
		status = fmt.Sprintf(`{"code":2,"message":%q}`, failed)
	}
	return fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":%q}}]},"scopeSpans":[{"spans":[
{"traceId":%q,"spanId":%q,"parentSpanId":%q,"kind":%d,"startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[%s],"status":%s}]}]}]}`,
		service, traceOfOrder, id, parent, kind, from.UnixNano(), from.Add(took).UnixNano(), strings.TrimPrefix(list, ","), status)
}

type detailOfEvent struct {
	world.Event
	Deliveries []world.Delivery
	Chain      *world.Chain
}

type listOfDead struct {
	Total int
	Dead  []struct {
		Stream, Of, ID, Type, Subject, Group, Reason, At string
		EntryID                                          string `json:"entry_id"`
		Attempts                                         int
		Raw                                              json.RawMessage
	}
}

// TestInspection: on a real bus, with a consumer that first cannot apply an event and then can: who has it and who has
// not, its chain, its dead letter, which is sent again, and what the node, the stream and the edge say of it.
func TestInspection(t *testing.T) {
	bus := streamstest.Start(t)
	rdb := bus.Client()
	addr, end := run(t, Options{BusURL: bus.URL(), Runtime: started{newFake()}})
	defer end()
	api := "http://" + addr + "/api/v1"

	until(t, api+"/world", "the bus is looked at", func(w struct{ Bus world.BusState }) bool { return w.Bus.Up })

	var mended atomic.Bool
	c := &streams.Consumer{Redis: rdb, Group: "buyers", Name: "a", Streams: []string{"orders"}, Log: slog.New(slog.DiscardHandler),
		Handle: func(context.Context, streams.Entry) error {
			if mended.Load() {
				return nil
			}
			return streams.Reject(errors.New("no such user"))
		}}
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer work.Wait()
	defer cancel()

	at := time.Now().UTC().Truncate(time.Millisecond)
	event := streams.Event{ID: "e-1", Source: "orders", Type: "order.placed.v1", Subject: "o-1", Time: at, Data: json.RawMessage(`{"Name":"Ada"}`),
		TraceParent: "00-" + traceOfOrder + "-00000000000000b2-01"}
	for _, span := range []string{
		spanJSON("shoppers", 3, "00000000000000a1", "", at.Add(-5*time.Millisecond), 20*time.Millisecond, "",
			"http.request.method", "POST", "url.path", "/sync/orders", "peer.service", "orders", "http.response.status_code", "201"),
		spanJSON("orders", 2, "00000000000000b2", "00000000000000a1", at.Add(-4*time.Millisecond), 18*time.Millisecond, "",
			"http.request.method", "POST", "url.path", "/sync/orders", "http.route", "/sync/orders", "http.response.status_code", "201"),
	} {
		if status, b := send(t, "http://"+addr+"/v1/traces", "application/json", span); status != 200 {
			t.Fatal(status, b)
		}
	}
	ids, err := streams.Publish(t.Context(), rdb, "orders", event)
	if err != nil {
		t.Fatal(err)
	}
	process := []string{"messaging.operation.type", "process", "messaging.destination.name", "orders", "messaging.consumer.group.name", "buyers",
		"cloudevents.event_id", "e-1", "cloudevents.event_type", "order.placed.v1"}
	send(t, "http://"+addr+"/v1/traces", "application/json",
		spanJSON("purchases", 5, "00000000000000c3", "00000000000000b2", at.Add(10*time.Millisecond), 2*time.Millisecond, "no such user", process...))

	e := until(t, api+"/events/"+ids[0], "the group gave up on it", func(e detailOfEvent) bool {
		return len(e.Deliveries) == 1 && e.Deliveries[0].State == world.DeliveryDead
	})
	if d := e.Deliveries[0]; d.Service != "purchases" || d.Group != "buyers" || d.Reason != "no such user" || d.Attempts == nil || *d.Attempts != 1 || d.AfterMS != nil {
		t.Errorf("delivery %+v", d)
	}
	if e.Chain == nil || !e.Chain.Whole || len(e.Chain.Steps) != 3 || e.Chain.Steps[0].From != "shoppers" || e.Chain.Steps[1].Kind != "event" ||
		e.Chain.Steps[2].Kind != "take" || !e.Chain.Steps[2].Failed || e.Chain.Steps[2].Depth != 3 {
		t.Errorf("chain %+v", e.Chain)
	}
	until(t, api+"/world", "the edge says so", func(w struct {
		Edges []world.Edge
	}) bool {
		for _, e := range w.Edges {
			if e.ID == "take:orders>purchases" {
				return e.Dead == 1
			}
		}
		return false
	})
	dead := until(t, api+"/deadletters?stream=orders&limit=5", "the dead letter", func(l listOfDead) bool { return l.Total == 1 && len(l.Dead) == 1 }).Dead[0]
	if dead.Stream != "orders.dead" || dead.Of != "orders" || dead.ID != "e-1" || dead.Type != "order.placed.v1" || dead.Subject != "o-1" ||
		dead.Group != "buyers" || dead.Reason != "no such user" || dead.Attempts != 1 || len(dead.At) != len("2026-11-24T10:00:00.120Z") ||
		string(dead.Raw) != string(event.AppendJSON(nil)) {
		t.Errorf("%+v", dead)
	}
	until(t, api+"/nodes/purchases", "the node tells", func(d struct {
		Takes []struct {
			Stream, Group            string
			Retries, Dead, Consumers int
		}
		Errors []struct{ Text, Where string }
	}) bool {
		return len(d.Takes) == 1 && d.Takes[0].Group == "buyers" && d.Takes[0].Retries == 0 && d.Takes[0].Dead == 1 && d.Takes[0].Consumers == 1 &&
			len(d.Errors) == 1 && d.Errors[0].Text == "no such user" && d.Errors[0].Where == "orders"
	})

	mended.Store(true)
	if status, b := send(t, api+"/deadletters/orders.dead/"+dead.EntryID+"/resend", "", ""); status != 200 || b != `{"sent":1}` {
		t.Fatal(status, b)
	}
	until(t, api+"/events/e-1", "it is applied", func(e detailOfEvent) bool {
		return e.EntryID != ids[0] && len(e.Deliveries) == 1 && e.Deliveries[0].State == world.DeliveryHas
	})
	until(t, api+"/deadletters", "none is left", func(l listOfDead) bool { return l.Total == 0 && l.Dead != nil })
	until(t, api+"/edges/"+url.PathEscape("take:orders>purchases"), "the edge tells", func(d struct {
		Edge world.Edge
		Last []world.Passed
	}) bool {
		return d.Edge.Dead == 0 && len(d.Last) == 1 && d.Last[0].Failed && d.Last[0].Event.ID == "e-1" && d.Last[0].Event.Subject == "o-1"
	})
	until(t, api+"/streams/orders", "the stream tells", func(d struct {
		Stream      struct{ Length int }
		First, Last *struct {
			EntryID string `json:"entry_id"`
			At      string
		}
		Emitters []string
		Groups   []struct {
			Name, Service                           string
			Lag, Retries, Dead, Consumers, OldestMS int
			LagMS                                   int `json:"lag_ms"`
		}
	}) bool {
		return d.Stream.Length == 2 && d.First != nil && d.First.EntryID == ids[0] && d.Last != nil && d.Last.EntryID != ids[0] && d.Last.At != "" &&
			len(d.Emitters) == 1 && len(d.Groups) == 1 && d.Groups[0].Name == "buyers" && d.Groups[0].Service == "purchases" &&
			d.Groups[0].Lag == 0 && d.Groups[0].LagMS == 0 && d.Groups[0].Retries == 0
	})
	until(t, api+"/nodes/orders", "routes, emits and environment", func(d struct {
		Routes []world.Route
		Emits  []world.Emitted
		Env    []envAnswer
	}) bool {
		return len(d.Routes) == 1 && d.Routes[0].Route == "/sync/orders" && len(d.Emits) == 1 && d.Emits[0].Total == 2 &&
			len(d.Env) == 3 && d.Env[0] == envAnswer{"ADDR", "127.0.0.1:1"} && d.Env[1].Value == "•••" && d.Env[2].Value == "postgres://orders:•••@db/orders"
	})
	until(t, api+"/events?text=ADA&type=placed&subject=o-", "by text", func(l struct{ Events []world.Event }) bool { return len(l.Events) == 3 })

	for path, want := range map[string]int{"/deadletters/orders.dead/" + dead.EntryID + "/resend": 404, "/deadletters/orders/first/resend": 400,
		"/deadletters/nothing/resend": 404, "/deadletters/orders/resend": 200} {
		if status, b := send(t, api+path, "", ""); status != want {
			t.Errorf("%s: %d %s, want %d", path, status, b, want)
		}
	}
	if err := rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: "orders.dead", Values: []any{"task", "mail"}}).Err(); err != nil {
		t.Fatal(err)
	}
	if status, b := send(t, api+"/deadletters/orders/resend", "", ""); status != 422 || !strings.Contains(b, "only events can be sent again") {
		t.Errorf("what is no event: %d %s", status, b)
	}

	cancel()
	work.Wait()
	bus.Kill()
	until(t, api+"/streams/orders", "the stream of a dead bus", func(d struct {
		First  *struct{}
		Groups []struct{ Retries int }
	}) bool {
		return d.First == nil && len(d.Groups) == 1 && d.Groups[0].Retries == -1
	})
	for _, path := range []string{"/deadletters/orders/resend", "/deadletters/orders.dead/1-0/resend"} {
		if status, b := send(t, api+path, "", ""); status != 503 || !strings.Contains(b, "the bus cannot be reached: it ") || !strings.Contains(b, "; start it") {
			t.Errorf("%s of a dead bus: %d %s", path, status, b)
		}
	}
	if resp, err := http.Get(api + "/deadletters"); err != nil || resp.StatusCode != 503 {
		t.Errorf("dead letters of a dead bus: %v %v", resp, err)
	} else {
		resp.Body.Close()
	}
}

// TestInspectionShapes: every list is there and none is null, whatever is known.
func TestInspectionShapes(t *testing.T) {
	a := serve(t, newFake(), "")
	a.expect(200, `"routes":[],"emits":[{"stream":"orders","rate":0,"total":0,"types":[]}],"takes":[],"calls":[],"callers":[],"stores":[],"owner":null,"errors":[],"env":[]}`,
		"GET", "/api/v1/nodes/orders", "")
	a.expect(200, `"takes":[{"stream":"orders","group":"buyers","service":"purchases","rate":0,"total":0,"waiting":-1,"lag":-1,"pending":0,"consumers":-1,"oldest_ms":0,"dead":-1,"trimmed_unread":false,"members":[],"retries":-1}]`,
		"GET", "/api/v1/nodes/purchases", "")
	a.expect(200, `"first":null,"last":null,"emitters":["orders"],"groups":[{"name":"buyers","service":"purchases","lag":-1,"pending":0,"consumers":-1,"retries":-1,"dead":-1,"oldest_ms":0,"lag_ms":-1,"trimmed_unread":false}]}`,
		"GET", "/api/v1/streams/orders", "")
	a.expect(200, `"last":[]}`, "GET", "/api/v1/edges/emit%3Aorders%3Eorders", "")
	a.see()
	a.expect(200, `"last":[{"kind":"call","method":"POST"`, "GET", "/api/v1/edges/call%3Ashoppers%3Eorders", "")
	a.expect(200, `"status":502,"failed":true,"reason":"catalog refused the connection","took_ms":1,"trace":"","event":null,"at":"`, "GET", "/api/v1/edges/call%3Ashoppers%3Eorders", "")
	a.expect(200, `"at":"2026-11-24T10:00:00.120Z"`, "GET", "/api/v1/edges/emit%3Aorders%3Eorders", "")
	a.expect(200, `"deliveries":[{"service":"purchases","group":"buyers","state":"`, "GET", "/api/v1/events/e-1", "")
	a.expect(200, `"chain":null`, "GET", "/api/v1/events/e-1", "")
	a.expect(200, `stillup_dead_letters{service="purchases",stream="orders"} 0`, "GET", "/metrics", "")
	for _, tc := range []struct{ path, words string }{{"/api/v1/nodes/nobody", "no node"}, {"/api/v1/streams/none", "no stream"}, {"/api/v1/edges/none", "no edge"},
		{"/api/v1/deadletters?stream=none", "no stream"}} {
		a.expect(404, tc.words, "GET", tc.path, "")
	}
	a.expect(400, "1 to 1000", "GET", "/api/v1/deadletters?limit=0", "")
	a.expect(400, "unknown parameter", "GET", "/api/v1/deadletters?group=x", "")
	a.expect(503, "the bus cannot be reached", "GET", "/api/v1/deadletters", "")
	a.expect(503, "the bus cannot be reached", "POST", "/api/v1/deadletters/orders/resend", "")
	a.expect(400, "takes no numbers", "POST", "/api/v1/deadletters/orders/resend", "all")
	a.expect(405, "use POST", "GET", "/api/v1/deadletters/orders/resend", "")
	if log := a.log.String(); !strings.Contains(log, "verb=resend node=orders remote=127.0.0.1:") {
		t.Errorf("no audit line:\n%s", log)
	}
	serve(t, nil, "").expect(409, "look but not touch", "POST", "/api/v1/deadletters/orders/resend", "")
}
