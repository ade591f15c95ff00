package world_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/world"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// after is the time so many milliseconds after the start.
func after(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

func fold(t testing.TB, obs ...world.Observation) *world.World {
	t.Helper()
	w := world.New(parse(t, small), start)
	for _, o := range obs {
		w.Apply(o)
	}
	return w
}

// node is one as a browser has it after the next tick.
func node(t testing.TB, w *world.World, id string) world.Node {
	t.Helper()
	w.Apply(world.Tick{})
	for _, n := range w.Since(0).Nodes {
		if n.ID == id {
			return n
		}
	}
	t.Fatalf("no node %s", id)
	return world.Node{}
}

// edge is one as a browser has it after the next tick.
func edge(t testing.TB, w *world.World, id string) world.Edge {
	t.Helper()
	w.Apply(world.Tick{})
	for _, e := range w.Since(0).Edges {
		if e.ID == id {
			return e
		}
	}
	t.Fatalf("no edge %s", id)
	return world.Edge{}
}

// cell is one as a browser has it after the next tick.
func cell(t testing.TB, w *world.World, feature, pattern string) world.Cell {
	t.Helper()
	w.Apply(world.Tick{})
	for _, c := range w.Since(0).Cells {
		if c.Feature == feature && c.Pattern == pattern {
			return c
		}
	}
	t.Fatalf("no cell %s %s", feature, pattern)
	return world.Cell{}
}

// lane is one as a browser has it after the next tick.
func lane(t testing.TB, w *world.World, name string) world.Lane {
	t.Helper()
	w.Apply(world.Tick{})
	for _, l := range w.Since(0).Streams {
		if l.Name == name {
			return l
		}
	}
	t.Fatalf("no stream %s", name)
	return world.Lane{}
}

// said are the texts of the notes, with their tones.
func said(w *world.World) string {
	var all []string
	for _, n := range w.Since(0).Notes {
		all = append(all, n.Tone+": "+n.Text)
	}
	return strings.Join(all, "\n")
}

func state(ms int, node string, s world.State, reason string) world.NodeSeen {
	return world.NodeSeen{At: after(ms), Node: node, State: s, Reason: reason}
}

func tick(ms int) world.Tick { return world.Tick{At: after(ms)} }

// entries are n order events from the n-th on.
func entries(from, n int) []world.EventSeen {
	var es []world.EventSeen
	for i := from; i < from+n; i++ {
		es = append(es, world.EventSeen{Stream: "orders", EntryID: fmt.Sprintf("%d-0", i), ID: fmt.Sprintf("e-%d", i),
			Source: "orders", Type: "order.placed.v1", Subject: fmt.Sprintf("o-%d", i%7), Version: 1,
			Time: start, Raw: []byte(`{"id":"x"}`)})
	}
	return es
}

// lost is the tap's word that a stream has only so many left of what it ever had.
func lost(ms int, left int64) world.EventsSeen {
	return world.EventsSeen{At: after(ms), Bases: map[string]int64{"orders": left}, Lost: []string{"orders"}}
}

// counted is the tap's word on n entries.
func counted(ms, n int) world.EventsSeen {
	return world.EventsSeen{At: after(ms), Events: entries(0, n)}
}

func backlog(ms int, added, lag, pending int64, oldest time.Time) world.StreamsSeen {
	return world.StreamsSeen{At: after(ms), Streams: []world.StreamSeen{{Name: "orders", Length: added, Added: added,
		Groups: []world.GroupSeen{{Stream: "orders", Group: "readers", Consumers: 1, Pending: pending, Lag: lag, Oldest: oldest}}}}}
}

func call(ms int, from, to, path string, status int, took time.Duration) world.CallSeen {
	c := world.CallSeen{Caller: from, Callee: to, Method: "GET", Path: path, Status: status, Start: after(ms), Duration: took}
	if strings.HasSuffix(path, "/orders") {
		c.Method = "POST"
	}
	if status == 0 || status >= 500 {
		c.Failed, c.Reason = true, to+" refused the connection"
	}
	return c
}

func calls(ms int, cs ...world.CallSeen) world.CallsSeen {
	return world.CallsSeen{At: after(ms), Calls: cs}
}

func TestNewShowsWhatIsDeclared(t *testing.T) {
	f := fold(t).Since(0)
	var ids []string
	for _, n := range f.Nodes {
		ids = append(ids, n.ID)
		if n.State != world.Unknown || n.Faults == nil {
			t.Errorf("%+v: want unknown, and faults that are no null", n)
		}
	}
	for _, e := range f.Edges {
		ids = append(ids, e.ID)
	}
	for _, c := range f.Cells {
		ids = append(ids, c.Feature+"/"+c.Pattern+":"+string(c.State))
	}
	want := "orders history orders-db history-db bus shoppers emit:orders>orders take:orders>history " +
		"buy/sync:untried buy/copies:untried list/sync:untried list/copies:untried"
	if got := strings.Join(ids, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !f.Full || f.From != 0 || f.Rev < 1 || f.System == nil || f.System.MaxLoad != 500 || f.Load == nil || f.Load.Known || f.Bus == nil {
		t.Errorf("frame %+v", f)
	}
}

func TestNodes(t *testing.T) {
	for _, c := range []struct {
		name  string
		obs   []world.Observation
		state world.State
		since time.Time
		notes string
	}{
		{"first up", []world.Observation{state(1, "orders", world.Down, "not started yet"), state(5, "orders", world.Up, "")}, world.Up, after(5), ""},
		{"killed", []world.Observation{state(1, "orders", world.Up, ""), state(9, "orders", world.Down, "killed (signal 9)")},
			world.Down, after(9), "bad: orders was killed"},
		{"stopped", []world.Observation{state(1, "orders", world.Up, ""), state(9, "orders", world.Down, "stopped")},
			world.Down, after(9), "bad: orders stopped"},
		{"ended", []world.Observation{state(1, "orders", world.Up, ""), state(9, "orders", world.Down, "exit code 1: port is taken")},
			world.Down, after(9), "bad: orders ended: exit code 1: port is taken"},
		{"said twice", []world.Observation{state(1, "orders", world.Up, ""), state(9, "orders", world.Up, "")}, world.Up, after(1), ""},
		{"back", []world.Observation{state(0, "orders", world.Up, ""), state(1000, "orders", world.Down, "killed (signal 9)"),
			state(12000, "orders", world.Starting, ""), state(13000, "orders", world.Up, "")}, world.Up, after(13000),
			"bad: orders was killed\ngood: orders is back after 12 s"},
		{"did not start", []world.Observation{state(1, "orders", world.Starting, ""), state(9, "orders", world.Down, "exit code 2")},
			world.Down, after(9), "bad: orders ended: exit code 2"},
		{"killed while paused", []world.Observation{state(1, "orders", world.Up, ""), state(5, "orders", world.Paused, ""),
			state(9, "orders", world.Down, "killed (signal 9)")}, world.Down, after(9),
			"bad: orders is paused: alive but silent\nbad: orders was killed"},
		{"asked", []world.Observation{world.ActionSeen{At: after(3), Node: "orders", Verb: "kill"}}, world.Unknown, start,
			"plain: asked for: kill orders"},
		{"of nobody", []world.Observation{state(1, "nobody", world.Up, "")}, world.Unknown, start, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := fold(t, c.obs...)
			if n := node(t, w, "orders"); n.State != c.state || !n.Since.Equal(c.since) {
				t.Errorf("orders is %s since %v, want %s since %v", n.State, n.Since, c.state, c.since)
			}
			if got := said(w); got != c.notes {
				t.Errorf("notes\n%s\nwant\n%s", got, c.notes)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	w := fold(t, world.NodeSeen{At: start, Node: "history", State: world.Up, URL: "http://127.0.0.1:9000/", Engine: "x 1.0", Volatile: true, Verbs: []string{"kill"}})
	if n := node(t, w, "history"); n.Version != "x 1.0" || !n.Volatile || len(n.Verbs) != 1 {
		t.Errorf("history is %+v", n)
	}
	if got := w.URL("history"); got != "http://127.0.0.1:9000/" {
		t.Errorf("history is at %q", got)
	}
	for at, want := range map[string]string{"127.0.0.1:9000": "history", "localhost:9000": "history", "[::1]:7201": "orders",
		"127.0.0.1:9001": "", "10.0.0.1:9000": "", "": ""} {
		if got := w.NodeAt(at); got != want {
			t.Errorf("at %s is %q, want %q", at, got, want)
		}
	}
	w.Apply(world.NodeSeen{At: start, Node: "history", State: world.Up, URL: "http://127.0.0.1:9001"})
	if w.NodeAt("127.0.0.1:9000") != "" || w.NodeAt("127.0.0.1:9001") != "history" {
		t.Error("history moved, and is looked for where it was")
	}
}

func TestEventsCount(t *testing.T) {
	w := fold(t,
		world.EventsSeen{At: after(10), Events: entries(0, 5), History: true, Bases: map[string]int64{"orders": 100}},
		world.EventsSeen{At: after(20), Events: entries(5, 3)},
	)
	if l, e := lane(t, w, "orders"), edge(t, w, "emit:orders>orders"); l.Total != 103 || e.Total != 3 || l.Rate != 0.6 || e.Rate != 0.6 {
		t.Errorf("lane %+v, edge %+v: want 103 and 3, 0.6 a second", l, e)
	}
	w.Apply(world.Tick{})
	if f := w.Since(0); f.Bus.Rate != 0.6 || f.Bus.ToHubMS != 20 || len(f.Events) != 8 || f.Events[0].Seq != 1 || f.Events[0].Raw != nil {
		t.Errorf("bus %+v, events %+v", f.Bus, f.Events)
	}
	w.Apply(tick(6000))
	if l := lane(t, w, "orders"); l.Total != 103 || l.Rate != 0 {
		t.Errorf("after 6 s: %+v", l)
	}
	w.Apply(world.EventsSeen{At: after(6100), Events: entries(0, 2), Bases: map[string]int64{"orders": 0}, Lost: []string{"orders"}})
	if l := lane(t, w, "orders"); l.Total != 2 || said(w) != "bad: the stream orders lost 103 events" {
		t.Errorf("began anew: %+v, notes %s", l, said(w))
	}
	foreign := entries(9, 2)
	foreign[0].Stream, foreign[0].Source = "others", "someone"
	foreign[1].Stream = "orders.dead"
	w.Apply(world.EventsSeen{At: after(6200), Events: foreign})
	if o, d := lane(t, w, "others"), lane(t, w, "orders.dead"); o.Total != 1 || d.Total != 1 || o.Dead || !d.Dead || d.Kind != "orders" {
		t.Errorf("foreign %+v, dead %+v", o, d)
	}
	if n := len(w.Since(0).Edges); n != 2 {
		t.Errorf("%d edges: an unknown source and a dead letter make none", n)
	}
}

func TestTakes(t *testing.T) {
	const take = "take:orders>history"
	base := world.EventsSeen{At: after(1), Bases: map[string]int64{"orders": 100}}
	for _, c := range []struct {
		name             string
		obs              []world.Observation
		total, waiting   int64
		oldestMS         int64
		notes            string
		historyIsUnknown bool
	}{
		{name: "not seen", total: 0, waiting: -1},
		{name: "what was before does not count", obs: []world.Observation{base, backlog(10, 100, 0, 0, time.Time{})}},
		{name: "what is done with counts", obs: []world.Observation{base, backlog(10, 100, 0, 0, time.Time{}), backlog(20, 110, 2, 3, after(15))},
			total: 5, waiting: 5},
		{name: "seen before the base", obs: []world.Observation{backlog(10, 104, 0, 0, time.Time{}), base}, total: 4},
		{name: "a new group counts what came since", obs: []world.Observation{base, backlog(10, 107, 3, 0, time.Time{})}, total: 4, waiting: 3},
		{name: "an old pile counts as it drains", obs: []world.Observation{base, backlog(10, 100, 40, 0, start), backlog(20, 100, 10, 0, start)},
			total: 30, waiting: 10},
		{name: "an unknown lag waits", obs: []world.Observation{base, backlog(10, 104, 0, 0, time.Time{}), backlog(20, 108, -1, 0, time.Time{})},
			total: 4, waiting: -1},
		{name: "and is made up for", obs: []world.Observation{base, backlog(10, 104, 0, 0, time.Time{}), backlog(20, 108, -1, 0, time.Time{}),
			backlog(30, 109, 0, 0, time.Time{})}, total: 9},
		{name: "never falls", obs: []world.Observation{base, backlog(10, 104, 0, 0, time.Time{}), backlog(20, 104, 2, 0, time.Time{})}, total: 4, waiting: 2},
		{name: "began anew", obs: []world.Observation{base, counted(5, 4), backlog(10, 104, 0, 0, time.Time{}), lost(15, 0), backlog(20, 3, 1, 0, time.Time{})}, total: 6, waiting: 1},
		{name: "gone and anew", obs: []world.Observation{base, counted(5, 4), backlog(10, 104, 0, 0, time.Time{}), world.StreamsSeen{At: after(20)},
			lost(25, 0), backlog(30, 200, 0, 0, time.Time{})}, total: 204},
		{name: "a tail is lost", obs: []world.Observation{base, counted(5, 4), backlog(10, 104, 0, 0, time.Time{}), lost(15, 90), backlog(20, 94, 1, 0, time.Time{})}, total: 7, waiting: 1},
		{name: "a tail is lost and Redis says so first", obs: []world.Observation{base, counted(5, 4), backlog(10, 104, 0, 0, time.Time{}), backlog(15, 90, 0, 0, time.Time{}),
			backlog(16, 93, 0, 0, time.Time{}), lost(20, 90), backlog(30, 94, 0, 0, time.Time{})}, total: 8},
		{name: "a tail is lost, of which some was not read", obs: []world.Observation{base, counted(5, 4), backlog(10, 104, 4, 0, after(5)), lost(15, 90),
			backlog(20, 90, 0, 0, time.Time{}), backlog(30, 93, 0, 0, time.Time{})}, total: 3},
		{name: "likewise, and Redis says so first", obs: []world.Observation{base, counted(5, 4), backlog(10, 104, 4, 0, after(5)), backlog(15, 90, 0, 0, time.Time{}),
			lost(20, 90), backlog(30, 93, 0, 0, time.Time{})}, total: 3},
		{name: "all is lost and comes again unseen", obs: []world.Observation{base, counted(5, 4), backlog(10, 104, 0, 0, time.Time{}), backlog(20, 104, 104, 0, after(15)),
			lost(25, 0), backlog(30, 104, 0, 0, time.Time{})}, total: 108},
		{name: "lost twice", obs: []world.Observation{base, counted(5, 4), backlog(10, 104, 0, 0, time.Time{}), lost(15, 90), counted(16, 10), backlog(20, 100, 0, 0, time.Time{}),
			backlog(25, 50, 0, 0, time.Time{}), lost(30, 50), backlog(40, 60, 0, 0, time.Time{})}, total: 24},
		{name: "grows old", obs: []world.Observation{base, backlog(10, 104, 4, 0, after(0)), tick(2550)}, waiting: 4, oldestMS: 2500},
		{name: "caught up", obs: []world.Observation{base, backlog(10, 104, 4, 0, after(0)), backlog(1500, 284, 184, 0, after(0)),
			backlog(1600, 290, 2, 0, after(0)), backlog(1700, 290, 0, 0, time.Time{})}, total: 190,
			notes: "good: history caught up on 184 events"},
		{name: "in passing", obs: []world.Observation{base, backlog(10, 104, 4, 0, after(0)), backlog(20, 104, 0, 0, time.Time{})}, total: 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := fold(t, c.obs...)
			if e := edge(t, w, take); e.Total != c.total || e.Waiting != c.waiting || e.OldestMS/500*500 != c.oldestMS {
				t.Errorf("%+v: want total %d, waiting %d, oldest %d", e, c.total, c.waiting, c.oldestMS)
			}
			var said []string
			for _, n := range w.Since(0).Notes {
				if !strings.HasPrefix(n.Text, "the stream orders lost") {
					said = append(said, n.Tone+": "+n.Text)
				}
			}
			if got := strings.Join(said, "\n"); got != c.notes {
				t.Errorf("notes %q, want %q", got, c.notes)
			}
		})
	}
	w := fold(t, world.StreamsSeen{At: start, Streams: []world.StreamSeen{{Name: "orders", Groups: []world.GroupSeen{{Group: "someone"}, {Group: "history"}}}}})
	edge(t, w, "take:orders>someone")
	edge(t, w, "take:orders>group history")
}

func TestCalls(t *testing.T) {
	served := call(10, "", "orders", "/sync/orders", 201, 20*time.Millisecond)
	served.Served = true
	w := fold(t, calls(100, served, call(10, "shoppers", "orders", "/sync/orders", 201, 30*time.Millisecond),
		call(20, "orders", "history", "/x", 0, time.Millisecond), call(30, "", "orders", "/x", 200, 0), call(30, "orders", "nobody", "/x", 200, 0)))
	if n := node(t, w, "orders"); n.Rate != 0.2 || n.P50MS != 20 || n.Errors != 0 {
		t.Errorf("orders %+v", n)
	}
	if e := edge(t, w, "call:shoppers>orders"); e.Total != 1 || e.Failed != 0 || e.P50MS != 30 || e.Rate != 0.2 || e.Waiting != 0 {
		t.Errorf("%+v", e)
	}
	if e := edge(t, w, "call:orders>history"); e.Total != 1 || e.Failed != 1 || e.FailedRate != 0.2 || e.Reason != "history refused the connection" {
		t.Errorf("%+v", e)
	}
	if n := len(w.Since(0).Edges); n != 4 {
		t.Errorf("%d edges, want 2 declared and 2 calls", n)
	}
	w.Apply(tick(6000))
	if e := edge(t, w, "call:orders>history"); e.Failed != 1 || e.FailedRate != 0 || e.Reason != "" {
		t.Errorf("after 6 s: %+v", e)
	}
}

func TestBus(t *testing.T) {
	up, down := world.BusSeen{At: after(10)}, world.BusSeen{At: after(1000), Down: "it refused the connection"}
	w := fold(t, up, down)
	if n, b := node(t, w, "bus"), w.Since(0).Bus; n.State != world.Down || b.Up || b.Reason != down.Down || said(w) != "bad: the bus cannot be reached: it refused the connection" {
		t.Errorf("node %+v, bus %+v, notes %s", n, b, said(w))
	}
	w.Apply(world.BusSeen{At: after(4000)})
	if n, b := node(t, w, "bus"), w.Since(0).Bus; n.State != world.Up || !b.Up || !strings.HasSuffix(said(w), "good: the bus answers again after 3.0 s") {
		t.Errorf("node %+v, bus %+v, notes %s", n, b, said(w))
	}
	w = fold(t, up, state(20, "bus", world.Up, ""), state(999, "bus", world.Down, "killed (signal 9)"), down)
	if n := node(t, w, "bus"); n.Reason != "killed (signal 9)" || said(w) != "bad: bus was killed" {
		t.Errorf("the runtime's word goes first: %+v, notes %s", n, said(w))
	}
}

func TestLoad(t *testing.T) {
	w := fold(t, world.LoadSeen{At: after(1), PerSecond: 25})
	if l := w.Since(0).Load; !reflect.DeepEqual(*l, world.Load{PerSecond: 25, Known: true}) {
		t.Errorf("%+v", l)
	}
	w.Apply(world.LoadSeen{At: after(2), PerSecond: -1})
	if l := w.Since(0).Load; !reflect.DeepEqual(*l, world.Load{PerSecond: 25}) {
		t.Errorf("unanswered: %+v", l)
	}
}
