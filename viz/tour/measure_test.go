package tour

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/workloads"
	"github.com/stillup/stillup/viz/world"
)

func falls(begun time.Time, hops ...world.Hop) change {
	return func(v *View) {
		v.Waterfall = func(k world.CellKey) (world.Waterfall, bool) {
			return world.Waterfall{At: begun, Hops: hops, Cost: world.Cost{Services: 2, Hops: len(hops), Messages: 6, Depth: 2}}, k == key("buy", "sync")
		}
	}
}

// TestMeasures: every form, in words; empty where it is not known.
func TestMeasures(t *testing.T) {
	ran := &Engines{Results: []EngineResult{{Workload: "counter", Engine: "postgres", PerSecond: 5234}, {Workload: "counter", Engine: "redis", PerSecond: 41049},
		{Workload: "join", Engine: "redis"}}}
	untried := cell("buy", "sync", is(world.Untried))
	chain := []world.Hop{{To: "orders", Depth: 1, TookMS: 900}, {From: "orders", To: "users", Depth: 2, StartMS: 10, TookMS: 50},
		{From: "orders", To: "catalog", Depth: 2, StartMS: 100, TookMS: 400}, {From: "catalog", To: "stock", Depth: 3, StartMS: 120, TookMS: 100}}
	for _, c := range []struct {
		text string
		view View
		want string
	}{
		{"p50 of buy in sync", with(), "12 ms"},
		{"p50 of buy in sync", with(cell("buy", "sync", took(312.44))), "312 ms"},
		{"p50 of buy in sync", with(untried), ""},
		{"p99 of buy in sync", with(), "40 ms"},
		{"ratio of buy in sync to copies", with(cell("buy", "sync", took(1872))), "156 times"},
		{"ratio of buy in sync to copies", with(cell("buy", "sync", took(16.8))), "1.4 times"},
		{"ratio of buy in sync to copies", with(cell("buy", "copies", took(0))), ""},
		{"ratio of buy in copies to sync", with(untried), ""},
		{"slowest hop of buy in sync", with(falls(noon, chain...)), "catalog (300 ms)"},
		{"slowest hop of buy in sync", with(falls(noon, chain[0])), "orders (900 ms)"},
		{"slowest hop of buy in sync", with(falls(noon)), ""},
		{"slowest hop of buy in sync", with(), ""},
		{"hops of buy in sync", with(), "5"},
		{"hops of buy in sync", with(falls(noon, chain...)), "4"},
		{"services of buy in sync", with(), "3"},
		{"messages of buy in sync", with(), "2"},
		{"depth of buy in sync", with(), "4"},
		{"depth of buy in sync", with(cell("buy", "sync", func(c *world.Cell) { c.Cost = nil })), ""},
		{"working in sync", with(), "2"},
		{"working in copies", with(cell("browse", "copies", is(world.Fails)), cell("buy", "copies", is(world.Stale))), "2"},
		{"working in sync", with(untried), ""},
		{"features", with(), "3"},
		{"waiting for stock", with(waits("stock", 180, 4)), "184 events"},
		{"waiting for stock", with(waits("stock", 1)), "1 event"},
		{"waiting for stock", with(), "0 events"},
		{"waiting for stock", with(waits("stock", 180, -1)), ""},
		{"took", with(), "1.2 s"},
		{"count of users in orders-db", with(), "11\u202f999"},
		{"bytes of users in orders-db", with(), "1.2 MB"},
		{"bytes of users in orders-db", with(holds("users", "orders-db", func(h *world.Holding) { h.Bytes = -1 })), ""},
		{"count of users in orders-db", with(holds("users", "orders-db", func(h *world.Holding) { h.Known = false })), ""},
		{"owned users", with(), "2 MB"},
		{"copied users", with(), "1.2 MB"},
		{"factor of users", with(), "1.6"},
		{"owned", with(), "3 MB"},
		{"copied", with(), "1.2 MB"},
		{"factor", with(), "1.4"},
		{"copied orders", with(), "0 bytes"},
		{"owned", with(holds("orders", "orders-db", func(h *world.Holding) { h.Known = false })), ""},
		{"factor of users", with(holds("users", "users-db", func(h *world.Holding) { h.Bytes = 0 })), ""},
		{"month of copied", with(), "€120.00"},
		{"month of owned", with(), "€300.00"},
		{"month of owned", with(func(v *View) { v.Frame.Copies = nil }), ""},
		{"worst staleness of users in orders-db", with(worst("users", "orders-db", 12400)), "12 s"},
		{"worst staleness of users in orders-db", with(func(v *View) { v.Worst = nil }), ""},
		{"worst staleness of users in orders-db", with(func(v *View) { v.Frame.Copies = nil }), ""},
		{"load", with(), "20 a second"},
		{"load", with(func(v *View) { v.Frame.Load.Known = false }), ""},
		{"rate of users", with(), "19.5 a second"},
		{"rate of orders", with(), ""},
		{"engine of orders-db", with(), "Redis 7.0.15"},
		{"engine of users-db", with(), ""},
		{"state of buy in sync", with(), "works"},
		{"state of buy in sync", with(cell("buy", "sync", is(world.Slow))), "is slow"},
		{"state of buy in sync", with(cell("buy", "sync", is(world.Fails))), "fails"},
		{"state of buy in sync", with(untried), ""},
		{"reason of buy in sync", with(cell("buy", "sync", func(c *world.Cell) { c.State, c.LastError = world.Fails, "502 Bad Gateway" })), "502 Bad Gateway"},
		{"reason of buy in sync", with(), ""},
		{"fastest counter", with(engines(ran)), "Redis: 41\u202f000 a second"},
		{"fastest join", with(engines(ran)), ""},
		{"fastest counter", with(), ""},
		{"speed of counter on postgres", with(engines(ran)), "5\u202f230 a second"},
		{"speed of join on redis", with(engines(ran)), ""},
	} {
		m, err := parseMeasure(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		sys := system()
		if err := m.check(&names{&sys}); err != nil {
			t.Errorf("%q: %v", c.text, err)
		}
		got, known := m.value(&look{View: c.view, took: 1200 * time.Millisecond})
		if known != (c.want != "") || known && got != c.want {
			t.Errorf("%q: %q, known %v; wanted %q", c.text, got, known, c.want)
		}
	}
}

// TestMeasuresNames: a measure is refused where it names what is not there.
func TestMeasuresNames(t *testing.T) {
	sys := system()
	for _, text := range []string{"p50 of buys in sync", "p99 of browse in sync", "p50 of every in sync", "ratio of buy in sync to empty", "slowest hop of buy in synch",
		"hops of buy in x", "state of x in sync", "working in empty", "waiting for users", "count of users in bus", "bytes of x in users-db", "owned prices",
		"factor of x", "worst staleness of users in users-db", "rate of x", "engine of users", "engine of x", "fastest thing", "speed of counter on mongodb", "speed of x on redis"} {
		m, err := parseMeasure(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if m.check(&names{&sys}) == nil {
			t.Errorf("%q was taken", text)
		}
	}
	var bare world.System
	for _, text := range []string{"load", "owned", "month of copied", "fastest counter"} {
		if m, err := parseMeasure(text); err != nil || m.check(&names{&bare}) == nil {
			t.Errorf("%q was taken for a system without (%v)", text, err)
		}
	}
	if _, err := parseMeasure("p50 of buy"); err == nil || !strings.Contains(err.Error(), "{p50|p99 of FEATURE in PATTERN}") {
		t.Errorf("no hint at what was meant: %v", err)
	}
}

// TestWorkloadsAreThoseThatRun: chapters may name the workloads that there are.
func TestWorkloadsAreThoseThatRun(t *testing.T) {
	var ids []string
	for _, w := range workloads.All() {
		ids = append(ids, w.ID)
	}
	if !reflect.DeepEqual(ids, Workloads) {
		t.Errorf("%q, here %q", ids, Workloads)
	}
}

// TestFill: measures stand in their places; one that begins a text has a capital; what is wrong stays, and is told.
func TestFill(t *testing.T) {
	l := &look{View: with(cell("browse", "copies", is(world.Untried))), took: 300 * time.Millisecond}
	for text, want := range map[string]string{
		"":                            "",
		"plain  words\nhere":          "plain words here",
		"After {took}.":               "After 300 ms.",
		"{ state of buy in  sync }":   "Works",
		"{month of copied} a month":   "€120.00 a month",
		"a {working in copies} b":     "a (not measured) b",
		"{working in copies}, {took}": "(not measured), 300 ms",
		"a {nothing} b { c":           "a {nothing} b { c",
	} {
		parts, err := parseText(text)
		if got, _ := fill(parts, l); got != want || (err != nil) != strings.Contains(text, "nothing") {
			t.Errorf("%q: %q, %v; wanted %q", text, got, err, want)
		}
	}
	for _, text := range []string{"a } b", "a { b", "{}", "{nothing}"} {
		if _, err := parseText(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestWords(t *testing.T) {
	for ms, want := range map[float64]string{0: "0 ms", .02: "less than 0.1 ms", .4: "0.4 ms", .97: "0.97 ms", 1: "1 ms", 5.678: "5.68 ms", 12: "12 ms", 99.96: "100 ms",
		312.4: "312 ms", 999.4: "999 ms", 999.6: "1 s", 1234: "1.2 s", 9949: "9.9 s", 9960: "10 s", 74500: "75 s"} {
		if got := span(ms); got != want {
			t.Errorf("%g ms: %q, wanted %q", ms, got, want)
		}
	}
	for n, want := range map[float64]string{0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1000: "1 KB", 2_400_000: "2.4 MB", 999_700: "1 MB", 1.234e9: "1.23 GB", 5e15: "5\u202f000 TB"} {
		if got := size(n); got != want {
			t.Errorf("%g bytes: %q, wanted %q", n, got, want)
		}
	}
	for n, want := range map[float64]string{0: "0 cents", .01: "1 cent", .000004: "0.0004 cents", .5: "50 cents", 1: "€1.00", 12.345: "€12.35", 12345: "€12\u202f345"} {
		if got := euros(n); got != want {
			t.Errorf("%g euros: %q, wanted %q", n, got, want)
		}
	}
	for n, want := range map[float64]string{156.4: "156 times", 2: "2 times", 1.96: "2.0 times", 1: "1.0 times", .5: "0.5 times", .031: "0.03 times"} {
		if got := times(n); got != want {
			t.Errorf("%g: %q, wanted %q", n, got, want)
		}
	}
	for n, want := range map[float64]string{0: "0 a second", .02: "less than 0.1 a second", 19.54: "19.5 a second", 987: "987 a second", 41049: "41\u202f000 a second"} {
		if got := aSecond(n); got != want {
			t.Errorf("%g: %q, wanted %q", n, got, want)
		}
	}
}
