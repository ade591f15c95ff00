package web

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestFaults: what is done to a node that runs, from its "more" window and from the faults that are shown at it.
func TestFaults(t *testing.T) {
	l := newLab(t, "slow")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `document.querySelector('[data-node="catalog"]').innerText.includes('slow +300 ms')`)
	holds(t, ctx, `!document.querySelector('[data-node="orders"] .chip')`)
	click(t, ctx, "Heal catalog")
	holds(t, ctx, `document.querySelector('#said').innerText.includes('catalog was healed')`)

	// The window opens at its button, takes the keyboard, and gives it back on Escape.
	const isOpen = `!!document.querySelector('.more:popover-open')`
	holds(t, ctx, `(() => { document.querySelector('[aria-label="More for orders"]').focus(); return true; })()`)
	keys(t, ctx, "\r")
	holds(t, ctx, isOpen+` && document.activeElement.getAttribute('aria-label') === 'Stop orders'`)
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `!`+isOpen+` && document.activeElement.getAttribute('aria-label') === 'More for orders'`)
	click(t, ctx, "More for orders")
	holds(t, ctx, isOpen)
	clickAt(t, ctx, 700, 30)
	holds(t, ctx, `!`+isOpen)

	set := func(label, value string) {
		holds(t, ctx, `(() => { const i = [...document.querySelectorAll('input')].find((x) => x.getAttribute('aria-label') === '`+label+`'); if (i) i.value = '`+value+`'; return !!i; })()`)
	}
	click(t, ctx, "More for orders")
	set("How much later orders answers, in milliseconds", "450")
	click(t, ctx, "Slow orders")
	holds(t, ctx, `document.querySelector('#said').innerText.includes('orders is made slow: +450 ms') && !`+isOpen)
	click(t, ctx, "More for orders")
	set("How many of the requests to orders fail, per cent", "0")
	click(t, ctx, "Errors orders")
	holds(t, ctx, `document.querySelector('#said').innerText.includes('more than 0') && `+isOpen)
	set("How many of the requests to orders fail, per cent", "35")
	click(t, ctx, "Errors orders")
	holds(t, ctx, `document.querySelector('#said').innerText.includes('orders now has 35 % errors')`)
	click(t, ctx, "More for bus")
	click(t, ctx, "Cut off bus")
	holds(t, ctx, `document.querySelector('#said').innerText.includes('bus was cut off')`)
	for _, want := range []string{"POST /api/v1/nodes/catalog/heal ", `POST /api/v1/nodes/orders/slow {"latency_ms":450}`,
		`POST /api/v1/nodes/orders/errors {"share":0.35}`, "POST /api/v1/nodes/bus/cut "} {
		if !l.did(want) {
			t.Errorf("not asked: %q", want)
		}
	}
	if l.did(`POST /api/v1/nodes/orders/errors {"share":0}`) {
		t.Error("a share of 0 was sent")
	}
}

