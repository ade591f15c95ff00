package world

import "time"

// Holding is what one store holds of one kind of data, and how far that is behind its owner.
type Holding struct {
	Node    string `json:"node"`    // the store
	Service string `json:"service"` // that it belongs to
	Kind    string `json:"kind"`
	Copy    bool   `json:"copy"`
	// Known: the store said so when it was last asked. Else Why says why not, and Count and Bytes are the last that it said.
	Known     bool   `json:"known"`
	Why       string `json:"why"`
	Count     int64  `json:"count"`
	Bytes     int64  `json:"bytes"` // that the store needs for it, its indexes included; -1 unknown
	Estimated bool   `json:"estimated"`
	// StaleMS is the age of the oldest event of the kind that the service has not applied, whether it waits on the bus or in
	// its owner's outbox, when that was last looked at; 0: there is none, or it is no copy. WorstMS is the most in an hour.
	StaleMS int64 `json:"stale_ms"`
	WorstMS int64 `json:"worst_ms"`
	Behind  int64 `json:"behind"` // events not applied; -1 unknown
}

const (
	// A backlog is as old as the last inspection found it; where none comes for so long, it ages by itself.
	inspectedWithin = 2 * time.Second
	staleStep       = 100 * time.Millisecond // in which staleness is shown
)

// holding is one hold of one store.
type holding struct {
	stamp
	store   *node
	hold    Hold
	streams []string // by which a copy is kept up to date
	known   bool

	why    string
	held   HeldSeen
	stale  time.Duration
	behind int64
	worst  hour
	shown  Holding
}

// declareHoldings makes the holdings of all stores; lanes and nodes are there.
func (w *World) declareHoldings() {
	for _, n := range w.nodes {
		for _, hold := range n.spec.Holds {
			h := &holding{store: n, hold: hold, why: n.spec.ID + " was not asked yet"}
			if hold.At == nil {
				h.why = "the system file does not say where it stands"
			}
			for _, l := range w.lanes {
				if hold.Copy && l.kind == hold.Kind && !l.transient && !l.dead() {
					h.streams = append(h.streams, l.name)
				}
			}
			w.holdings = append(w.holdings, h)
			w.touch(h)
		}
	}
}

// copiesSeen takes a store's word on how much it holds. That of one which a runtime knows to be away came late.
func (w *World) copiesSeen(o CopiesSeen) {
	if n := w.nodeBy[o.Node]; n != nil && n.told && n.wholeAway() && o.Down == "" {
		return
	}
	for _, h := range w.holdings {
		if h.store.spec.ID != o.Node || h.hold.At == nil {
			continue
		}
		if o.Down != "" {
			h.known, h.why = false, clip(o.Down)
		}
		for _, held := range o.Kinds {
			if held.Kind != h.hold.Kind {
				continue
			}
			if h.known, h.why = held.Why == "", clip(held.Why); h.known {
				h.held = held
			}
		}
		w.touch(h)
	}
}

// holdingsGone: what a store holds is not known any more from the moment at which a runtime says that it is not up.
func (w *World) holdingsGone(n *node, how string) {
	for _, h := range w.holdings {
		if h.store == n && h.hold.At != nil {
			h.known, h.why = false, n.spec.ID+" "+how
			w.touch(h)
		}
	}
}

// holdingsInspected measures how far the copies are behind, which is true at the moment of an inspection alone.
func (w *World) holdingsInspected() {
	w.inspected = w.now
	for _, h := range w.holdings {
		h.measure(w)
		w.touch(h)
	}
}

// holdingsTick ages the copies where no inspection comes.
func (w *World) holdingsTick() {
	for _, h := range w.holdings {
		if w.now.Sub(w.inspected) > inspectedWithin {
			h.measure(w)
		}
		w.touch(h)
	}
}

