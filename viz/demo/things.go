package demo

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stillup/stillup/viz/world"
)

// thingsMost is how many things of a kind a demo tells of besides those that were there at first.
const thingsMost = 200

// Thing is what a store would have of a thing: one version more for each event about it, of copies for each that its
// service has applied. Version 0: it has it not. why says in a sentence that the store would not answer.
func (d *Demo) Thing(store, kind, id string) (fields [][2]string, version int64, why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.nodes[store]
	if n == nil {
		return nil, 0, store + " is not there"
	}
	if !n.answers() {
		why, _ := n.silent(0)
		return nil, 0, why
	}
	i := slices.IndexFunc(n.spec.Holds, func(h world.Hold) bool { return h.Kind == kind })
	if i < 0 {
		return nil, 0, ""
	}
	if slices.Contains(d.plan.system.Vars[singular(kind)], id) {
		version = 1
	}
	version += d.heardOf(n.spec.Owner, n.spec.Holds[i], id)
	if version == 0 {
		return nil, 0, ""
	}
	return [][2]string{{"name", fmt.Sprintf("The %s %s", singular(kind), id)}, {"note", fmt.Sprintf("as of change %d", version)}}, version, ""
}

// heardOf counts the events about a thing that are in what the store holds of it.
func (d *Demo) heardOf(owner string, h world.Hold, id string) (n int64) {
	for _, spec := range d.plan.system.Streams {
		s := d.streams[spec.Name]
		until := s.added
		if spec.Kind != h.Kind {
			continue
		}
		if h.Copy {
			i := slices.IndexFunc(s.groups, func(g *group) bool { return g.node.spec.ID == owner })
			if i < 0 {
				continue
			}
			until = s.groups[i].applied
		} else if !slices.Contains(d.nodes[owner].spec.Emits, spec.Name) {
			continue // a system apart
		}
		for k := s.first; k < until; k++ {
			if s.at(k).subject == id {
				n++
			}
		}
	}
	return n
}

// Things are the ids of a kind: those that were there at first, and those that the newest events are about.
func (d *Demo) Things(kind string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	ids := slices.Clone(d.plan.system.Vars[singular(kind)])
	for _, spec := range d.plan.system.Streams {
		s := d.streams[spec.Name]
		if spec.Kind != kind {
			continue
		}
		for k := max(s.first, s.added-thingsMost); k < s.added; k++ {
			ids = append(ids, s.at(k).subject)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func singular(kind string) string { return strings.TrimSuffix(kind, "s") }
