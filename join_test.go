package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/viz/world"
)

// TestJoin: a seventh service joins a running shop by one action, builds its copy from what happened before, and touches
// nobody; dead it stays on the map, and the next run has it from the start.
func TestJoin(t *testing.T) {
	l := startLab(t)
	a, b := shop.Products()[0], shop.Products()[1]
	var last shop.Order
	l.eventually(5*time.Second, "orders knows the user and the product", func() error {
		_, err := l.call(http.MethodPost, l.url("orders")+"/copies/orders", shop.NewOrder{UserID: "u-001", ProductID: a.ID, Quantity: 1}, &last)
		return err
	})
	last = l.buy("u-001", b.ID)
	l.eventually(5*time.Second, "the orders are confirmed", func() error { return l.purchased("u-001", last.ID) })

	before, ids, edges := l.onMap()
	if strings.Contains(before, "recommendations") || len(ids) != 16 {
		t.Fatalf("%d nodes, and before it joined the world is %s", len(ids), before)
	}
	pids := l.procs.PIDs()
	if _, err := l.call(http.MethodPost, "/api/v1/nodes/recommendations/start", nil, nil); err == nil {
		t.Error("a node that is not on the map was started")
	}
	begun := time.Now()
	if _, err := l.call(http.MethodPost, "/api/v1/actions/join-recommendations", nil, nil); err != nil {
		t.Fatal(err)
	}
	t.Logf("it joined within %v", time.Since(begun).Round(time.Millisecond))
	_, now, more := l.onMap()
	for id, n := range ids {
		if now[id].State != n.State || !now[id].Since.Equal(n.Since) {
			t.Errorf("%s was %s since %v and is %s since %v", id, n.State, n.Since, now[id].State, now[id].Since)
		}
		delete(now, id)
	}
	if got := slices.Sorted(maps.Keys(now)); !slices.Equal(got, []string{"recommendations", "recommendations-db"}) {
		t.Errorf("there came %v", got)
	}
	// The traffic goes on meanwhile and may use for the first time what was there before.
	came := slices.DeleteFunc(more, func(id string) bool { return slices.Contains(edges, id) || !strings.Contains(id, "recommendations") })
	if slices.Sort(came); !slices.Equal(came, []string{"take:catalog>recommendations", "take:orders>recommendations"}) {
		t.Errorf("there came the edges %v", came)
	}
	for id, pid := range l.procs.PIDs() {
		if old := pids[id]; old != 0 && old != pid {
			t.Errorf("%s was started anew", id)
		}
	}
	known := func() error {
		var r shop.Recommendations
		if _, err := l.call(http.MethodGet, l.url("recommendations")+"/copies/recommendations/"+a.ID, nil, &r); err != nil {
			return err
		}
		if want := (shop.Together{ProductID: b.ID, ProductName: b.Name, Together: 1}); !slices.Contains(r.With, want) {
			return fmt.Errorf("%+v lacks %+v", r, want)
		}
		return nil
	}
	l.eventually(10*time.Second, "it knows what was bought before it was there", known)
	if _, err := l.call(http.MethodPost, "/api/v1/actions/join-recommendations", nil, nil); err == nil || !strings.Contains(err.Error(), "joined already") {
		t.Errorf("joining twice: %v", err)
	}
	l.do("recommendations", "kill")
	if _, now, _ := l.onMap(); now["recommendations"].State != world.Down {
		t.Errorf("killed, it is %+v", now["recommendations"])
	}
	if _, err := l.call(http.MethodPost, "/api/v1/restore", nil, nil); err != nil {
		t.Fatal(err)
	}
	l.eventually(5*time.Second, "it is restored", known)
	for _, n := range l.nodes {
		if n.ID == "recommendations-db" && n.Volatile {
			return // it forgets on restart, and so joins anew
		}
	}
	l.end()
	l = runLab(t, l.data)
	if _, now, _ := l.onMap(); len(now) != 18 || now["recommendations"].State != world.Up {
		t.Errorf("the next run has %d nodes: %+v", len(now), now["recommendations"])
	}
	l.eventually(5*time.Second, "it has what it had", known)
}

// onMap is what the world says: as it says it, its nodes, and the ids of its edges.
func (l *lab) onMap() (text string, nodes map[string]world.Node, edges []string) {
	l.t.Helper()
	var raw json.RawMessage
	if _, err := l.call(http.MethodGet, "/api/v1/world", nil, &raw); err != nil {
		l.t.Fatal(err)
	}
	var w struct {
		Nodes []world.Node
		Edges []world.Edge
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		l.t.Fatal(err)
	}
	nodes = map[string]world.Node{}
	for _, n := range w.Nodes {
		nodes[n.ID] = n
	}
	for _, e := range w.Edges {
		edges = append(edges, e.ID)
	}
	return string(raw), nodes, edges
}
