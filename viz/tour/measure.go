package tour

import (
	"fmt"
	"regexp"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// measure is something that a text tells of this run.
type measure struct {
	check func(*names) error
	value func(*look) (words string, known bool)
	cells func(*look) []world.CellKey // that must have been tried since the conditions came to hold; nil: none
	asks  Asks
	// span is over how much time before it is asked for it is measured: what was so before the conditions held must have
	// left that.
	span time.Duration
}

const (
	window    = 5 * time.Second // of the world's medians
	countedIn = 6 * time.Second // in which every store is asked once how much it holds
)

// measureForms are all measures; the first that fits is taken.
var measureForms = []struct {
	shape   string
	line    *regexp.Regexp
	measure func(m []string) measure
}{
	{"took", whole(`took`), func([]string) measure { return tookIs() }},
	{"load", whole(`load`), func([]string) measure { return loadIs() }},
	{"features", whole(`features`), func([]string) measure { return featuresAre() }},
	{"owned|copied|factor", whole(`(owned|copied|factor)`), func(m []string) measure { return heldIs(m[1], "") }},
	{"owned|copied KIND", whole(`(owned|copied) (\S+)`), func(m []string) measure { return heldIs(m[1], m[2]) }},
	{"factor of KIND", whole(`(factor) of (\S+)`), func(m []string) measure { return heldIs(m[1], m[2]) }},
	{"month of owned|copied", whole(`month of (owned|copied)`), func(m []string) measure { return monthIs(m[1]) }},
	{"count|bytes of KIND in STORE", whole(`(count|bytes) of (\S+) in (\S+)`), func(m []string) measure { return holdingIs(m[1], m[2], m[3]) }},
	{"worst staleness of KIND in STORE", whole(`worst staleness of (\S+) in (\S+)`), func(m []string) measure { return worstIs(m[1], m[2]) }},
	{"p50|p99 of FEATURE in PATTERN", whole(`(p50|p99) of (\S+) in (\S+)`),
		func(m []string) measure { return latencyIs(m[1], world.CellKey{Feature: m[2], Pattern: m[3]}) }},
	{"ratio of FEATURE in PATTERN to PATTERN", whole(`ratio of (\S+) in (\S+) to (\S+)`),
		func(m []string) measure {
			return ratioIs(world.CellKey{Feature: m[1], Pattern: m[2]}, world.CellKey{Feature: m[1], Pattern: m[3]})
		}},
	{"slowest hop of FEATURE in PATTERN", whole(`slowest hop of (\S+) in (\S+)`),
		func(m []string) measure { return slowestIs(world.CellKey{Feature: m[1], Pattern: m[2]}) }},
	{"hops|services|messages|depth of FEATURE in PATTERN", whole(`(hops|services|messages|depth) of (\S+) in (\S+)`),
		func(m []string) measure { return costIs(m[1], world.CellKey{Feature: m[2], Pattern: m[3]}) }},
	{"state|reason of FEATURE in PATTERN", whole(`(state|reason) of (\S+) in (\S+)`),
		func(m []string) measure { return cellIs(m[1], world.CellKey{Feature: m[2], Pattern: m[3]}) }},
	{"working in PATTERN", whole(`working in (\S+)`), func(m []string) measure { return workingIs(m[1]) }},
	{"waiting for NODE", whole(`waiting for (\S+)`), func(m []string) measure { return waitingIs(m[1]) }},
	{"rate of STREAM", whole(`rate of (\S+)`), func(m []string) measure { return rateIs(m[1]) }},
	{"engine of STORE", whole(`engine of (\S+)`), func(m []string) measure { return engineIs(m[1]) }},
	{"fastest WORKLOAD", whole(`fastest (\S+)`), func(m []string) measure { return fastestIs(m[1]) }},
	{"speed of WORKLOAD on ENGINE", whole(`speed of (\S+) on (\S+)`), func(m []string) measure { return speedIs(m[1], m[2]) }},
}

// parseMeasure reads what stands between braces.
func parseMeasure(text string) (measure, error) {
	var shapes []string
	for _, f := range measureForms {
		if m := f.line.FindStringSubmatch(text); m != nil {
			return f.measure(m), nil
		}
		shapes = append(shapes, f.shape)
	}
	return measure{}, fmt.Errorf("measure %q has none of the forms there are; the nearest is %q", "{"+text+"}", "{"+nearest(text, shapes)+"}")
}

// of has a measure look at one cell.
func of(k world.CellKey) func(*look) []world.CellKey {
	return func(*look) []world.CellKey { return []world.CellKey{k} }
}

func tookIs() measure {
	return measure{
		check: func(*names) error { return nil },
		value: func(l *look) (string, bool) { return span(float64(l.took.Microseconds()) / 1000), true },
	}
}

func loadIs() measure {
	return measure{
		check: func(n *names) error { return n.load(0) },
		value: func(l *look) (string, bool) {
			if l.Frame.Load == nil || !l.Frame.Load.Known {
				return "", false
			}
			return aSecond(l.Frame.Load.PerSecond), true
		},
	}
}

func featuresAre() measure {
	return measure{
		check: func(*names) error { return nil },
		value: func(l *look) (string, bool) { return count(float64(len(l.System.Features))), true },
	}
}

func waitingIs(service string) measure {
	return measure{
		check: func(n *names) error { return n.taker(service) },
		value: func(l *look) (string, bool) {
			n, whole := l.waiting(service)
			return events(n), whole
		},
	}
}

func rateIs(stream string) measure {
	return measure{
		check: func(n *names) error { return n.stream(stream) },
		value: func(l *look) (string, bool) {
			lane, ok := found(l.Frame.Streams, func(t *world.Lane) bool { return t.Name == stream })
			return aSecond(lane.Rate), ok
		},
		span: window,
	}
}

func engineIs(store string) measure {
	return measure{
		check: func(n *names) error { return n.store(store) },
		value: func(l *look) (string, bool) {
			n, _ := l.node(store)
			return n.Version, n.Version != ""
		},
	}
}

// engineNames are the engines by the names that people know.
var engineNames = map[string]string{"postgres": "Postgres", "mongodb": "MongoDB", "redis": "Redis"}

func fastestIs(workload string) measure {
	return measure{
		check: func(n *names) error { return n.workload(workload) },
		value: func(l *look) (string, bool) {
			best := EngineResult{}
			for _, r := range l.results(workload) {
				if r.PerSecond > best.PerSecond {
					best = r
				}
			}
			if best.PerSecond <= 0 {
				return "", false
			}
			called := engineNames[best.Engine]
			if called == "" {
				called = best.Engine
			}
			return called + ": " + aSecond(best.PerSecond), true
		},
		asks: Asks{Engines: true},
	}
}

func speedIs(workload, engine string) measure {
	return measure{
		check: func(n *names) error {
			if err := n.workload(workload); err != nil {
				return err
			}
			return n.engine(engine)
		},
		value: func(l *look) (string, bool) {
			r, ok := found(l.results(workload), func(r *EngineResult) bool { return r.Engine == engine })
			return aSecond(r.PerSecond), ok && r.PerSecond > 0
		},
		asks: Asks{Engines: true},
	}
}

// results are those of a workload.
func (v *View) results(workload string) (all []EngineResult) {
	if v.Engines == nil {
		return nil
	}
	for _, r := range v.Engines.Results {
		if r.Workload == workload {
			all = append(all, r)
		}
	}
	return all
}
