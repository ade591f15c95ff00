package tour

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stillup/stillup/viz/world"
)

// TestConditions: every form, where it holds and what is seen where it does not.
func TestConditions(t *testing.T) {
	measured := &Engines{Ended: at(-10)}
	none := func(v *View) { v.Frame = world.Frame{} }
	for _, c := range []struct {
		text string
		view View
		sees string // empty: it holds
	}{
		{"stock is up", with(), ""},
		{"stock is up", with(state("stock", world.Down)), "stock is down"},
		{"stock is up", with(state("stock", world.Starting)), "stock is starting"},
		{"stock is up", with(state("stock", world.Unknown)), "it is not known how stock is"},
		{"stock is up", with(none), "stock is not there"},
		{"eu.west-1 is up", with(), ""},
		{"stock is down", with(), "stock is up"},
		{"stock is down", with(state("stock", world.Down)), ""},
		{"stock is down", with(state("stock", world.Unknown)), "it is not known how stock is"},
		{"stock is paused", with(state("stock", world.Paused)), ""},
		{"stock is paused", with(), "stock is up"},
		{"stock is slow", with(fault("stock", world.Fault{Kind: world.FaultSlow, LatencyMS: 300})), ""},
		{"stock is slow", with(), "stock is up"},
		{"stock is cut", with(fault("stock", world.Fault{Kind: world.FaultCut})), ""},
		{"stock is cut", with(fault("stock", world.Fault{Kind: world.FaultSlow, LatencyMS: 300})), "stock is slow by 300 ms"},
		{"stock is healthy", with(), ""},
		{"stock is healthy", with(fault("stock", world.Fault{Kind: world.FaultErrors, Share: .25})), "stock fails 25 % of its requests on purpose"},
		{"stock is healthy", with(fault("stock", world.Fault{Kind: world.FaultCut})), "stock is cut off"},
		{"stock is healthy", with(func(v *View) { v.Frame.Nodes[1].Replicas = []world.Replica{{State: world.Up}, {State: world.Down}} }), "1 of 2 replicas of stock are up"},
		{"everything is healthy", with(), ""},
		{"everything is healthy", with(state("stock", world.Paused), state("bus", world.Unknown)), "stock is paused and it is not known how bus is"},
		{"everything is healthy", with(none), "no node is known"},

		{"buy in sync works", with(), ""},
		{"buy in sync works", with(cell("buy", "sync", is(world.Slow))), "buy in sync is slow"},
		{"buy in sync works", with(cell("buy", "sync", is(world.Untried))), "buy in sync was not tried yet"},
		{"buy in sync works", with(none), "buy in sync was not tried yet"},
		{"buy in sync works", with(cell("buy", "sync", func(c *world.Cell) { c.State, c.LastError = world.Fails, "no answer" })), "buy in sync fails: no answer"},
		{"buy in sync fails", with(), "buy in sync still works"},
		{"buy in sync fails", with(cell("buy", "sync", is(world.Stale))), "buy in sync still answers, and is stale"},
		{"buy in sync fails", with(cell("buy", "sync", is(world.Fails))), ""},
		{"buy in sync is slow", with(cell("buy", "sync", is(world.Slow))), ""},
		{"buy in sync is slow", with(), "buy in sync still works"},
		{"buy in sync is stale", with(cell("buy", "sync", is(world.Stale))), ""},
		{"buy in sync is stale", with(cell("buy", "sync", func(c *world.Cell) { c.State, c.StaleMS = world.Slow, 1500 })), ""},
		{"buy in sync is stale", with(cell("buy", "sync", is(world.Fails))), "buy in sync fails"},
		{"buy in sync answers", with(cell("buy", "sync", is(world.Stale))), ""},
		{"buy in sync answers", with(cell("buy", "sync", is(world.Fails))), "buy in sync fails"},
		{"every feature in sync works", with(), ""},
		{"every feature in sync fails", with(), "buy in sync still works and sign-up in sync still works"},
		{"every feature in every pattern answers", with(), ""},
		{"every feature in every pattern fails", with(), "buy in sync still works, buy in copies still works, sign-up in sync still works, and 2 more"},
		{"browse in every pattern works", with(), ""},
		{"browse in sync works", with(), "nothing of it can be asked"},

		{"p50 of buy in sync is at least 12 ms", with(), ""},
		{"p50 of buy in sync is at least 250 ms", with(), "p50 of buy in sync is 12 ms"},
		{"p50 of buy in sync is at most 250 ms", with(), ""},
		{"p50 of buy in sync is at most 2.5 ms", with(), "p50 of buy in sync is 12 ms"},
		{"p50 of buy in sync is at most 250 ms", with(cell("buy", "sync", is(world.Fails))), "buy in sync fails"},
		{"p50 of buy in sync is at least 0 ms", with(cell("buy", "sync", is(world.Untried))), "buy in sync was not tried yet"},

		{"the load is at least 20", with(), ""},
		{"the load is at least 20.5", with(), "the load is 20 a second"},
		{"the load is at least 0", with(func(v *View) { v.Frame.Load.Known = false }), "it is not known how high the load is"},
		{"the load is 0", with(load(0)), ""},
		{"the load is 0", with(load(.1)), "the load is 0.1 a second"},
		{"the load is 0", with(func(v *View) { v.Frame.Load = nil }), "it is not known how high the load is"},
		{"the load is at least 5", with(load(0)), "the load is 0"},

		{"at least 3 events wait for stock", with(waits("stock", 2, 1)), ""},
		{"at least 3 events wait for stock", with(waits("stock", 2)), "2 events wait for stock"},
		{"at least 1 event waits for stock", with(), "nothing waits for stock"},
		{"at least 2 events wait for stock", with(waits("stock", 1)), "1 event waits for stock"},
		{"at least 3 events wait for stock", with(waits("stock", 2, -1)), "it is not known how many events wait for stock"},
		{"at least 2 events wait for stock", with(waits("stock", 2, -1)), ""}, // so many at least, whatever the other is
		{"at least 0 events wait for stock", with(none), "it is not known how many events wait for stock"},
		{"no event waits for stock", with(), ""},
		{"no event waits for stock", with(waits("stock", 1)), "1 event waits for stock"},
		{"no event waits for stock", with(waits("stock", 1200)), "1\u202f200 events wait for stock"},
		{"no event waits for stock", with(waits("stock", 0, -1)), "it is not known how many events wait for stock"},
		{"no event waits for stock", with(none), "it is not known how many events wait for stock"},

		{"the copy of users in orders-db is up to date", with(), ""},
		{"the copy of users in orders-db is behind", with(), "the copy of users in orders-db is up to date"},
		{"the copy of users in orders-db is behind", with(holds("users", "orders-db", func(h *world.Holding) { h.StaleMS, h.Known = 1200, false })), ""},
		{"the copy of users in orders-db is up to date", with(holds("users", "orders-db", func(h *world.Holding) { h.StaleMS = 1200 })), "the copy of users in orders-db is 1.2 s behind"},
		{"the copy of users in orders-db is up to date", with(holds("users", "orders-db", func(h *world.Holding) { h.Behind = -1 })), "it is not known how far the copy of users in orders-db is behind"},
		{"the copy of users in orders-db is behind", with(holds("users", "orders-db", func(h *world.Holding) { h.Known, h.Why = false, "orders-db is down" })), "it is not known how far the copy of users in orders-db is behind: orders-db is down"},
		{"the copy of users in orders-db is up to date", with(none), "it is not known how far the copy of users in orders-db is behind"},

		{"name of users u-1 has changed", with(value("Ada L.")), ""},
		{"name of users u-1 has changed", with(value("Ada")), `name of users u-1 is still "Ada"`},
		{"name of users u-2 has changed", with(value("Ada")), "it is not known what the name of users u-2 is"},
		{"name of users u-1 has changed", with(), "it is not known what the name of users u-1 is"},

		{"schema-2 is done", with(job(Job{State: "done", Ended: at(-5)})), ""},
		{"schema-2 is done", with(job(Job{State: "done", Ended: at(-90)})), "schema-2 was done before this chapter began, and not since"},
		{"schema-2 is done", with(job(Job{State: "running", Done: 40, Total: 200})), "schema-2 is still running (40 of 200)"},
		{"schema-2 is done", with(job(Job{State: "failed", Why: "no room"})), "schema-2 failed: no room"},
		{"schema-2 is done", with(job(Job{State: "idle"})), "schema-2 was not begun yet"},
		{"schema-2 is done", with(), "it is not known how far schema-2 is"},

		{"the engines were measured", with(engines(measured)), ""},
		{"the engines were measured", with(engines(&Engines{Ended: at(-90)})), "the engines were measured before this chapter began, and not since"},
		{"the engines were measured", with(), "the engines were not measured yet"},

		{"late has joined", with(func(v *View) { v.Frame.Nodes = append(v.Frame.Nodes, world.Node{ID: "late", State: world.Starting}) }), ""},
		{"late has joined", with(), "late has not joined"},
	} {
		con := mustCondition(t, "  "+c.text+" ")
		seen := con.see(&look{View: c.view, since: c.view.Begun, was: map[Field]string{{"users", "u-1", "name"}: "Ada"}})
		if seen.Text != c.text || seen.Sees != c.sees || seen.Holds != (c.sees == "") {
			t.Errorf("%q: holds %v, sees %q; wanted %q", c.text, seen.Holds, seen.Sees, c.sees)
		}
		v := system()
		if err := con.valid(&names{&v}); err != nil && !strings.HasPrefix(c.text, "browse in sync") {
			t.Errorf("%q: %v", c.text, err)
		}
	}
}

