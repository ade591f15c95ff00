package tour

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stillup/stillup/viz/world"
)

// names are what chapters may name: what the system file declares. Its methods say what is wrong with a name, nil for
// nothing.
type names struct{ sys *world.System }

// listing are the first names of a list, for an error that has to say what there is.
func listing[T any](all []T, name func(*T) string) string {
	const most = 24
	var list []string
	for i := range all {
		if n := name(&all[i]); n != "" {
			list = append(list, n)
		}
	}
	switch {
	case len(list) == 0:
		return "there are none"
	case len(list) > most:
		return "there are " + strings.Join(list[:most], ", ") + " and more"
	}
	return "there are " + strings.Join(list, ", ")
}

func (n *names) spec(id string) (world.NodeSpec, error) {
	spec, ok := found(n.sys.Nodes, func(s *world.NodeSpec) bool { return s.ID == id })
	if !ok {
		return spec, fmt.Errorf("no node is called %q; %s", id, listing(n.sys.Nodes, func(s *world.NodeSpec) string { return s.ID }))
	}
	return spec, nil
}

func (n *names) node(id string) error {
	_, err := n.spec(id)
	return err
}

// later: the node joins later.
func (n *names) later(id string) error {
	spec, err := n.spec(id)
	if err == nil && !spec.Later {
		return fmt.Errorf("%s is there from the beginning; only a node that the system file declares later can join", id)
	}
	return err
}

// taker: the node takes events.
func (n *names) taker(id string) error {
	spec, err := n.spec(id)
	if err == nil && len(spec.Takes) == 0 {
		return fmt.Errorf("%s takes no stream, so nothing can wait for it", id)
	}
	return err
}

func (n *names) store(id string) error {
	spec, err := n.spec(id)
	if err == nil && spec.Kind != world.Store && spec.Kind != world.Bus {
		return fmt.Errorf("%s is a %s; an engine has a store or the bus", id, spec.Kind)
	}
	return err
}

func (n *names) stream(id string) error {
	if _, ok := found(n.sys.Streams, func(t *world.StreamSpec) bool { return t.Name == id }); !ok {
		return fmt.Errorf("no stream is called %q; %s", id, listing(n.sys.Streams, func(t *world.StreamSpec) string { return t.Name }))
	}
	return nil
}

func (n *names) pattern(id string) error {
	if _, ok := found(n.sys.Patterns, func(p *world.PatternSpec) bool { return p.ID == id }); !ok {
		return fmt.Errorf("no pattern is called %q; %s", id, listing(n.sys.Patterns, func(p *world.PatternSpec) string { return p.ID }))
	}
	return nil
}

// cells: a feature and a pattern, each of which may be every one, that can be asked.
func (n *names) cells(feature, pattern string) error {
	if _, ok := found(n.sys.Features, func(f *world.FeatureSpec) bool { return f.ID == feature }); !ok && feature != every {
		return fmt.Errorf("no feature is called %q; %s", feature, listing(n.sys.Features, func(f *world.FeatureSpec) string { return f.ID }))
	}
	if pattern != every {
		if err := n.pattern(pattern); err != nil {
			return err
		}
	}
	if len(cellsOf(n.sys, feature, pattern)) == 0 {
		return fmt.Errorf("%s in %s cannot be asked: the feature has no request in that pattern", feature, pattern)
	}
	return nil
}

// cell: one that can be asked.
func (n *names) cell(k world.CellKey) error {
	for _, word := range []string{k.Feature, k.Pattern} {
		if word == every {
			return fmt.Errorf("%q stands where one cell has to be named", cellName(k))
		}
	}
	return n.cells(k.Feature, k.Pattern)
}

func (n *names) kind(id string) error {
	if _, ok := found(n.sys.Kinds, func(k *world.KindSpec) bool { return k.ID == id }); !ok {
		return fmt.Errorf("no kind of data is called %q; %s", id, listing(n.sys.Kinds, func(k *world.KindSpec) string { return k.ID }))
	}
	return nil
}

// owned: a kind that a store is said to own.
func (n *names) owned(kind string) error {
	if err := n.kind(kind); err != nil {
		return err
	}
	if ownerOf(n.sys, kind) == "" {
		return fmt.Errorf("no store is said to own %s, so it cannot be looked at", kind)
	}
	return nil
}

func (n *names) anyOwned() error {
	if _, ok := found(n.sys.Kinds, func(k *world.KindSpec) bool { return ownerOf(n.sys, k.ID) != "" }); !ok {
		return errNoOwner
	}
	return nil
}

