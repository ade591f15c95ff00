package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/stillup/stillup/services"
	"github.com/stillup/stillup/viz/tour"
	"github.com/stillup/stillup/viz/world"
)

// impatient are the shop's chapters with help after 2 s instead of the time that a person is given.
func impatient(t *testing.T) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	names, err := fs.Glob(services.Chapters, "*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatal("no chapters", err)
	}
	own, step := regexp.MustCompile(`(?m)^  within: .*\n`), regexp.MustCompile(`(?m)^(- id: .*)$`)
	for _, name := range names {
		b, err := fs.ReadFile(services.Chapters, name)
		if err != nil {
			t.Fatal(err)
		}
		if name != "glossary.yaml" {
			b = step.ReplaceAll(own.ReplaceAll(b, nil), []byte("$1\n  within: 2"))
		}
		files[name] = &fstest.MapFile{Data: b}
	}
	return files
}

// chaptersOf reads chapters as the dashboard does.
func chaptersOf(t *testing.T, files fs.FS) (*tour.Tour, world.System) {
	t.Helper()
	system, err := world.ParseSystem(services.System)
	if err != nil {
		t.Fatal(err)
	}
	all, err := tour.Read(files, system)
	if err != nil {
		t.Fatal(err)
	}
	return all, system
}

// mishaps are what goes wrong in steps in which there is only to look, so that what they wait for is not so.
var mishaps = map[string][2]string{
	"one-or-all/monolith": {"monolith", "kill"}, "one-or-all/services": {"stock", "kill"}, "one-crash/all-works": {"stock", "pause"},
	"data-between/join": {"monolith-db", "kill"}, "data-between/apart": {"catalog", "kill"}, "own-database/reach": {"orders", "kill"},
	"requests/ask": {"orders", "pause"}, "slowest/web": {"trending", "kill"}, "bus-only/messages": {"bus", "kill"},
	"bus-dies/stale": {"bus", "start"}, "schema/before": {"orders-db", "kill"}, "cost/bytes": {"purchases-db", "kill"}, "choose/times": {"purchases", "kill"},
}

// player is one who walks through the chapters in a browser of their own.
type player struct {
	*page
	l     *lab
	right bool // predicts what will be so; else what will not
	asked int
}

// TestWalkthrough plays every chapter to its end on the real lab, in two browsers: one predicts rightly; the other predicts
// wrongly, does another thing than each step asks for, and finds its way by what the page offers as help.
func TestWalkthrough(t *testing.T) {
	files := impatient(t)
	all, system := chaptersOf(t, files)
	l := startLabWith(t, upOptions{chapters: files})
	knows, errs := &player{page: openPage(t, l.base), l: l, right: true}, &player{page: openPage(t, l.base), l: l}
	errs.do(chromedp.EmulateViewport(390, 844)) // walks on a phone
	knows.calm()
	errs.calm()
	knows.until(60*time.Second, "every cell works", cellsAre(`() => true`, "works"))
	played := 0
	for _, c := range all.Chapters {
		ok := t.Run(c.ID, func(t *testing.T) {
			knows.t, errs.t, l.t = t, t, t
			begun := time.Now()
			playChapter(t, c, system, knows, errs)
			t.Logf("%s: %d steps in %s", c.ID, len(c.Steps), time.Since(begun).Round(time.Second))
			played++
		})
		knows.t, errs.t, l.t = t, t, t
		if !ok {
			break
		}
	}
	if played < len(all.Chapters) {
		return // a part of them was asked for, or one failed
	}
	knows.summed(all)
	knows.do(chromedp.Navigate(l.base + "/walkthrough"))
	knows.click(`#tour [data-act="leave"]`)
	knows.until(60*time.Second, "it is left clean", `/clean/.test(document.querySelector('#said').textContent)`)
	var w struct{ Load world.Load }
	if _, err := l.call(http.MethodGet, "/api/v1/world", nil, &w); err != nil {
		t.Fatal(err)
	}
	if w.Load.PerSecond != 5 {
		t.Errorf("the traffic is %v a second after leaving, before it was 5", w.Load.PerSecond)
	}
	if err := l.allUp(); err != nil {
		t.Error(err)
	}
	l.settled()
}

