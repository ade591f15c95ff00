package web

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestKeyboardOnTheMap: arrows go from node to node, letters act on the one that has the focus.
func TestKeyboardOnTheMap(t *testing.T) {
	l := newLab(t, "outage")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	at := func(node string) {
		t.Helper()
		holds(t, ctx, `document.activeElement.dataset.node === '`+node+`' && document.querySelectorAll('#cards [data-node][tabindex="0"]').length === 1
			&& document.activeElement.tabIndex === 0 && getComputedStyle(document.activeElement).outlineStyle === 'solid'`)
	}
	said := func(words string) {
		t.Helper()
		holds(t, ctx, `document.querySelector('#said').textContent.includes('`+words+`')`)
	}
	keys(t, ctx, "k")
	said("choose a node first")
	keys(t, ctx, kb.ArrowDown) // nothing has the focus: the first node gets it
	holds(t, ctx, `document.activeElement.matches('#cards [data-node]')`)
	holds(t, ctx, `(document.querySelector('[data-node="users"]').focus(), true)`)
	for _, step := range [][2]string{{kb.ArrowRight, "users-db"}, {kb.ArrowRight, "catalog"}, {kb.ArrowRight, "catalog-db"}, {kb.ArrowRight, "orders"},
		{kb.ArrowDown, "trending"}, {kb.ArrowLeft, "purchases-db"}, {kb.ArrowLeft, "purchases"}, {kb.ArrowUp, "catalog"}} {
		keys(t, ctx, step[0])
		at(step[1])
	}

	// Which verb a key is depends on the state, and one that would do nothing says why.
	keys(t, ctx, "s")
	said("catalog was started")
	keys(t, ctx, "p")
	said("pause catalog: it is dead")
	keys(t, ctx, kb.ArrowDown)
	at("purchases")
	keys(t, ctx, "p")
	said("purchases goes on")
	keys(t, ctx, "h")
	said("purchases: it has no faults")
	holds(t, ctx, `(document.querySelector('[data-node="orders"]').focus(), true)`)
	keys(t, ctx, "k")
	said("orders was killed")
	keys(t, ctx, "S")
	said("orders was stopped")
	keys(t, ctx, "m")
	holds(t, ctx, `document.querySelector('.more:popover-open')?.getAttribute('aria-label') === 'More for orders'`)
	keys(t, ctx, "k") // the window has the keyboard
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `!document.querySelector('.more:popover-open')`)

	// Enter on a node is a click on it; on a button within it is that button's.
	holds(t, ctx, `(() => { window.clicked = []; document.querySelector('#cards').addEventListener('click', (e) => window.clicked.push(e.target.dataset.node ?? e.target.className)); return true; })()`)
	holds(t, ctx, `(document.querySelector('[data-node="stock"]').focus(), true)`)
	keys(t, ctx, "\r")
	holds(t, ctx, `window.clicked.join() === 'stock'`)
	holds(t, ctx, `(document.querySelector('[aria-label="Pause stock"]').focus(), true)`)
	keys(t, ctx, "\r")
	said("stock was paused")
	holds(t, ctx, `window.clicked.join() === 'stock,verb verb-pause'`)

	for _, want := range []string{"POST /api/v1/nodes/catalog/start ", "POST /api/v1/nodes/purchases/resume ", "POST /api/v1/nodes/orders/kill ",
		"POST /api/v1/nodes/orders/stop ", "POST /api/v1/nodes/stock/pause "} {
		if !l.did(want) {
			t.Errorf("not asked: %q", want)
		}
	}
	if acts := slices.DeleteFunc(l.all(), func(a string) bool { return !strings.HasPrefix(a, "POST ") }); len(acts) != 5 {
		t.Errorf("asked: %q", acts)
	}
}

