package copies

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stillup/stillup/viz/world"
)

// logical are the fields of a thing by the names that its owner first had for them, and its version: without the id and
// what is hidden, and with what was split in two put together again.
func logical(at *world.Place, pairs []pair) (fields []pair, version int64) {
	value := map[string]string{}
	for _, p := range pairs {
		value[p.name] = p.value
	}
	makes := map[string]string{} // the field that a part is the first of
	part := map[string]bool{}
	made := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(at.Made)) {
		m := at.Made[name]
		text, ok := madeOf(m, value)
		if _, there := value[name]; there || !ok {
			continue
		}
		parts := slices.Concat(m.Sum, m.Join)
		made[name], makes[parts[0]] = text, name
		for _, p := range parts {
			part[p] = true
		}
	}
	for _, p := range pairs {
		switch {
		case p.name == idOf(at), slices.Contains(at.Hidden, p.name):
		case p.name == at.Version:
			version, _ = strconv.ParseInt(p.value, 10, 64) // what is no number is no version
		case makes[p.name] != "":
			fields = append(fields, pair{makes[p.name], made[makes[p.name]]})
		case part[p.name]:
		case at.Fields[p.name] != "":
			fields = append(fields, pair{at.Fields[p.name], p.value})
		default:
			fields = append(fields, p)
		}
	}
	return fields, version
}

// labelled is what a person calls a thing: the place's label by whichever name it stands there.
func labelled(at *world.Place, pairs []pair) string {
	if at.Label == "" {
		return ""
	}
	name := at.Label
	if n := at.Fields[name]; n != "" {
		name = n
	}
	fields, _ := logical(at, pairs)
	for _, f := range fields {
		if f.name == name {
			return cut(f.value)
		}
	}
	return ""
}

// labelSources are the ways in which a label may be kept: under its own name, under one that is compared as it, or in parts,
// to be joined.
func labelSources(at *world.Place) [][]string {
	if at.Label == "" {
		return nil
	}
	all := [][]string{{at.Label}}
	for _, from := range slices.Sorted(maps.Keys(at.Fields)) {
		if at.Fields[from] == at.Label {
			all = append(all, []string{from})
		}
	}
	if m := at.Made[at.Label]; len(m.Join) > 0 {
		all = append(all, m.Join)
	}
	return all
}

// madeOf puts a field together from its parts; false where one is missing or no number.
func madeOf(m world.Made, value map[string]string) (string, bool) {
	var texts []string
	for _, name := range m.Join {
		text, ok := value[name]
		if !ok {
			return "", false
		}
		texts = append(texts, text)
	}
	if len(m.Join) > 0 {
		return strings.Join(texts, " "), true
	}
	var whole int64
	var broken float64
	exact := true
	for _, name := range m.Sum {
		text, ok := value[name]
		f, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil {
			return "", false
		}
		n, err := strconv.ParseInt(text, 10, 64)
		exact = exact && err == nil
		whole, broken = whole+n, broken+f
	}
	if exact {
		return strconv.FormatInt(whole, 10), true
	}
	return number(broken), true
}

// number is a number as it compares between engines: 3490 and 3490.0 are the same.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// idOf is the column or field of a place's id.
func idOf(at *world.Place) string {
	switch {
	case at.ID != "":
		return at.ID
	case at.Collection != "":
		return "_id"
	}
	return "id"
}

// cut shortens a text to maxRawText and a mark.
func cut(s string) string {
	if len(s) <= maxRawText {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:maxRawText], "\uFFFD") + "…"
}
