package demo

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/stillup/stillup/viz/world"
)

const (
	inspectBusy = 250 * time.Millisecond // how often streams are told of while something changes
	inspectIdle = time.Second
	outboxEvery = 500 * time.Millisecond
	// A group that has fallen behind catches up by so many a second, or by half of what comes, whichever is more.
	catchUp = 300
	// A node that can publish again sends so many a second of what has waited.
	publishAtOnce = 2000
)

// entry is what is remembered of an entry.
type entry struct {
	kind, subject, trace string
	ms                   int64 // of its id
	n                    int64 // of its id, within the millisecond
}

func (e *entry) id() string { return strconv.FormatInt(e.ms, 10) + "-" + strconv.FormatInt(e.n, 10) }

// stream is one stream: a ring of its newest entries.
type stream struct {
	name   string
	keep   int // entries that are kept; older ones are trimmed
	added  int64
	first  int64 // entries before the oldest that is kept
	ring   []entry
	groups []*group
}

// group is one consumer group on a stream.
type group struct {
	node    *node
	applied int64 // entries from the stream's beginning
	met     int64 // entries that were there when it was last served
	hands   hands // what dead and paused replicas of the node hold of those that count as applied
}

// at is the i-th entry ever added, which must be kept.
func (s *stream) at(i int64) *entry { return &s.ring[i%int64(len(s.ring))] }

func (s *stream) add(e entry) *entry {
	if len(s.ring) == 0 || s.added-s.first == int64(len(s.ring)) {
		if len(s.ring) < s.keep {
			grown := make([]entry, min(s.keep, max(64, 2*len(s.ring))))
			for i := s.first; i < s.added; i++ {
				grown[i%int64(len(grown))] = *s.at(i)
			}
			s.ring = grown
		} else {
			s.first++
		}
	}
	if s.added > s.first {
		if last := s.at(s.added - 1); e.ms <= last.ms {
			e.ms, e.n = last.ms, last.n+1
		}
	}
	*s.at(s.added) = e
	s.added++
	return s.at(s.added - 1)
}

// emit has a node say something. What cannot get to the bus waits in the node's outbox, or is lost where it has none.
func (d *Demo) emit(n *node, f fact) {
	switch {
	case d.busUp && n.answers() && len(n.outbox) == 0:
		d.publish(n, f)
	case n.spec.Outbox == "":
	case len(n.outbox) == outboxMost:
		n.more = true
	default:
		n.outbox = append(n.outbox, f)
	}
}

func (d *Demo) publish(n *node, f fact) {
	s := d.streams[f.stream]
	e := s.add(entry{kind: f.kind, subject: f.subject, trace: f.trace, ms: d.now.UnixMilli()})
	seen := world.EventSeen{Stream: s.name, EntryID: e.id(), ID: d.hex(16), Source: n.spec.ID, Type: f.kind, Subject: f.subject,
		TraceParent: f.trace, Time: f.at.Truncate(time.Millisecond)}
	if n.spec.Source != "" {
		seen.Source = n.spec.Source
	}
	seen.Raw = envelope(&seen)
	d.events = append(d.events, seen)
}

// flushOutboxes publishes what waits, as far as it can be.
func (d *Demo) flushOutboxes() {
	for _, n := range d.order {
		if len(n.outbox) == 0 || !d.busUp || !n.answers() || !n.stores() {
			continue
		}
		most := min(len(n.outbox), max(1, int(publishAtOnce*d.span.Seconds())))
		for _, f := range n.outbox[:most] {
			d.publish(n, f)
		}
		n.outbox = n.outbox[most:]
		if len(n.outbox) == 0 {
			n.outbox, n.more = nil, false
		}
	}
}

// consume has every group take what was there at the step before, and do what follows from it.
func (d *Demo) consume() {
	for _, s := range d.lanes {
		there := s.added
		for _, g := range s.groups {
			came := there - g.met
			g.met = there
			if !d.busUp || g.node.absent || !g.node.answers() || !g.node.stores() {
				continue
			}
			g.applied = max(g.applied, s.first) // what was trimmed is lost to it
			n := min(there-g.applied, came+max(1, came/2, int64(catchUp*d.span.Seconds())))
			for range n {
				d.react(g.node, s.at(g.applied))
				g.applied++
			}
		}
	}
}

// inspect tells of streams, groups and outboxes, from time to time.
func (d *Demo) inspect() {
	if d.busUp && d.now.Sub(d.told.streams) >= inspectBusy {
		total := int64(0)
		for _, s := range d.lanes {
			total += s.added
			for _, g := range s.groups {
				if g.node.absent {
					continue
				}
				total += g.applied - g.hands.held()
			}
		}
		if total != d.told.total || d.now.Sub(d.told.streams) >= inspectIdle {
			d.told.streams, d.told.total = d.now, total
			d.tellStreams()
		}
	}
	if d.now.Sub(d.told.outboxes) < outboxEvery {
		return
	}
	d.told.outboxes = d.now
	for _, n := range d.order {
		if n.spec.Outbox == "" {
			continue
		}
		o := world.OutboxSeen{At: d.now, Node: n.spec.ID, Waiting: -1}
		if n.answers() && n.stores() {
			o.Waiting, o.More = int64(len(n.outbox)), n.more
			if len(n.outbox) > 0 {
				o.Oldest = n.outbox[0].at
			}
		}
		d.see(o)
	}
}

// looks is when something was last told of.
type looks struct {
	streams, outboxes, use, copies time.Time
	total                          int64
	silent                         int // stores
}

// entryBytes is what an entry needs of Redis' memory.
const entryBytes = 420

// pendingMost is how many entries a consumer is given at once.
const pendingMost = 10

func (d *Demo) tellStreams() {
	o := world.StreamsSeen{At: d.now}
	for _, s := range d.lanes {
		seen := world.StreamSeen{Name: s.name, Length: s.added - s.first, Added: s.added, Bytes: entryBytes * (s.added - s.first)}
		if s.added > s.first {
			seen.FirstID, seen.LastID = s.at(s.first).id(), s.at(s.added-1).id()
		}
		for _, g := range s.groups {
			if g.node.absent {
				continue
			}
			waiting := s.added - g.applied
			gs := world.GroupSeen{Stream: s.name, Group: g.node.spec.ID, Pending: min(waiting, pendingMost), Applied: "0-0",
				TrimmedUnread: g.applied < s.first}
			if g.node.spec.Group != "" {
				gs.Group = g.node.spec.Group
			}
			if g.node.answers() {
				gs.Consumers = 1
			}
			gs.Lag = waiting - gs.Pending
			if waiting > 0 {
				gs.Oldest = time.UnixMilli(s.at(max(g.applied, s.first)).ms).UTC()
			}
			if g.applied > s.first {
				gs.Applied = s.at(g.applied - 1).id()
			}
			d.tellMembers(&gs, s, g)
			seen.Groups = append(seen.Groups, gs)
		}
		o.Streams = append(o.Streams, seen)
	}
	d.see(o)
}

// hex is an id of so many bytes.
func (d *Demo) hex(n int) string {
	var b [16]byte
	for i := 0; i < n; i += 8 {
		x := d.rng.Uint64() | 1 // no id is all zeroes
		for j := range 8 {
			b[i+j] = byte(x >> (8 * j))
		}
	}
	return hex.EncodeToString(b[:n])
}