func (h *holding) measure(w *World) {
	h.stale, h.behind = 0, 0
	for _, stream := range h.streams {
		e := w.edgeBy[edgeKey{Take, stream, h.store.spec.Owner}]
		if e == nil {
			continue // nothing keeps it up to date
		}
		h.stale = max(h.stale, e.group.age(w.now))
		if e.group.waiting < 0 || h.behind < 0 {
			h.behind = -1
		} else {
			h.behind += e.group.waiting
		}
		for _, n := range w.emitters[stream] {
			if age := n.outbox.age(n, w.now); age > 0 {
				h.stale = max(h.stale, age)
				if h.behind >= 0 {
					h.behind += max(0, n.outbox.waiting)
				}
			}
		}
	}
	h.worst.add(w.now, h.stale)
}

// settle shows what changed with the tick, and at once that a store cannot be asked any more or can be again.
func (h *holding) settle(w *World, _ int64) bool {
	if h.store.hidden(w) {
		return false
	}
	now := Holding{Node: h.store.spec.ID, Service: h.store.spec.Owner, Kind: h.hold.Kind, Copy: h.hold.Copy, Known: h.known, Why: h.why,
		Count: max(0, h.held.Count), Bytes: max(-1, h.held.Bytes), Estimated: h.held.Estimated, Behind: h.behind,
		StaleMS: h.stale.Truncate(staleStep).Milliseconds(), WorstMS: h.worst.most(w.now).Truncate(staleStep).Milliseconds()}
	if !w.ticking && h.rev > 0 && now.Known == h.shown.Known {
		return false
	}
	changed := now != h.shown || h.rev == 0
	h.shown = now
	return changed
}

// hour keeps the most of something in the last hour, by the minute. Its size is fixed.
type hour [60]struct {
	minute int64
	most   time.Duration
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

func (h *hour) add(at time.Time, d time.Duration) {
	m := minuteOf(at)
	b := &h[((m%60)+60)%60]
	if b.minute != m {
		b.minute, b.most = m, 0
	}
	b.most = max(b.most, d)
}

func (h *hour) most(now time.Time) (d time.Duration) {
	for i := range h {
		if age := minuteOf(now) - h[i].minute; age >= 0 && age < 60 {
			d = max(d, h[i].most)
		}
	}
	return d
}

// Missing is what a store has not got yet of one thing that it copies.
type Missing struct {
	Events int64     // about it, that were published and not applied there, out of the newest 10,000 of all
	Oldest time.Time // of those, else of what its owner has not published yet; zero: nothing is known to be missing
}

// Missing says how far a store's copy of one thing is behind, when it has it in version have (0: no version, or nothing)
// while its owner has it in version owner. Events that carry a version which the copy has already count as applied,
// several of one version as one.
func (w *World) Missing(store, kind, id string, have, owner int64) (m Missing) {
	s := w.nodeBy[store]
	if s == nil {
		return m
	}
	subject, versions := clip(id), map[int64]bool{}
	for i := range w.events.n {
		e := w.events.back(i)
		if e.Subject != subject {
			continue
		}
		l, edge := w.laneBy[e.Stream], w.edgeBy[edgeKey{Take, e.Stream, s.spec.Owner}]
		if l == nil || l.kind != kind || l.transient || l.dead() || edge == nil {
			continue
		}
		at, placed := placeOf(e.EntryID)
		if g := &edge.group; !placed || !g.placed || !g.done.before(at) {
			continue
		}
		if e.Version > 0 && e.Version <= have {
			continue
		}
		if e.Version <= 0 || !versions[e.Version] {
			versions[e.Version] = true
			m.Events++
		}
		if m.Oldest.IsZero() || e.Time.Before(m.Oldest) {
			m.Oldest = e.Time
		}
	}
	if m.Events > 0 || have >= owner {
		return m
	}
	for _, l := range w.lanes {
		if l.kind != kind || l.transient || l.dead() {
			continue
		}
		for _, n := range w.emitters[l.name] {
			if age := n.unpublished(w.now); age > 0 && (m.Oldest.IsZero() || w.now.Add(-age).Before(m.Oldest)) {
				m.Oldest = w.now.Add(-age)
			}
		}
	}
	return m
}
