package web

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// What the tests look at: the panel's text, and its buttons by their words.
const tourText = `document.querySelector('#tour').innerText`

func tourSays(t *testing.T, ctx context.Context, words ...string) {
	t.Helper()
	for _, w := range words {
		holds(t, ctx, tourText+`.includes(`+"`"+w+"`"+`)`)
	}
}

// press clicks the button of the panel that has these words, once it can be pressed.
func press(t *testing.T, ctx context.Context, words string) {
	t.Helper()
	holds(t, ctx, `(() => { const b = [...document.querySelectorAll('#tour button')].find((x) => x.innerText.trim() === '`+words+`' && x.ariaDisabled !== 'true'); b?.click(); return !!b; })()`)
}

// choose answers of a cell, by its name.
func choose(t *testing.T, ctx context.Context, cell, word string) {
	t.Helper()
	holds(t, ctx, `(() => { const i = document.querySelector('#tour [data-cell="`+cell+`"] .for-`+word+` input'); i?.click(); return !!i?.checked; })()`)
}

// titled waits for a step, and that its title has the focus.
func titled(t *testing.T, ctx context.Context, title string) {
	t.Helper()
	holds(t, ctx, `document.querySelector('.tour-step .tour-title')?.innerText === '`+title+`' && document.activeElement === document.querySelector('.tour-step .tour-title')`)
}

