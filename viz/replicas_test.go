package viz

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

func TestReplicas(t *testing.T) {
	f := newScaled()
	a := serve(t, f, "")
	post := func(status int, words, what, body string) {
		t.Helper()
		a.expect(status, words, "POST", "/api/v1/nodes/"+what, body)
	}
	post(200, `{"node":"purchases","replica":"2","verb":"kill","state":"down","faults":[]}`, "purchases/kill?replica=2", "")
	post(409, "purchases 2 is down already", "purchases/kill?replica=2", "")
	post(409, "purchases 2 is down; start it first", "purchases/pause?replica=2", "")
	post(409, "purchases 1 is running already", "purchases/start?replica=1", "")
	post(200, `"state":"up","faults":[{"kind":"slow","latency_ms":250}]`, "purchases/slow?replica=3", `{"latency_ms":250}`)
	post(200, `"state":"paused"`, "purchases/pause?replica=1", "")
	post(400, "no replica", "purchases/kill?replica=4", "")
	post(400, "no replica", "orders/kill?replica=1", "")
	for _, bad := range []string{"", "%2F", "a%0Ab", strings.Repeat("1", 65)} {
		post(400, "give the id of one", "purchases/kill?replica="+bad, "")
	}
	var notes []string
	for _, n := range a.frame().Notes {
		notes = append(notes, n.Text)
	}
	for _, want := range []string{"asked for: kill purchases 2", "asked for: slow purchases 3: 250 ms", "asked for: pause purchases 1"} {
		if !slices.Contains(notes, want) {
			t.Errorf("no note %q among %q", want, notes)
		}
	}
	if slices.Contains(notes, "asked for: kill purchases 4") || strings.Count(strings.Join(notes, "\n")+"\n", "asked for: kill purchases 2\n") != 1 {
		t.Errorf("what was refused is told as done: %q", notes)
	}
	if log := a.log.String(); !strings.Contains(log, `verb=kill node="purchases 2"`) {
		t.Errorf("the log lacks the replica:\n%s", log)
	}

	// A node that is up is not restored while one of its replicas is not.
	a.expect(200, `{"started":["purchases"],"resumed":["purchases"],"healed":["purchases"]}`, "POST", "/api/v1/restore", "")
	f.mu.Lock()
	if got := f.done[len(f.done)-3:]; !slices.Contains(got, "start purchases 2") || !slices.Contains(got, "resume purchases 1") || !slices.Contains(got, "heal purchases 3") {
		t.Errorf("restore did %q", got)
	}
	f.mu.Unlock()
	a.expect(200, `{"started":[],"resumed":[],"healed":[]}`, "POST", "/api/v1/restore", "")

	// Without a replica all of them are meant.
	post(200, "", "purchases/kill?replica=3", "")
	post(200, `"state":"paused"`, "purchases/pause", "")
	post(409, "purchases is paused already", "purchases/pause", "")
	post(200, `"state":"down"`, "purchases/kill", "")
	post(200, `"state":"up"`, "purchases/start", "")
	for _, r := range a.frame().Nodes[1].Replicas {
		if r.State != world.Up {
			t.Errorf("purchases %s is %s", r.ID, r.State)
		}
	}
}

func TestReplicaShapes(t *testing.T) {
	a := serve(t, newScaled(), "")
	now := time.Now()
	a.hub.Observe(world.ControlSeen{At: now, Can: true},
		world.UseSeen{At: now, Node: "purchases", CPU: 0.25, CPULimit: 0.5, Memory: 20 << 20, MemoryLimit: 64 << 20},
		world.StreamsSeen{At: now, Streams: []world.StreamSeen{{Name: "orders", Length: 1, Added: 1, Groups: []world.GroupSeen{
			{Stream: "orders", Group: "buyers", Consumers: 2, Pending: 3, Members: []world.MemberSeen{{Name: "c-2", Pending: 3, IdleMS: 7}, {Name: "gone"}}}}}}},
		world.Tick{At: now})
	type node struct {
		Use      *world.Use
		Replicas []struct {
			ID, State, Since string
			Pending          int64
			Faults           []world.Fault
		}
	}
	var d struct {
		Node  node
		Takes []struct{ Members []world.Member }
	}
	b := a.expect(200, `"members":[{"name":"c-2","replica":"2","pending":3,"idle_ms":7},{"name":"gone","replica":"","pending":0,"idle_ms":0}]`,
		"GET", "/api/v1/nodes/purchases", "")
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	if n := d.Node; n.Use == nil || *n.Use != (world.Use{CPU: 0.25, CPULimit: 0.5, Memory: 20 << 20, MemoryLimit: 64 << 20}) || len(n.Replicas) != 3 ||
		n.Replicas[1].Pending != 3 || n.Replicas[0].Pending != -1 || n.Replicas[2].ID != "3" || n.Replicas[2].Faults == nil || len(n.Replicas[1].Since) != len("2026-11-24T10:00:00.000Z") {
		t.Errorf("%s", b)
	}
	a.expect(200, `"use":null,"since"`, "GET", "/api/v1/nodes/orders", "")
	a.expect(200, `"replicas":[]`, "GET", "/api/v1/nodes/orders", "")
	a.expect(200, `"control":{"can":true,"why":""}`, "GET", "/api/v1/world", "")
	for _, line := range []string{`stillup_node_cpu_cores{node="purchases"} 0.25`, `stillup_node_memory_bytes{node="purchases"} 2.097152e+07`,
		`stillup_node_replicas{node="purchases"} 3`, `stillup_node_replicas_up{node="purchases"} 3`, `stillup_node_replicas{node="orders"} 1`} {
		a.expect(200, line, "GET", "/metrics", "")
	}
}

