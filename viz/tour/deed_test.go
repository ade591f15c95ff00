package tour

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/control"
)

// TestDeeds: every form is read, and written as it was read.
func TestDeeds(t *testing.T) {
	for text, want := range map[string]Deed{
		"kill stock":               {Verb: Kill, Node: "stock"},
		"start eu.west-1":          {Verb: Start, Node: "eu.west-1"},
		"pause stock":              {Verb: Pause, Node: "stock"},
		"resume stock":             {Verb: Resume, Node: "stock"},
		"cut stock":                {Verb: Cut, Node: "stock"},
		"heal stock":               {Verb: Heal, Node: "stock"},
		"slow stock by 300 ms":     {Verb: Slow, Node: "stock", Latency: 300 * time.Millisecond},
		"restore all":              {Verb: Restore},
		"set load to 12.5":         {Verb: SetLoad, Load: 12.5},
		"do schema-2":              {Verb: Do, Action: "schema-2"},
		"measure engines":          {Verb: Measure},
		"do rename of u-1":         {Verb: Do, Action: "rename", ID: "u-1"},
		"do x with name = a, b, c": {Verb: Do, Action: "x", Values: map[string]string{"name": "a, b, c"}},
		"do rename of u-1 with age = 12, name = Ada of {now}": {Verb: Do, Action: "rename", ID: "u-1",
			Values: map[string]string{"age": "12", "name": "Ada of {now}"}},
	} {
		got := mustDeed(t, " "+strings.ReplaceAll(text, " ", "  "))
		if !reflect.DeepEqual(got, want) || got.String() != text || want.String() != text {
			t.Errorf("%q: %+v, written as %q", text, got, got)
		}
	}
	d := mustDeed(t, "do rename of u-1 with name = Ada of {now}")
	if got := d.At(noon).Values["name"]; got != "Ada of 12:00:00" || d.Values["name"] != "Ada of {now}" {
		t.Errorf("done at noon: %q, and it became %q", got, d)
	}
	if (Deed{}).String() != "" {
		t.Error("no deed is written as something")
	}
}

func TestDeedsThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "none of the forms",
		"kil stock":              "none of the forms",
		"kill":                   "kill|start",
		"kill a b":               "kill|start",
		"slow stock by 0 ms":     "1 to 10000 ms",
		"slow stock by 10001 ms": "1 to 10000 ms",
		"slow stock":             "slow NODE by N ms",
		"set load to -1":         "set load to N",
		"do x with name":         "do ACTION",
		"do x with a = , b = 1":  "a has no value",
	} {
		if _, err := ParseDeed(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; wanted %q", text, err, want)
		}
	}
}

func TestDeedsNames(t *testing.T) {
	sys := system()
	for text, want := range map[string]string{
		"kill stock":                                     "",
		"restore all":                                    "",
		"set load to 500":                                "",
		"measure engines":                                "",
		"do join-late":                                   "",
		"kill stok":                                      "no node is called",
		"set load to 501":                                "above the most",
		"do renam of u-1":                                "no action is called",
		"do schema-2 of u-1":                             `leave "of u-1" out`,
		"do rename with name = a, age = 1":               "say of which of the users",
		"do rename of u-1 with name = a":                 "wants a value of age: with age = VALUE",
		"do rename of u-1 with name = a, age = x":        `age is "x", which is no number`,
		"do rename of u-1 with name = a, age = -1":       "",
		"do rename of u-1 with name = a, age = 1, x = 2": `has no field "x"; there are name, age`,
	} {
		err := (&names{&sys}).deed(mustDeed(t, text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v; wanted %q", text, err, want)
		}
	}
	if (&names{&sys}).deed(Deed{}) == nil {
		t.Error("no deed was taken for one")
	}
}

// TestVerbsAreTheRuntimes: deeds on nodes are called as what does them calls them.
func TestVerbsAreTheRuntimes(t *testing.T) {
	ours := []string{Kill, Start, Pause, Resume, Cut, Heal, Slow}
	theirs := []string{control.Kill, control.Start, control.Pause, control.Resume, control.Cut, control.Heal, control.Slow}
	if !reflect.DeepEqual(ours, theirs) {
		t.Errorf("%q, there %q", ours, theirs)
	}
	if maxLatency != control.MaxLatency {
		t.Errorf("a deed slows by up to %s, a runtime by up to %s", maxLatency, control.MaxLatency)
	}
}
