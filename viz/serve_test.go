package viz

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

// run runs the whole visualizer until the test ends, or end is called, which checks that it ended well and in time.
func run(t *testing.T, o Options) (addr string, end func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if o.System.Name == "" {
		o.System = system
	}
	o.Log = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, ln, o) }()
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		begun := time.Now()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("the end took %v", took)
		}
		http.DefaultClient.CloseIdleConnections()
	}
	t.Cleanup(end)
	return ln.Addr().String(), end
}

// follow reads frames until one shows what is wanted.
func follow(t *testing.T, conn *websocket.Conn, what string, shows func(world.Frame) bool) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for {
		var f world.Frame
		if err := conn.ReadJSON(&f); err != nil {
			t.Fatalf("not seen: %s: %v", what, err)
		}
		if shows(f) {
			return
		}
	}
}

func get(t *testing.T, url string, into any) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// TestServeOverABus: events pass from Redis to browser and API, through the death of the bus, and the count is Redis' own.
func TestServeOverABus(t *testing.T) {
	bus := streamstest.Start(t)
	buy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }))
	defer buy.Close()
	f := newFake()
	f.urls["orders"] = buy.URL
	addr, end := run(t, Options{BusURL: bus.URL(), Runtime: f, Addr: "localhost:0"})
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+addr+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	emit := func(rdb *redis.Client, n int) {
		for i := range n {
			e := streams.Event{ID: fmt.Sprintf("e-%d-%d", n, i), Source: "orders", Type: "order.placed.v1", Subject: "o-1", Time: time.Now().UTC()}
			if err := rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: "orders", Values: []string{streams.Field, string(e.AppendJSON(nil))}}).Err(); err != nil {
				t.Error(err)
			}
		}
	}
	total := func(n int64) func(world.Frame) bool {
		return func(f world.Frame) bool {
			for _, l := range f.Streams {
				if l.Name == "orders" && l.Total == n {
					return true
				}
			}
			return false
		}
	}
	follow(t, conn, "the bus is up", func(f world.Frame) bool { return f.Bus != nil && f.Bus.Up })
	emit(bus.Client(), 20)
	follow(t, conn, "20 events", total(20))
	bus.Kill()
	follow(t, conn, "the bus is down", func(f world.Frame) bool { return f.Bus != nil && !f.Bus.Up })
	bus.Start()
	emit(bus.Client(), 30)
	follow(t, conn, "50 events", total(50))

	var events struct{ Events []world.Event }
	get(t, "http://"+addr+"/api/v1/events?limit=1000&stream=orders", &events)
	if len(events.Events) != 50 || events.Events[0].ID != "e-30-29" || events.Events[0].Node != "orders" {
		t.Errorf("%d events, the newest %+v", len(events.Events), events.Events[:min(1, len(events.Events))])
	}
	follow(t, conn, "the probe of buy works", func(f world.Frame) bool {
		return len(f.Cells) == 1 && f.Cells[0].State == world.Works && f.Cells[0].Success == 1
	})
	resp, err := http.Get("http://" + addr + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("readyz: %d", resp.StatusCode)
	}
	end()
	for {
		if _, _, err := conn.ReadMessage(); websocket.IsCloseError(err, websocket.CloseGoingAway) {
			break
		} else if err != nil {
			t.Fatalf("the socket ended with %v, want going away", err)
		}
	}
}

// TestServeWithoutABus: it comes up and says why nothing flows.
func TestServeWithoutABus(t *testing.T) {
	addr, _ := run(t, Options{BusURL: "redis://127.0.0.1:1"})
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+addr+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	follow(t, conn, "the bus is dead", func(f world.Frame) bool {
		return f.Bus != nil && !f.Bus.Up && strings.Contains(f.Bus.Reason, "refused")
	})
}

// TestServeAsksOutboxes: also where it only looks.
func TestServeAsksOutboxes(t *testing.T) {
	orders := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/outbox" {
			_, _ = w.Write([]byte(`{"waiting":3,"oldest":"2026-11-24T10:00:00Z"}`))
		}
	}))
	defer orders.Close()
	of := system
	of.Nodes = slices.Clone(system.Nodes)
	of.Nodes[0].URL, of.Nodes[0].Outbox = orders.URL, "/outbox"
	addr, _ := run(t, Options{System: of, BusURL: "redis://127.0.0.1:1"})
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+addr+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	follow(t, conn, "three events wait", func(f world.Frame) bool {
		return slices.ContainsFunc(f.Nodes, func(n world.Node) bool { return n.ID == "orders" && n.Outbox.Waiting == 3 && n.Outbox.OldestMS > 0 })
	})
}

// TestEndCutsActionsShort: an action under way does not hold up the end.
func TestEndCutsActionsShort(t *testing.T) {
	f := newFake()
	begun := make(chan struct{})
	addr, end := run(t, Options{BusURL: "redis://127.0.0.1:1", Runtime: slow{f, begun}})
	answered := make(chan int, 1)
	go func() {
		resp, err := http.Post("http://"+addr+"/api/v1/nodes/orders/kill", "", nil)
		if err != nil {
			answered <- 0
			return
		}
		resp.Body.Close()
		answered <- resp.StatusCode
	}()
	<-begun
	end()
	if status := <-answered; status != http.StatusServiceUnavailable {
		t.Errorf("the action was answered %d, want 503", status)
	}
}

// slow is a runtime whose actions never end by themselves.
type slow struct {
	*fake
	begun chan struct{}
}

func (s slow) Do(ctx context.Context, _ string, _ control.Action) error {
	close(s.begun)
	<-ctx.Done()
	return ctx.Err()
}

func TestServeRefusesABadBus(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := Serve(t.Context(), ln, Options{System: system, BusURL: "http://nowhere", Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("Serve takes a bus that is no Redis")
	}
}
