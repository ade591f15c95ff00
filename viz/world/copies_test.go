package world_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// placed is the small system with places for what its stores hold.
var placed = strings.NewReplacer(`"holds": [{"kind": "orders", "copy": false}]`, `"holds": [{"kind": "orders", "copy": false, "at": {"table": "orders"}}]`,
	`"holds": [{"kind": "orders", "copy": true}]`, `"holds": [{"kind": "orders", "copy": true, "at": {"collection": "orders"}}]`).Replace(small)

func foldPlaced(t testing.TB, obs ...world.Observation) *world.World {
	t.Helper()
	w := world.New(parse(t, placed), start)
	for _, o := range obs {
		w.Apply(o)
	}
	return w
}

// holding is one as a browser has it after the next tick.
func holding(t testing.TB, w *world.World, node string) world.Holding {
	t.Helper()
	w.Apply(world.Tick{})
	for _, h := range w.Since(0).Copies {
		if h.Node == node {
			return h
		}
	}
	t.Fatalf("nothing is held by %s", node)
	return world.Holding{}
}

func held(ms int, node, down string, count, bytes int64) world.CopiesSeen {
	o := world.CopiesSeen{At: after(ms), Node: node, Down: down}
	if down == "" {
		o.Kinds = []world.HeldSeen{{Kind: "orders", Count: count, Bytes: bytes}}
	}
	return o
}

