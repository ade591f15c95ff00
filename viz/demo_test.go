package viz

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/stillup/stillup/viz/demo"
	"github.com/stillup/stillup/viz/world"
)

// invent is a demo of the shop.
func invent(t *testing.T, state string) *demo.Demo {
	t.Helper()
	b, err := os.ReadFile("../services/system.json")
	if err != nil {
		t.Fatal(err)
	}
	shop, err := world.ParseSystem(b)
	if err != nil {
		t.Fatal(err)
	}
	d, err := demo.New(state, shop, 1)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDemo: over an invented system the whole visualizer does what it does over a real one, and what is done to a node
// is seen by what it leads to.
func TestDemo(t *testing.T) {
	addr, end := run(t, Options{Demo: invent(t, "calm"), Addr: "localhost:0"})
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+addr+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	post := func(status int, words, path, body string) {
		t.Helper()
		resp, err := http.Post("http://"+addr+path, "application/json", bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != status || !strings.Contains(string(b), words) {
			t.Errorf("POST %s: %d %s (%v), want %d with %q", path, resp.StatusCode, b, err, status, words)
		}
	}
	post(409, "this is a demo", "/api/v1/actions/join-recommendations", "")
	cell := func(pattern string, s world.CellState) func(world.Frame) bool {
		return func(f world.Frame) bool {
			return slices.ContainsFunc(f.Cells, func(c world.Cell) bool {
				return c.Feature == "my-purchases" && c.Pattern == pattern && c.State == s
			})
		}
	}
	is := func(id string, s world.State) func(world.Frame) bool {
		return func(f world.Frame) bool {
			return slices.ContainsFunc(f.Nodes, func(n world.Node) bool { return n.ID == id && n.State == s })
		}
	}
	follow(t, conn, "my purchases work", cell("sync", world.Works))
	post(200, `"state":"down"`, "/api/v1/nodes/catalog/kill", "")
	post(409, "catalog is down already", "/api/v1/nodes/catalog/kill", "")
	post(409, "start it first", "/api/v1/nodes/catalog/pause", "")
	follow(t, conn, "and fail without catalog", cell("sync", world.Fails))
	post(200, `"state":"up"`, "/api/v1/nodes/catalog/start", "")
	follow(t, conn, "and work with it", cell("sync", world.Works))
	post(200, `"kind":"slow","latency_ms":400`, "/api/v1/nodes/catalog/slow", `{"latency_ms":400}`)
	follow(t, conn, "and are slow when it is", cell("sync", world.Slow))
	post(200, `"kind":"errors","share":0.5`, "/api/v1/nodes/catalog/errors", `{"share":0.5}`)
	post(200, `"faults":[{"kind":"cut"}]`, "/api/v1/nodes/shoppers/cut", "")
	post(404, "slow", "/api/v1/nodes/shoppers/slow", `{"latency_ms":400}`)
	post(200, `"faults":[]`, "/api/v1/nodes/shoppers/heal", "")
	post(200, `"state":"paused"`, "/api/v1/nodes/stock-db/pause", "")
	post(200, `"state":"down"`, "/api/v1/nodes/users/stop", "")
	post(200, `{"started":["users"],"resumed":["stock-db"],"healed":["catalog"]}`, "/api/v1/restore", "")
	post(409, "this is a demo", "/api/v1/load", `{"per_second":5}`)
	follow(t, conn, "users is up", is("users", world.Up))

	resp, err := http.Get("http://" + addr + "/readyz")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("ready: %v %v", resp, err)
	}
	resp.Body.Close()
	conn.Close()
	end()
}

// TestDemoReplicas: what is done to one replica is done to it alone, and what is refused stays as it was.
func TestDemoReplicas(t *testing.T) {
	addr, _ := run(t, Options{Demo: invent(t, "scaled")})
	post := func(status int, words, path, body string) {
		t.Helper()
		if got, b := send(t, "http://"+addr+"/api/v1/"+path, "application/json", body); got != status || !strings.Contains(b, words) {
			t.Errorf("POST %s: %d %s, want %d with %q", path, got, b, status, words)
		}
	}
	until(t, "http://"+addr+"/api/v1/nodes/purchases", "three replicas", func(d struct{ Node world.Node }) bool { return len(d.Node.Replicas) == 3 })
	post(200, `"replica":"3","verb":"pause","state":"paused"`, "nodes/purchases/pause?replica=3", "")
	post(409, "purchases 3 is paused already", "nodes/purchases/pause?replica=3", "")
	post(200, `"latency_ms":40`, "nodes/purchases/slow?replica=1", `{"latency_ms":40}`)
	post(400, `no replica`, "nodes/purchases/kill?replica=9", "")
	post(400, `no replica`, "nodes/orders/kill?replica=1", "")
	post(200, `"state":"down"`, "nodes/purchases/kill", "")
	post(409, "purchases is down already", "nodes/purchases/kill", "")
	post(200, `{"started":["purchases"],"resumed":[],"healed":[]}`, "restore", "")
}

// TestDemoFrames: the fold of a busy demo is whole for a browser that came late: totals only grow, and its own sum of
// frames is what the world says.
func TestDemoFrames(t *testing.T) {
	addr, _ := run(t, Options{Demo: invent(t, "busy")})
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+addr+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	totals := map[string]int64{}
	frames := 0
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); frames++ {
		_, b, err := conn.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		var f world.Frame
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatal(err)
		}
		for _, e := range f.Edges {
			if e.Total < totals[e.ID] {
				t.Fatalf("%s fell from %d to %d", e.ID, totals[e.ID], e.Total)
			}
			totals[e.ID] = e.Total
		}
	}
	if sum := totals["emit:orders>orders"] + totals["emit:stock>stock"]; sum < 10_000 || frames > 250 {
		t.Errorf("%s in %d frames", fmt.Sprint(totals), frames)
	}
}

// TestDemoCopies: things of a demo can be looked for and looked at side by side, and seen to change.
func TestDemoCopies(t *testing.T) {
	addr, _ := run(t, Options{Demo: invent(t, "calm")})
	a := &api{t: t, url: "http://" + addr}
	a.expect(200, `"records":[{"id":"p-01","label":"The product p-01","version":`, "GET", "/api/v1/copies/products?q=p-01", "")
	a.expect(200, `"form":"document"`, "GET", "/api/v1/copies/products/p-01", "")
	a.expect(200, `"found":true`, "GET", "/api/v1/copies/users/u-001", "")
	until(t, a.url+"/api/v1/copies", "what the stores hold", func(d struct{ Kinds []kindHeldAnswer }) bool {
		return len(d.Kinds) == 4 && d.Kinds[0].Factor > 1 && len(d.Kinds[0].Holdings) == 4
	})
	a.expect(200, "", "POST", "/api/v1/nodes/catalog-db/kill", "")
	a.expect(503, "catalog-db refused the connection", "GET", "/api/v1/copies/products?q=p-01", "")
}