// TestTour: a chapter from its list to its end: what the lab did to begin, a condition that does not hold yet, a question of
// which some is answered wrongly, the deed, what was measured beside what was said, and the next chapter.
func TestTour(t *testing.T) {
	l := newTourLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `(document.querySelector('#open-tour').click(), true)`)
	tourSays(t, ctx, "2 chapters, about 7 minutes in all", "Where services wait for each other", "3 min · 4 steps")
	holds(t, ctx, `location.pathname === '/walkthrough' && document.querySelector('#open-tour').ariaExpanded === 'true'`)
	press(t, ctx, "Begin")
	titled(t, ctx, "Everything is up")
	tourSays(t, ctx, "To begin: started stock; set the traffic to 20 a second.", "Step 1 of 4", "now: the load is 0")
	holds(t, ctx, `location.pathname === '/walkthrough/one-dies' && !`+tourText+`.includes('Next')`)
	l.is("one-dies/look", "done")
	press(t, ctx, "Next ›")

	// Only what the step is about is lit.
	titled(t, ctx, "Kill the catalog")
	holds(t, ctx, `document.querySelector('[data-node="trending"]').classList.contains('dim') && !document.querySelector('[data-node="catalog"]').classList.contains('dim')
		&& document.querySelector('.pick input[value="sync"]').checked`)
	holds(t, ctx, `document.querySelector('[data-feature="buy"][data-pattern="bus"]').classList.contains('unlit') && !document.querySelector('[data-feature="buy"][data-pattern="sync"]').classList.contains('unlit')
		&& document.querySelectorAll('.cell.asked').length === 5`)
	// No deed before the answer, no answer before all of it.
	holds(t, ctx, `(() => { const b = document.querySelector('.tour-deed button'); b.click(); return b.innerText === 'Kill catalog' && b.ariaDisabled === 'true' && document.activeElement.matches('.tour-choice input'); })()`)
	for _, c := range []string{"browse in sync", "check-stock in sync", "my-purchases in sync", "sign-up in sync"} {
		choose(t, ctx, c, "works")
	}
	holds(t, ctx, `document.querySelector('.act-answer').ariaDisabled === 'true' && document.querySelector('.tour-left').innerText === '1 to go'`)
	choose(t, ctx, "buy in sync", "fails")
	press(t, ctx, "Give my answer")
	tourSays(t, ctx, "Your answer, Synchronous requests:", "now: catalog is up")
	press(t, ctx, "Kill catalog")
	tourSays(t, ctx, "Done: killed catalog.")
	l.is("one-dies/kill", "help")
	tourSays(t, ctx, "Not there yet", "users is down as well")
	press(t, ctx, "Start users")
	l.is("one-dies/kill", "settling")
	tourSays(t, ctx, "It is so", "What still works is being measured")
	l.is("one-dies/kill", "done")
	tourSays(t, ctx, "It took 1.2 s until the first request failed")
	holds(t, ctx, `[...document.querySelectorAll('.tour-marks tbody tr[data-cell]')].map((r) => r.dataset.cell + ': ' + r.querySelector('.tour-mark').innerText).join() ===
		'browse in sync: ≠ not so,check-stock in sync: ✓ right,buy in sync: ✓ right,my-purchases in sync: ≠ not so,sign-up in sync: ✓ right'`)
	holds(t, ctx, `[...document.querySelectorAll('.tour-why')].map((e) => e.innerText).join() ===
		"It needs catalog. Its last request: catalog refused the connection.,purchases asks the catalog for the product's name. No name, no page."`)
	press(t, ctx, "Next ›")

	// A step that shows a request opens it, keeps the focus, and shuts it behind it.
	titled(t, ctx, "Look at one request")
	holds(t, ctx, `document.querySelector('#cost').checkVisibility() && document.querySelector('#cost-title').innerText.startsWith('buy · Synchronous requests')`)
	titled(t, ctx, "Look at one request")
	press(t, ctx, "Next ›")
	titled(t, ctx, "Bring it back")
	holds(t, ctx, `document.querySelector('#cost').hidden`)
	press(t, ctx, "‹ Back")
	titled(t, ctx, "Look at one request")
	press(t, ctx, "‹ Back")
	titled(t, ctx, "Kill the catalog")
	tourSays(t, ctx, "It took 1.2 s", "✓ Done") // as it was told
	press(t, ctx, "Next ›")
	press(t, ctx, "Next ›")
	press(t, ctx, "Start catalog")
	l.is("one-dies/start", "done")
	press(t, ctx, "Finish")
	tourSays(t, ctx, "That was it", "3 of 5 predicted as it was measured", "With the catalog dead, 2 of 5 features answered", "The catalog was back after 2.1 s", "Next: Copies go on serving")
	press(t, ctx, "All chapters")
	tourSays(t, ctx, "done · 3 of 5 predicted")
	press(t, ctx, "Look back")
	tourSays(t, ctx, "That was it")
	press(t, ctx, "Next chapter ›")
	titled(t, ctx, "The same, in every way")
	// Data are opened so as well, and shut again.
	press(t, ctx, "Skip")
	l.is("copies-serve/kill", "done")
	press(t, ctx, "Next ›")
	titled(t, ctx, "Old, but there")
	holds(t, ctx, `location.hash === '#pattern=copies&data=copies/products/p-01' && document.querySelector('#data').checkVisibility()`)
	titled(t, ctx, "Old, but there")
	press(t, ctx, "‹ Back")
	titled(t, ctx, "The same, in every way")
	holds(t, ctx, `document.querySelector('#data').hidden && location.hash === '#pattern=copies'`)
	for _, want := range []string{"POST /api/v1/walkthrough/one-dies/begin ", "POST /api/v1/walkthrough/one-dies/kill/do ", `POST /api/v1/walkthrough/one-dies/kill/do {"deed":"start users"}`,
		"POST /api/v1/walkthrough/copies-serve/begin "} {
		if !l.did(want) {
			t.Errorf("not asked: %q", want)
		}
	}
	// The browser's back goes where one was.
	holds(t, ctx, `(history.back(), true)`)
	holds(t, ctx, `location.pathname === '/walkthrough/one-dies' && `+tourText+`.includes('That was it')`)
	press(t, ctx, "Chapters")
	press(t, ctx, "Leave")
	holds(t, ctx, `document.querySelector('#said').innerText === 'The lab is left clean: started catalog; set the traffic back to 12 a second' && location.pathname === '/' && document.querySelector('#tour').hidden`)
	holds(t, ctx, `!document.querySelector('.dim, .unlit')`)
}

