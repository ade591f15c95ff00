package tour

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

const glossaryText = `
- term: service
  also: [services, Service]
  say: A program of its own.
- term: crash
  say: The end of a [service] that nobody planned.
`

const chapterText = `
id: crash
title: One crash
claim: One crash takes one service along.
minutes: 3
begin: {load: 20, actions: [schema-2]}
steps:
- id: look
  title: Look
  say: Everything works.
- id: kill
  title: Kill stock
  say: Stock will [crash]. Other [Services] go on.
  predict:
    ask: Which will still work?
    cells: [buy in sync, buy in copies]
    why: {buy in sync: It asks stock.}
  do: [kill stock, "do rename of u-1 with name = a, age = 2"]
  until: [stock is down, buy in sync fails]
  within: 20
  help:
  - {when: bus is down, say: The bus is down.}
  show: {nodes: [stock], streams: [orders], pattern: sync, cells: [every in sync], data: copies/users/u-1, cost: buy in sync}
  after: "{working in sync} of {features} answer."
  sum: Without stock {working in sync} answered.
- id: start
  title: Start stock
  say: Start it.
  do: [start stock]
  until: [stock is healthy]
`

// folder is a folder of chapters; the good one with its texts replaced.
func folder(replace ...string) fs.FS {
	text := strings.NewReplacer(replace...).Replace(chapterText)
	return fstest.MapFS{"01-crash.yaml": {Data: []byte(text)}, "glossary.yaml": {Data: []byte(glossaryText)}, "README.md": {Data: []byte("no chapter")}}
}

func TestRead(t *testing.T) {
	got, err := Read(folder(), system())
	if err != nil {
		t.Fatal(err)
	}
	c := got.Chapters[0]
	if len(got.Chapters) != 1 || len(got.Glossary) != 2 || c.ID != "crash" || len(c.Steps) != 3 || *c.Begin.Load != 20 {
		t.Fatalf("%+v", c)
	}
	if s := c.Steps[1]; s.Do[1].Values["age"] != "2" || s.Until[1].String() != "buy in sync fails" || s.Help[0].When.String() != "bus is down" || s.Predict.Why["buy in sync"] == "" {
		t.Errorf("%+v", s)
	}
	b, err := json.Marshal(got)
	if err != nil || strings.Contains(string(b), "null") && !strings.Contains(string(b), `"predict":null`) || strings.Contains(strings.ReplaceAll(string(b), `"predict":null`, ""), "null") {
		t.Errorf("lists of nothing are null: %s, %v", b, err)
	}
}

