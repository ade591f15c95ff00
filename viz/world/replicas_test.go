package world_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stillup/stillup/viz/world"
)

// thrice is history with replicas in these states, and up itself while one of them is.
func thrice(ms int, states ...world.State) world.NodeSeen {
	o := world.NodeSeen{At: after(ms), Node: "history", State: states[0]}
	for i, s := range states {
		r := world.ReplicaSeen{ID: fmt.Sprint(i + 1), State: s, Since: after(ms), Consumer: fmt.Sprintf("c-%d", i+1)}
		if s == world.Down {
			r.Reason = "killed (signal 9)"
		}
		if s == world.Up {
			o.State = s
		}
		o.Replicas = append(o.Replicas, r)
	}
	if o.State == world.Down {
		o.Reason = "killed (signal 9)"
	}
	return o
}

// members are the consumers of history's group and what each holds.
func members(ms int, pending ...int64) world.StreamsSeen {
	g := world.GroupSeen{Stream: "orders", Group: "readers", Consumers: len(pending)}
	for i, n := range pending {
		g.Pending += n
		g.Members = append(g.Members, world.MemberSeen{Name: fmt.Sprintf("c-%d", i+1), Pending: n, IdleMS: 7})
	}
	return world.StreamsSeen{At: after(ms), Streams: []world.StreamSeen{{Name: "orders", Length: 9, Added: 9, Groups: []world.GroupSeen{g}}}}
}

const (
	up     = world.Up
	down   = world.Down
	paused = world.Paused
)