func TestHoldings(t *testing.T) {
	for _, c := range []struct {
		name string
		obs  []world.Observation
		want world.Holding
	}{
		{"not asked yet", nil, world.Holding{Why: "history-db was not asked yet"}},
		{"told", []world.Observation{held(1, "history-db", "", 7, 4096)}, world.Holding{Known: true, Count: 7, Bytes: 4096}},
		{"size unknown", []world.Observation{held(1, "history-db", "", 7, -5)}, world.Holding{Known: true, Count: 7, Bytes: -1}},
		{"then silent: the last is kept", []world.Observation{held(1, "history-db", "", 7, 4096), held(2, "history-db", "it is silent", 0, 0)},
			world.Holding{Count: 7, Bytes: 4096, Why: "it is silent"}},
		{"without its table", []world.Observation{world.CopiesSeen{At: after(1), Node: "history-db",
			Kinds: []world.HeldSeen{{Kind: "orders", Why: "there is no table"}}}}, world.Holding{Why: "there is no table"}},
		{"killed", []world.Observation{held(1, "history-db", "", 7, 4096), state(2, "history-db", world.Up, ""),
			state(3, "history-db", world.Down, "killed (signal 9)")}, world.Holding{Count: 7, Bytes: 4096, Why: "history-db is down"}},
		{"paused", []world.Observation{state(2, "history-db", world.Up, ""), held(3, "history-db", "", 7, 4096),
			state(4, "history-db", world.Paused, "")}, world.Holding{Count: 7, Bytes: 4096, Why: "history-db is paused"}},
		{"killed, and its word came late", []world.Observation{state(2, "history-db", world.Up, ""), state(3, "history-db", world.Down, "killed (signal 9)"),
			held(4, "history-db", "", 7, 4096)}, world.Holding{Why: "history-db is down"}},
		{"back", []world.Observation{held(1, "history-db", "it is silent", 0, 0), held(2, "history-db", "", 8, 1)},
			world.Holding{Known: true, Count: 8, Bytes: 1}},
		{"of another store", []world.Observation{held(1, "orders-db", "", 7, 4096)}, world.Holding{Why: "history-db was not asked yet"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Node, c.want.Service, c.want.Kind, c.want.Copy = "history-db", "history", "orders", true
			c.want.Behind = -1 // Redis was not asked
			if got := holding(t, foldPlaced(t, c.obs...), "history-db"); got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
	if h := holding(t, fold(t), "orders-db"); h.Known || h.Why != "the system file does not say where it stands" || h.Copy {
		t.Errorf("one without a place is %+v", h)
	}
}

// TestHoldingsAge: a copy is as old as an inspection found its backlog, also what waits in its owner's outbox; the worst of
// an hour is kept, and forgotten after it.
func TestHoldingsAge(t *testing.T) {
	w := foldPlaced(t, backlog(1000, 9, 3, 1, after(400)), tick(1900))
	if h := holding(t, w, "history-db"); h.StaleMS != 600 || h.WorstMS != 600 || h.Behind != 4 {
		t.Errorf("behind by four of 0.6 s: %+v", h)
	}
	if h := holding(t, w, "orders-db"); h.StaleMS != 0 || h.Behind != 0 {
		t.Errorf("the owner's own: %+v", h)
	}
	w.Apply(tick(3500)) // the inspections have ended: the bus is dead
	if h := holding(t, w, "history-db"); h.StaleMS != 3100 {
		t.Errorf("it ages where nothing is inspected: %+v", h)
	}
	w.Apply(backlog(4000, 9, 0, 0, time.Time{}))
	if h := holding(t, w, "history-db"); h.StaleMS != 0 || h.WorstMS != 3100 || h.Behind != 0 {
		t.Errorf("caught up: %+v", h)
	}
	w.Apply(world.OutboxSeen{At: after(5000), Node: "orders", Waiting: 2, Oldest: after(3000)})
	w.Apply(backlog(5400, 9, 0, 0, time.Time{}))
	if h := holding(t, w, "history-db"); h.StaleMS != 2000 || h.Behind != 2 {
		t.Errorf("two are not published: %+v", h)
	}
	w.Apply(world.OutboxSeen{At: after(6000), Node: "orders"})
	w.Apply(backlog(6100, 9, -1, 0, time.Time{}))
	if h := holding(t, w, "history-db"); h.StaleMS != 0 || h.Behind != -1 {
		t.Errorf("Redis does not say: %+v", h)
	}
	w.Apply(backlog(7000, 9, 0, 0, time.Time{}))
	for at := 8_000; at < 3_700_000; at += 1900 {
		w.Apply(backlog(at, 9, 0, 0, time.Time{}))
	}
	if h := holding(t, w, "history-db"); h.WorstMS != 0 {
		t.Errorf("after an hour the worst is %d", h.WorstMS)
	}
}

// TestHoldingsWait: what changed is shown with the tick; that a store is dead at once.
func TestHoldingsWait(t *testing.T) {
	w := foldPlaced(t, held(1, "history-db", "", 7, 4096), tick(500))
	rev := w.Rev()
	w.Apply(held(600, "history-db", "", 8, 4096))
	w.Apply(backlog(650, 9, 3, 1, after(100)))
	if f := w.Since(rev); len(f.Copies) != 0 {
		t.Errorf("one more waits for the tick: %+v", f.Copies)
	}
	w.Apply(tick(1000))
	if f := w.Since(rev); len(f.Copies) != 1 || f.Copies[0].Count != 8 || f.Copies[0].StaleMS != 500 {
		t.Errorf("the tick shows %+v", f.Copies)
	}
	rev = w.Rev()
	w.Apply(held(1100, "history-db", "history-db refused the connection", 0, 0))
	if f := w.Since(rev); len(f.Copies) != 1 || f.Copies[0].Known {
		t.Errorf("a dead store: %+v", f.Copies)
	}
	rev = w.Rev()
	w.Apply(backlog(1900, 9, 3, 1, after(1400)))
	w.Apply(tick(2000))
	rev = w.Rev()
	w.Apply(held(2100, "history-db", "history-db refused the connection", 0, 0))
	w.Apply(backlog(2200, 9, 3, 1, after(1700)))
	w.Apply(tick(3000))
	if f := w.Since(rev); len(f.Copies) != 0 {
		t.Errorf("nothing changed, and %+v is sent", f.Copies)
	}
}

// TestHoldingsLater: what a store holds that joins later is shown once the store is there.
func TestHoldingsLater(t *testing.T) {
	w := world.New(parse(t, strings.Replace(placed, `"owner": "history"`, `"owner": "history", "later": true`, 1)), start)
	w.Apply(held(1, "history-db", "it refused", 0, 0))
	w.Apply(tick(500))
	if f := w.Since(0); len(f.Copies) != 1 || f.Copies[0].Node != "orders-db" {
		t.Errorf("before it joined: %+v", f.Copies)
	}
	w.Apply(state(600, "history-db", world.Up, ""))
	w.Apply(held(700, "history-db", "", 3, 1))
	if h := holding(t, w, "history-db"); h.Count != 3 {
		t.Errorf("after: %+v", h)
	}
}

// TestMissing: what a copy has not got yet of one thing.
func TestMissing(t *testing.T) {
	at := func(n int, subject string, version int64) world.EventSeen {
		return world.EventSeen{Stream: "orders", EntryID: fmt.Sprintf("%d-0", n), ID: fmt.Sprintf("e-%d", n), Source: "orders", Subject: subject,
			Version: version, Time: after(n)}
	}
	applied := func(id string) world.StreamsSeen {
		o := backlog(900, 9, 3, 0, after(100))
		o.Streams[0].Groups[0].Applied = id
		return o
	}
	seen := world.EventsSeen{At: after(500), Events: []world.EventSeen{at(1, "o-1", 1), at(2, "o-2", 1), at(3, "o-1", 2), at(4, "o-1", 3),
		at(5, "o-1", 3), at(6, "o-3", 0), at(7, "o-3", 0)}}
	for _, c := range []struct {
		name        string
		applied, id string
		have, owner int64
		events      int64
		oldest      time.Time
	}{
		{"all is applied", "7-0", "o-1", 3, 3, 0, time.Time{}},
		{"two versions, one of them told of twice", "1-0", "o-1", 1, 3, 2, after(3)},
		{"the store has one of them already", "1-0", "o-1", 2, 3, 1, after(4)},
		{"of another thing", "1-0", "o-2", 0, 1, 1, after(2)},
		{"without versions", "5-0", "o-3", 0, 0, 2, after(6)},
		{"nothing was heard of the group", "", "o-1", 3, 3, 0, time.Time{}},
		{"the owner has not published it", "7-0", "o-1", 3, 4, 0, after(450)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := foldPlaced(t, seen, applied(c.applied), world.OutboxSeen{At: after(950), Node: "orders", Waiting: 1, Oldest: after(450)})
			got := w.Missing("history-db", "orders", c.id, c.have, c.owner)
			if got.Events != c.events || !got.Oldest.Equal(c.oldest) {
				t.Errorf("got %d since %v, want %d since %v", got.Events, got.Oldest, c.events, c.oldest)
			}
		})
	}
	if got := foldPlaced(t, seen).Missing("none", "orders", "o-1", 0, 1); got.Events != 0 {
		t.Errorf("of no store: %+v", got)
	}
}

// TestLaneHolds: what Redis needs for a stream, the bounds that are declared, and since when it reaches back.
func TestLaneHolds(t *testing.T) {
	file := strings.Replace(small, `{"name": "orders", "kind": "orders"}`, `{"name": "orders", "kind": "orders", "keep": {"entries": 5000, "bytes": 1000000}}`, 1)
	w := world.New(parse(t, file), start)
	if l := lane(t, w, "orders"); l.Bytes != -1 || l.KeepEntries != 5000 || l.KeepBytes != 1_000_000 || l.FirstAt != nil {
		t.Errorf("before anything is known: %+v", l)
	}
	seen := world.StreamsSeen{At: after(1), Streams: []world.StreamSeen{{Name: "orders", Length: 3, Added: 3, FirstID: "1772366400000-0", Bytes: 4096}}}
	w.Apply(seen)
	if l := lane(t, w, "orders"); l.Bytes != 4096 || l.FirstAt == nil || !l.FirstAt.Equal(start) {
		t.Errorf("then %+v, since %v", l, l.FirstAt)
	}
	rev := w.Rev()
	w.Apply(seen)
	w.Apply(tick(1000))
	if f := w.Since(rev); len(f.Streams) != 0 {
		t.Errorf("the same again is sent: %+v", f.Streams)
	}
	seen.Streams[0].Length, seen.Streams[0].Bytes = 0, 0
	w.Apply(seen)
	if l := lane(t, w, "orders"); l.Bytes != -1 || l.FirstAt != nil {
		t.Errorf("of an empty one: %+v", l)
	}
}

// TestStoreAddressesAreNotShown: a store's address may hold a password.
func TestStoreAddressesAreNotShown(t *testing.T) {
	w := world.New(parse(t, strings.Replace(small, `"id": "orders-db"`, `"id": "orders-db", "url": "postgres://shop:secret@db:5432/shop?password=secret"`, 1)), start)
	if got := node(t, w, "orders-db").URL; got != "postgres://db:5432/shop" {
		t.Errorf("shown as %q", got)
	}
	if w.NodeAt("db:5432") != "orders-db" {
		t.Error("it is not found by its address")
	}
}
