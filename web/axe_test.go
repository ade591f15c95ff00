package web

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axe reads the accessibility checker, which is a development dependency of package.json.
func axe(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("%v: the accessibility check is not installed; `make deps-test` does it (or `npm ci` in web/)", err)
	}
	return string(b)
}

// TestAccessible: in each state and theme axe-core finds nothing serious or critical.
func TestAccessible(t *testing.T) {
	checker := axe(t)
	ctx := tab(t)
	for _, s := range []struct {
		name, frame, path, do, done string
		width, height               int64
	}{
		{name: "calm", frame: "calm"},
		{name: "outage", frame: "outage"},
		{name: "bus cut off", frame: "bus-cut"},
		{name: "slow, cost of a request open", frame: "slow", do: `document.querySelector('[data-feature="my-purchases"][data-pattern="sync"] button').click()`,
			done: `document.querySelectorAll('#cost-fall .fall-bar').length > 0`},
		{name: "worst", frame: "worst"},
		{name: "more open", frame: "slow", do: `document.querySelector('[aria-label="More for catalog"]').click()`, done: `!!document.querySelector('.more:popover-open')`},
		{name: "mix open", frame: "worst", do: `document.querySelector('#mix').click()`, done: `!!document.querySelector('.mix:popover-open')`},
		{name: "keys open", frame: "calm", do: `document.querySelector('#keys').click()`, done: `!!document.querySelector('.sheet:modal')`},
		{name: "big", frame: "outage", do: `document.querySelector('#big').click()`, done: `document.documentElement.dataset.big === 'on'`},
		{name: "a pattern chosen", frame: "outage", path: "/#pattern=copies", done: `!!document.querySelector('.card .faint, .card.dim')`},
		{name: "a service open", frame: "dead", path: "/#node=orders", done: `document.querySelectorAll('#inspect .grid').length > 4 && (document.querySelectorAll('#inspect details').forEach((d) => { d.open = true; }), true)`},
		{name: "a stream open", frame: "dead", path: "/#stream=orders", done: `!!document.querySelector('#inspect .grid')`},
		{name: "an event open", frame: "calm", path: "/#event=e-1", done: `!!document.querySelector('#inspect .fall-row') && (document.querySelectorAll('#inspect details').forEach((d) => { d.open = true; }), true)`},
		{name: "dead letters open", frame: "dead", path: "/#dead=stock", done: `!!document.querySelector('.letter') && (document.querySelectorAll('#inspect details').forEach((d) => { d.open = true; }), true)`},
		{name: "more room for events, paused", frame: "calm", do: `document.querySelector('.feed-large').click(), document.querySelector('#feed-pause').click()`, done: `document.body.classList.contains('feeds')`},
		{name: "phone, an event open", frame: "calm", path: "/#event=e-1", done: `!!document.querySelector('#inspect .fall-row')`, width: 390, height: 844},
		{name: "replicas", frame: "replicas", done: `document.querySelectorAll('.light').length === 10`},
		{name: "a replica's more open", frame: "replicas", done: `!!document.querySelector('[data-is="paused"]') && (document.querySelector('[data-is="paused"]').click(), !!document.querySelector('.more:popover-open'))`},
		{name: "a service with replicas and its log open", frame: "replicas", path: "/#node=purchases",
			done: `!!document.querySelector('#inspect .grid') && (document.querySelectorAll('#inspect details').forEach((d) => { d.open = true; }), !!document.querySelector('.log-line'))`},
		{name: "looking only", frame: "looking", do: `document.querySelector('#looking').click()`, done: `!!document.querySelector('.looking-why:popover-open')`},
		{name: "phone, replicas", frame: "replicas", done: `document.querySelectorAll('.light').length === 10`, width: 390, height: 844},
		{name: "copies of one thing", frame: "data", path: "/#data=copies/products/p-01", done: `!!document.querySelector('.side-by-side') && (document.querySelectorAll('#data details').forEach((d) => { d.open = true; }), !!document.querySelector('.change button'))`},
		{name: "things of a kind", frame: "data", path: "/#data=copies/products", done: `document.querySelectorAll('.found').length > 9`},
		{name: "totals", frame: "data", path: "/#data=totals", done: `document.querySelectorAll('.holdings').length === 4`},
		{name: "schema", frame: "data", path: "/#data=schema", done: `document.querySelectorAll('.columns').length === 2`},
		{name: "rebuild", frame: "data", path: "/#data=rebuild", done: `document.querySelectorAll('#data [data-action]').length > 7`},
		{name: "trouble", frame: "data", path: "/#data=trouble", done: `!!document.querySelector('.alarm .do') && document.querySelectorAll('#data .act-disturb').length === 4`},
		{name: "phone, copies of one thing", frame: "data", path: "/#data=copies/products/p-01", done: `!!document.querySelector('.side-by-side')`, width: 390, height: 844},
		{name: "phone, totals", frame: "data", path: "/#data=totals", done: `document.querySelectorAll('.holdings').length === 4`, width: 390, height: 844},
		{name: "chapters of the walkthrough", frame: "tour", path: "/walkthrough", do: tourTo("one-dies", "kill", keptTold), done: `document.querySelector('.tour-list')?.innerText.includes('predicted')`},
		{name: "a question", frame: "tour", path: "/walkthrough/one-dies", do: tourTo("one-dies", "kill", "{}"), done: `document.querySelectorAll('.tour-choice').length === 5`},
		{name: "a deed", frame: "tour", path: "/walkthrough/one-dies", do: tourTo("one-dies", "kill", keptGuess), done: `!!document.querySelector('.tour-given') && document.querySelectorAll('.tour-until li').length === 2`},
		{name: "a step that was told", frame: "tour", path: "/walkthrough/one-dies", do: tourTo("one-dies", "kill", keptTold), done: `document.querySelectorAll('.tour-why').length === 2`},
		{name: "a chapter's end", frame: "tour", path: "/walkthrough/one-dies", do: tourEnd, done: `!!document.querySelector('.tour-score')`},
		{name: "big, a step that was told", frame: "tour", path: "/walkthrough/one-dies", do: big + ", " + tourTo("one-dies", "kill", keptTold), done: `document.querySelectorAll('.tour-why').length === 2`},
		{name: "phone, a question", frame: "tour", path: "/walkthrough/one-dies", do: tourTo("one-dies", "kill", "{}"), done: `document.querySelectorAll('.tour-choice').length === 5`, width: 390, height: 844},
		{name: "phone", frame: "outage", width: 390, height: 844},
		{name: "phone, keys open", frame: "calm", do: `document.querySelector('#keys').click()`, done: `!!document.querySelector('.sheet:modal')`, width: 390, height: 844},
	} {
		if s.width == 0 {
			s.width, s.height = 1440, 900
		}
		l := panelLab(t, strings.Replace(s.frame, "tour", "calm", 1))
		switch s.frame {
		case "data":
			l = newDataLab(t, s.frame).lab
		case "tour":
			l = newTourLab(t, "outage").lab
		}
		for _, theme := range []string{"dark", "light"} {
			open(t, ctx, l.URL, s.width, s.height)
			holds(t, ctx, `(localStorage.clear(), true)`)
			at := "/?" + theme + s.path
			if s.frame == "tour" { // whose pages have paths
				at = s.path + "?" + theme
			}
			open(t, ctx, l.URL+at, s.width, s.height)
			holds(t, ctx, `(document.documentElement.dataset.theme = '`+theme+`', true)`)
			if s.do != "" {
				holds(t, ctx, "("+s.do+", true)")
			}
			if s.done != "" {
				holds(t, ctx, s.done)
			}
			for _, f := range findings(t, ctx, checker) {
				t.Errorf("%s, %s: %s (%s) at %v: %s", s.name, theme, f.ID, f.Impact, f.Targets, f.Help)
			}
		}
	}
}

