package tour

import (
	"errors"
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"
)

// Condition is something that holds of the world as measured, or does not. It is written as one line, which
// [Condition.String] gives and JSON has. The zero value never holds.
type Condition struct {
	text string
	test
}

// test is what a form makes of a condition's words.
type test struct {
	check func(*names) error
	// holds says whether it does, and where not, what is seen instead, in words. What is not known does not hold.
	holds func(*look) (bool, string)
	asks  Asks
	helps func(Deed) bool // the deed brings it about; nil: no one deed does
	node  string          // whose state it is about; empty: it is about another thing
	up    bool            // it wants that node up
	runs  bool            // it wants that node up, or in a state that only one can have that was up
}

// conditionForm is one form of conditions.
type conditionForm struct {
	shape string
	line  *regexp.Regexp
	test  func(m []string) test
}

// conditionForms are all of them; the first that fits is taken.
var conditionForms = []conditionForm{
	{"everything is healthy", whole(`everything is healthy`), func([]string) test { return allHealthy() }},
	{"NODE is up|down|paused|slow|cut|healthy", whole(`(\S+) is (up|down|paused|slow|cut|healthy)`),
		func(m []string) test { return nodeIs(m[1], m[2]) }},
	{"the load is at least N", whole(`the load is at least ` + number), func(m []string) test { return loadAtLeast(amount(m[1])) }},
	{"the load is 0", whole(`the load is 0`), func([]string) test { return loadNone() }},
	{"the engines were measured", whole(`the engines were measured`), func([]string) test { return enginesMeasured() }},
	{"the copy of KIND in STORE is behind|up to date", whole(`the copy of (\S+) in (\S+) is (behind|up to date)`),
		func(m []string) test { return copyIs(m[1], m[2], m[3] == "behind") }},
	{"at least N events wait for NODE", whole(`at least ([0-9]{1,9}) events? waits? for (\S+)`),
		func(m []string) test { return waitAtLeast(int64(amount(m[1])), m[2]) }},
	{"no event waits for NODE", whole(`no event waits for (\S+)`), func(m []string) test { return waitNone(m[1]) }},
	{"p50 of FEATURE in PATTERN is at least|at most N ms", whole(`p50 of (\S+) in (\S+) is at (least|most) ` + number + ` ms`),
		func(m []string) test { return p50Is(m[1], m[2], m[3] == "least", amount(m[4])) }},
	{"FEATURE in PATTERN works|is slow|is stale|fails|answers", whole(`(\S+) in (\S+) (works|is slow|is stale|fails|answers)`),
		func(m []string) test { return cellsAre(m[1], m[2], m[3]) }},
	{"every feature in PATTERN|every pattern works|is slow|is stale|fails|answers",
		whole(`(every feature|\S+) in (every pattern|\S+) (works|is slow|is stale|fails|answers)`),
		func(m []string) test { return cellsAre(oneOrEvery(m[1]), oneOrEvery(m[2]), m[3]) }},
	{"FIELD of KIND ID has changed", whole(`(\S+) of (\S+) (\S+) has changed`),
		func(m []string) test { return fieldChanged(Field{Kind: m[2], ID: m[3], Name: m[1]}) }},
	{"NODE has joined", whole(`(\S+) has joined`), func(m []string) test { return hasJoined(m[1]) }},
	{"ACTION is done", whole(`(\S+) is done`), func(m []string) test { return jobDone(m[1]) }},
}

// oneOrEvery is an id, or [every] for "every feature" and the like.
func oneOrEvery(word string) string {
	if word == "every feature" || word == "every pattern" {
		return every
	}
	return word
}

// ParseCondition reads a condition's line. What it names need not exist: [Read] checks that.
func ParseCondition(text string) (Condition, error) {
	text = spaced(text)
	for _, f := range conditionForms {
		if m := f.line.FindStringSubmatch(text); m != nil {
			return Condition{text, f.test(m)}, nil
		}
	}
	var shapes []string
	for _, f := range conditionForms {
		shapes = append(shapes, f.shape)
	}
	return Condition{}, fmt.Errorf("condition %q has none of the forms there are; the nearest is %q", text, nearest(text, shapes))
}

// String is the condition's line.
func (c Condition) String() string { return c.text }

// see evaluates the condition.
func (c Condition) see(l *look) Seen {
	if c.test.holds == nil {
		return Seen{Text: c.text, Sees: "nothing is said that could hold"}
	}
	s := Seen{Text: c.text}
	if s.Holds, s.Sees = c.test.holds(l); s.Holds {
		s.Sees = ""
	}
	return s
}

// valid checks what the condition names.
func (c Condition) valid(n *names) error {
	if c.test.check == nil {
		return errors.New("a condition is empty; remove it, or say what has to hold")
	}
	if err := c.test.check(n); err != nil {
		return fmt.Errorf("condition %q: %w", c.text, err)
	}
	return nil
}

// MarshalText gives the condition's line.
func (c Condition) MarshalText() ([]byte, error) { return []byte(c.text), nil }

// UnmarshalText reads it.
func (c *Condition) UnmarshalText(text []byte) (err error) {
	*c, err = ParseCondition(string(text))
	return err
}

// UnmarshalYAML reads the condition's line.
func (c *Condition) UnmarshalYAML(n *yaml.Node) error { return line(n, "condition", c.UnmarshalText) }
