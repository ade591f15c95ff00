package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var pictures = flag.Bool("pictures", false, "make the README's screenshots from the running lab; make pictures sets it")

// page is a tab of a real browser on the lab's dashboard.
type page struct {
	t   testing.TB
	ctx context.Context
}

// openPage opens the dashboard. It ends with the test, and fails it where the page's own code threw or was refused
// something by the content security policy.
func openPage(t testing.TB, url string) *page {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("the browser tests need chromium on the PATH (Debian: apt-get install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	actx, endBrowser := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, endTab := chromedp.NewContext(actx)
	p := &page{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil { // the browser lives as long as the context of its first use
		t.Fatal(err)
	}
	p.do(chromedp.EmulateViewport(1440, 900))
	messages := chromedp.Console(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for m, err := range messages {
			if err != nil {
				return // the tab ended
			}
			if m.IsException() || m.Source == "security" {
				t.Errorf("the page: %s", m)
			}
		}
	}()
	t.Cleanup(func() { endTab(); endBrowser(); <-ended })
	p.do(chromedp.Navigate(url))
	return p
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// until waits for a JavaScript expression to be true.
func (p *page) until(within time.Duration, what, expression string) {
	p.t.Helper()
	within *= patience
	begun := time.Now()
	ctx, cancel := context.WithTimeout(p.ctx, within)
	defer cancel()
	err := until(ctx, func(ctx context.Context) error {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if err == nil && !ok {
			err = fmt.Errorf("not so: %s", expression)
		}
		return err
	})
	if err != nil {
		text, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.body.innerText`))
		p.t.Fatalf("not within %s: %s: %v\nthe page says:\n%s", within, what, err, text)
	}
	p.t.Logf("%s after %s", what, time.Since(begun).Round(time.Millisecond))
}

// press clicks the button with that accessible name.
func (p *page) press(name string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(fmt.Sprintf(`button[aria-label=%q]`, name))))
}

// picture writes what the tab shows at a size and in a theme.
func (p *page) picture(path string, width, height int64, theme string) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, height))
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	settled := fmt.Sprintf(`document.documentElement.dataset.theme = %q;
		new Promise((done) => setTimeout(() => requestAnimationFrame(() => done(true)), 1500))`, theme)
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](settled, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, png, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// visit goes to another page.
func (p *page) visit(url string) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(1440, 900), chromedp.Navigate(url))
}

// shots are the pictures of a state: in both themes, wide and on a phone.
func (p *page) shots(dir, name string) {
	p.t.Helper()
	for _, s := range []struct {
		at            string
		width, height int64
	}{{"wide", 1440, 900}, {"phone", 390, 844}} {
		for _, theme := range []string{"dark", "light"} {
			p.picture(filepath.Join(dir, fmt.Sprintf("%s-%s-%s.png", name, s.at, theme)), s.width, s.height, theme)
		}
	}
}

// TestPage is what a new user does in the browser: sees all up and events flow, kills catalog, sees which pattern lost
// what, starts it again, and sees all work.
func TestPage(t *testing.T) {
	l := startLab(t)
	p := openPage(t, l.base)
	p.until(10*time.Second, "all nodes are up", `[...document.querySelectorAll('[data-node]')].length >= 16 &&
		[...document.querySelectorAll('[data-node]')].every((n) => n.dataset.state === 'up')`)
	p.until(20*time.Second, "every cell works", cellsAre(`() => true`, "works"))
	p.until(time.Second, "nothing is called invented", `!document.querySelector('header').innerText.includes('invented')`)
	p.until(10*time.Second, "events are listed", `document.querySelectorAll('[data-event]').length > 5`)

	p.press("Kill catalog")
	p.until(2*time.Second, "catalog's card is dead", `document.querySelector('[data-node="catalog"]').dataset.state === 'down'`)
	p.until(3*time.Second, "requests fail", cellsAre(`(c) => c.dataset.pattern === 'sync' && c.dataset.feature === 'my-purchases'`, "fails"))
	p.until(time.Second, "own copies work", cellsAre(`(c) => c.dataset.pattern === 'copies' && c.dataset.feature === 'my-purchases'`, "works"))

	p.press("Start catalog")
	p.until(10*time.Second, "every cell works again", cellsAre(`() => true`, "works"))

	p.press("Kill bus")
	p.until(2*time.Second, "the bus is dead", `document.querySelector('[data-node="bus"]').dataset.state === 'down'`)
	p.do(chromedp.Click(chromedp.CSS("#restore")))
	p.until(20*time.Second, "all nodes are up again", `[...document.querySelectorAll('[data-node]')].every((n) => n.dataset.state === 'up')`)
	l.settled()
}

// cellsAre is true where some cells of the matrix match a predicate and all that do are in that state.
func cellsAre(match, state string) string {
	return fmt.Sprintf(`((cells) => cells.length > 0 && cells.every((c) => c.dataset.state === %q))(
		[...document.querySelectorAll('[data-feature][data-pattern]')].filter(%s))`, state, match)
}

// TestFaultsOnThePage: a service is slowed down from its card; the fault is shown, survives a reload of the page, arrives in
// the panel of what a request costs in the patterns that ask it and in no other, and is lifted by Restore all.
func TestFaultsOnThePage(t *testing.T) {
	l := startLab(t)
	p := openPage(t, l.base)
	p.until(20*time.Second, "every cell works", cellsAre(`() => true`, "works"))
	p.press("More for catalog")
	p.press("Slow catalog")
	const chip = `document.querySelector('[data-node="catalog"]').innerText.includes('slow +300 ms')`
	p.until(2*time.Second, "catalog's card says that it is slow", chip)
	p.do(chromedp.Reload())
	p.until(5*time.Second, "it still does after a reload of the page", chip)
	p.until(10*time.Second, "requests are slow", cellsAre(`(c) => c.dataset.feature === 'top-sellers' && ['sync', 'bus'].includes(c.dataset.pattern)`, "slow"))
	// took is how long the typical request took, in all, by the panel's own words.
	const hop = `[...document.querySelectorAll('#cost-fall .fall-row')].find((r) => r.innerText.includes('→ catalog'))`
	for _, pattern := range []string{"sync", "bus"} {
		p.do(chromedp.Click(chromedp.CSS(`[data-feature="my-purchases"][data-pattern="` + pattern + `"] button`)))
		p.until(5*time.Second, "the panel shows 300 ms in catalog in "+pattern, `(() => { const r = `+hop+`; return !!r && /\b3\d\d ms/.test(r.innerText); })()`)
	}
	p.do(chromedp.Click(chromedp.CSS(`[data-feature="my-purchases"][data-pattern="copies"] button`)))
	p.until(5*time.Second, "and nothing of it in copies", `document.querySelectorAll('#cost-fall .fall-row').length > 0 && !`+hop+` && !/\b3\d\d ms/.test(document.querySelector('#cost-fall').innerText)`)

	p.press("Pause orders")
	p.until(2*time.Second, "orders is paused", `document.querySelector('[data-node="orders"]').dataset.state === 'paused'`)
	p.do(chromedp.Click(chromedp.CSS("#restore")))
	p.until(10*time.Second, "nothing is slow or paused any more", `!`+chip+` && [...document.querySelectorAll('[data-node]')].every((n) => n.dataset.state === 'up')`)
	p.until(10*time.Second, "every cell works again", cellsAre(`() => true`, "works"))
	l.settled()
}

// TestPictures makes the pictures of docs: the lab calm, with catalog and purchases dead, with catalog slow, and the pattern
// shared alone; in both themes, wide and on a phone.
func TestPictures(t *testing.T) {
	if !*pictures {
		t.Skip("writes to docs; make pictures runs it")
	}
	l := startLab(t)
	p := openPage(t, l.base)
	p.until(20*time.Second, "every cell works", cellsAre(`() => true`, "works"))
	p.until(30*time.Second, "the start's burst and its failures are past", `!/dashboard \d{3}/.test(document.body.innerText) && !document.querySelector('.fail:not(.hidden)') &&
		[...document.querySelectorAll('.lane-rate')].every((e) => parseFloat(e.textContent) < 25)`)
	if err := os.MkdirAll("docs", 0o755); err != nil {
		t.Fatal(err)
	}
	shots := func(name string) { p.shots("docs", name) }
	shots("calm")
	l.do("catalog", "kill")
	l.do("purchases", "kill")
	p.until(10*time.Second, "events wait at purchases' door", `document.body.innerText.includes('events wait')`)
	shots("outage")
	l.restore()
	p.until(20*time.Second, "every cell works", cellsAre(`() => true`, "works"))
	l.slow("catalog", 300*time.Millisecond)
	p.do(chromedp.Click(chromedp.CSS(`[data-feature="my-purchases"][data-pattern="bus"] button`)))
	p.until(10*time.Second, "the panel shows where the time went", `/\b3\d\d ms/.test(document.querySelector('#cost-fall').innerText)`)
	shots("slow")
	l.restore()
	p.do(chromedp.KeyEvent(kb.Escape), chromedp.Click(chromedp.CSS(`.pick input[value="shared"]`)))
	shots("shared")
}

// calm asks for reduced motion and has the pages that are opened from now on draw five times a second: two browsers that draw
// all they can without a graphics card leave little of two cores to the lab.
func (p *page) calm() {
	p.t.Helper()
	reduce := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}}
	p.do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		if _, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, reduce); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, tab, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{
			Source: `window.requestAnimationFrame = (f) => setTimeout(() => f(performance.now()), 200); window.cancelAnimationFrame = clearTimeout;`})
		return err
	}))
}

// click clicks on an element that can be seen, once it is there.
func (p *page) click(selector string) {
	p.t.Helper()
	p.until(10*time.Second, "there is "+selector, fmt.Sprintf(`(() => {
		const e = document.querySelector(%s);
		if (!e || e.getAttribute('aria-disabled') === 'true') return false;
		e.click();
		return true;
	})()`, quoted(selector)))
}

// is evaluates a JavaScript expression that is true or false.
func (p *page) is(expression string) bool {
	p.t.Helper()
	return evaluated[bool](p, `!!(`+expression+`)`)
}

// text evaluates a JavaScript expression that is a string.
func (p *page) text(expression string) string {
	p.t.Helper()
	return evaluated[string](p, expression)
}

func evaluated[T any](p *page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// pause lets the page go on for a while between two looks at it.
func (p *page) pause(d time.Duration) {
	p.t.Helper()
	p.do(chromedp.Sleep(d))
}

// quoted is a string as JavaScript has it.
func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b)
}