// TestConditionsThatAreNone: what fits no form is refused, with the form that was probably meant.
func TestConditionsThatAreNone(t *testing.T) {
	for text, near := range map[string]string{
		"":                         "none of the forms",
		"stock is dead":            "NODE is up|down",
		"stock  is  upside":        "NODE is",
		"the load is at least ten": "the load is at least N",
		"buy in sync is fine":      "FEATURE",
		"p50 of buy in sync is 12": "p50 of FEATURE",
		"a b is up":                "NODE is up",
		"no events wait for stock": "wait",
		"every in sync is up":      "is",
	} {
		if _, err := ParseCondition(text); err == nil || !strings.Contains(err.Error(), near) {
			t.Errorf("%q: %v; wanted a hint at %q", text, err, near)
		}
	}
	if s := (Condition{}).see(&look{}); s.Holds || s.Sees == "" {
		t.Errorf("a condition of nothing: %+v", s)
	}
}

// TestConditionsNames: a condition is refused where it names what is not there, and says what is.
func TestConditionsNames(t *testing.T) {
	for text, want := range map[string]string{
		"stok is up":                                `no node is called "stok"; there are users, stock, orders`,
		"stock has joined":                          "stock is there from the beginning",
		"buys in sync works":                        `no feature is called "buys"; there are buy, sign-up, browse`,
		"buy in synch works":                        `no pattern is called "synch"; there are sync, copies, empty`,
		"browse in sync works":                      "browse in sync cannot be asked",
		"every feature in empty works":              "every in empty cannot be asked",
		"p50 of every in sync is at least 1 ms":     "stands where one cell has to be named",
		"the load is at least 501":                  "above the most that can be set, 500",
		"no event waits for users":                  "users takes no stream",
		"at least 2 events wait for nobody":         "no node is called",
		"the copy of user in orders-db is behind":   `no kind of data is called "user"`,
		"the copy of orders in orders-db is behind": "is no copy",
		"the copy of orders in users-db is behind":  "users-db is not said to hold orders",
		"name of prices p-1 has changed":            "no store is said to own prices",
		"rename is done":                            "rename is no job, so nothing tells when it is done; there are schema-2",
		"schema-3 is done":                          "no action is called",
	} {
		sys := system()
		if err := mustCondition(t, text).valid(&names{&sys}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; wanted %q", text, err, want)
		}
	}
	var bare world.System
	for _, text := range []string{"the engines were measured", "the load is 0"} {
		if err := mustCondition(t, text).valid(&names{&bare}); err == nil {
			t.Errorf("%q was taken for a system without", text)
		}
	}
}

// TestTextOnTheWire: conditions and deeds are texts in JSON, and read back from there.
func TestTextOnTheWire(t *testing.T) {
	in := struct {
		Until Condition
		Do    Deed
	}{mustCondition(t, "stock is down"), mustDeed(t, "kill stock")}
	b, err := json.Marshal(in)
	if err != nil || string(b) != `{"Until":"stock is down","Do":"kill stock"}` {
		t.Fatalf("%s, %v", b, err)
	}
	out := in
	out.Until, out.Do = Condition{}, Deed{}
	if err := json.Unmarshal(b, &out); err != nil || out.Until.String() != "stock is down" || out.Do.String() != "kill stock" {
		t.Errorf("%+v, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"Do": "kil stock"}`), &out); err == nil {
		t.Error("a deed that is none was read")
	}
}
