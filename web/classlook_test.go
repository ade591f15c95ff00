package web

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stillup/stillup/viz/class"
)

// classScenes are what is looked at around the walkthrough: what is made in the page, and what is so then.
var classScenes = []struct{ name, do, done string }{
	{"glossary", `const { Glossary } = await m('glossary'); const g = new Glossary(` + someTerms + `, say); g.open('event')`, `!!document.querySelector('[data-asked]')`},
	{"summary", someRun + `const { Summary } = await m('toursum'); const s = new Summary({ get: () => state }, chapters, { say, go: () => {} }); box.append(s.root); s.render()`,
		`!!document.querySelector('.sum-chapter')`},
	{"nothing-measured", someRun + `const { Summary } = await m('toursum'); const s = new Summary({ get: () => ({ chapters: {} }) }, chapters, { say, go: () => {} }); box.append(s.root); s.render()`,
		`!!document.querySelector('.sum-rest')`},
	{"presenter", present + `; window.at('requests', 'kill')`, `document.querySelector('.class').innerText.includes('9 works · 3 fails')`},
	{"presenter-on", present + `; window.at('requests', 'kill')`, `document.querySelector('.class').innerText.includes('9 works · 3 fails') && (document.querySelector('.class-door').open = false, true)`},
	{"presenter-large", present + `; window.at('requests', 'kill')`, `document.querySelector('.class').innerText.includes('9 works') && (document.querySelector('.class-large').open || document.querySelector('.act-large').click(), true)`},
	{"follower", fmt.Sprintf(follow, classID), `document.querySelector('.following').innerText.includes('13 follow') && ((window.once ??= (window.guessed({ 'buy in sync': true }), true)), document.querySelector('.following').innerText.includes('is in'))`},
	{"follower-late", fmt.Sprintf(follow, "23456789"), `document.querySelector('.following').innerText.includes('no class')`},
}

const classID, classKey = "abcdefgh", "0123456789abcdef"

// fullClassLab has a class of twelve that has answered.
func fullClassLab(t *testing.T) *classLab {
	t.Helper()
	l := newClassLab(t, "outage")
	at := class.Place{Chapter: "requests", Step: "kill", Cells: l.cells}
	if _, _, err := l.classes.Begin(classID, classKey, at); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		who := fmt.Sprintf("pupil %d", i)
		listener, err := l.classes.Listen(classID, who, "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(listener.Close)
		if err := l.classes.Guess(classID, who, at.Chapter, at.Step, map[string]bool{at.Cells[0]: i < 9, at.Cells[1]: i == 0}); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// eachClassScene shows each scene in each size and theme.
func eachClassScene(t *testing.T, f func(ctx context.Context, name, theme string)) {
	l := fullClassLab(t)
	ctx := tab(t)
	for _, s := range classScenes {
		if *lookOnly != "" && s.name != *lookOnly {
			continue
		}
		for _, size := range [][2]int64{{1440, 900}, {390, 844}} {
			for _, theme := range []string{"dark", "light"} {
				name := fmt.Sprintf("%s-%d-%s", s.name, size[0], theme)
				open(t, ctx, l.URL+"/?"+name, size[0], size[1])
				holds(t, ctx, `(localStorage.setItem('stillup-class', '{"id":"`+classID+`","key":"`+classKey+`"}'), document.documentElement.dataset.theme = '`+theme+`', true)`)
				inPage(t, ctx, s.do)
				holds(t, ctx, s.done)
				holds(t, ctx, `document.documentElement.scrollWidth <= innerWidth`)
				f(ctx, name, theme)
			}
		}
	}
}

// TestLookClass photographs them.
func TestLookClass(t *testing.T) {
	if *look == "" {
		t.Skip("makes pictures; -look FOLDER runs it")
	}
	eachClassScene(t, func(ctx context.Context, name, theme string) {
		shot(t, ctx, theme, false, filepath.Join(*look, name+".png"))
	})
}

// TestClassAccessible: axe-core finds nothing serious in them.
func TestClassAccessible(t *testing.T) {
	checker := axe(t)
	eachClassScene(t, func(ctx context.Context, name, _ string) {
		for _, f := range findings(t, ctx, checker) {
			t.Errorf("%s: %s (%s) at %v: %s", name, f.ID, f.Impact, f.Targets, f.Help)
		}
	})
}
