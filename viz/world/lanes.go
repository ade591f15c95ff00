package world

import (
	"slices"
	"strings"
	"time"
)

const (
	maxLanes   = 1000
	deadSuffix = ".dead" // as the streams library names the streams of its dead letters
)

// lane is one stream.
type lane struct {
	stamp
	name      string
	kind      string
	transient bool // what was trimmed unread is no loss
	length    int64
	base      int64 // entries before the first counted one; -1 unknown
	total     int64
	count     counter
	added     int64      // as Redis last said
	bytes     int64      // of Redis' memory; -1 unknown
	first     *time.Time // of the oldest entry; nil: it is empty. Never changed, only replaced: frames hold it
	keep      Keep
	lost      int64 // entries that were counted and are not in the stream's past any more, ever
	marker    place // of the newest word of its owner that all it has is published once more
	shown     Lane
}

// lane is the stream of that name; nil where there are too many.
func (w *World) lane(name string) *lane {
	if l := w.laneBy[name]; l != nil {
		return l
	}
	if len(w.lanes) >= maxLanes || name == "" || len(name) > maxText {
		return nil
	}
	l := &lane{name: name, base: -1, bytes: -1}
	if of := w.laneBy[strings.TrimSuffix(name, deadSuffix)]; of != nil {
		l.kind = of.kind
	}
	w.lanes = append(w.lanes, l)
	w.laneBy[name] = l
	w.touch(l)
	return l
}

func (l *lane) dead() bool { return strings.HasSuffix(l.name, deadSuffix) }

func (l *lane) settle(w *World, _ int64) bool {
	now := Lane{Name: l.name, Kind: l.kind, Length: l.length, Total: l.total, Dead: l.dead(),
		Bytes: l.bytes, KeepEntries: l.keep.Entries, KeepBytes: l.keep.Bytes, FirstAt: l.first}
	now.Rate, _ = l.count.rates(w.now)
	if w.early(l.rev, now.Rate, l.shown.Rate) {
		now.Rate = l.shown.Rate
	}
	changed := now != l.shown || l.rev == 0
	l.shown = now
	return changed
}

// group is a consumer group's place in its stream: the backlog of a take edge.
type group struct {
	known     bool
	there     bool  // as Redis last said
	done      place // all up to it is applied, where it is placed
	placed    bool
	consumers int
	members   []MemberSeen // where there is more than one, by name
	applied   int64        // entries ever of the stream, lost ones among them, that it is done with
	skipped   int64        // of the lost ones, those that it was not done with
	before    int64        // what waited when its stream was last seen to be shorter than before; -1: that is accounted for
	recent    [8]int64     // what waited at the last inspections, two seconds and more
	looks     int          // how many inspections there were
	from      int64        // of those, before the visualizer looked
	waiting   int64        // -1 unknown
	pending   int64
	oldest    time.Time
	hole      hole
}

func (g *group) age(now time.Time) time.Duration {
	if g.waiting <= 0 || g.oldest.IsZero() {
		return 0
	}
	return max(0, now.Sub(g.oldest))
}

// streamsSeen takes Redis' word on lengths and backlogs.
func (w *World) streamsSeen(o StreamsSeen) {
	seen := make(map[string]bool, len(o.Streams))
	there := map[*edge]bool{}
	for i := range o.Streams {
		s := &o.Streams[i]
		l := w.lane(s.Name)
		if l == nil {
			continue
		}
		seen[s.Name] = true
		shorter := s.Added < l.added
		l.length, l.added = s.Length, s.Added
		l.holds(s)
		w.touch(l)
		for j := range s.Groups {
			if e := w.groupSeen(l, s, &s.Groups[j], shorter); e != nil {
				there[e] = true
			}
		}
	}
	for _, l := range w.lanes {
		if !seen[l.name] {
			l.length, l.added, l.bytes, l.first = 0, 0, -1, nil
			w.touch(l)
		}
	}
	for _, e := range w.edges {
		if e.key.kind == Take && !there[e] {
			e.group.gone(seen[e.key.from])
			w.touch(e)
		}
	}
	w.deadSeen(o.Streams)
	w.replicasInspected(clock(o.At))
	w.pilesSeen()
	w.holdingsInspected()
	w.touchCells()
}

