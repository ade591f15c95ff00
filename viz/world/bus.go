package world

import "time"

// bus is the bus as the tap sees it.
type bus struct {
	stamp
	up     bool
	reason string
	downAt time.Time // since when it does not answer, after it once did
	noted  bool
	count  counter
	took   durations // from an event's time to here
	shown  BusState
}

func (b *bus) settle(w *World, _ int64) bool {
	b.took.take(w.now, w.now, windowSpan)
	rate, _ := b.count.rates(w.now)
	now := BusState{Up: b.up, Reason: b.reason, Rate: rate, ToHubMS: ms(b.took.median)}
	if now.Up == b.shown.Up && now.Reason == b.shown.Reason && !w.ticking && b.rev > 0 {
		return false
	}
	changed := now != b.shown || b.rev == 0
	b.shown = now
	return changed
}

// busSeen takes the tap's word, and sets the state of a bus that no runtime speaks for.
func (w *World) busSeen(o BusSeen) {
	b := &w.bus
	was := b.up
	b.up, b.reason = o.Down == "", clip(o.Down)
	w.touch(b)
	var n *node
	id := ""
	for _, x := range w.nodes {
		if x.spec.Kind == Bus {
			n, id = x, x.spec.ID
			break
		}
	}
	untold := n != nil && !n.told
	if untold {
		n.reason = b.reason
		s := Up
		if o.Down != "" {
			s = Down
		}
		if n.state != s {
			n.state, n.since = s, clock(o.At)
			w.touchCells()
		}
		w.touch(n)
	}
	switch {
	case was && !b.up:
		b.downAt = o.At
		if b.noted = n == nil || untold || n.state != Down; b.noted {
			w.note(o.At, id, bad, "the bus cannot be reached: "+b.reason)
		}
	case !was && b.up && b.noted:
		b.noted = false
		w.note(o.At, id, good, "the bus answers again after "+span(o.At.Sub(b.downAt)))
	}
}
