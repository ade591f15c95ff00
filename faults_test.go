package main

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// fault acts on a node with a body and fails the test when it is refused.
func (l *lab) fault(node, verb string, with map[string]any) {
	l.t.Helper()
	if _, err := l.call(http.MethodPost, "/api/v1/nodes/"+node+"/"+verb, with, nil); err != nil {
		l.t.Fatal(err)
	}
}

// faultsOf are the faults in force, by node.
func (l *lab) faultsOf() map[string][]world.Fault {
	l.t.Helper()
	var w struct{ Nodes []world.Node }
	if _, err := l.call(http.MethodGet, "/api/v1/world", nil, &w); err != nil {
		l.t.Fatal(err)
	}
	all := map[string][]world.Fault{}
	for _, n := range w.Nodes {
		if len(n.Faults) > 0 {
			all[n.ID] = n.Faults
		}
	}
	return all
}

// TestFaults: slow and errors on services, stores and the bus are felt, told, lifted by Restore all, and gone after the
// launcher restarts. Kill, pause and cut are the table's.
func TestFaults(t *testing.T) {
	data := dataDir(t)
	l := runLab(t, data)
	l.load(map[string]any{"per_second": 10})
	l.eventually(20*time.Second, "every cell works", l.allWork)
	find := func(feature, pattern string) (world.Cell, error) {
		cells, err := l.cells()
		i := slices.IndexFunc(cells, func(c world.Cell) bool { return c.Feature == feature && c.Pattern == pattern })
		if err == nil && i < 0 {
			err = fmt.Errorf("no cell %s in %s", feature, pattern)
		}
		if err != nil {
			return world.Cell{}, err
		}
		return cells[i], nil
	}
	for _, c := range []struct {
		node    string
		by      int // milliseconds
		feature string
		pattern string
	}{
		{"catalog", 300, "browse", "sync"}, {"catalog-db", 300, "browse", "sync"}, {"monolith-db", 300, "top-sellers", "monolith"},
		{"bus", 100, "my-purchases", "bus"}, // four answers of the bus in turn make one of a service
	} {
		t.Run("slow "+c.node, func(t *testing.T) {
			l.t = t
			l.fault(c.node, "slow", map[string]any{"latency_ms": c.by})
			l.eventually(5*time.Second, "it is felt, and explained", func() error {
				cell, err := find(c.feature, c.pattern)
				if err == nil && (cell.State != world.Slow || cell.P50MS < float64(c.by) || !slices.Contains(cell.Because, c.node)) {
					err = fmt.Errorf("%+v", cell)
				}
				return err
			})
			l.do(c.node, "heal")
			l.eventually(10*time.Second, "all works again", l.allWork)
		})
	}
	for _, c := range []struct{ node, feature, pattern, reason string }{
		{"catalog", "browse", "copies", "on purpose"}, {"monolith", "top-sellers", "monolith", "on purpose"}, {"orders-db", "buy", "copies", ""},
	} {
		t.Run("errors "+c.node, func(t *testing.T) {
			l.t = t
			l.fault(c.node, "errors", map[string]any{"share": 0.5})
			l.eventually(10*time.Second, "a part fails, and says why", func() error {
				cell, err := find(c.feature, c.pattern)
				if err == nil && (cell.Success > 0.9 || cell.Success < 0.05 || !strings.Contains(cell.LastError, c.reason)) {
					err = fmt.Errorf("%+v", cell)
				}
				return err
			})
			l.do(c.node, "heal")
			l.eventually(10*time.Second, "all works again", l.allWork)
		})
	}
	l.t = t
	l.fault("catalog", "slow", map[string]any{"latency_ms": 300})
	l.fault("catalog", "errors", map[string]any{"share": 0.2})
	l.do("orders-db", "cut")
	l.do("stock", "pause")
	l.do("trending", "kill")
	want := map[string][]world.Fault{
		"catalog":   {{Kind: world.FaultSlow, LatencyMS: 300}, {Kind: world.FaultErrors, Share: 0.2}},
		"orders-db": {{Kind: world.FaultCut}},
	}
	if got := l.faultsOf(); !reflect.DeepEqual(got, want) {
		t.Errorf("faults in force %v, want %v", got, want)
	}
	l.restore()
	if err := l.allUp(); err != nil {
		t.Error(err)
	}
	if got := l.faultsOf(); len(got) > 0 {
		t.Errorf("left after restore: %v", got)
	}
	l.eventually(10*time.Second, "all works again", l.allWork)

	l.fault("catalog", "slow", map[string]any{"latency_ms": 300})
	l.do("users-db", "cut")
	l.do("orders", "pause")
	l.end()
	again := runLab(t, data)
	if got := again.faultsOf(); len(got) > 0 {
		t.Errorf("left after the launcher's restart: %v", got)
	}
	again.eventually(20*time.Second, "every cell works", again.allWork)
	again.settled()
}