// holds takes how much of Redis' memory the stream needs and when its oldest entry came in.
func (l *lane) holds(s *StreamSeen) {
	if l.bytes = -1; s.Bytes > 0 {
		l.bytes = s.Bytes
	}
	at, ok := placeOf(s.FirstID)
	if !ok || s.Length == 0 {
		l.first = nil
		return
	}
	if first := clock(at.time()); l.first == nil || !first.Equal(*l.first) {
		l.first = &first
	}
}

// gone forgets the backlog of a group that is not there; its totals and what its copy misses stay.
func (g *group) gone(streamThere bool) {
	if !streamThere {
		g.remember()
	}
	g.there, g.placed, g.waiting, g.pending, g.oldest, g.members = false, false, -1, 0, time.Time{}, nil
	g.hole.now = false
}

// remember keeps what waited before the stream was found to be shorter, until the tap says how much it lost.
func (g *group) remember() {
	if g.known && g.before < 0 {
		g.before = max(0, g.waiting)
	}
}

// lostSeen takes the tap's word that entries which were counted are gone, so that base are left of the past. What groups
// had not been done with of these they never will be: what waited was the newest.
func (w *World) lostSeen(l *lane, n, base int64) {
	l.lost += n
	l.added = min(l.added, base)
	for _, e := range w.edges {
		g := &e.group
		if e.key.kind != Take || e.key.from != l.name || !g.known {
			continue
		}
		// A stream that was filled again in between looks no shorter; but then what waits now is what is new of it.
		waited := max(0, slices.Min(g.recent[:min(g.looks, len(g.recent))]))
		if g.before >= 0 {
			waited, g.before = g.before, -1
		}
		g.skipped += min(n, waited)
	}
}

// groupSeen counts what a group got done with since it was last seen.
func (w *World) groupSeen(l *lane, s *StreamSeen, g *GroupSeen, shorter bool) *edge {
	to := g.Group
	if len(to) > maxText {
		return nil
	}
	if n := w.groups[g.Group]; n != nil {
		to = n.spec.ID
		w.join(n)
	} else if w.nodeBy[to] != nil {
		to = foreignGroup + to // a node of that name reads with another group
	}
	e := w.edge(edgeKey{Take, l.name, to})
	if e == nil {
		return nil
	}
	w.touch(e)
	p := &e.group
	if shorter {
		p.remember()
	}
	p.pending, p.oldest, p.consumers = g.Pending, g.Oldest, g.Consumers
	p.there, p.members = true, membersOf(g.Members)
	p.done, p.placed = placeOf(g.Applied)
	w.holeSeen(l, e, s, g)
	if g.Lag < 0 {
		p.waiting = -1
		return e
	}
	p.waiting = g.Lag + g.Pending
	p.recent[p.looks%len(p.recent)] = p.waiting
	p.looks++
	applied := l.lost + l.added - g.Lag - g.Pending - p.skipped
	grown := applied - p.applied
	if !p.known {
		p.known, p.from = true, max(0, applied)
		p.applied, grown = applied, 0
		if l.lost > 0 { // where it began is not known
			p.from = l.base
		}
	}
	if grown > 0 {
		p.applied = applied
		w.took(e, grown)
	}
	if l.base >= 0 {
		w.since(e, l.base)
	}
	return e
}

// since counts what a group had done before it was first seen, but after the entries that were there before the
// visualizer looked.
func (w *World) since(e *edge, base int64) {
	if e.group.known && base < e.group.from {
		w.took(e, e.group.from-base)
		e.group.from = base
	}
}

func (w *World) took(e *edge, n int64) {
	e.total += n
	e.count.add(w.now, n, 0)
	w.touch(e)
}

// deadSeen takes the counts of dead letters. Of streams whose dead letters were not counted anew the last count stands;
// where no stream of them is there, there are none.
func (w *World) deadSeen(seen []StreamSeen) {
	dead := map[string]*StreamSeen{}
	for i := range seen {
		if of, ok := strings.CutSuffix(seen[i].Name, deadSuffix); ok {
			dead[of] = &seen[i]
		}
	}
	for _, e := range w.edges {
		if e.key.kind != Take {
			continue
		}
		n := int64(0)
		if s := dead[e.key.from]; s != nil && s.Length > 0 {
			if s.Dead == nil {
				continue
			}
			n = s.Dead[w.groupOf(e)]
		}
		if n != e.dead {
			e.dead = n
			w.touch(e)
		}
	}
}