// hold is what a store keeps of a kind, and is looked at.
func (n *names) hold(kind, store string) (world.Hold, error) {
	if err := n.kind(kind); err != nil {
		return world.Hold{}, err
	}
	spec, err := n.spec(store)
	if err != nil {
		return world.Hold{}, err
	}
	h, ok := found(spec.Holds, func(h *world.Hold) bool { return h.Kind == kind && h.At != nil })
	if !ok {
		return h, fmt.Errorf("%s is not said to hold %s", store, kind)
	}
	return h, nil
}

func (n *names) holds(kind, store string) error {
	_, err := n.hold(kind, store)
	return err
}

// copied: a store keeps a copy of a kind.
func (n *names) copied(kind, store string) error {
	h, err := n.hold(kind, store)
	if err == nil && !h.Copy {
		return fmt.Errorf("what %s holds of %s is no copy", store, kind)
	}
	return err
}

func (n *names) action(id string) (world.ActionSpec, error) {
	a, ok := found(n.sys.Actions, func(a *world.ActionSpec) bool { return a.ID == id })
	if !ok {
		return a, fmt.Errorf("no action is called %q; %s", id, listing(n.sys.Actions, func(a *world.ActionSpec) string { return a.ID }))
	}
	return a, nil
}

// job: an action that tells when it is done.
func (n *names) job(id string) error {
	a, err := n.action(id)
	if err == nil && !a.Job {
		return fmt.Errorf("%s is no job, so nothing tells when it is done; %s", id, listing(n.sys.Actions, func(a *world.ActionSpec) string {
			if a.Job {
				return a.ID
			}
			return ""
		}))
	}
	return err
}

// load: the traffic can be set, and to that.
func (n *names) load(perSecond float64) error {
	switch l := n.sys.Load; {
	case l == nil:
		return fmt.Errorf("the system file does not say where the load is set")
	case perSecond > l.Max:
		return fmt.Errorf("a load of %g is above the most that can be set, %g", perSecond, l.Max)
	}
	return nil
}

func (n *names) workloads() error {
	if len(n.sys.Workloads) == 0 {
		return fmt.Errorf("the system file names no stores on which engines are measured")
	}
	return nil
}

// Workloads are the ids of the workloads that package workloads runs.
var Workloads = []string{"counter", "document", "join"}

func (n *names) workload(id string) error {
	if !slices.Contains(Workloads, id) {
		return fmt.Errorf("no workload is called %q; there are %s", id, strings.Join(Workloads, ", "))
	}
	return n.workloads()
}

func (n *names) engine(id string) error {
	if _, ok := n.sys.Workloads[id]; !ok {
		return fmt.Errorf("no engine that is measured is called %q; the system file's workloads list them", id)
	}
	return nil
}

// deed: all that a deed names is there, and it can be done.
func (n *names) deed(d Deed) error {
	switch d.Verb {
	case Restore:
		return nil
	case SetLoad:
		return n.load(d.Load)
	case Measure:
		return n.workloads()
	case Do:
		return n.do(d)
	case "":
		return fmt.Errorf("it is empty; remove it, or say what is done")
	}
	return n.node(d.Node)
}

func (n *names) do(d Deed) error {
	a, err := n.action(d.Action)
	switch {
	case err != nil:
		return err
	case a.Kind == "" && d.ID != "":
		return fmt.Errorf("%s is about no single thing; leave \"of %s\" out", a.ID, d.ID)
	case a.Kind != "" && d.ID == "":
		return fmt.Errorf("say of which of the %s: do %s of ID", a.Kind, a.ID)
	}
	for _, f := range a.Fields {
		switch v, ok := d.Values[f.Name]; {
		case !ok:
			return fmt.Errorf("%s wants a value of %s: with %s = VALUE", a.ID, f.Name, f.Name)
		case f.Type == "number" && !whole(number).MatchString(strings.TrimPrefix(v, "-")):
			return fmt.Errorf("%s is %q, which is no number", f.Name, v)
		}
	}
	for name := range d.Values {
		if _, ok := found(a.Fields, func(f *world.FieldSpec) bool { return f.Name == name }); !ok {
			return fmt.Errorf("%s has no field %q; %s", a.ID, name, listing(a.Fields, func(f *world.FieldSpec) string { return f.Name }))
		}
	}
	return nil
}