func TestReplicaNotes(t *testing.T) {
	for name, c := range map[string]struct {
		obs  []world.Observation
		want []string
	}{
		"first seen dead": {[]world.Observation{thrice(100, up, down, up), members(900, 0, 0, 0), tick(2000)}, nil},
		"killed, claimed, back": {[]world.Observation{thrice(100, up, up, up), members(200, 9, 1, 0), thrice(1000, up, down, up),
			members(1050, 9, 8, 0), // asked for before it died
			members(1250, 0, 3, 4), members(1500, 2, 3, 4), tick(3000), members(5000, 0, 1, 0), members(6100, 0, 0, 0), thrice(13000, up, up, up)}, []string{
			"bad: history 2 was killed, holding 3 events",
			"good: the 3 events that history 2 held were claimed by the others after 5.1 s",
			"good: history 2 is back after 12 s"}},
		"held nothing by the time it died": {[]world.Observation{thrice(100, up, up, up), members(200, 9, 7, 0), thrice(1000, up, down, up),
			members(1250, 0, 0, 0), members(1500, 0, 0, 0)}, []string{"bad: history 2 was killed"}},
		"one event": {[]world.Observation{thrice(100, up, up, up), thrice(1000, up, down, up), members(1250, 0, 1, 0), members(2000, 0, 0, 0)}, []string{
			"bad: history 2 was killed, holding 1 event", "good: the 1 event that history 2 held was claimed by the others after 1.0 s"}},
		"no inspection": {[]world.Observation{thrice(100, up, up, up), thrice(1000, up, down, up), tick(1500), tick(2000), thrice(3000, up, up, up)}, []string{
			"bad: history 2 was killed", "good: history 2 is back after 2.0 s"}},
		"back before it was said": {[]world.Observation{thrice(100, up, up, up), thrice(1000, up, down, up), thrice(1200, up, up, up), tick(2000)}, []string{
			"bad: history 2 was killed", "good: history 2 is back after 0.2 s"}},
		"paused": {[]world.Observation{thrice(100, up, up, up), thrice(1000, up, up, paused), members(1250, 0, 0, 0), thrice(2000, up, up, up)}, []string{
			"bad: history 3 is paused: alive but silent", "good: history 3 is back after 1.0 s"}},
		"paused, then killed": {[]world.Observation{thrice(100, up, up, up), thrice(1000, up, up, paused), members(1250, 0, 0, 2), thrice(2000, up, up, down),
			members(2250, 0, 0, 2), members(7000, 0, 0, 0)}, []string{
			"bad: history 3 is paused, holding 2 events", "bad: history 3 was killed, holding 2 events",
			"good: the 2 events that history 3 held were claimed by the others after 6.0 s"}},
		"back with what it held": {[]world.Observation{thrice(100, up, up, up), thrice(1000, up, down, up), members(1250, 0, 3, 0), thrice(2000, up, up, up),
			members(2250, 0, 0, 0)}, []string{"bad: history 2 was killed, holding 3 events", "good: history 2 is back after 1.0 s"}},
		"starts with what it held": {[]world.Observation{thrice(100, up, up, up), thrice(1000, up, down, up), members(1250, 0, 3, 0), thrice(2000, up, world.Starting, up),
			members(2250, 0, 0, 0), thrice(3000, up, up, up)}, []string{"bad: history 2 was killed, holding 3 events", "good: history 2 is back after 2.0 s"}},
		"started before it was said": {[]world.Observation{thrice(100, up, up, up), thrice(1000, up, down, up), thrice(1050, up, world.Starting, up),
			members(1250, 0, 3, 0), tick(2500)}, []string{"bad: history 2 was killed"}},
		"out of sight": {[]world.Observation{thrice(100, up, up, up), thrice(1000, up, down, up), members(1250, 0, 3, 0), thrice(2000, up, world.Unknown, up),
			members(2250, 0, 0, 0), thrice(3000, up, up, up)}, []string{"bad: history 2 was killed, holding 3 events", "good: history 2 is back after 2.0 s"}},
		"killed while the runtime could not look": {[]world.Observation{thrice(100, up, up, up), world.NodeSeen{At: after(1000), Node: "history", State: world.Unknown},
			thrice(2000, up, down, up), members(2250, 0, 3, 0), thrice(3000, up, up, up)}, []string{
			"bad: history 2 was killed, holding 3 events", "good: history 2 is back after 1.0 s"}},
		"the stream is gone": {[]world.Observation{thrice(100, up, up, up), thrice(1000, up, down, up), members(1250, 0, 3, 0),
			world.StreamsSeen{At: after(2000)}, members(3000, 0, 0, 0)}, []string{"bad: history 2 was killed, holding 3 events"}},
		"all one after another": {[]world.Observation{thrice(100, up, up, up), thrice(1000, up, down, up), thrice(1010, down, down, up), thrice(1020, down, down, down),
			members(1500, 1, 0, 0), tick(4000), thrice(6000, up, down, down), thrice(6100, up, up, down), thrice(6200, up, up, up), tick(9000)}, []string{
			"bad: history was killed", "good: history is back after 5.0 s"}},
		"the last of them": {[]world.Observation{thrice(100, up, up, up), thrice(1000, up, down, up), tick(3000), thrice(4000, down, down, down), tick(6000),
			thrice(7000, up, down, down), thrice(7100, up, up, up)}, []string{
			"bad: history 2 was killed", "bad: history was killed", "good: history is back after 3.0 s", "good: history 2 is back after 6.1 s"}},
		"removed": {[]world.Observation{thrice(100, up, up, up), thrice(1000, up, up, down), thrice(1010, up, up), tick(3000)}, []string{"bad: history 3 was killed"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := said(fold(t, c.obs...)); got != strings.Join(c.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestClaimsAreNoPile: what a dead replica held is said once; what waits because nobody works is a pile as ever.
func TestClaimsAreNoPile(t *testing.T) {
	old := func(o world.StreamsSeen, lag int64) world.StreamsSeen {
		o.Streams[0].Groups[0].Oldest, o.Streams[0].Groups[0].Lag = after(1), lag
		return o
	}
	w := fold(t, thrice(100, up, up, up), thrice(2000, up, down, up), old(members(2200, 0, 5, 0), 4), members(7000, 0, 0, 0))
	if got := said(w); strings.Contains(got, "caught up") || !strings.Contains(got, "the 5 events") {
		t.Errorf("what was claimed is told as\n%s", got)
	}
	w = fold(t, thrice(100, up, up, up), thrice(2000, down, down, down), old(members(2200, 0, 5, 0), 4), thrice(3000, up, down, down),
		old(members(3100, 0, 5, 0), 0), members(7000, 0, 0, 0))
	if got := said(w); !strings.Contains(got, "history caught up on 9 events") || !strings.Contains(got, "the 5 events that history 2 held") {
		t.Errorf("what waited for all of them is told as\n%s", got)
	}
}

func TestReplicaPending(t *testing.T) {
	w := fold(t, thrice(100, up, up, up))
	if got := node(t, w, "history").Replicas; len(got) != 3 || got[0].Pending != -1 || got[0].Faults == nil {
		t.Errorf("nothing is known of what they hold: %+v", got)
	}
	if got := node(t, w, "orders"); got.Replicas == nil || got.Use != nil {
		t.Errorf("a node that runs once: %+v", got)
	}
	o := members(200, 4, 1, 0)
	more := members(200, 3, 1, 0).Streams[0]
	more.Name, more.Groups[0].Stream = "others", "others"
	o.Streams = append(o.Streams, more)
	rev := w.Rev()
	w.Apply(o)
	if f := w.Since(rev); len(f.Nodes) != 0 {
		t.Errorf("what live replicas hold is sent before the tick: %+v", f.Nodes)
	}
	pending := func() (held []int64) {
		for _, r := range node(t, w, "history").Replicas {
			held = append(held, r.Pending)
		}
		return held
	}
	if got := pending(); !reflect.DeepEqual(got, []int64{7, 2, 0}) {
		t.Errorf("they hold %v", got)
	}
	w.Apply(thrice(300, up, down, up))
	rev = w.Rev()
	w.Apply(members(350, 0, 5, 0))
	if f := w.Since(rev); len(f.Nodes) != 1 || f.Nodes[0].Replicas[1].Pending != 5 || f.Nodes[0].Replicas[0].Pending != 7 {
		t.Errorf("what the dead one holds waits for the tick: %+v", f.Nodes)
	}
	d := detail(t, w, "history")
	if want := []world.Member{{Name: "c-1", Replica: "1", IdleMS: 7}, {Name: "c-2", Replica: "2", Pending: 5, IdleMS: 7}, {Name: "c-3", Replica: "3", IdleMS: 7}}; !reflect.DeepEqual(d.Takes[0].Members, want) {
		t.Errorf("members %+v", d.Takes[0].Members)
	}
	w.Apply(world.NodeSeen{At: after(400), Node: "history", State: up})
	if got := node(t, w, "history").Replicas; got == nil || len(got) != 0 {
		t.Errorf("it runs once now: %+v", got)
	}
	if d := detail(t, w, "history"); d.Takes[0].Members[1].Replica != "" {
		t.Errorf("nobody has that consumer: %+v", d.Takes[0].Members)
	}
}

func TestReplicaFaults(t *testing.T) {
	w := fold(t, thrice(100, up, up, up))
	cut := []world.Fault{{Kind: world.FaultCut}}
	o := thrice(200, up, up, up)
	o.Faults, o.Replicas[1].Faults = cut, cut
	w.Apply(o)
	if got := said(w); got != "bad: history 2 is cut off" {
		t.Error(got)
	}
	if n := node(t, w, "history"); !reflect.DeepEqual(n.Replicas[1].Faults, cut) || len(n.Replicas[0].Faults) > 0 {
		t.Errorf("%+v", n.Replicas)
	}
}

// TestCalmReplicas: a node with a dead replica is not calm, though it is up.
func TestCalmReplicas(t *testing.T) {
	w := fold(t, thrice(100, up, up, up))
	if !w.Calm() {
		t.Error("all are up")
	}
	if w.Apply(thrice(200, up, down, up)); w.Calm() {
		t.Error("one is dead")
	}
}

func TestReplicasAreBounded(t *testing.T) {
	o := thrice(100, make([]world.State, 100)...)
	o.Replicas[50].ID = "1"
	w := fold(t, o, members(200, make([]int64, 100)...))
	if n := len(node(t, w, "history").Replicas); n != 63 {
		t.Errorf("%d replicas", n)
	}
	if n := len(detail(t, w, "history").Takes[0].Members); n != 64 {
		t.Errorf("%d members", n)
	}
}

func TestUse(t *testing.T) {
	w := fold(t, state(10, "orders", up, ""), tick(20))
	rev := w.Rev()
	see := func(ms int, cpu float64, memory int64) {
		w.Apply(world.UseSeen{At: after(ms), Node: "orders", CPU: cpu, CPULimit: 0.5, Memory: memory, MemoryLimit: 1 << 27})
	}
	see(100, 0.123, 25_400_000)
	if f := w.Since(rev); len(f.Nodes) > 0 {
		t.Errorf("it is sent before the tick: %+v", f.Nodes)
	}
	w.Apply(tick(200))
	want := world.Use{CPU: 0.12, CPULimit: 0.5, Memory: 24 << 20, MemoryLimit: 1 << 27}
	if f := w.Since(rev); len(f.Nodes) != 1 || *f.Nodes[0].Use != want {
		t.Errorf("the tick shows %+v", f.Nodes)
	}
	rev = w.Rev()
	for i, cpu := range []float64{0.126, 0.114, 0.1299, 0.1101} { // each rounds to another number than the one before
		see(300+i, cpu, int64(24<<20+(i%2)*1_000_000))
		w.Apply(tick(310 + i))
	}
	if f := w.Since(rev); len(f.Nodes) > 0 {
		t.Errorf("a calm node is sent again: %+v", f.Nodes[0].Use)
	}
	see(400, 0.2, 26<<20)
	if got := node(t, w, "orders").Use; got.CPU != 0.2 || got.Memory != 26<<20 {
		t.Errorf("%+v", got)
	}
	w.Apply(state(500, "orders", down, "killed (signal 9)"))
	see(510, 0.2, 1<<24) // measured before it died
	if got := node(t, w, "orders").Use; got != nil {
		t.Errorf("a dead node uses %+v", got)
	}
}

func TestControl(t *testing.T) {
	w := fold(t)
	if f := w.Since(0); f.Control != nil {
		t.Errorf("nothing is known, and it says %+v", f.Control)
	}
	w.Apply(world.ControlSeen{At: after(100), Why: "no engine"})
	rev := w.Rev()
	if f := w.Since(0); f.Control == nil || *f.Control != (world.Control{Why: "no engine"}) {
		t.Errorf("%+v", f.Control)
	}
	w.Apply(world.ControlSeen{At: after(200), Why: "no engine"})
	if f := w.Since(rev); w.Rev() != rev || f.Control != nil {
		t.Errorf("the same again is sent: %+v", f.Control)
	}
	w.Apply(world.ControlSeen{At: after(300), Can: true})
	if f := w.Since(rev); f.Control == nil || !f.Control.Can {
		t.Errorf("%+v", f.Control)
	}
}