// finding is one of axe-core's.
type finding struct {
	ID, Impact, Help string
	Targets          []string
}

func findings(t *testing.T, ctx context.Context, checker string) []finding {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	// Behind the moving dots' canvas, which covers the map, no contrast could be told.
	holds(t, ctx, `(document.querySelector('#dots').hidden = document.querySelector('#lines').style.visibility = 'hidden', true)`)
	const run = `axe.run(document, { resultTypes: ['violations'] }).then((r) => JSON.stringify(r.violations
		.filter((v) => v.impact === 'serious' || v.impact === 'critical')
		.map((v) => ({ id: v.id, impact: v.impact, help: v.help, targets: v.nodes.map((n) => n.target.join(' ') + ': ' + n.any.concat(n.all, n.none).map((c) => c.message).join('; ')) }))))`
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](checker+"\n;typeof axe.run === 'function'")); err != nil {
		t.Fatal(err)
	}
	out, err := chromedp.Run(ctx, chromedp.Evaluate[string](run, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	var found []finding
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// TestTheCheckFinds: the check that finds nothing on the page does find what is wrong.
func TestTheCheckFinds(t *testing.T) {
	checker := axe(t)
	l := newLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `(document.querySelector('#keys').removeAttribute('aria-label'), document.querySelector('#keys').removeAttribute('title'), document.querySelector('#keys').textContent = '', true)`)
	found := findings(t, ctx, checker)
	if len(found) != 1 || found[0].ID != "button-name" || found[0].Impact != "critical" {
		t.Errorf("a button without a name gives %v", found)
	}
}

// TestPalette runs the check of the colours in tokens.css.
func TestPalette(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("the check of the palette needs node 20 or later on the PATH (Debian: apt-get install nodejs)")
	}
	if out, err := exec.Command(node, "--test", "tests/palette.mjs").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestReducedMotion: who asked for less motion sees none, while events flow: no animation runs, no dot moves.
func TestReducedMotion(t *testing.T) {
	l := newLab(t, "calm")
	ctx := tab(t)
	const moves = `(() => {
		const c = document.querySelector('#dots'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
		for (let i = 3; i < d.length; i += 4) if (d[i]) return true;
		return document.getAnimations().some((a) => a.playState === 'running');
	})()`
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, moves) // so that the check below can fail
	reduce := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}}
	if err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, reduce)
		return err
	})); err != nil {
		t.Fatal(err)
	}
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `matchMedia('(prefers-reduced-motion: reduce)').matches`)
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	watch := `new Promise((done) => {
		const from = performance.now(); let frames = 0, moved = 0;
		const look = () => {
			frames++;
			if (` + moves + `) moved++;
			if (performance.now() - from < 2000) setTimeout(look, 40);
			else done(frames > 5 ? moved : -1);
		};
		look();
	})`
	moved, err := chromedp.Run(ctx, chromedp.Evaluate[int](watch, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if moved != 0 {
		t.Errorf("%d of the looks within 2 s saw something move", moved)
	}
	// Events do flow: counts came.
	holds(t, ctx, `document.querySelectorAll('.edge.busy').length > 0`)
}