// TestReadTellsWhatIsWrong: each of the checks, with its place.
func TestReadTellsWhatIsWrong(t *testing.T) {
	words := func(n int) string { return strings.Repeat("word ", n) }
	for name, c := range map[string]struct {
		replace []string
		want    string
	}{
		"a field that is not known":   {[]string{"within: 20", "wthin: 20"}, "01-crash.yaml: line 20: field wthin not found"},
		"a deed that is none":         {[]string{"kill stock,", "kil stock,"}, `01-crash.yaml: line 18: deed "kil stock" has none of the forms`},
		"a deed that is no text":      {[]string{"[kill stock,", "[[kill], "}, "line 18: a deed is one line of text"},
		"a condition that is none":    {[]string{"[stock is healthy]", "[stock is well]"}, `line 30: condition "stock is well" has none of the forms there are; the nearest is "NODE is up`},
		"no YAML":                     {[]string{"id: crash", "id: [crash"}, "01-crash.yaml: yaml:"},
		"a second document":           {[]string{"- id: start", "---\n- id: start"}, "more than one document"},
		"no id":                       {[]string{"id: crash", "id: One Crash"}, `id "One Crash": give small letters`},
		"an id that is taken":         {[]string{"id: crash", "id: summary"}, `id "summary" is the address of another page`},
		"not its file's id":           {[]string{"id: crash", "id: crashes"}, "02-crashes.yaml"},
		"no title":                    {[]string{"title: One crash", ""}, "title or claim is missing"},
		"minutes":                     {[]string{"minutes: 3", "minutes: 30"}, "minutes is 30; say how long it takes, 1 to 10"},
		"too much load":               {[]string{"load: 20", "load: 900"}, "begin: a load of 900 is above"},
		"less than no load":           {[]string{"load: 20", "load: -1"}, "begin: load is -1"},
		"a beginning that is no job":  {[]string{"[schema-2]", "[rename]"}, "begin: rename is no job"},
		"too few steps":               {[]string{"- id: start\n  title: Start stock\n  say: Start it.\n  do: [start stock]\n  until: [stock is healthy]\n", ""}, "there are 2 steps; a chapter has 3 to 8"},
		"two steps of an id":          {[]string{"- id: start", "- id: kill"}, `step "kill": there are two of that id`},
		"a step without id":           {[]string{"- id: start", "- id: "}, `step "": number 3 has the id ""`},
		"nothing said":                {[]string{"say: Start it.", ""}, `step "start": title or say is missing`},
		"too much said":               {[]string{"Start it.", words(61)}, `step "start": say: it has 61 words; at most 60 are read`},
		"too much said after":         {[]string{`"{working in sync} of {features} answer."`, words(60) + "{took}"}, `step "kill": after: it has 61 words`},
		"too long a sum":              {[]string{"Without stock {working in sync} answered.", words(41)}, `step "kill": sum: it has 41 words; at most 40`},
		"a measure before the end":    {[]string{"Start it.", `"It took {took}."`}, `say: it holds a measure; only after and sum may`},
		"a measure that is none":      {[]string{"{features}", "{feature}"}, `after: measure "{feature}" has none of the forms there are`},
		"a measure of nothing":        {[]string{"Without stock {working in sync}", "Without stock {working in sunc}"}, `sum: measure "{working in sunc}": no pattern is called "sunc"`},
		"a brace that is not closed":  {[]string{`{features} answer."`, `{features answer."`}, "a { without a } after it"},
		"a term without explanation":  {[]string{"[crash]", "[Crashs]"}, "say: [Crashs] is not in the glossary; add it there"},
		"a bracket that is not shut":  {[]string{"[crash].", "[crash. "}, "a [ without a ] after it"},
		"a bracket that is not open":  {[]string{"[crash]", "crash]"}, "a ] without a [ before it"},
		"a node that is not there":    {[]string{"nodes: [stock]", "nodes: [stok]"}, `step "kill": show: no node is called "stok"`},
		"a stream that is not there":  {[]string{"streams: [orders]", "streams: [order]"}, `show: no stream is called "order"; there are users, orders`},
		"a pattern that is not there": {[]string{"pattern: sync", "pattern: async"}, `show: no pattern is called "async"`},
		"a cell to show":              {[]string{"every in sync]", "every with sync]"}, `show: "every with sync" is no cell; write FEATURE in PATTERN`},
		"a cost of many":              {[]string{"cost: buy in sync", "cost: every in sync"}, "show: \"every in sync\" stands where one cell has to be named"},
		"a view that is not there":    {[]string{"copies/users/u-1", "copy/users/u-1"}, `show: data "copy/users/u-1" begins with no view; there are copies, totals`},
		"a kind that is not there":    {[]string{"copies/users/u-1", "copies/user/u-1"}, `show: no kind of data is called "user"`},
		"no question":                 {[]string{"ask: Which will still work?", ""}, "predict: ask is missing"},
		"too few cells":               {[]string{"cells: [buy in sync, buy in copies]", "cells: [buy in sync]"}, "predict: there are 1 cells; ask for 2 to 12"},
		"a cell twice":                {[]string{"[buy in sync, buy in copies]", "[buy in sync, buy in sync]"}, `predict: cell "buy in sync" is asked for twice`},
		"a cell that cannot be asked": {[]string{"[buy in sync, buy in copies]", "[buy in sync, browse in sync]"}, "predict: browse in sync cannot be asked"},
		"an explanation of nothing":   {[]string{"why: {buy in sync", "why: {sign-up in sync"}, `predict: why explains "sign-up in sync", which is not among the cells`},
		"a question without answer":   {[]string{"do: [kill stock, \"do rename of u-1 with name = a, age = 2\"]\n  until: [stock is down, buy in sync fails]", ""}, "predict: the step has neither do nor until"},
		"a click alone":               {[]string{"until: [stock is healthy]", ""}, `step "start": do: there is no until, so a click alone would be enough`},
		"a deed on nothing":           {[]string{"kill stock,", "kill stok,"}, `do: "kill stok": no node is called "stok"`},
		"a condition on nothing":      {[]string{"[stock is healthy]", "[stok is healthy]"}, `step "start": until: condition "stok is healthy": no node is called "stok"`},
		"too patient":                 {[]string{"within: 20", "within: 301"}, "within is 301; give seconds, up to 300"},
		"help when":                   {[]string{"{when: bus is down, ", "{"}, "help: a condition is empty"},
		"help without words":          {[]string{", say: The bus is down.", ""}, `help: say is missing at "bus is down"`},
	} {
		_, err := Read(folder(c.replace...), system())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwanted %s", name, err, c.want)
		}
	}
}

// TestReadTellsAllAtOnce: of all files, and glossary and all.
func TestReadTellsAllAtOnce(t *testing.T) {
	_, err := Read(fstest.MapFS{
		"01-crash.yaml": {Data: []byte(strings.NewReplacer("kill stock,", "kil stock,", "buy in sync fails", "buy in sync flies").Replace(chapterText))},
		"02-crash.yaml": {Data: []byte(chapterText)},
		"03-crash.yaml": {Data: []byte(strings.Replace(chapterText, "minutes: 3", "", 1))},
		"04-empty.yaml": {},
		"glossary.yaml": {Data: []byte("- {term: crash, say: x}\n- {term: Crash, also: [''], say: '[bang]'}\n- {term: service, also: [services]}\n- {term: service, say: x}")},
	}, system())
	for _, want := range []string{"01-crash.yaml: line 18", "01-crash.yaml: line 19", "03-crash.yaml: minutes", `03-crash.yaml: id "crash" is that of 02-crash.yaml too`, "04-empty.yaml: it is empty",
		`glossary.yaml: "crash" stands for both "crash" and "Crash"`, "another form of \"Crash\", is empty", `term "Crash": [bang] is not in the glossary`, `term "service": say is missing`, `term "service" stands twice`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told: %v", want, err)
		}
	}
	if _, err := Read(fstest.MapFS{"glossary.yaml": {Data: []byte("[]")}}, system()); err == nil {
		t.Error("a folder without chapters was read")
	}
}

// TestReadOrder: chapters come in the order of their files.
func TestReadOrder(t *testing.T) {
	files := fstest.MapFS{"glossary.yaml": {Data: []byte(glossaryText)}}
	for i, id := range []string{"zebra", "ant", "mole"} {
		text := strings.NewReplacer("id: crash", "id: "+id).Replace(chapterText)
		files[fmt.Sprintf("%02d-%s.yaml", i+1, id)] = &fstest.MapFile{Data: []byte(text)}
	}
	got, err := Read(files, system())
	if err != nil || got.Chapters[0].ID != "zebra" || got.Chapters[1].ID != "ant" || got.Chapters[2].ID != "mole" {
		t.Errorf("%+v, %v", got, err)
	}
}