// TestTourByKeyboard plays a step with nothing but keys.
func TestTourByKeyboard(t *testing.T) {
	l := newTourLab(t, "calm")
	l.is("one-dies/look", "done")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	keys(t, ctx, "w")
	holds(t, ctx, `document.activeElement.id === 'tour-title'`)
	to := func(what string) { // by Tab alone
		t.Helper()
		for range 40 {
			keys(t, ctx, kb.Tab)
			if number(t, ctx, `document.activeElement.matches('`+what+`') ? 1 : 0`) == 1 {
				return
			}
		}
		t.Fatalf("Tab never came to %s", what)
	}
	to(".act-enter")
	keys(t, ctx, "\r")
	titled(t, ctx, "Everything is up")
	holds(t, ctx, `!!document.querySelector('.act-next')`)
	to(".act-next")
	keys(t, ctx, "\r")
	titled(t, ctx, "Kill the catalog")
	to(".term")
	keys(t, ctx, "\r")
	holds(t, ctx, `document.querySelector('.glossary')?.matches(':modal')`)
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `!document.querySelector('.glossary').open && document.activeElement.matches('.term')`)
	for range 5 {
		to(".tour-choice input")
		keys(t, ctx, kb.ArrowRight)
		keys(t, ctx, kb.ArrowLeft)
	}
	to(".act-answer")
	keys(t, ctx, "\r")
	holds(t, ctx, `document.activeElement.innerText === 'Kill catalog'`) // the focus is where one goes on
	keys(t, ctx, "\r")
	l.is("one-dies/kill", "done")
	tourSays(t, ctx, "It took 1.2 s")
	holds(t, ctx, `document.activeElement.innerText === '✓ Done'`) // where its button was
	to(".act-next")
	keys(t, ctx, "g")
	holds(t, ctx, `document.querySelector('.glossary').matches(':modal')`)
	keys(t, ctx, kb.Escape)
	keys(t, ctx, "w")
	holds(t, ctx, `document.querySelector('#tour').hidden && document.activeElement.id === 'open-tour'`)
	keys(t, ctx, "w")
	titled(t, ctx, "Kill the catalog")
	if !l.did("POST /api/v1/walkthrough/one-dies/kill/do ") {
		t.Errorf("asked: %q", l.all())
	}
}

// TestTourIsKept: a reload and a second tab are at the same step, with the same answers, and go along with the first one.
func TestTourIsKept(t *testing.T) {
	l := newTourLab(t, "calm")
	l.is("one-dies/look", "done")
	ctx := tab(t)
	open(t, ctx, l.URL+"/walkthrough/one-dies", 1440, 900)
	titled(t, ctx, "Everything is up")
	press(t, ctx, "Next ›")
	titled(t, ctx, "Kill the catalog")
	for _, c := range []string{"browse in sync", "check-stock in sync", "buy in sync", "my-purchases in sync", "sign-up in sync"} {
		choose(t, ctx, c, "fails")
	}
	press(t, ctx, "Give my answer")
	l.refuse("/begin", "a chapter that goes on is not to be begun again")
	open(t, ctx, l.URL+"/walkthrough/one-dies", 1440, 900)
	tourSays(t, ctx, "Step 2 of 4", "Your answer, Synchronous requests:")
	l.is("one-dies/kill", "done")
	tourSays(t, ctx, "≠ not so")
	open(t, ctx, l.URL+"/walkthrough", 1440, 900)
	tourSays(t, ctx, "at step 2 of 4 · 3 of 5 predicted")
	press(t, ctx, "Go on")
	tourSays(t, ctx, "It took 1.2 s")

	// Another tab of the same browser.
	other, end := second(t, ctx)
	defer end()
	open(t, other, l.URL+"/walkthrough/one-dies", 1440, 900)
	tourSays(t, other, "Step 2 of 4", "It took 1.2 s")
	press(t, other, "Next ›")
	tourSays(t, ctx, "Step 3 of 4", "Look at one request")
	press(t, ctx, "‹ Back")
	tourSays(t, other, "Step 2 of 4")
	// What was begun again in one is begun in the other.
	l.refuse("/begin", "")
	l.is("one-dies/look", "waiting")
	press(t, ctx, "Begin again")
	tourSays(t, other, "Step 1 of 4", "now: the load is 0")

	// A lab that cannot be made ready says why, and tries again.
	l.refuse("/begin", "stock does not come up: see its log")
	press(t, ctx, "Begin again")
	tourSays(t, ctx, "The lab is not ready: stock does not come up: see its log.")
	l.refuse("/begin", "")
	press(t, ctx, "Try again")
	titled(t, ctx, "Everything is up")
}

// TestTourWithoutServer: while the dashboard is gone that is said; when it comes back one goes on where one was.
func TestTourWithoutServer(t *testing.T) {
	l := newTourLab(t, "calm")
	l.is("one-dies/look", "done")
	ctx := tab(t)
	open(t, ctx, l.URL+"/walkthrough/one-dies", 1440, 900)
	press(t, ctx, "Next ›")
	titled(t, ctx, "Kill the catalog")
	press(t, ctx, "Skip")
	tourSays(t, ctx, "now: catalog is up")
	l.die(true)
	tourSays(t, ctx, "Nothing is heard of this step: nobody is there. It is tried again.")
	press(t, ctx, "Kill catalog")
	tourSays(t, ctx, "Kill catalog: nobody is there")
	l.is("one-dies/kill", "settling")
	l.die(false)
	tourSays(t, ctx, "What still works is being measured")
	holds(t, ctx, `!`+tourText+`.includes('Nothing is heard')`)
	l.is("one-dies/kill", "done")
	tourSays(t, ctx, "Measured")
	holds(t, ctx, `!document.querySelector('.tour-mark')`) // nothing was said, so nothing is marked
	l.die(true)
	open(t, ctx, l.URL+"/walkthrough/copies-serve", 1440, 900)
	tourSays(t, ctx, "This chapter cannot be had: nobody is there. It is tried again.")
	l.die(false)
	titled(t, ctx, "The same, in every way")
}

