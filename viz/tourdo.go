package viz

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/probes"
	"github.com/stillup/stillup/viz/tour"
	"github.com/stillup/stillup/viz/world"
)

// startWithin is how long a node that starts already may take to be up.
const startWithin = 10 * time.Second

// doDeeds does deeds in order, each audited, and says in words what was done; the first that fails ends it. Of a deed that
// is so already nothing is done or said.
func (s *server) doDeeds(r *http.Request, deeds []tour.Deed) ([]string, error) {
	did := []string{}
	for _, d := range deeds {
		d = d.At(time.Now())
		more, err := s.doDeed(d)
		verb, on := d.Verb, d.Node
		switch d.Verb {
		case tour.SetLoad:
			on = s.System.Load.Node
		case tour.Do:
			verb, on = world.ActVerb, d.Action
		case tour.Measure:
			verb = "workloads"
		}
		s.audit(r, verb, on, err)
		did = append(did, more...)
		if err != nil {
			return did, err
		}
	}
	return did, nil
}

func (s *server) doDeed(d tour.Deed) (did []string, err error) {
	if p := s.possibleDeeds(s.frame()); p != nil {
		return nil, p
	}
	said := func(text string, done bool, err error) ([]string, error) {
		if err != nil || !done {
			return nil, err
		}
		return []string{text}, nil
	}
	switch d.Verb {
	case tour.Restore:
		return s.restoreAll()
	case tour.SetLoad:
		done, err := s.loadTo(d.Load)
		return said(loadWords(d.Load), done, err)
	case tour.Do:
		return s.doNamed(d)
	case tour.Measure:
		if s.workloads.State().State == "running" {
			return nil, nil
		}
		return said("began to measure the engines", true, s.startWorkloads())
	}
	done, err := s.doTo(d.Node, control.Action{Verb: d.Verb, Latency: d.Latency})
	return said(verbWords(d), done, err)
}

// doTo has a node be as the action makes it, and reports whether anything had to be done for that.
func (s *server) doTo(node string, a control.Action) (bool, error) {
	is := func() bool {
		n, ok := s.node(node)
		return ok && shows(n, a)
	}
	known, ok := s.node(node)
	if !ok {
		return false, refuse(http.StatusConflict, "%s has not joined yet", node)
	}
	if is() {
		return false, nil
	}
	err := s.actOn(known, a)
	if p := (*problem)(nil); !errors.As(err, &p) || p.Status != http.StatusConflict {
		return err == nil, err
	}
	if a.Verb == control.Start && known.State == world.Starting {
		s.await(s.ending, startWithin, func(world.Frame) bool { return is() })
	}
	if is() { // somebody else was quicker
		return false, nil
	}
	return false, err
}

// verbWords says what was done to a node.
func verbWords(d tour.Deed) string {
	switch d.Verb {
	case tour.Kill:
		return "killed " + d.Node
	case tour.Start:
		return "started " + d.Node
	case tour.Pause:
		return "paused " + d.Node
	case tour.Resume:
		return "resumed " + d.Node
	case tour.Cut:
		return "cut off " + d.Node
	case tour.Heal:
		return "healed " + d.Node
	case tour.Slow:
		return fmt.Sprintf("slowed %s by %d ms", d.Node, d.Latency.Milliseconds())
	}
	return d.String()
}

// restoreAll has everything be up and without faults.
func (s *server) restoreAll() ([]string, error) {
	if !slices.ContainsFunc(ownedParts(s.frame()), func(p part) bool { return p.State != world.Up || len(p.Faults) > 0 }) {
		return nil, nil
	}
	done, err := s.restore()
	if err != nil {
		return nil, err
	}
	var did []string
	for _, of := range []struct {
		what  string
		nodes []string
	}{{"started ", done.Started}, {"resumed ", done.Resumed}, {"healed ", done.Healed}} {
		for _, id := range of.nodes {
			did = append(did, of.what+id)
		}
	}
	return did, nil
}

// loadTo sets the traffic where it is another, and reports whether it was.
func (s *server) loadTo(perSecond float64) (bool, error) {
	if p := s.possibleLoad(); p != nil {
		return false, p
	}
	if l := s.frame().Load; l != nil && l.Known && l.PerSecond == perSecond {
		return false, nil
	}
	_, err := s.setTraffic(probes.Traffic{PerSecond: &perSecond})
	return err == nil, err
}

func loadWords(perSecond float64) string {
	if perSecond == 0 {
		return "stopped the traffic"
	}
	return "set the traffic to " + strconv.FormatFloat(perSecond, 'f', -1, 64) + " a second"
}

// doNamed does an action of the system file. A job that runs is not begun again, and what has joined need not.
func (s *server) doNamed(d tour.Deed) ([]string, error) {
	spec, err := s.action(d.Action)
	if err != nil {
		return nil, err
	}
	in := subject{ID: d.ID, Values: map[string]json.RawMessage{}}
	for name, value := range d.Values {
		if in.Values[name], err = json.Marshal(value); err != nil {
			return nil, err
		}
	}
	switch {
	case len(spec.Joins) > 0 && s.allUp(spec.Joins):
		return nil, nil
	case spec.Job && s.possibleAction(spec) == nil:
		if p, err := s.progressOf(s.ending, spec); err == nil && p.State == jobRunning {
			return nil, nil
		}
	}
	if _, err := s.perform(spec, in); err != nil {
		return nil, err
	}
	return []string{actionWords(spec, d.ID)}, nil
}

// allUp says whether all the nodes are there and up.
func (s *server) allUp(nodes []string) bool {
	f := s.frame()
	return !slices.ContainsFunc(nodes, func(id string) bool {
		return !slices.ContainsFunc(f.Nodes, func(n world.Node) bool { return n.ID == id && n.State == world.Up })
	})
}

// actionWords says which action was done: "catalog: back to schema 1", "rename (p-01)".
func actionWords(spec world.ActionSpec, id string) string {
	first, size := utf8.DecodeRuneInString(spec.Name)
	text := string(unicode.ToLower(first)) + spec.Name[size:]
	if id != "" {
		text += " (" + id + ")"
	}
	return strings.TrimSpace(text)
}
