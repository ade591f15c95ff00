package tour

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/stillup/stillup/viz/world"
)

const (
	glossaryFile = "glossary.yaml"
	maxFile      = 1 << 20 // bytes
)

// Read reads and checks the chapters of a folder, in the order of their file names: every *.yaml there but glossary.yaml,
// which is the list of terms. All that is wrong in any of them is told at once, with the file, the place, and what to do. A
// folder without chapters is an error.
func Read(fsys fs.FS, sys world.System) (*Tour, error) {
	files, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	t := &Tour{Chapters: []*Chapter{}, Glossary: []Term{}}
	c := &check{names: &names{&sys}, terms: map[string]bool{}}
	if slices.Contains(files, glossaryFile) {
		c.at = glossaryFile
		c.decode(fsys, &t.Glossary)
		c.glossary(t.Glossary)
	}
	ids := map[string]string{} // of chapters: their files
	for _, file := range files {
		if file == glossaryFile {
			continue
		}
		c.at = file
		ch := &Chapter{}
		if !c.decode(fsys, ch) {
			continue
		}
		if other := ids[ch.ID]; other != "" {
			c.say("id %q is that of %s too; ids are unique", ch.ID, other)
		}
		ids[ch.ID] = file
		if base := strings.TrimSuffix(file, ".yaml"); base != ch.ID && !strings.HasSuffix(base, "-"+ch.ID) {
			c.say("id is %q; a file is called by its number and its chapter's id, as 02-%s.yaml", ch.ID, ch.ID)
		}
		c.chapter(ch)
		ch.settle()
		t.Chapters = append(t.Chapters, ch)
	}
	if len(t.Chapters) == 0 && len(c.wrong) == 0 {
		return nil, errors.New("there are no chapters: a chapter is a file whose name ends with .yaml")
	}
	if err := errors.Join(c.wrong...); err != nil {
		return nil, err
	}
	return t, nil
}

// decode reads the file that is looked at; false where there is no sense in checking what came of it.
func (c *check) decode(fsys fs.FS, into any) bool {
	b, err := fs.ReadFile(fsys, c.at)
	switch {
	case err != nil:
		c.say("%w", err)
		return false
	case len(b) > maxFile:
		c.say("%d bytes are more than the %d allowed", len(b), maxFile)
		return false
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	err = d.Decode(into)
	if wrong := (*yaml.TypeError)(nil); errors.As(err, &wrong) {
		for _, e := range wrong.Errors {
			c.say("%s", e)
		}
		return false // what could not be read would be told of once more, as missing
	}
	if err == io.EOF {
		c.say("it is empty; remove it, or write into it")
		return false
	}
	if err != nil {
		c.say("%w", err)
		return false
	}
	if err := d.Decode(new(yaml.Node)); err != io.EOF {
		c.say("more than one document stands in it; a file is one")
		return false
	}
	return true
}

// glossary checks the terms and learns them.
func (c *check) glossary(terms []Term) {
	whose := map[string]string{}
	for _, t := range terms {
		for _, form := range append([]string{t.Term}, t.Also...) {
			form = strings.ToLower(form)
			switch other, there := whose[form]; {
			case form == "":
				c.say("a term, or another form of %q, is empty", t.Term)
			case there && other != t.Term:
				c.say("%q stands for both %q and %q; it can have one meaning", form, other, t.Term)
			}
			whose[form] = t.Term
			c.terms[form] = true
		}
	}
	for i, t := range terms {
		if slices.ContainsFunc(terms[:i], func(o Term) bool { return o.Term == t.Term }) {
			c.say("term %q stands twice", t.Term)
		}
		c.within(fmt.Sprintf("term %q", t.Term), func() {
			if t.Say == "" {
				c.say("say is missing; explain it")
			}
			c.plain(t.Say, mostWords)
		})
		if t.Also == nil {
			terms[i].Also = []string{}
		}
	}
}

// settle has lists of nothing be lists, as a browser wants them.
func (ch *Chapter) settle() {
	fill := func(list *[]string) {
		if *list == nil {
			*list = []string{}
		}
	}
	fill(&ch.Begin.Actions)
	for i := range ch.Steps {
		s := &ch.Steps[i]
		for _, list := range []*[]string{&s.Show.Nodes, &s.Show.Streams, &s.Show.Cells} {
			fill(list)
		}
		if s.Predict != nil && s.Predict.Why == nil {
			s.Predict.Why = map[string]string{}
		}
		if s.Do == nil {
			s.Do = []Deed{}
		}
		if s.Until == nil {
			s.Until = []Condition{}
		}
		if s.Help == nil {
			s.Help = []Help{}
		}
	}
}
