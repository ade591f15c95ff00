package viz

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/tour"
	"github.com/stillup/stillup/viz/world"
)

// touring is acting with two patterns, a store that owns orders, and a shape of data that can be changed.
func touring() world.System {
	s := acting()
	s.Nodes = append(slices.Clone(s.Nodes), world.NodeSpec{ID: "orders-db", Kind: world.Store, Engine: "redis", Owner: "orders",
		Holds: []world.Hold{{Kind: "orders", At: &world.Place{Key: "order:{id}", Version: "version"}}}})
	s.Patterns = append(slices.Clone(s.Patterns), world.PatternSpec{ID: "copies", Name: "Own copies"})
	s.Features = []world.FeatureSpec{{ID: "buy", Name: "buy", Crosses: true, Requests: map[string]world.RequestSpec{
		"sync": {Node: "orders", Method: "POST", Path: "/sync/orders"}, "copies": {Node: "orders", Method: "POST", Path: "/copies/orders"}}}}
	s.Actions = append(slices.Clone(s.Actions),
		world.ActionSpec{ID: "forth", Group: world.SchemaAction, Name: "Shape 2", Node: "purchases", Path: "/jobs/forth", Job: true},
		world.ActionSpec{ID: "back", Group: world.SchemaAction, Name: "Shape 1", Node: "purchases", Path: "/jobs/back", Job: true})
	return s
}

var chapters = os.DirFS("testdata/chapters")

// shaped is a node with a shape of data that two jobs change, and a traffic that can be set.
type shaped struct {
	mu    sync.Mutex
	shape int
	did   map[string]progress
	load  float64
	asked []string
	hold  chan struct{} // a job waits for it, where it is one
	held  chan struct{} // holds a token once one has
}

func newShaped(t *testing.T) (*shaped, string) {
	t.Helper()
	n := &shaped{shape: 1, did: map[string]progress{}, load: 50, held: make(chan struct{}, 1)}
	srv := httptest.NewServer(n)
	t.Cleanup(srv.Close)
	return n, srv.URL
}

func (n *shaped) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	b, _ := io.ReadAll(r.Body)
	if r.Method != http.MethodGet {
		n.asked = append(n.asked, r.Method+" "+r.URL.Path+" "+string(b))
	}
	job, isJob := strings.CutPrefix(r.URL.Path, "/jobs/")
	switch {
	case r.URL.Path == "/load" && r.Method == http.MethodPost:
		var set struct {
			PerSecond float64 `json:"per_second"`
		}
		_ = json.Unmarshal(b, &set)
		n.load = set.PerSecond
	case r.URL.Path == "/load":
		_ = json.NewEncoder(w).Encode(map[string]any{"per_second": n.load})
	case isJob && r.Method == http.MethodPost:
		p := progress{State: "done", Began: time.Now(), Ended: time.Now()}
		if to := map[string]int{"forth": 2, "back": 1}[job]; to != n.shape {
			n.shape, p.Done = to, 7
		}
		n.did[job] = p
		w.WriteHeader(http.StatusAccepted)
	case isJob:
		p, ok := n.did[job]
		if !ok {
			p.State = "idle"
		}
		if n.hold != nil {
			select {
			case <-n.hold:
			default:
				p.State = jobRunning
				select {
				case n.held <- struct{}{}:
				default:
				}
			}
		}
		_ = json.NewEncoder(w).Encode(p)
	}
}

// walking serves touring with its chapters over a fake; one node stands behind shoppers, orders and purchases.
func walking(t *testing.T) (*api, *fake, *shaped) {
	t.Helper()
	n, url := newShaped(t)
	of, f := touring(), newFake()
	f.nodes = of.Nodes
	f.states["tips"], f.states["tips-db"], f.states["orders-db"] = world.Down, world.Down, world.Up
	for _, id := range []string{"shoppers", "orders", "purchases"} {
		f.urls[id] = url
	}
	return serveChapters(t, of, f, "", chapters), f, n
}

// verdicts are what is sent of a step until the test ends.
func verdicts(t *testing.T, url string) (*http.Response, <-chan tour.Verdict) {
	t.Helper()
	resp, all, _ := sent(t, url, func(data string) (v tour.Verdict, err error) {
		if strings.Contains(data, "null") {
			err = errors.New("a list that is null")
		}
		return v, errors.Join(err, json.Unmarshal([]byte(data), &v))
	})
	return resp, all
}

// comes waits for a verdict that is one.
func comes(t *testing.T, what string, sent <-chan tour.Verdict, is func(tour.Verdict) bool) tour.Verdict {
	t.Helper()
	var last tour.Verdict
	late := time.After(20 * time.Second)
	for {
		select {
		case v, ok := <-sent:
			if !ok {
				t.Fatalf("the stream ended before %s", what)
			}
			if last = v; is(v) {
				return v
			}
		case <-late:
			t.Fatalf("not seen: %s; the last was %+v", what, last)
		}
	}
}

func phase(p tour.Phase) func(tour.Verdict) bool {
	return func(v tour.Verdict) bool { return v.Phase == p }
}

// used has the shoppers buy in both patterns until the test ends: as they can while orders is up.
func (a *api) used(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var using sync.WaitGroup
	using.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-tick.C:
				n, _ := a.node("orders")
				for _, path := range []string{"/sync/orders", "/copies/orders"} {
					call := world.CallSeen{Caller: "shoppers", Callee: "orders", Method: "POST", Path: path, Status: 201, Start: now, Duration: time.Millisecond}
					if n.State != world.Up {
						call.Status, call.Failed, call.Reason = 0, true, "orders refused the connection"
					}
					a.hub.Observe(world.CallsSeen{At: now, Calls: []world.CallSeen{call}}, world.Tick{At: now})
				}
			}
		}
	})
	t.Cleanup(func() { cancel(); using.Wait() })
}
