package web

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestFind: hits are marked, Enter brings them to the middle one after another, Escape clears.
func TestFind(t *testing.T) {
	l := labOver(t, invented(t, 60, 100))
	ctx := tab(t)
	openBig(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `!document.querySelector('[data-stream="payments.paid"]') && document.querySelectorAll('.band').length === 8`)
	holds(t, ctx, `(import('/static/js/find.js').then((m) => { m.focusSearch(); window.focused = true; }), true)`)
	holds(t, ctx, `window.focused && document.activeElement.id === 'search'`)
	keys(t, ctx, "payments.paid")
	holds(t, ctx, `document.querySelector('#find-said').textContent === '1 found' && document.querySelector('[data-stream="payments.paid"]').classList.contains('hit')`)
	holds(t, ctx, `(() => { const i = document.querySelector('#search'); i.value = 'geo-view'; i.dispatchEvent(new Event('input')); return true; })()`)
	holds(t, ctx, `document.querySelector('[data-node="geo-view"]').classList.contains('hit') && document.querySelectorAll('.card.hit').length === 1 && !document.querySelector('[data-stream="payments.paid"]')`)
	keys(t, ctx, kb.Enter)
	holds(t, ctx, `(() => { const c = document.querySelector('[data-node="geo-view"]').getBoundingClientRect(), r = document.querySelector('#room').getBoundingClientRect();
		return Math.abs(c.x + c.width / 2 - r.x - r.width / 2) < 2 && Math.abs(c.y + c.height / 2 - r.y - r.height / 2) < 2; })()`)
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `document.querySelectorAll('.hit').length === 0 && document.querySelector('#search').value === ''`)

	// Under the pointer a card's connections alone are strong.
	holds(t, ctx, `(document.querySelector('[data-node="geo-view"]').dispatchEvent(new PointerEvent('pointerover', { bubbles: true })), true)`)
	holds(t, ctx, `(() => { const strong = [...document.querySelectorAll('#lines .edge:not(.faint)')]; return strong.length > 0 && strong.length < 10 && strong.every((e) => e.dataset.edge.includes('geo-view')); })()`)
	holds(t, ctx, `(document.querySelector('[data-node="geo-view"]').dispatchEvent(new PointerEvent('pointerout', { bubbles: true })), true)`)
	holds(t, ctx, `!document.querySelector('#lines .faint')`)

	// A group opens and shuts, and no card moves for it.
	keys(t, ctx, "0")
	card := evaluate[box](t, ctx, boxOf(`[data-node="geo-view"]`))
	holds(t, ctx, `(document.querySelector('[aria-label="15 streams of orders"]').click(), true)`)
	holds(t, ctx, `document.querySelector('[aria-label="15 streams of orders"]').ariaExpanded === 'true' && document.querySelectorAll('[data-stream^="reviews."]').length === 5`)
	if c := evaluate[box](t, ctx, boxOf(`[data-node="geo-view"]`)); c != card {
		t.Errorf("a card moved from %v to %v", card, c)
	}
	holds(t, ctx, `(document.querySelector('[aria-label="15 streams of orders"]').click(), true)`)
	holds(t, ctx, `document.querySelectorAll('[data-stream^="reviews."]').length === 0`)
}

// TestTable: the same facts, sorted by any column, found by the same search; it is what opens for very many nodes.
func TestTable(t *testing.T) {
	l := newLab(t, "outage")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `(document.querySelector('#as-table').click(), true)`)
	holds(t, ctx, `document.querySelector('#room').hidden && document.querySelectorAll('[data-of="node"]').length === 16 && document.querySelectorAll('[data-of="stream"]').length === 6`)
	holds(t, ctx, `document.querySelector('[data-row="catalog"]').innerText.includes('dead') && document.querySelector('[data-row="purchases"]').innerText.includes('184')`)
	holds(t, ctx, `([...document.querySelectorAll('.sort')].find((b) => b.innerText.startsWith('Waits')).click(), true)`)
	holds(t, ctx, `document.querySelector('[data-of="node"]').dataset.row === 'purchases' && document.querySelector('[aria-sort="descending"]').innerText.startsWith('Waits')`)
	holds(t, ctx, `(() => { const i = document.querySelector('#search'); i.value = 'cat'; i.dispatchEvent(new Event('input')); return true; })()`)
	holds(t, ctx, `[...document.querySelectorAll('[data-of="node"]')].map((r) => r.dataset.row).sort().join() === 'catalog,catalog-db'`)
	holds(t, ctx, `(() => { window.asked = ''; document.querySelector('#map').addEventListener('inspect', (e) => { window.asked = e.detail.kind + ' ' + e.detail.id; });
		document.querySelector('[data-row="catalog-db"] button').click(); return window.asked === 'node catalog-db'; })()`)
	holds(t, ctx, `(document.querySelector('#as-table').click(), true)`)
	holds(t, ctx, `document.querySelector('#table').hidden && document.querySelectorAll('.card').length === 8`)

	big := labOver(t, invented(t, 200, 100))
	holds(t, ctx, `(sessionStorage.clear(), true)`)
	openBig(t, ctx, big.URL, 1440, 900)
	holds(t, ctx, `document.querySelectorAll('.card').length === 0 && document.querySelectorAll('[data-of="node"]').length > 300 && document.querySelectorAll('[data-of="stream"]').length === 100`)
	holds(t, ctx, `(document.querySelector('#as-table').click(), true)`)
	holds(t, ctx, `document.querySelectorAll('.card').length === 201`)
}