// TestKeyboardOnThePage: lens, zoom, theme, big type, restore, search, and the sheet that says it all and switches letters off.
func TestKeyboardOnThePage(t *testing.T) {
	l := newLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `(() => { window.zooms = []; document.querySelector('#map').addEventListener('zoom', (e) => window.zooms.push(e.detail)); return true; })()`)
	keys(t, ctx, "+-0")
	holds(t, ctx, `window.zooms.join() === 'in,out,fit'`)
	keys(t, ctx, "3")
	holds(t, ctx, `location.hash === '#pattern=shared'`)
	keys(t, ctx, "1")
	holds(t, ctx, `location.hash === ''`)
	keys(t, ctx, "t")
	holds(t, ctx, `['light', 'dark'].includes(document.documentElement.dataset.theme)`)

	// In a field a letter is a letter.
	holds(t, ctx, `(() => { const i = document.createElement('input'); i.className = 'test'; document.querySelector('.top').append(i); i.focus(); return true; })()`)
	keys(t, ctx, "tb?")
	holds(t, ctx, `document.querySelector('.test').value === 'tb?' && !document.documentElement.dataset.big && !document.querySelector('dialog[open]')`)
	holds(t, ctx, `(document.querySelector('.test').remove(), true)`)

	// Big type is kept over a reload.
	keys(t, ctx, "b")
	big := `document.documentElement.dataset.big === 'on' && document.querySelector('#big').ariaPressed === 'true' && !document.querySelector('.notes').checkVisibility()
		&& document.querySelector('#works').checkVisibility() && parseFloat(getComputedStyle(document.querySelector('.card-name')).fontSize) > 20`
	holds(t, ctx, big)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, big)
	keys(t, ctx, "b")
	holds(t, ctx, `!document.documentElement.dataset.big && document.querySelector('.notes').checkVisibility()`)

	keys(t, ctx, "r")
	holds(t, ctx, `document.querySelector('#said').textContent.includes('R again within 3 seconds')`)
	if l.did("POST /api/v1/restore ") {
		t.Error("one R restored everything")
	}
	keys(t, ctx, "r")
	holds(t, ctx, `document.querySelector('#said').textContent === 'everything is up again'`)
	if !l.did("POST /api/v1/restore ") {
		t.Error("the second R did nothing")
	}

	// The sheet has every key of the table; Escape closes it and gives the focus back.
	holds(t, ctx, `(document.querySelector('[data-node="stock"]').focus(), true)`)
	keys(t, ctx, "?")
	holds(t, ctx, `document.querySelector('.sheet').matches(':modal') && document.querySelector('.sheet').contains(document.activeElement)`)
	var acts []string
	out, err := chromedp.Run(ctx, chromedp.Evaluate[string](`import('/static/js/keys.js').then((m) => JSON.stringify(m.KEYS.map((k) => k.act + ' ' + k.words)))`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(out), &acts); err != nil || len(acts) < 15 {
		t.Fatalf("%v, %d keys", err, len(acts))
	}
	for _, a := range acts {
		act, words, _ := strings.Cut(a, " ")
		holds(t, ctx, `document.querySelector('.sheet tr[data-act="`+act+`"]').innerText.includes('`+words+`')`)
	}
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `!document.querySelector('.sheet').open && document.activeElement.dataset.node === 'stock'`)

	// Letters can be switched off, and stay so; arrows still go.
	holds(t, ctx, `(document.querySelector('#keys').click(), document.querySelector('.sheet-switch input').click(), document.querySelector('.sheet-close').click(), true)`)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `(document.querySelector('[data-node="stock"]').focus(), true)`)
	keys(t, ctx, "kb?")
	keys(t, ctx, kb.ArrowRight)
	holds(t, ctx, `document.activeElement.dataset.node === 'stock-db' && !document.documentElement.dataset.big && !document.querySelector('.sheet')`)
	if l.did("POST /api/v1/nodes/stock/kill ") {
		t.Error("K kills though letters are switched off")
	}
}

// TestInWords: what is seen is there to be heard.
func TestInWords(t *testing.T) {
	l := newLab(t, "outage")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	label := func(node, words string) {
		t.Helper()
		holds(t, ctx, `document.querySelector('[data-node="`+node+`"]').getAttribute('aria-label').includes('`+words+`')`)
	}
	label("catalog", "catalog, service for browse: dead for ")
	label("users", "users, service for sign up: up, 2.1 requests a second")
	label("purchases", "paused for ")
	describes := func(node, words string) {
		t.Helper()
		holds(t, ctx, `(() => { const n = document.querySelector('[data-node="`+node+`"]'), d = document.getElementById(n.getAttribute('aria-describedby') ?? ''); return !!d && d.textContent.includes('`+words+`'); })()`)
	}
	describes("orders", "ts requests to catalog fail, ")
	describes("purchases", "184 events wait at its door")
	holds(t, ctx, `document.querySelector('[data-node="orders"] > .hidden').textContent.includes('puts events on')`)
	holds(t, ctx, `document.documentElement.lang === 'en' && document.querySelectorAll('main').length === 1 && document.querySelectorAll('h1').length === 1`)
	// Headings go down by one level at most.
	holds(t, ctx, `[...document.querySelectorAll('h1, h2, h3, h4')].filter((h) => h.checkVisibility()).map((h) => Number(h.tagName[1])).every((n, i, all) => i === 0 ? n === 1 : n <= all[i - 1] + 1)`)
	holds(t, ctx, `(() => { const t = document.querySelector('#matrix table'); return t.querySelectorAll('thead th[scope="col"]').length === 5 && t.querySelectorAll('tbody th[scope="row"]').length === 6; })()`)
	holds(t, ctx, `document.querySelector('#told').textContent === ''`) // how it was found is on the page, not announced
}

// TestAnnounced: what dies and what is well again is said once, in a polite live region, and nothing while all stays as it is.
func TestAnnounced(t *testing.T) {
	l := newLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `document.querySelector('#told').getAttribute('role') === 'status'`)
	holds(t, ctx, `(() => { const told = document.querySelector('#told'); window.heard = [];
		new MutationObserver(() => window.heard.push(told.textContent)).observe(told, { childList: true, characterData: true, subtree: true }); return true; })()`)
	turn := func(frame string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.state = fixture(t, frame)
		l.hangUp()
	}
	turn("outage")
	holds(t, ctx, `window.heard.join('|') === 'catalog is dead and purchases is paused'`)
	turn("calm")
	holds(t, ctx, `window.heard.join('|') === 'catalog is dead and purchases is paused|catalog and purchases are well again'`)
}

// TestBigIsNotCut: with big type nothing is cut off, covered or too narrow, in a hall and in the hand.
func TestBigIsNotCut(t *testing.T) {
	ctx := tab(t)
	for _, frame := range []string{"outage", "slow", "worst"} {
		l := newLab(t, frame)
		open(t, ctx, l.URL, 1440, 900)
		keys(t, ctx, "b")
		holds(t, ctx, `localStorage.getItem('stillup-big') === 'on'`)
		for _, size := range [][2]int64{{1280, 720}, {1440, 900}, {1920, 1080}, {3840, 2160}, {390, 844}} {
			nothingIsCut(t, ctx, l, size)
			holds(t, ctx, `document.documentElement.dataset.big === 'on'`)
		}
	}
}
