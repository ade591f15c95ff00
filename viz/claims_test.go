package viz

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
	"github.com/stillup/stillup/viz/world"
)

// TestClaimsOverABus: on a real bus a replica dies with events in its hands, and another claims them.
func TestClaimsOverABus(t *testing.T) {
	bus := streamstest.Start(t)
	rdb := bus.Client()
	if err := rdb.XGroupCreateMkStream(t.Context(), "orders", "buyers", "0").Err(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"c-1", "c-2", "c-3"} {
		if err := rdb.XGroupCreateConsumer(t.Context(), "orders", "buyers", name).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		e := streams.Event{ID: fmt.Sprint("e-", i), Source: "orders", Type: "order.placed.v1", Subject: "o-1", Time: time.Now().UTC()}
		if _, err := streams.Publish(t.Context(), rdb, "orders", e); err != nil {
			t.Fatal(err)
		}
	}
	read := redis.XReadGroupArgs{Group: "buyers", Consumer: "c-2", Streams: []string{"orders", ">"}, Count: 3, Block: -1}
	if err := rdb.XReadGroup(t.Context(), &read).Err(); err != nil {
		t.Fatal(err)
	}
	addr, end := run(t, Options{BusURL: bus.URL(), Runtime: newScaled()})
	defer end()
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+addr+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	holds := func(id string, pending int64) func(world.Frame) bool {
		return func(f world.Frame) bool {
			for _, n := range f.Nodes {
				for _, r := range n.Replicas {
					if n.ID == "purchases" && r.ID == id && r.Pending == pending {
						return true
					}
				}
			}
			return false
		}
	}
	news := func(text string) func(world.Frame) bool {
		return func(f world.Frame) bool {
			return slices.ContainsFunc(f.Notes, func(n world.Note) bool { return strings.Contains(n.Text, text) })
		}
	}
	follow(t, conn, "2 holds 3 events", holds("2", 3))
	if status, b := send(t, "http://"+addr+"/api/v1/nodes/purchases/kill?replica=2", "application/json", ""); status != 200 {
		t.Fatal(status, b)
	}
	follow(t, conn, "its death", news("purchases 2 stopped, holding 3 events")) // the fake gives no reason

	c := &streams.Consumer{Redis: rdb, Group: "buyers", Name: "c-1", Streams: []string{"orders"}, MinIdle: time.Second,
		Log: slog.New(slog.DiscardHandler), Handle: func(context.Context, streams.Entry) error { return nil }}
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer work.Wait()
	defer cancel()
	follow(t, conn, "the claim", news("the 3 events that purchases 2 held were claimed by the others after "))
	conn.Close()
}
