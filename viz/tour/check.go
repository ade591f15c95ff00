package tour

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/stillup/stillup/viz/world"
)

// The bounds of chapters.
const (
	fewestSteps, mostSteps     = 3, 8
	fewestCells, mostCells     = 2, 12
	fewestMinutes, mostMinutes = 1, 10
	mostWords, mostSumWords    = 60, 40
	mostWithin                 = 300 // seconds
)

var (
	idForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	// reserved are ids that an address of the page or the API has for another.
	reserved = []string{"summary", "glossary", "leave"}
)

// check collects what is wrong.
type check struct {
	*names
	terms map[string]bool // in small letters
	at    string          // the place that is looked at
	wrong []error
}

func (c *check) say(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Errorf("%s: %w", c.at, fmt.Errorf(format, args...)))
}

// within looks at a place within the present one.
func (c *check) within(place string, look func()) {
	was := c.at
	c.at += ": " + place
	look()
	c.at = was
}

// try tells of err, if it is one.
func (c *check) try(err error) {
	if err != nil {
		c.say("%w", err)
	}
}

func (c *check) chapter(ch *Chapter) {
	switch {
	case !idForm.MatchString(ch.ID):
		c.say("id %q: give small letters, digits and dashes", ch.ID)
	case slices.Contains(reserved, ch.ID):
		c.say("id %q is the address of another page; choose another", ch.ID)
	}
	if ch.Title == "" || ch.Claim == "" {
		c.say("title or claim is missing; say both")
	}
	c.within("claim", func() { c.plain(ch.Claim, mostSumWords) })
	if ch.Minutes < fewestMinutes || ch.Minutes > mostMinutes {
		c.say("minutes is %d; say how long it takes, %d to %d", ch.Minutes, fewestMinutes, mostMinutes)
	}
	c.within("begin", func() {
		if l := ch.Begin.Load; l != nil {
			c.try(c.load(*l))
			if *l < 0 {
				c.say("load is %g; give 0 or more", *l)
			}
		}
		for _, a := range ch.Begin.Actions {
			c.try(c.job(a))
		}
	})
	if n := len(ch.Steps); n < fewestSteps || n > mostSteps {
		c.say("there are %d steps; a chapter has %d to %d", n, fewestSteps, mostSteps)
	}
	ids := map[string]bool{}
	for i := range ch.Steps {
		s := &ch.Steps[i]
		c.within(fmt.Sprintf("step %q", s.ID), func() {
			switch {
			case !idForm.MatchString(s.ID):
				c.say("number %d has the id %q: give small letters, digits and dashes", i+1, s.ID)
			case ids[s.ID]:
				c.say("there are two of that id; ids are unique in a chapter")
			}
			ids[s.ID] = true
			c.step(s)
		})
	}
}

func (c *check) step(s *Step) {
	if s.Title == "" || s.Say == "" {
		c.say("title or say is missing; say both")
	}
	c.within("say", func() { c.plain(s.Say, mostWords) })
	c.within("after", func() { c.measured(s.After, mostWords) })
	c.within("sum", func() { c.measured(s.Sum, mostSumWords) })
	c.within("show", func() { c.show(&s.Show) })
	if s.Predict != nil {
		c.within("predict", func() { c.predict(s) })
	}
	c.within("do", func() {
		for _, d := range s.Do {
			if err := c.deed(d); err != nil {
				c.say("%q: %w", d, err)
			}
		}
		if len(s.Do) > 0 && len(s.Until) == 0 {
			c.say("there is no until, so a click alone would be enough; say what has to be seen in the world")
		}
	})
	c.within("until", func() {
		for _, u := range s.Until {
			c.try(u.valid(c.names))
		}
	})
	if s.Within < 0 || s.Within > mostWithin {
		c.say("within is %d; give seconds, up to %d", s.Within, mostWithin)
	}
	c.within("help", func() {
		for _, h := range s.Help {
			c.try(h.When.valid(c.names))
			if h.Say == "" {
				c.say("say is missing at %q", h.When)
			}
			c.plain(h.Say, mostWords)
		}
	})
}