// TestCostOfARequest: a cell opens what one request costs, by keyboard too, and is given the focus back.
func TestCostOfARequest(t *testing.T) {
	l := newLab(t, "slow")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	const cell = `document.querySelector('[data-feature="my-purchases"][data-pattern="sync"] button')`
	holds(t, ctx, `(() => { document.querySelector('[data-feature="my-purchases"][data-pattern="shared"] button').focus(); return true; })()`)
	keys(t, ctx, kb.ArrowRight)
	holds(t, ctx, `document.activeElement === `+cell)
	keys(t, ctx, "\r")
	holds(t, ctx, `!document.querySelector('#cost').hidden && document.activeElement.id === 'cost-title' && `+cell+`.ariaPressed === 'true'`)
	holds(t, ctx, `document.querySelector('#cost').innerText.includes('my purchases · Synchronous requests: slow')`)
	holds(t, ctx, `document.querySelector('#cost').innerText.includes('because catalog is slow (+300 ms)')`)
	holds(t, ctx, `document.querySelector('#cost-line').innerText === '4 services · 4 hops · 0 messages on the bus · depth 3'`)
	holds(t, ctx, `[...document.querySelectorAll('#cost-fall .fall-name')].map((e) => e.innerText).join() ===
		'shoppers → purchases,purchases → users,purchases → orders,purchases → catalog'`)
	holds(t, ctx, `document.querySelectorAll('#cost-compare li').length === 5`)
	holds(t, ctx, `((edge) => [...document.querySelectorAll('#cost *')].every((e) => e.getBoundingClientRect().right <= edge))(
		document.querySelector('#cost').getBoundingClientRect().right)`)
	// Bars are to scale: the slow hop nearly fills its track, and stands within it.
	holds(t, ctx, `(() => { const b = [...document.querySelectorAll('#cost-fall .fall-bar')].map((e) => e.getBoundingClientRect().width);
		return b[3] / b[0] > 0.95 && b[1] / b[0] < 0.03; })()`)
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `document.querySelector('#cost').hidden && document.activeElement === `+cell)
	if !l.did("GET /api/v1/features/my-purchases/sync") {
		t.Error("the request was not asked for")
	}

	// A failed hop says why; a cell of which none was seen says so.
	holds(t, ctx, `(document.querySelector('[data-feature="buy"][data-pattern="sync"] button').click(), true)`)
	holds(t, ctx, `document.querySelector('#cost-fall').innerText.includes('dashboard → orders') && document.querySelectorAll('#cost-fall .failed').length === 2
		&& document.querySelector('#cost-fall').innerText.includes('catalog refused the connection')`)
	holds(t, ctx, `(document.querySelector('[data-feature="browse"][data-pattern="sync"] button').click(), true)`)
	holds(t, ctx, `document.querySelector('#cost-fall').innerText.includes('No request was seen whole yet')`)
	// Events on the bus stand where they were, one line a stream.
	holds(t, ctx, `(document.querySelector('[data-feature="my-purchases"][data-pattern="bus"] button').click(), true)`)
	holds(t, ctx, `document.querySelectorAll('#cost-fall .fall-tick').length === 6 && document.querySelector('#cost-fall').innerText.includes('replies')`)
}

// TestLensOnThePage: a chosen pattern alone is strong, its sentence and column are shown, and a reload keeps it.
func TestLensOnThePage(t *testing.T) {
	l := newLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `document.querySelectorAll('.edge.faint').length === 0 && document.querySelectorAll('.pick input').length === 6`)
	holds(t, ctx, `(document.querySelector('.pick input[value="shared"]').click(), true)`)
	shared := `document.querySelectorAll('#lines .edge-reach.chosen').length === 8 && document.querySelectorAll('.edge-emit:not(.faint)').length === 0
		&& document.querySelector('#pick-say').innerText.includes('reaches into') && document.querySelector('th.chosen').innerText.includes('Shared')
		&& document.querySelector('[data-node="monolith"]').classList.contains('dim')`
	holds(t, ctx, shared)
	holds(t, ctx, `location.hash === '#pattern=shared'`)
	holds(t, ctx, `(window.old = true, location.reload(), true)`)
	holds(t, ctx, `!window.old && `+shared+` && document.querySelector('.pick input[value="shared"]').checked`)
	holds(t, ctx, `(document.querySelector('.pick input[value=""]').click(), true)`)
	holds(t, ctx, `document.querySelectorAll('.faint').length === 0 && location.hash === ''`)
}

// TestMix: a moved slider is sent once it rests, all of its group together.
func TestMix(t *testing.T) {
	l := newLab(t, "worst")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `(document.querySelector('#mix').click(), true)`)
	holds(t, ctx, `document.querySelector('.mix:popover-open').innerText.replaceAll('\u202f', '').includes('1234567 requests were not made')`)
	for _, v := range []string{"2", "3"} {
		holds(t, ctx, `(() => { const i = document.querySelector('[data-mix="sync"]'); i.value = '`+v+`'; i.dispatchEvent(new Event('input')); return true; })()`)
	}
	holds(t, ctx, `document.querySelector('#said').textContent === 'the mix is set'`)
	if !l.did(`POST /api/v1/load {"patterns":{"monolith":1,"shared":1,"sync":3,"bus":1,"copies":1}}`) {
		t.Errorf("asked: %q", l.all())
	}
	holds(t, ctx, `(() => { const i = document.querySelector('[data-mix="buy"]'); i.value = '0.25'; i.dispatchEvent(new Event('input')); return i.getAttribute('aria-valuetext') === '25 %'; })()`)
	holds(t, ctx, `document.querySelector('#said').textContent === '' || document.querySelector('#said').textContent === 'the mix is set'`)
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `!document.querySelector('.mix:popover-open') && document.activeElement.id === 'mix'`)
}
