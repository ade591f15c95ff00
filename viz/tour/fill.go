package tour

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// part is a piece of a text: words as they are, or a measure in braces.
type part struct {
	words string
	measure
	is string // the measure's own words; empty: it is none
}

// notMeasured stands where a measure is not known.
const notMeasured = "(not measured)"

// parseText reads a text with measures in braces. Its error tells of every one that is none; the parts are whole all the
// same.
func parseText(text string) (parts []part, err error) {
	text = spaced(text)
	var wrong []error
	for text != "" {
		before, rest, open := strings.Cut(text, "{")
		if strings.Contains(before, "}") {
			wrong = append(wrong, fmt.Errorf("a } without a { before it, after %q", before[:strings.Index(before, "}")]))
		}
		if before != "" {
			parts = append(parts, part{words: before})
		}
		if !open {
			break
		}
		is, after, closed := strings.Cut(rest, "}")
		if !closed {
			wrong = append(wrong, fmt.Errorf("a { without a } after it, before %q", rest))
			parts = append(parts, part{words: "{" + rest})
			break
		}
		m, err := parseMeasure(spaced(is))
		if err != nil {
			wrong = append(wrong, err)
			parts = append(parts, part{words: "{" + is + "}"})
		} else {
			parts = append(parts, part{measure: m, is: spaced(is)})
		}
		text = after
	}
	return parts, errors.Join(wrong...)
}

// textOf is a text that was checked.
func textOf(text string) []part {
	parts, _ := parseText(text) // Read has refused what is wrong; of another's chapter it stays as it is written
	return parts
}

// fill is the text with its measures; whole: all of them are known.
func fill(parts []part, l *look) (text string, whole bool) {
	var b strings.Builder
	whole = true
	for _, p := range parts {
		if p.is == "" {
			b.WriteString(p.words)
			continue
		}
		v, known := "", l.fresh(p.measure)
		if known {
			v, known = p.measure.value(l)
		}
		if !known {
			v, whole = notMeasured, false
		}
		if b.Len() == 0 { // it begins the sentence
			v = capital(v)
		}
		b.WriteString(v)
	}
	return b.String(), whole
}

// capital is a text that begins with a capital.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// fresh says whether all cells that a measure looks at were tried since the conditions came to hold.
func (l *look) fresh(m measure) bool {
	if m.cells == nil {
		return true
	}
	for _, k := range m.cells(l) {
		if !l.triedSince(k, l.changed) {
			return false
		}
	}
	return true
}