// playChapter plays one chapter in both browsers.
func playChapter(t *testing.T, c *tour.Chapter, system world.System, knows, errs *player) {
	both := []*player{knows, errs}
	for _, p := range both {
		p.asked = 0
		p.do(chromedp.Navigate(p.l.base + "/walkthrough/" + c.ID))
		p.until(60*time.Second, "the lab is ready for "+c.ID, at(c.Steps[0].Title))
	}
	broken := map[string]bool{}
	for i := range c.Steps {
		st := &c.Steps[i]
		if i > 0 {
			if m, ok := mishaps[c.ID+"/"+st.ID]; ok {
				errs.mishap(m[0], m[1])
			}
			for _, p := range both {
				p.click(`#tour [data-act="next"]`)
				p.until(10*time.Second, "the step "+st.ID, at(st.Title))
			}
		} else if m, ok := mishaps[c.ID+"/"+st.ID]; ok {
			errs.l.do(m[0], m[1])
		}
		for _, d := range st.Do {
			breaks(broken, d)
		}
		if st.Predict != nil {
			for _, p := range both {
				p.predict(st, func(cell string) bool { return (oracle(system, st, broken, cell)) == p.right })
			}
		}
		errs.goesWrong(c, st)
		errs.findsHelp(st)
		for _, p := range both {
			p.told(st)
		}
		if *pictures {
			knows.keyPicture(c, st)
		}
	}
	for _, p := range both {
		p.click(`#tour [data-act="next"]`)
		p.until(5*time.Second, "the chapter's end", `document.querySelector('#tour .tour-claim')?.textContent === `+quoted(c.Claim))
		if p.asked == 0 {
			continue
		}
		want := fmt.Sprintf("0 of %d", p.asked)
		if p.right {
			want = fmt.Sprintf("%d of %d", p.asked, p.asked)
		}
		p.until(2*time.Second, "its score is "+want, `document.querySelector('#tour .tour-score b')?.textContent === `+quoted(want))
	}
}

// mishap does something to a node, and waits until what that breaks is measured.
func (p *player) mishap(node, verb string) {
	p.t.Helper()
	p.l.do(node, verb)
	if verb == "start" {
		return
	}
	p.l.eventually(10*time.Second, verb+" "+node+" is felt", func() error {
		var f struct{ Cells []world.Cell }
		if _, err := p.l.call(http.MethodGet, "/api/v1/features", nil, &f); err != nil {
			return err
		}
		for _, c := range f.Cells {
			if c.State != world.Fails && !oracle(p.l.system, &tour.Step{}, map[string]bool{node: true}, c.Feature+" in "+c.Pattern) {
				return fmt.Errorf("%s in %s %s", c.Feature, c.Pattern, c.State)
			}
		}
		return nil
	})
}

// breaks keeps which nodes do not answer.
func breaks(broken map[string]bool, d tour.Deed) {
	switch d.Verb {
	case tour.Kill, tour.Pause, tour.Cut:
		broken[d.Node] = true
	case tour.Start, tour.Resume, tour.Heal:
		delete(broken, d.Node)
	case tour.Restore:
		clear(broken)
	}
}

// oracle says by the system file alone whether a cell should answer: nothing that it needs is broken, and nobody reads what
// has changed behind the owner's back.
func oracle(system world.System, st *tour.Step, broken map[string]bool, cell string) bool {
	feature, pattern, _ := strings.Cut(cell, " in ")
	for _, d := range st.Do {
		if d.Action == "catalog-schema-2" && pattern == "shared" {
			return feature == "sign-up" || feature == "browse" || feature == "check-stock"
		}
	}
	i := slices.IndexFunc(system.Features, func(f world.FeatureSpec) bool { return f.ID == feature })
	return !slices.ContainsFunc(system.Features[i].Requests[pattern].Needs, func(id string) bool { return broken[id] })
}

// predict answers a step's question.
func (p *player) predict(st *tour.Step, works func(cell string) bool) {
	p.t.Helper()
	for _, cell := range st.Predict.Cells {
		p.click(fmt.Sprintf(`#tour [data-cell=%q] input[value="%v"]`, cell, works(cell)))
		p.asked++
	}
	p.click(`#tour [data-act="answer"]`)
}

// goesWrong does another thing than the step asks for.
func (p *player) goesWrong(c *tour.Chapter, st *tour.Step) {
	p.t.Helper()
	if len(st.Do) == 0 {
		return // its mishap was before it began
	}
	bystander := "trending"
	switch d := st.Do[len(st.Do)-1]; d.Verb {
	case tour.Kill:
		p.l.do(st.Do[0].Node, "pause")
	case tour.Pause:
		p.l.do(d.Node, "kill")
	case tour.Start, tour.Resume, tour.Heal:
		if status, err := p.l.call(http.MethodPost, "/api/v1/nodes/"+bystander+"/kill", nil, nil); err != nil && status != http.StatusConflict { // it may still be dead
			p.t.Fatal(err)
		}
	case tour.Slow:
		if _, err := p.l.call(http.MethodPost, "/api/v1/load", map[string]int{"per_second": 0}, nil); err != nil {
			p.t.Fatal(err)
		}
	case tour.Do:
		node := map[string]string{"rename-product": "catalog", "catalog-schema-1": "catalog", "catalog-schema-2": "catalog", "rebuild-purchases": "purchases"}[d.Action]
		if node == "" {
			p.t.Fatalf("%s/%s: no node is known for %s", c.ID, st.ID, d.Action)
		}
		p.l.do(node, "kill")
		p.click(`#tour [data-act="do"]`)
		p.until(10*time.Second, st.ID+": it says that "+node+" is down", `/is down; start it first/.test(document.querySelector('#tour .tour-lost').textContent)`)
	}
}

