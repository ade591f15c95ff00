package world

import (
	"fmt"
	"strings"
	"time"
)

// republished ends the type of the event by which the owner of a stream says that all it has stands on the stream once more:
// "orders.republished.v1".
const republished = ".republished.v1"

// hole is what a copy misses because it was trimmed before its group read it.
type hole struct {
	open   bool
	since  time.Time // when it was noticed
	at     place     // the stream's last entry then: what heals it comes after
	now    bool      // Redis says so too: the group has not read on
	last   int64     // how many it missed when Redis last said
	missed int64     // all together; 0 unknown
	prior  int64     // of these, before the last time that the group read on
	unsure bool      // Redis cannot tell how many, or whether any: it is not kept
}

func (h *hole) shown() (is bool, missed int64) {
	if h.open {
		return true, h.missed
	}
	return h.unsure, 0
}

func (h *hole) age(now time.Time) time.Duration {
	if !h.open {
		return 0
	}
	return max(0, now.Sub(h.since))
}

// marked takes the owner's word on what it has published once more.
func (l *lane) marked(e *Event) {
	if at, ok := placeOf(e.EntryID); ok && strings.HasSuffix(e.Type, republished) && l.marker.before(at) {
		l.marker = at
	}
}

// holeSeen opens a group's hole where entries were trimmed unread, and closes it where the owner has published all that it
// has since then and the group is done with that. What merely comes again from a journal closes nothing: a journal does not
// know what was trimmed. Where Redis cannot tell how many entries were missed there may be none, and nothing is kept.
func (w *World) holeSeen(l *lane, e *edge, s *StreamSeen, g *GroupSeen) {
	h := &e.group.hole
	if l.transient || l.dead() {
		return
	}
	known := g.TrimmedUnread && g.Missed > 0
	h.unsure = g.TrimmedUnread && !known
	switch {
	case known:
		if !h.now || g.Missed > h.last { // else it is the same loss
			if h.at, _ = placeOf(s.LastID); !h.open {
				h.open, h.since, h.prior = true, w.now, 0
				w.note(w.now, e.key.to, bad, fmt.Sprintf("%s was trimmed before %s had read %s of it: its copy misses them until %s is published again",
					l.name, e.key.to, counted(g.Missed), l.name))
			}
		}
		h.now, h.last, h.missed = true, g.Missed, h.prior+g.Missed
	case !h.open:
	default:
		h.now, h.prior = false, h.missed
		if p := &e.group; h.at.before(l.marker) && p.placed && !p.done.before(l.marker) {
			w.note(w.now, e.key.to, good, fmt.Sprintf("%s has all of %s again, after %s: it was published once more", e.key.to, l.name, span(w.now.Sub(h.since))))
			*h = hole{}
		}
	}
}