func (c *check) predict(s *Step) {
	p := s.Predict
	if p.Ask == "" {
		c.say("ask is missing; put the question")
	}
	c.plain(p.Ask, mostWords)
	if len(s.Do) == 0 && len(s.Until) == 0 {
		c.say("the step has neither do nor until, so nothing would answer the question")
	}
	if n := len(p.Cells); n < fewestCells || n > mostCells {
		c.say("there are %d cells; ask for %d to %d", n, fewestCells, mostCells)
	}
	for i, text := range p.Cells {
		k, err := parseCell(text)
		if err == nil {
			err = c.cell(k)
		}
		c.try(err)
		if slices.Contains(p.Cells[:i], text) {
			c.say("cell %q is asked for twice", text)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(p.Why)) {
		if !slices.Contains(p.Cells, text) {
			c.say("why explains %q, which is not among the cells", text)
		}
		c.plain(p.Why[text], mostWords)
	}
}

// dataViews are the views of the page's panel of data.
var dataViews = []string{"copies", "totals", "schema", "rebuild", "trouble", "engines"}

func (c *check) show(s *Show) {
	for _, id := range s.Nodes {
		c.try(c.node(id))
	}
	for _, id := range s.Streams {
		c.try(c.stream(id))
	}
	if s.Pattern != "" {
		c.try(c.pattern(s.Pattern))
	}
	for _, text := range s.Cells {
		k, err := parseCell(text)
		if err == nil {
			err = c.cells(k.Feature, k.Pattern)
		}
		c.try(err)
	}
	if s.Cost != "" {
		k, err := parseCell(s.Cost)
		if err == nil {
			err = c.cell(k)
		}
		c.try(err)
	}
	if s.Data == "" {
		return
	}
	way := strings.Split(s.Data, "/")
	if !slices.Contains(dataViews, way[0]) {
		c.say("data %q begins with no view; there are %s", s.Data, strings.Join(dataViews, ", "))
	} else if way[0] == "copies" && len(way) > 1 {
		c.try(c.owned(way[1]))
	}
}

var cellForm = whole(`(\S+) in (\S+)`)

// parseCell reads "FEATURE in PATTERN".
func parseCell(text string) (world.CellKey, error) {
	m := cellForm.FindStringSubmatch(spaced(text))
	if m == nil {
		return world.CellKey{}, fmt.Errorf("%q is no cell; write FEATURE in PATTERN", text)
	}
	return world.CellKey{Feature: m[1], Pattern: m[2]}, nil
}

// plain checks a text without measures.
func (c *check) plain(text string, most int) {
	if strings.ContainsAny(text, "{}") {
		c.say("it holds a measure; only after and sum may")
	}
	c.words(text, most)
}

// measured checks a text with measures.
func (c *check) measured(text string, most int) {
	parts, err := parseText(text)
	c.try(err)
	plain := ""
	for _, p := range parts {
		if p.is == "" {
			plain += p.words
			continue
		}
		plain += "N"
		if err := p.measure.check(c.names); err != nil {
			c.say("measure %q: %w", "{"+p.is+"}", err)
		}
	}
	c.words(plain, most)
}

// words checks how long a text is and that its terms are explained.
func (c *check) words(text string, most int) {
	if n := len(strings.Fields(text)); n > most {
		c.say("it has %d words; at most %d are read", n, most)
	}
	terms, err := termsOf(text)
	c.try(err)
	for _, t := range terms {
		if !c.terms[strings.ToLower(t)] {
			c.say("[%s] is not in the glossary; add it there, or take the brackets away", t)
		}
	}
}

// termsOf are what stands in brackets.
func termsOf(text string) (terms []string, err error) {
	text = spaced(text)
	for {
		before, rest, open := strings.Cut(text, "[")
		if strings.Contains(before, "]") {
			return terms, fmt.Errorf("a ] without a [ before it, after %q", before[:strings.Index(before, "]")])
		}
		if !open {
			return terms, nil
		}
		term, after, closed := strings.Cut(rest, "]")
		if !closed || strings.Contains(term, "[") {
			return terms, fmt.Errorf("a [ without a ] after it, before %q", rest)
		}
		terms, text = append(terms, term), after
	}
}
