package demo

import (
	"time"

	"github.com/stillup/stillup/viz/world"
)

const (
	copiesEvery = 5 * time.Second
	heldAtFirst = 40 // of a kind, before anything was said of it
)

// heldBytes is what one thing of a kind needs in a store, by engine.
var heldBytes = map[string]int64{"postgres": 190, "mongodb": 150, "redis": 120}

// tellCopies tells from time to time how much the stores hold: of what they own one thing more for every second event, and
// of copies what their services have applied. A store that does not answer is told of at once.
func (d *Demo) tellCopies() {
	silent := 0
	for _, n := range d.order {
		if len(n.spec.Holds) > 0 && !n.answers() {
			silent++
		}
	}
	if !d.told.copies.IsZero() && d.now.Sub(d.told.copies) < copiesEvery && silent == d.told.silent {
		return
	}
	d.told.copies, d.told.silent = d.now, silent
	for _, n := range d.order {
		if len(n.spec.Holds) == 0 {
			continue
		}
		o := world.CopiesSeen{At: d.now, Node: n.spec.ID}
		if !n.answers() {
			o.Down, _ = n.silent(0)
			d.see(o)
			continue
		}
		for _, h := range n.spec.Holds {
			count := heldAtFirst + d.heard(h, n.spec.Owner)/2
			o.Kinds = append(o.Kinds, world.HeldSeen{Kind: h.Kind, Count: count, Bytes: count * heldBytes[n.spec.Engine]})
		}
		d.see(o)
	}
}

// heard are the events of a kind that are told in what a store holds of it.
func (d *Demo) heard(h world.Hold, owner string) (n int64) {
	for _, spec := range d.plan.system.Streams {
		if spec.Kind != h.Kind {
			continue
		}
		s := d.streams[spec.Name]
		if !h.Copy {
			n += s.added
			continue
		}
		for _, g := range s.groups {
			if g.node.spec.ID == owner {
				n += g.applied
			}
		}
	}
	return n
}