// findsHelp waits for the page's help and presses the first button that it offers, until the step is done.
func (p *player) findsHelp(st *tour.Step) {
	p.t.Helper()
	if len(st.Until) == 0 {
		return
	}
	p.until(15*time.Second, st.ID+" helps", `document.querySelectorAll('#tour .tour-helps').length > 0`)
	help := p.text(`document.querySelector('#tour .tour-help').innerText`)
	p.t.Logf("%s: %s", st.ID, strings.Join(strings.Fields(help), " "))
	late := time.Now().Add(100 * time.Second)
	for pressed := ""; !p.is(`document.querySelector('#tour .tour-step').dataset.phase === 'done'`); {
		if time.Now().After(late) {
			p.t.Fatalf("%s is not done; the last help was %q", st.ID, pressed)
		}
		deed := p.text(`(() => {
			const b = document.querySelector('#tour .tour-helps button:not([aria-disabled="true"])');
			b?.click();
			return b?.dataset.arg ?? '';
		})()`)
		if deed != "" && deed != pressed {
			pressed = deed
			p.t.Logf("%s: pressed %s", st.ID, deed)
		}
		p.pause(100 * time.Millisecond)
	}
}

// told checks what is told of a step that is done: its numbers, and of each predicted cell whether it was right, with an
// explanation where it was not.
func (p *player) told(st *tour.Step) {
	p.t.Helper()
	p.until(60*time.Second, st.ID+" is done", at(st.Title)+` && document.querySelector('#tour .tour-step').dataset.phase === 'done'`)
	after := p.text(`document.querySelector('#tour .tour-after .tour-say')?.textContent ?? ''`)
	if strings.ContainsAny(after, "{}") || strings.Contains(after, "not measured") {
		p.t.Errorf("%s tells what was not measured: %s", st.ID, after)
	}
	if p.right {
		p.t.Logf("%s: %s", st.ID, after)
	}
	if st.Predict == nil {
		return
	}
	want := "wrong"
	if p.right {
		want = "right"
	}
	for _, cell := range st.Predict.Cells {
		row := fmt.Sprintf(`document.querySelector('#tour .tour-marks tr[data-cell=%q]')`, cell)
		if got := p.text(row + `?.className ?? 'nothing'`); got != want {
			p.t.Errorf("%s: the prediction of %s is %s, want %s: %s", st.ID, cell, got, want, p.text(row+`?.innerText ?? ''`))
		}
		if !p.right && p.text(row+`?.nextElementSibling?.querySelector('.tour-why')?.textContent ?? ''`) == "" {
			p.t.Errorf("%s: nothing explains why %s was predicted wrongly", st.ID, cell)
		}
	}
}

// summed checks the last page: every chapter with what this run measured, and nothing left to play.
func (p *player) summed(all *tour.Tour) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.l.base + "/walkthrough/summary"))
	p.until(10*time.Second, "the last page sums up", fmt.Sprintf(`document.querySelectorAll('#tour .sum-chapter.whole').length === %d`, len(all.Chapters)))
	text := p.text(`document.querySelector('#tour .sum-body').innerText`)
	if strings.ContainsAny(text, "{}") || strings.Contains(text, "not measured") {
		p.t.Errorf("the last page tells what was not measured:\n%s", text)
	}
	for _, c := range all.Chapters {
		if !strings.Contains(text, c.Claim) {
			p.t.Errorf("the last page lacks the claim of %s", c.ID)
		}
	}
	p.t.Log(text)
	if *pictures {
		p.shots("docs", "walkthrough-summary")
		p.do(chromedp.EmulateViewport(1440, 900))
	}
}

// keyPicture is the picture of a chapter's key step: the first with a question, else the first in which something is done.
func (p *player) keyPicture(c *tour.Chapter, st *tour.Step) {
	key := slices.IndexFunc(c.Steps, func(s tour.Step) bool { return s.Predict != nil })
	if key < 0 {
		key = slices.IndexFunc(c.Steps, func(s tour.Step) bool { return len(s.Do) > 0 })
	}
	if c.Steps[key].ID != st.ID {
		return
	}
	dir := filepath.Join("docs", "walkthrough")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Fatal(err)
	}
	p.picture(filepath.Join(dir, c.ID+".png"), 1440, 900, "dark")
	if c.ID == "one-crash" {
		p.shots("docs", "walkthrough")
	}
	p.do(chromedp.EmulateViewport(1440, 900))
}

// at is true where a step with that title is shown.
func at(title string) string {
	return `document.querySelector('#tour .tour-step .tour-title')?.textContent === ` + quoted(title)
}
