package world_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// five is a system with one feature in four patterns: history lists orders, whose names are the catalog's.
const five = `{
 "name": "five",
 "nodes": [
  {"id": "orders", "kind": "service", "emits": ["orders", "requests", "replies"], "takes": ["requests", "replies"], "outbox": "/outbox", "reaches": ["catalog-db"]},
  {"id": "catalog", "kind": "service", "emits": ["catalog", "replies"], "takes": ["requests"], "outbox": "/outbox"},
  {"id": "history", "kind": "service", "emits": ["requests"], "takes": ["orders", "catalog", "replies"], "reaches": ["orders-db", "catalog-db"]},
  {"id": "orders-db", "kind": "store", "engine": "postgres", "owner": "orders"},
  {"id": "catalog-db", "kind": "store", "engine": "mongodb", "owner": "catalog"},
  {"id": "history-db", "kind": "store", "engine": "redis", "owner": "history"},
  {"id": "bus", "kind": "bus", "engine": "redis"},
  {"id": "shoppers", "kind": "client"}
 ],
 "streams": [{"name": "orders"}, {"name": "catalog"}, {"name": "requests", "transient": true}, {"name": "replies", "transient": true}],
 "kinds": [],
 "patterns": [
  {"id": "shared", "name": "Shared", "say": "It reads the others' stores.", "reaches": true},
  {"id": "sync", "name": "Sync", "calls": true},
  {"id": "bus", "name": "Bus", "streams": ["requests", "replies"]},
  {"id": "copies", "name": "Copies", "streams": ["orders", "catalog"]}
 ],
 "features": [
  {"id": "list", "name": "list", "crosses": true, "requests": {
    "shared": {"node": "history", "method": "GET", "path": "/shared/list/{user}", "needs": ["history", "orders-db", "catalog-db"]},
    "sync": {"node": "history", "method": "GET", "path": "/sync/list/{user}", "needs": ["history", "orders", "orders-db", "catalog", "catalog-db"]},
    "bus": {"node": "history", "method": "GET", "path": "/bus/list/{user}", "needs": ["history", "orders", "orders-db", "catalog", "catalog-db", "bus"]},
    "copies": {"node": "history", "method": "GET", "path": "/copies/list/{user}", "reads": ["orders", "catalog"], "needs": ["history", "history-db"]}}},
  {"id": "buy", "name": "buy", "crosses": false, "requests": {
    "copies": {"node": "orders", "method": "POST", "path": "/copies/orders", "ok": [409]}}}
 ],
 "load": {"node": "shoppers", "path": "/load", "max": 500}
}`

func foldFive(t testing.TB, obs ...world.Observation) *world.World {
	t.Helper()
	w := world.New(parse(t, five), start)
	for _, o := range obs {
		w.Apply(o)
	}
	return w
}

