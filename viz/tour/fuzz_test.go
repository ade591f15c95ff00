package tour

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// FuzzParseDeed: what is read is written so that it is read as the same.
func FuzzParseDeed(f *testing.F) {
	for _, s := range []string{"kill stock", "slow stock by 300 ms", "set load to 12.5", "do rename of u-1 with name = Ada of {now}, age = 3", "restore all", "do x with a = b, = c, d = ,"} {
		f.Add(s)
	}
	sys := system()
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDeed(text)
		if err != nil {
			return
		}
		again, err := ParseDeed(d.String())
		if err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("%q is %+v, written %q, and read again %+v, %v", text, d, d, again, err)
		}
		_ = (&names{&sys}).deed(d)
		_ = d.At(noon)
	})
}

// FuzzParseCondition: what is read is written as it was, and can be looked at whatever the world.
func FuzzParseCondition(f *testing.F) {
	for _, form := range conditionForms {
		f.Add(form.shape)
	}
	for _, s := range []string{"stock is up", "every feature in every pattern works", "p50 of buy in sync is at least 12.5 ms", "no event waits for stock", "name of users u-1 has changed"} {
		f.Add(s)
	}
	sys, views := system(), []View{{At: noon}, calm()}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCondition(text)
		if err != nil {
			return
		}
		again, err := ParseCondition(c.String())
		if err != nil || again.String() != c.String() {
			t.Errorf("%q is read again as %q, %v", c, again, err)
		}
		_ = c.valid(&names{&sys})
		for _, v := range views {
			if s := c.see(&look{View: v}); !s.Holds && s.Sees == "" {
				t.Errorf("%q does not hold, and nothing is seen instead", c)
			}
		}
	})
}

// FuzzFill: a text keeps its words, whatever stands in braces.
func FuzzFill(f *testing.F) {
	for _, form := range measureForms {
		f.Add("It is {" + form.shape + "}, so.")
	}
	for _, s := range []string{"{took} of {p50 of buy in sync}", "{", "}", "{}{", "a {took", "[x] {working in sync}"} {
		f.Add(s)
	}
	sys, l := system(), &look{View: calm(), took: time.Second}
	f.Fuzz(func(t *testing.T, text string) {
		parts, err := parseText(text)
		got, _ := fill(parts, l)
		if !strings.ContainsAny(text, "{}") && got != spaced(text) {
			t.Errorf("%q became %q", text, got)
		}
		if err == nil && strings.ContainsAny(got, "{}") {
			t.Errorf("%q was taken, and became %q", text, got)
		}
		c := &check{names: &names{&sys}}
		c.measured(text, mostWords)
		if err != nil && len(c.wrong) == 0 {
			t.Errorf("%q: %v is not told", text, err)
		}
	})
}
