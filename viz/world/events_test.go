package world_test

import (
	"testing"

	"github.com/stillup/stillup/viz/world"
)

func TestEventText(t *testing.T) {
	w := fold(t, world.EventsSeen{At: after(1), Events: []world.EventSeen{placedAt(1, "orders", "e", "")}})
	for _, c := range []struct {
		q    world.Query
		want int
	}{
		{world.Query{Text: "name"}, 1}, {world.Query{Text: `"NAME":"kÄSE"`}, 1}, {world.Query{Text: "named"}, 0}, {world.Query{Text: ""}, 1},
		{world.Query{Type: "placed"}, 1}, {world.Query{Type: "order.placed.v1"}, 1}, {world.Query{Type: "refused"}, 0},
		{world.Query{Subject: "-1"}, 1}, {world.Query{Subject: "-2"}, 0}, {world.Query{Stream: "order"}, 0}, {world.Query{Node: "order"}, 0},
	} {
		c.q.Limit = 10
		if got := w.Events(c.q); len(got) != c.want {
			t.Errorf("%+v: %d", c.q, len(got))
		}
	}
}

// TestEventOfTheSameMillisecond: a dead letter may have its event's entry id; the event is meant. A letter is found by an
// entry id that nothing else has.
func TestEventOfTheSameMillisecond(t *testing.T) {
	w := fold(t, world.EventsSeen{At: after(20), Events: []world.EventSeen{placedAt(10, "orders", "e-1", ""), placedAt(10, "orders.dead", "e-1", ""),
		placedAt(15, "orders.dead", "e-1", "")}})
	for _, c := range []struct{ id, stream string }{{"e-1", "orders"}, {placedAt(10, "", "", "").EntryID, "orders"},
		{placedAt(15, "", "", "").EntryID, "orders.dead"}} {
		if e, ok := w.Event(c.id); !ok || e.Stream != c.stream {
			t.Errorf("%s: %+v, want one of %s", c.id, e, c.stream)
		}
	}
}
