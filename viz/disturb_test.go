package viz

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
	"github.com/stillup/stillup/viz/world"
)

// news are all notes of a dashboard, one a line.
func news(t *testing.T, addr string) string {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+addr+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var f world.Frame
	if err := conn.ReadJSON(&f); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, n := range f.Notes {
		all = append(all, n.Text)
	}
	return strings.Join(all, "\n")
}

// TestDisturbance: on a real bus each disturbance is put there by the dashboard, and what the consumer decided is told.
func TestDisturbance(t *testing.T) {
	bus := streamstest.Start(t)
	rdb := bus.Client()
	addr, end := run(t, Options{BusURL: bus.URL(), Runtime: newFake()})
	defer end()
	api := "http://" + addr + "/api/v1"
	var event int
	publish := func(version int64) {
		event++
		if _, err := streams.Publish(t.Context(), rdb, "orders", streams.Event{ID: fmt.Sprint("e-", event), Source: "orders", Type: "order.placed.v1",
			Subject: "o-1", Version: version, Time: time.Now(), Data: json.RawMessage(`{}`)}); err != nil {
			t.Fatal(err)
		}
	}
	until(t, api+"/world", "the bus is looked at", func(w struct{ Bus world.BusState }) bool { return w.Bus.Up })
	disturb := func(how string) (string, string) {
		t.Helper()
		status, b := send(t, api+"/streams/orders/disturb", "application/json", `{"how":"`+how+`"}`)
		var a struct {
			Name, How, Said string
			EntryID         string `json:"entry_id"`
		}
		if err := json.Unmarshal([]byte(b), &a); err != nil || status != 200 || a.Name != "orders" || a.How != how || a.Said == "" {
			t.Fatalf("%s: %d %s", how, status, b)
		}
		return a.EntryID, a.Said
	}
	if status, b := send(t, api+"/streams/orders/disturb", "application/json", `{"how":"old"}`); status != 409 || !strings.Contains(b, "there is nothing to make it of") {
		t.Errorf("old on an empty stream: %d %s", status, b)
	}
	publish(1)
	publish(2)

	var mu sync.Mutex
	applied := int64(0)
	c := &streams.Consumer{Redis: rdb, Group: "buyers", Name: "one", Streams: []string{"orders"}, Attempts: 2, Handle: func(_ context.Context, e streams.Entry) error {
		mu.Lock()
		defer mu.Unlock()
		attrs := []string{"messaging.operation.type", "process", "messaging.destination.name", "orders", "messaging.consumer.group.name", "buyers",
			"cloudevents.event_id", e.Event.ID, "cloudevents.event_type", e.Event.Type}
		if e.Event.Version <= applied {
			attrs = append(attrs, "stillup.skip.reason", fmt.Sprintf("has version %d already", applied))
		}
		applied = max(applied, e.Event.Version)
		send(t, "http://"+addr+"/v1/traces", "application/json",
			spanJSON("purchases", 5, fmt.Sprintf("%016x", time.Now().UnixNano()), "", time.Now(), time.Millisecond, "", attrs...))
		return nil
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
	until(t, api+"/events/e-2", "it is applied", func(e detailOfEvent) bool {
		return len(e.Deliveries) == 1 && e.Deliveries[0].Outcome == world.Applied
	})

	outcome := func(entry string, want world.Outcome, reason string) detailOfEvent {
		t.Helper()
		return until(t, api+"/events/"+entry, string(want)+": "+reason, func(e detailOfEvent) bool {
			return e.EntryID == entry && len(e.Deliveries) == 1 && e.Deliveries[0].Outcome == want && strings.Contains(e.Deliveries[0].Reason, reason)
		})
	}
	id, said := disturb("duplicate")
	if e := outcome(id, world.Skipped, "has version 2 already"); !e.Again || !strings.Contains(said, "the same event") {
		t.Errorf("the duplicate is %+v: %s", e.Event, said)
	}
	id, _ = disturb("old")
	if e := outcome(id, world.Skipped, "has version 2 already"); e.Version != 1 || !e.Again {
		t.Errorf("the old one is %+v", e.Event)
	}
	id, _ = disturb("malformed")
	if e := outcome(id, world.Put, "not a CloudEvents event"); e.Problem == "" || e.Size != 0 {
		t.Errorf("the malformed one is %+v", e.Event)
	}
	id, _ = disturb("huge")
	if e := outcome(id, world.Put, "bytes; one may have 262144"); e.Size < 1<<20 || e.Raw != nil || e.Type != "order.placed.v1" || !strings.Contains(e.Problem, "262144") {
		t.Errorf("the huge one is %+v", e.Event)
	}
	if got := news(t, addr); strings.Count(got, "orders was given ") != 4 {
		t.Errorf("the news are\n%s", got)
	}
	letters := until(t, api+"/deadletters", "two letters", func(l listOfDead) bool { return l.Total == 2 })
	if len(letters.Dead[0].Raw) > 1000 {
		t.Errorf("the letter holds %d bytes", len(letters.Dead[0].Raw))
	}
	cancel()
	work.Wait()

	// Now it is trimmed while nobody reads.
	publish(3)
	publish(4)
	if status, b := send(t, api+"/streams/orders/trim", "application/json", `{"keep":1}`); status != 200 || b != `{"name":"orders","trimmed":7}` {
		t.Errorf("trim: %d %s", status, b)
	}
	until(t, api+"/world", "the edge says so", func(w struct{ Edges []world.Edge }) bool {
		for _, e := range w.Edges {
			if e.ID == "take:orders>purchases" {
				return e.TrimmedUnread && e.Missed == 1
			}
		}
		return false
	})
	// And it loses what came last, and then everything. What was there first was added a while ago.
	if status, b := send(t, api+"/bus/lose", "application/json", `{"seconds":3600}`); status != 200 || b != `{"streams":[{"name":"orders","lost":1},{"name":"orders.dead","lost":0}]}` {
		t.Errorf("lose: %d %s", status, b)
	}
	until(t, api+"/world", "the lane counts as Redis does", func(w struct{ Streams []world.Lane }) bool {
		return w.Streams[0].Total == 7
	})
	if status, b := send(t, api+"/bus/lose", "application/json", `{"all":true}`); status != 200 || b != `{"streams":[{"name":"orders","lost":0},{"name":"orders.dead","lost":2}]}` {
		t.Errorf("lose: %d %s", status, b)
	}
	for _, want := range []string{"orders was trimmed to its newest 1: 7 went", "the bus lost its last 3600 s, entries: orders 1",
		"the bus lost all that it held, entries: orders.dead 2", "the stream orders lost 1 event",
		"orders was trimmed before purchases had read 1 event of it: its copy misses them until orders is published again"} {
		if got := news(t, addr); !strings.Contains(got, want) {
			t.Errorf("the news do not say %q:\n%s", want, got)
		}
	}
}

func TestDisturbanceIsRefused(t *testing.T) {
	bus := streamstest.Start(t)
	addr, end := run(t, Options{BusURL: bus.URL(), Runtime: newFake()})
	defer end()
	api := "http://" + addr + "/api/v1"
	until(t, api+"/world", "the bus is looked at", func(w struct{ Bus world.BusState }) bool { return w.Bus.Up })
	refused := func(status int, words, path, body string) {
		t.Helper()
		if got, b := send(t, api+path, "application/json", body); got != status || !strings.Contains(b, words) {
			t.Errorf("%s %s: %d %s, want %d with %q", path, body, got, b, status, words)
		}
	}
	for _, body := range []string{"", "{}", `{"all":false}`, `{"seconds":0}`, `{"seconds":-1}`, `{"seconds":3601}`, `{"seconds":1,"all":true}`, `{"minutes":1}`} {
		refused(400, `{\"all\": true}`, "/bus/lose", body)
	}
	for _, body := range []string{"", "{}", `{"keep":-1}`, `{"keep":1.5}`, `{"most":1}`} {
		refused(400, `{\"keep\": n}`, "/streams/orders/trim", body)
	}
	for _, body := range []string{"", "{}", `{"how":"loud"}`} {
		refused(400, "malformed, duplicate, old, huge", "/streams/orders/disturb", body)
	}
	refused(404, "no stream is called", "/streams/none/trim", `{"keep":1}`)
	refused(404, "no stream is called", "/streams/none/disturb", `{"how":"old"}`)
	bus.Kill()
	until(t, api+"/world", "the bus is dead", func(w struct{ Bus world.BusState }) bool { return !w.Bus.Up })
	for path, body := range map[string]string{"/bus/lose": `{"all":true}`, "/streams/orders/trim": `{"keep":1}`, "/streams/orders/disturb": `{"how":"old"}`} {
		refused(503, "the bus cannot be reached", path, body)
		serve(t, nil, "").expect(409, "look but not touch", "POST", "/api/v1"+path, body)
	}
}