func TestParsePatterns(t *testing.T) {
	parse(t, five)
	for _, c := range []struct{ name, old, new, want string }{
		{"stream of a pattern", `"streams": ["requests", "replies"]`, `"streams": ["request"]`, `pattern "bus": stream "request" is not among the streams`},
		{"stream of a pattern twice", `"streams": ["requests", "replies"]`, `"streams": ["replies", "replies"]`, `pattern "bus": stream "replies" stands twice`},
		{"too many streams of a pattern", `["requests", "replies"]}`, `[` + strings.Repeat(`"requests", `, 500) + `"replies"]}`, `pattern "bus": more than 500 streams`},
		{"reach of nothing", `"reaches": ["catalog-db"]`, `"reaches": ["catalogue-db"]`, `node "orders": reaches "catalogue-db", which is not a store`},
		{"reach of a service", `"reaches": ["catalog-db"]`, `"reaches": ["catalog"]`, `node "orders": reaches "catalog", which is not a store`},
		{"reach of its own", `"reaches": ["catalog-db"]`, `"reaches": ["orders-db"]`, `node "orders": reaches "orders-db", which is its own store`},
		{"reach twice", `"reaches": ["catalog-db"]`, `"reaches": ["catalog-db", "catalog-db"]`, `node "orders": reaches "catalog-db" twice`},
		{"too many reaches", `"reaches": ["catalog-db"]`, `"reaches": [` + strings.Repeat(`"catalog-db", `, 500) + `"catalog-db"]`, `more than 500 of holds, takes, emits and reaches`},
		{"reach of a client", `"kind": "client"`, `"kind": "client", "reaches": ["catalog-db"]`, `node "shoppers": only a service reaches`},
		{"outbox of a store", `"owner": "orders"`, `"owner": "orders", "outbox": "/x"`, `node "orders-db": only a service reaches into stores or has an outbox`},
		{"outbox", `"outbox": "/outbox"`, `"outbox": "outbox"`, `node "orders": outbox "outbox" does not begin with /`},
		{"need of nobody", `"needs": ["history", "history-db"]`, `"needs": ["history", "histroy-db"]`, `feature "list", pattern "copies": need "histroy-db" is not among the nodes`},
		{"need twice", `"needs": ["history", "history-db"]`, `"needs": ["history", "history"]`, `feature "list", pattern "copies": need "history" stands twice`},
		{"needs without its own", `"needs": ["history", "history-db"]`, `"needs": ["history-db"]`, `feature "list", pattern "copies": needs lack its own node "history"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(five, c.old) {
				t.Fatalf("the file has no %q to replace", c.old)
			}
			_, err := world.ParseSystem([]byte(strings.Replace(five, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "system file: ") {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestPatternsOfALayout(t *testing.T) {
	got := foldFive(t).Since(0).System.Patterns
	if len(got) != 4 || !got[0].Reaches || got[0].Say != "It reads the others' stores." || !got[1].Calls ||
		!slices.Equal(got[2].Streams, []string{"requests", "replies"}) ||
		!slices.Equal(got[0].Nodes, []string{"history", "orders-db", "catalog-db", "shoppers"}) ||
		!slices.Equal(got[3].Nodes, []string{"orders", "history", "history-db", "shoppers"}) {
		t.Errorf("%+v", got)
	}
}

func via(how string, c world.CallSeen) world.CallSeen {
	c.Via = how
	if how == world.ViaStore {
		c.Method, c.Path, c.Status, c.Failed = "SELECT", "orders", 0, c.Status != 200
	}
	return c
}

func TestReaches(t *testing.T) {
	w := foldFive(t)
	for _, id := range []string{"reach:orders>catalog-db", "reach:history>orders-db", "reach:history>catalog-db"} {
		if e := edge(t, w, id); e.Kind != world.Reach || e.Total != 0 {
			t.Errorf("declared: %+v", e)
		}
	}
	declared := len(w.Since(0).Edges)
	w.Apply(calls(100,
		via(world.ViaStore, call(10, "history", "orders-db", "", 200, 4*time.Millisecond)),
		via(world.ViaStore, call(20, "history", "orders-db", "", 0, 8*time.Millisecond)),
		via(world.ViaStore, call(20, "history", "history-db", "", 200, time.Millisecond)), // its own
		via(world.ViaStore, call(20, "history", "orders", "", 200, time.Millisecond)),     // no store
		via(world.ViaBus, call(30, "history", "orders", "/bus/orders", 200, time.Millisecond)),
		via("pigeon", call(30, "history", "orders", "/bus/orders", 200, time.Millisecond))))
	if e := edge(t, w, "reach:history>orders-db"); e.Total != 2 || e.Failed != 1 || e.Rate != 0.4 || e.FailedRate != 0.2 || e.P50MS != 4 || e.Reason != "orders-db refused the connection" {
		t.Errorf("%+v", e)
	}
	if n := len(w.Since(0).Edges); n != declared {
		t.Errorf("%d edges, want the %d that are declared", n, declared)
	}
	w.Apply(calls(200, via(world.ViaStore, call(110, "catalog", "orders-db", "", 200, time.Millisecond))))
	if e := edge(t, w, "reach:catalog>orders-db"); e.Total != 1 {
		t.Errorf("one that the file does not declare: %+v", e)
	}
}

// TestOwnLooks: the visualizer's own requests are no traffic.
func TestOwnLooks(t *testing.T) {
	served := func(to, path string) world.CallSeen {
		c := call(10, "", to, path, 200, time.Millisecond)
		c.Served = true
		return c
	}
	w := foldFive(t, calls(100, served("orders", "/outbox"), served("shoppers", "/load"), served("history", "/outbox")))
	if a, b, c := node(t, w, "orders").Rate, node(t, w, "shoppers").Rate, node(t, w, "history").Rate; a != 0 || b != 0 || c != 0.2 {
		t.Errorf("served a second: orders %v, shoppers %v, history %v", a, b, c)
	}
}

func TestTransient(t *testing.T) {
	trimmed := func(stream string) world.StreamSeen {
		return world.StreamSeen{Name: stream, Groups: []world.GroupSeen{{Stream: stream, Group: "history", Lag: 3, TrimmedUnread: true}}}
	}
	w := foldFive(t, world.StreamsSeen{At: after(1), Streams: []world.StreamSeen{trimmed("orders"), trimmed("replies")}})
	if e := edge(t, w, "take:orders>history"); !e.TrimmedUnread {
		t.Errorf("%+v", e)
	}
	if e := edge(t, w, "take:replies>history"); e.TrimmedUnread || e.Waiting != 3 {
		t.Errorf("what was trimmed of a transient stream is no loss: %+v", e)
	}
}

func TestFaults(t *testing.T) {
	slow := world.Fault{Kind: world.FaultSlow, LatencyMS: 300}
	seen := state(1, "orders", world.Up, "")
	seen.Faults = []world.Fault{slow, {Kind: "moody"}, slow, {Kind: world.FaultErrors, Share: 7}}
	w := foldFive(t, seen)
	if got, want := node(t, w, "orders").Faults, []world.Fault{slow, {Kind: world.FaultErrors, Share: 1}}; !reflect.DeepEqual(got, want) {
		t.Errorf("faults %+v, want %+v", got, want)
	}
	w.Apply(state(2, "orders", world.Up, ""))
	if got := node(t, w, "orders").Faults; got == nil || len(got) != 0 {
		t.Errorf("healed: %+v", got)
	}
}

func TestBecause(t *testing.T) {
	try := func(pattern string, ok bool, took time.Duration) world.Observation {
		return world.TriesSeen{At: after(100), Tries: []world.TrySeen{{Feature: "list", Pattern: pattern, OK: ok, Start: after(100).Add(-took), Duration: took}}}
	}
	with := func(node string, kinds ...world.FaultKind) world.NodeSeen {
		n := state(50, node, world.Up, "")
		for _, k := range kinds {
			n.Faults = append(n.Faults, world.Fault{Kind: k, Share: 1})
		}
		return n
	}
	is := func(node string, s world.State) world.NodeSeen { return state(50, node, s, "") }
	box := world.OutboxSeen{At: after(90), Node: "orders", Waiting: 2, Oldest: after(-4000)}
	const quick, tardy = time.Millisecond, 400 * time.Millisecond
	for _, c := range []struct {
		name    string
		obs     []world.Observation
		pattern string
		state   world.CellState
		because string
	}{
		{"works whatever is down", []world.Observation{is("orders", world.Down), try("sync", true, quick)}, "sync", world.Works, ""},
		{"fails for no known reason", []world.Observation{try("sync", false, quick)}, "sync", world.Fails, ""},
		{"fails, and what it does not need is down", []world.Observation{is("bus", world.Down), is("history-db", world.Down), try("sync", false, quick)}, "sync", world.Fails, ""},
		{"dead ones first", []world.Observation{is("orders", world.Paused), is("catalog-db", world.Down), is("history", world.Starting), try("sync", false, quick)},
			"sync", world.Fails, "catalog-db history orders"},
		{"fails by faults", []world.Observation{with("catalog", world.FaultCut), with("orders", world.FaultErrors), with("history", world.FaultSlow), try("sync", false, quick)},
			"sync", world.Fails, "orders catalog"},
		{"fails by nothing but slowness", []world.Observation{with("catalog", world.FaultSlow), try("sync", false, quick)}, "sync", world.Fails, "catalog"},
		{"slow", []world.Observation{with("catalog", world.FaultSlow), is("orders", world.Paused), is("history", world.Starting), with("orders-db", world.FaultErrors), try("sync", true, tardy)},
			"sync", world.Slow, "orders orders-db catalog"},
		{"slow, not failing: what is down does not count", []world.Observation{is("orders", world.Down), try("sync", true, tardy)}, "sync", world.Slow, ""},
		{"stale", []world.Observation{box, is("bus", world.Down), is("orders", world.Up), try("copies", true, quick)}, "copies", world.Stale, "bus"},
		{"stale by its own node and the emitters, not by their errors", []world.Observation{box, with("orders", world.FaultErrors), with("history", world.FaultSlow),
			is("catalog-db", world.Paused), with("catalog", world.FaultCut), is("orders-db", world.Down), is("shoppers", world.Down), try("copies", true, quick)},
			"copies", world.Stale, "orders-db history catalog catalog-db"},
		{"looked at again when a node changes", []world.Observation{try("bus", false, quick), is("bus", world.Down)}, "bus", world.Fails, "bus"},
		{"and when it heals", []world.Observation{with("bus", world.FaultCut), try("bus", false, quick), with("bus")}, "bus", world.Fails, ""},
		{"a bus that the tap alone knows", []world.Observation{try("bus", false, quick), world.BusSeen{At: after(101), Down: "gone"}}, "bus", world.Fails, "bus"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := cell(t, foldFive(t, c.obs...), "list", c.pattern)
			if got.State != c.state || strings.Join(got.Because, " ") != c.because {
				t.Errorf("%s because of %v, want %s because of %s", got.State, got.Because, c.state, c.because)
			}
		})
	}
}

func TestOutbox(t *testing.T) {
	box := func(ms int, node string, waiting int64, oldest int) world.OutboxSeen {
		return world.OutboxSeen{At: after(ms), Node: node, Waiting: waiting, Oldest: after(oldest)}
	}
	published := func(ms, at int) world.EventsSeen {
		return world.EventsSeen{At: after(ms), Events: []world.EventSeen{{Stream: "orders", Source: "orders", Time: after(at)}}}
	}
	try := world.TriesSeen{At: after(10_000), Tries: []world.TrySeen{{Feature: "list", Pattern: "copies", OK: true, Start: after(10_000)}}}
	for _, c := range []struct {
		name           string
		obs            []world.Observation
		waiting        int64
		oldest, behind int64 // in ms
	}{
		{"never told", nil, -1, 0, 0},
		{"nothing waits", []world.Observation{box(9900, "orders", 0, 0)}, 0, 0, 0},
		{"in passing", []world.Observation{box(9900, "orders", 2, 9500)}, 2, 500, 0},
		{"the bus is dead", []world.Observation{box(9900, "orders", 7, 4000)}, 7, 6000, 6000},
		{"published", []world.Observation{box(9000, "orders", 7, 4000), box(9900, "orders", 0, 0)}, 0, 0, 0},
		{"the owner died too", []world.Observation{box(4500, "orders", 7, 4000), box(5000, "orders", -1, 0), box(9900, "orders", -1, 0)}, -1, 6000, 6000},
		{"it died after it had published", []world.Observation{box(4500, "orders", 1, 4000), published(4600, 4000), box(5000, "orders", -1, 0)}, -1, 0, 0},
		{"the bus showed it before it said so", []world.Observation{published(4450, 4000), box(4500, "orders", 1, 4000), box(5000, "orders", -1, 0)}, -1, 0, 0},
		{"the bus shows an older one", []world.Observation{box(4500, "orders", 2, 4000), published(4600, 3000), box(5000, "orders", -1, 0)}, -1, 6000, 6000},
		{"its word goes before what the bus shows", []world.Observation{published(4600, 4500), box(9900, "orders", 1, 4000)}, 1, 6000, 6000},
		{"it is back", []world.Observation{box(4500, "orders", 7, 4000), box(5000, "orders", -1, 0), box(9900, "orders", 3, 8000)}, 3, 2000, 2000},
		{"a clock that is ahead", []world.Observation{box(9900, "orders", 1, 30_000)}, 1, 0, 0},
		{"no time told", []world.Observation{world.OutboxSeen{At: after(9900), Node: "orders", Waiting: 4}}, 4, 0, 0},
		{"another's counts as well", []world.Observation{box(9900, "catalog", 1, 5000), box(9900, "orders", 1, 9999)}, 1, 0, 5000},
		{"the older of unread and unpublished", []world.Observation{box(9900, "orders", 1, 5000), world.StreamsSeen{At: after(9950), Streams: []world.StreamSeen{
			{Name: "catalog", Groups: []world.GroupSeen{{Group: "history", Lag: 1, Oldest: after(3000)}}}}}}, 1, 5000, 7000},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := foldFive(t, append(slices.Clone(c.obs), try)...)
			w.Apply(tick(10_000))
			if got := node(t, w, "orders").Outbox; got != (world.Outbox{Waiting: c.waiting, OldestMS: c.oldest}) {
				t.Errorf("outbox %+v, want %d waiting for %d ms", got, c.waiting, c.oldest)
			}
			want := world.Works
			if c.behind > 0 {
				want = world.Stale
			}
			if got := cell(t, w, "list", "copies"); got.StaleMS != c.behind || got.State != want {
				t.Errorf("%s by %d ms, want %s by %d", got.State, got.StaleMS, want, c.behind)
			}
		})
	}
	w := foldFive(t, try, box(10_100, "orders", 2, 4000))
	if got := cell(t, w, "list", "copies"); got.State != world.Stale {
		t.Errorf("the cell was not looked at again: %+v", got)
	}
}

func TestLoadOfPatterns(t *testing.T) {
	w := foldFive(t, world.LoadSeen{At: after(1), PerSecond: 2.5, Dropped: 4, Patterns: map[string]float64{"bus": 2, "sink": 1, "sync": -1},
		Features: map[string]float64{"list": 0.25}})
	want := world.Load{PerSecond: 2.5, Known: true, Patterns: map[string]float64{"bus": 2, "sync": 0}, Features: map[string]float64{"list": 0.25}, Dropped: 4}
	if l := w.Since(0).Load; !reflect.DeepEqual(*l, want) {
		t.Errorf("%+v, want %+v", *l, want)
	}
	rev := w.Rev()
	w.Apply(world.LoadSeen{At: after(2), PerSecond: 2.5, Dropped: 4, Patterns: map[string]float64{"bus": 2, "sync": 0}, Features: map[string]float64{"list": 0.25}})
	if w.Rev() != rev {
		t.Error("the same again is news")
	}
	w.Apply(world.LoadSeen{At: after(3), PerSecond: -1})
	want.Known = false
	if l := w.Since(0).Load; !reflect.DeepEqual(*l, want) {
		t.Errorf("unanswered: %+v, want %+v", *l, want)
	}
}

func TestExpected(t *testing.T) {
	s := parse(t, five)
	for _, c := range []struct{ node, fails string }{
		{"history", "list/bus list/copies list/shared list/sync"},
		{"catalog", "list/bus list/sync"},
		{"catalog-db", "list/bus list/shared list/sync"},
		{"bus", "list/bus"},
		{"history-db", "list/copies"},
		{"orders", "buy/copies list/bus list/sync"}, // buy says no needs: its own node at least
		{"shoppers", ""},
	} {
		var fails []string
		all := s.Expected(c.node)
		for k, bad := range all {
			if bad {
				fails = append(fails, fmt.Sprintf("%s/%s", k.Feature, k.Pattern))
			}
		}
		slices.Sort(fails)
		if got := strings.Join(fails, " "); got != c.fails || len(all) != 5 {
			t.Errorf("without %s: %q of %d, want %q of 5", c.node, got, len(all), c.fails)
		}
	}
}