// TestUnreachable: what the engine's silence means for each way to act.
func TestUnreachable(t *testing.T) {
	f := newScaled()
	a := serve(t, f, "")
	fail := func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.fail = fmt.Errorf("%w: start the engine", control.ErrUnreachable)
	}
	fail()
	a.expect(503, "start the engine", "POST", "/api/v1/nodes/orders/kill", "")
	a.expect(200, "", "POST", "/api/v1/nodes/orders/kill", "")
	fail()
	a.expect(503, "not everything is back: start orders: what runs the nodes does not answer: start the engine", "POST", "/api/v1/restore", "")
	a.hub.Observe(world.ControlSeen{At: time.Now(), Why: "There is no socket; mount one."})
	a.expect(503, "There is no socket; mount one.", "POST", "/api/v1/restore", "")
}

// writing is a fake runtime that knows what its nodes write.
type writing struct {
	*fake
	err error
}

func (w *writing) Logs(_ context.Context, node string, lines int) ([]control.LogLine, error) {
	if w.err != nil {
		return nil, w.err
	}
	if node == "bus" {
		return nil, control.ErrUnknownNode
	}
	all := []control.LogLine{{Text: "begun", Replica: "1"}, {At: time.Date(2026, 11, 24, 10, 0, 0, 120_456_789, time.UTC), Text: fmt.Sprintf("<%d>", lines), Replica: "2"}}
	return all[max(0, len(all)-lines):], nil
}

func TestLogs(t *testing.T) {
	w := &writing{fake: newScaled()}
	a := serve(t, w, "")
	const unknown = "nothing is known of what bus writes: it is not run from here"
	for _, c := range []struct {
		path   string
		status int
		words  string
	}{
		{"purchases/logs", 200, `{"lines":[{"at":null,"replica":"1","text":"begun"},{"at":"2026-11-24T10:00:00.120Z","replica":"2","text":"\u003c200\u003e"}]}`},
		{"purchases/logs?lines=1", 200, `{"lines":[{"at":"2026-11-24T10:00:00.120Z"`},
		{"purchases/logs?lines=1000", 200, "1000"},
		{"purchases/logs?lines=0", 400, "a number from 1 to 1000"},
		{"purchases/logs?lines=1001", 400, "a number from 1 to 1000"},
		{"purchases/logs?lines=all", 400, "a number from 1 to 1000"},
		{"purchases/logs?since=1", 400, "unknown parameter"},
		{"nobody/logs", 404, "no node is called"},
		{"bus/logs", 404, unknown},
	} {
		a.expect(c.status, c.words, "GET", "/api/v1/nodes/"+c.path, "")
	}
	a.expect(405, "use GET", "POST", "/api/v1/nodes/orders/logs", "")
	for status, err := range map[int]error{503: control.ErrUnreachable, 504: context.DeadlineExceeded, 502: errors.New("the disk is gone")} {
		w.err = fmt.Errorf("logs of orders: %w", err)
		a.expect(status, w.err.Error(), "GET", "/api/v1/nodes/orders/logs", "")
	}
	serve(t, newFake(), "").expect(404, unknown, "GET", "/api/v1/nodes/bus/logs", "")
	serve(t, nil, "").expect(404, unknown, "GET", "/api/v1/nodes/bus/logs", "")
}
