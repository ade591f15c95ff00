package tour

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Deed is one thing that is done to the lab. It is written as one line, which [Deed.String] gives and JSON has.
type Deed struct {
	Verb    string            // one of the verbs below
	Node    string            // Kill to Slow
	Latency time.Duration     // Slow: whole milliseconds
	Load    float64           // SetLoad: a second
	Action  string            // Do: its id
	ID      string            // Do: of the thing that it changes; empty: of none
	Values  map[string]string // Do: of its fields; "{now}" stands for the time, see [Deed.At]
}

// The verbs of deeds. Those on nodes are called as package control calls them.
const (
	Kill    = "kill"
	Start   = "start"
	Pause   = "pause"
	Resume  = "resume"
	Cut     = "cut"
	Heal    = "heal"
	Slow    = "slow"
	Restore = "restore" // everything is up and without faults
	SetLoad = "load"
	Do      = "do"      // an action of the system file
	Measure = "measure" // the engines, by the workloads
)

const (
	number     = `([0-9]{1,9}(?:\.[0-9]{1,3})?)`
	maxLatency = 10 * time.Second // of Slow
)

// deedForms are the lines that are deeds.
var deedForms = []struct {
	shape string
	line  *regexp.Regexp
	deed  func(m []string) Deed
}{
	{"kill|start|pause|resume|cut|heal NODE", whole(`(kill|start|pause|resume|cut|heal) (\S+)`),
		func(m []string) Deed { return Deed{Verb: m[1], Node: m[2]} }},
	{"slow NODE by N ms", whole(`slow (\S+) by ([0-9]{1,6}) ms`),
		func(m []string) Deed {
			return Deed{Verb: Slow, Node: m[1], Latency: time.Duration(amount(m[2])) * time.Millisecond}
		}},
	{"restore all", whole(`restore all`), func([]string) Deed { return Deed{Verb: Restore} }},
	{"set load to N", whole(`set load to ` + number), func(m []string) Deed { return Deed{Verb: SetLoad, Load: amount(m[1])} }},
	{"do ACTION [of ID] [with FIELD = VALUE, ...]", whole(`do (\S+)(?: of (\S+))?(?: with (` + name + ` = .+))?`),
		func(m []string) Deed { return Deed{Verb: Do, Action: m[1], ID: m[2], Values: valuesOf(m[3])} }},
	{"measure engines", whole(`measure engines`), func([]string) Deed { return Deed{Verb: Measure} }},
}

const name = `[A-Za-z_][A-Za-z0-9_]*`

var field = regexp.MustCompile(`(?:^|, )(` + name + `) = `)

// valuesOf reads "a = x, b = y, z" as {a: "x", b: "y, z"}; nil for nothing.
func valuesOf(text string) map[string]string {
	places := field.FindAllStringSubmatchIndex(text, -1)
	if places == nil {
		return nil
	}
	values := map[string]string{}
	for i, p := range places {
		end := len(text)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		values[text[p[2]:p[3]]] = text[p[1]:end]
	}
	return values
}

// ParseDeed reads a deed's line. What it names need not exist: [Read] checks that.
func ParseDeed(text string) (Deed, error) {
	text = spaced(text)
	for _, f := range deedForms {
		if m := f.line.FindStringSubmatch(text); m != nil {
			d := f.deed(m)
			if d.Verb == Slow && (d.Latency <= 0 || d.Latency > maxLatency) {
				return Deed{}, fmt.Errorf("deed %q: a node can be slowed by 1 to %d ms", text, maxLatency.Milliseconds())
			}
			for f, v := range d.Values {
				if v == "" {
					return Deed{}, fmt.Errorf("deed %q: %s has no value", text, f)
				}
			}
			return d, nil
		}
	}
	var shapes []string
	for _, f := range deedForms {
		shapes = append(shapes, f.shape)
	}
	return Deed{}, fmt.Errorf("deed %q has none of the forms there are; the nearest is %q", text, nearest(text, shapes))
}

// String is the deed's line; [ParseDeed] reads it as the same deed.
func (d Deed) String() string {
	switch d.Verb {
	case Slow:
		return fmt.Sprintf("slow %s by %d ms", d.Node, d.Latency.Milliseconds())
	case Restore:
		return "restore all"
	case SetLoad:
		return "set load to " + strconv.FormatFloat(d.Load, 'f', -1, 64)
	case Measure:
		return "measure engines"
	case Do:
		line := "do " + d.Action
		if d.ID != "" {
			line += " of " + d.ID
		}
		for i, f := range slices.Sorted(maps.Keys(d.Values)) {
			line += map[bool]string{true: " with ", false: ", "}[i == 0] + f + " = " + d.Values[f]
		}
		return line
	case "":
		return ""
	}
	return d.Verb + " " + d.Node
}

// At is the deed as it is done at that moment: "{now}" in its values is the time of day, so that a change is one.
func (d Deed) At(now time.Time) Deed {
	d.Values = maps.Clone(d.Values)
	for f, v := range d.Values {
		d.Values[f] = strings.ReplaceAll(v, "{now}", now.Format(time.TimeOnly))
	}
	return d
}

// MarshalText gives the deed's line.
func (d Deed) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads it.
func (d *Deed) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDeed(string(text))
	return err
}

// UnmarshalYAML reads the deed's line.
func (d *Deed) UnmarshalYAML(n *yaml.Node) error { return line(n, "deed", d.UnmarshalText) }

// line reads a scalar; its error is one that lets the rest of the file be read too.
func line(n *yaml.Node, what string, read func([]byte) error) error {
	err := fmt.Errorf("a %s is one line of text", what)
	if n.Kind == yaml.ScalarNode {
		err = read([]byte(n.Value))
	}
	if err != nil {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %s", n.Line, err)}}
	}
	return nil
}

// whole is a pattern of a whole line.
func whole(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

// spaced has one space where there was any white space, and none at the ends.
func spaced(text string) string { return strings.Join(strings.Fields(text), " ") }

// amount is the number that a form's pattern found.
func amount(digits string) float64 {
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.IsInf(n, 0) {
		return 0 // unreachable: the patterns take digits only
	}
	return n
}

// nearest is the form that a text was most likely meant to have: which shares most words with it, asks for fewest that it
// lacks, and is about as long; the first of equals.
func nearest(text string, shapes []string) (best string) {
	most := math.MinInt
	for _, shape := range shapes {
		words, tokens := strings.Fields(text), strings.Fields(shape)
		n := -max(len(words)-len(tokens), len(tokens)-len(words))
		for _, token := range tokens {
			choices := strings.Split(strings.Trim(token, "[]"), "|")
			i := slices.IndexFunc(words, func(w string) bool { return slices.Contains(choices, w) })
			switch {
			case i >= 0:
				n += 5
				words[i] = "" // it is one word, and stands for one
			case !slices.ContainsFunc(choices, func(w string) bool { return strings.ToUpper(w) == w }): // it stands for no name
				n--
			}
		}
		if n > most {
			best, most = shape, n
		}
	}
	return best
}