// TestTourLooksOnly: where nothing can be acted on a chapter can be read.
func TestTourLooksOnly(t *testing.T) {
	l := newTourLab(t, "looking")
	l.mu.Lock()
	list := l.tour["list"].(map[string]any)
	list["can"], list["why"] = false, "This dashboard watches a system that somebody else runs."
	l.mu.Unlock()
	l.is("one-dies/look", "done")
	ctx := tab(t)
	open(t, ctx, l.URL+"/walkthrough", 1440, 900)
	tourSays(t, ctx, "This dashboard only looks: steps that break something cannot be done here.")
	press(t, ctx, "Begin")
	press(t, ctx, "Next ›")
	tourSays(t, ctx, "Kill catalog: that cannot be done here. This dashboard watches a system that somebody else runs.")
	press(t, ctx, "Skip")
	press(t, ctx, "Next ›")
	tourSays(t, ctx, "Look at one request")
	for _, asked := range l.all() {
		if strings.HasPrefix(asked, "POST ") {
			t.Errorf("asked: %q", asked)
		}
	}
}

// TestTourOnPhones: the sheet leaves the page above it to be seen, nothing of it is cut, and all of the page can be scrolled to.
func TestTourOnPhones(t *testing.T) {
	l := newTourLab(t, "calm")
	l.is("one-dies/look", "done")
	ctx := tab(t)
	open(t, ctx, l.URL+"/walkthrough/one-dies", 390, 844)
	press(t, ctx, "Next ›")
	titled(t, ctx, "Kill the catalog")
	holds(t, ctx, `((r) => r.left === 0 && r.right === innerWidth && r.bottom === innerHeight && r.height <= innerHeight * 0.56)(document.querySelector('#tour').getBoundingClientRect())`)
	holds(t, ctx, `document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll('#tour *')].every((e) => e.matches('.hidden') || e.getBoundingClientRect().right <= innerWidth)`)
	holds(t, ctx, `(scrollTo(0, 1e6), true)`)
	holds(t, ctx, `document.querySelector('.events').getBoundingClientRect().bottom <= document.querySelector('#tour').getBoundingClientRect().top + 1`)
	press(t, ctx, "Skip")
	press(t, ctx, "Kill catalog")
	l.is("one-dies/kill", "done")
	press(t, ctx, "Next ›")
	titled(t, ctx, "Look at one request")
	holds(t, ctx, `document.querySelector('#cost').hidden`) // it would push the page about: it is offered
	press(t, ctx, "Show the request")
	holds(t, ctx, `document.querySelector('#cost').checkVisibility()`)
}

// TestTourPaths: the page stands where its walkthrough does, and nowhere else.
func TestTourPaths(t *testing.T) {
	with := of(`{"rev":1}`)
	with.Chapters = []string{"one-dies"}
	for path, status := range map[string]int{"/walkthrough": 200, "/walkthrough/one-dies": 200, "/walkthrough/summary": 200, "/follow/abc": 200, "/walkthrough/none": 404, "/walkthrough/one-dies/kill": 404, "/follow": 404} {
		if res, body := get(t, with, path); res.StatusCode != status || status == 200 && !strings.Contains(body, `id="open-tour"`) {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
		if res, _ := get(t, of(`{"rev":1}`), path); res.StatusCode != 404 {
			t.Errorf("%s without a walkthrough: %d", path, res.StatusCode)
		}
	}
	if _, body := get(t, of(`{"rev":1}`), "/"); !strings.Contains(body, `(W)" hidden>Walkthrough`) {
		t.Error("the button is there without a walkthrough")
	}
}

// second is another tab of the same browser.
func second(t *testing.T, ctx context.Context) (context.Context, context.CancelFunc) {
	t.Helper()
	other, end := chromedp.NewContext(ctx)
	if err := chromedp.Do(other, chromedp.EmulateViewport(1440, 900)); err != nil {
		t.Fatal(err)
	}
	return other, end
}
