package world_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stillup/stillup/viz/world"
)

// small is a whole system file in few words: a service that takes what another emits, a store each, a bus, a client.
const small = `{
 "name": "small",
 "nodes": [
  {"id": "orders", "kind": "service", "label": "buy", "url": "http://127.0.0.1:7201", "emits": ["orders"]},
  {"id": "history", "kind": "service", "group": "readers", "source": "/history", "takes": ["orders"]},
  {"id": "orders-db", "kind": "store", "engine": "postgres", "owner": "orders", "holds": [{"kind": "orders", "copy": false}]},
  {"id": "history-db", "kind": "store", "engine": "mongodb", "owner": "history", "holds": [{"kind": "orders", "copy": true}]},
  {"id": "bus", "kind": "bus", "engine": "redis"},
  {"id": "shoppers", "kind": "client"}
 ],
 "streams": [{"name": "orders", "kind": "orders"}],
 "kinds": [{"id": "orders", "name": "orders"}],
 "patterns": [{"id": "sync", "name": "Requests"}, {"id": "copies", "name": "Copies"}],
 "features": [
  {"id": "buy", "name": "buy", "crosses": false, "requests": {
    "sync": {"node": "orders", "method": "POST", "path": "/sync/orders", "ok": [409]}}},
  {"id": "list", "name": "my orders", "crosses": true, "requests": {
    "sync": {"node": "history", "method": "GET", "path": "/sync/list/{user}"},
    "copies": {"node": "history", "method": "GET", "path": "/copies/list/{user}", "reads": ["orders"]}}}
 ],
 "load": {"node": "shoppers", "path": "/load", "max": 500},
 "vars": {"user": ["u-001", "u-002"]}
}`

func parse(t testing.TB, file string) world.System {
	t.Helper()
	s, err := world.ParseSystem([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParseSystem(t *testing.T) {
	s := parse(t, small)
	if len(s.Nodes) != 6 || s.Features[1].Requests["copies"].Reads[0] != "orders" || s.Load.Max != 500 {
		t.Errorf("parsed %+v", s)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"no JSON", small, "nodes:", `line 1: invalid character`},
		{"broken line", `"kind": "client"}`, `"kind": "client"`, `line 10: invalid character`},
		{"unknown field", `"label"`, `"lable"`, `unknown field "lable"`},
		{"wrong type", `"max": 500`, `"max": "500"`, `line 21: json: cannot unmarshal string`},
		{"more", `"u-002"]}
}`, `"u-002"]}
} {}`, `something follows`},
		{"no name", `"name": "small"`, `"name": ""`, `name is missing`},
		{"no id", `"id": "bus"`, `"id": ""`, `nodes: number 5 has no id`},
		{"odd id", `"id": "bus"`, `"id": "the bus"`, `nodes: "the bus" is too long`},
		{"node twice", `"id": "bus"`, `"id": "orders"`, `nodes: "orders" stands twice`},
		{"stream twice", `[{"name": "orders", "kind": "orders"}]`, `[{"name": "orders"}, {"name": "orders"}]`, `streams: "orders" stands twice`},
		{"feature without a name", `"name": "my orders"`, `"name": ""`, `features: "list" has no name`},
		{"odd kind", `"kind": "bus"`, `"kind": "buss"`, `node "bus": kind "buss" is none of`},
		{"dangling owner", `"owner": "history"`, `"owner": "histroy"`, `node "history-db": owner "histroy" is not a service`},
		{"owner is no service", `"owner": "history"`, `"owner": "bus"`, `node "history-db": owner "bus" is not a service`},
		{"owner joins later", `"group": "readers"`, `"later": true`, `node "history-db": owner "history" joins later`},
		{"owned service", `"label": "buy"`, `"owner": "history"`, `node "orders": only a store has an owner`},
		{"dangling take", `"takes": ["orders"]`, `"takes": ["order"]`, `node "history": stream "order" is not among`},
		{"dangling emit", `"emits": ["orders"]`, `"emits": ["order"]`, `node "orders": stream "order" is not among`},
		{"dangling hold", `{"kind": "orders", "copy": true}`, `{"kind": "carts", "copy": true}`, `node "history-db": holds kind "carts"`},
		{"dangling kind of a stream", `"name": "orders", "kind": "orders"`, `"name": "orders", "kind": "carts"`, `stream "orders": kind "carts"`},
		{"dangling pattern", `"copies": {"node"`, `"copy": {"node"`, `feature "list", pattern "copy": that pattern`},
		{"dangling node", `{"node": "orders", "method"`, `{"node": "shop", "method"`, `feature "buy", pattern "sync": node "shop"`},
		{"dangling read", `"reads": ["orders"]`, `"reads": ["carts"]`, `feature "list", pattern "copies": reads stream "carts"`},
		{"method", `"POST"`, `"post"`, `method "post"`},
		{"path", `"/sync/orders"`, `"sync/orders"`, `path "sync/orders"`},
		{"status", `[409]`, `[4090]`, `ok 4090`},
		{"url", `http://127.0.0.1:7201`, `127.0.0.1:7201`, `node "orders": url "127.0.0.1:7201"`},
		{"group twice", `"group": "readers"`, `"group": "orders"`, `reads with the group "orders"`},
		{"source twice", `"/history"`, `"orders"`, `emits as "orders"`},
		{"load of nobody", `"load": {"node": "shoppers"`, `"load": {"node": "x"`, `load: node "x"`},
		{"load of nothing", `"max": 500`, `"max": 0`, `load: max 0`},
		{"vars of nothing", `["u-001", "u-002"]`, `[]`, `vars: "user" has 0 values`},
		{"too long", "\n}", "\n" + strings.Repeat(" ", 1<<20) + "}", `bytes are more than`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(small, c.old) {
				t.Fatalf("the file has no %q to replace", c.old)
			}
			_, err := world.ParseSystem([]byte(strings.Replace(small, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "system file: ") {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestParseShop(t *testing.T) {
	b, err := os.ReadFile("../../services/system.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := world.ParseSystem(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Nodes) == 0 || len(s.Features) == 0 {
		t.Errorf("the shop has %d nodes and %d features", len(s.Nodes), len(s.Features))
	}
}

// FuzzParseSystem: what is taken makes a world whose frame can be told, and parses to the same again.
func FuzzParseSystem(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(five))
	f.Add([]byte(`{"name":"x","nodes":[{"id":"a","kind":"service"}]}`))
	f.Add([]byte(`{"name":"x","nodes":[{"id":"a","kind":"store","owner":"a"}],"streams":[{"name":"s"},{"name":"s"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := world.ParseSystem(b)
		if err != nil {
			return
		}
		if _, err := json.Marshal(world.New(s, start).Since(0)); err != nil {
			t.Errorf("the frame of %q: %v", b, err)
		}
		again, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := world.ParseSystem(again); err != nil {
			t.Errorf("%q was taken, %q is not: %v", b, again, err)
		}
	})
}
