package web

import (
	"context"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestPageInABrowser(t *testing.T) {
	l := newLab(t, "outage")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)

	// Every node is there, and only the verbs that make sense.
	holds(t, ctx, `document.querySelectorAll('[data-node]').length === 16`)
	holds(t, ctx, `document.querySelector('[data-node="catalog"]').dataset.state === 'down'`)
	holds(t, ctx, `!document.querySelector('[aria-label="Kill catalog"]') && !document.querySelector('[aria-label="Start orders"]')`)
	holds(t, ctx, `document.querySelector('[data-feature="buy"][data-pattern="sync"]').innerText.includes('catalog')`)
	holds(t, ctx, `document.body.innerText.includes('184 events wait') && document.body.innerText.includes('refused · 2.4/s')`)
	holds(t, ctx, `document.querySelectorAll('[data-event]').length > 5`)
	// What looks like markup in a note is text.
	holds(t, ctx, `document.querySelectorAll('#notes b').length === 0 && document.querySelector('#notes').textContent.includes('<b>')`)

	// Buttons act, and say what came of it.
	click(t, ctx, "Start catalog")
	holds(t, ctx, `document.querySelector('#said').innerText.includes('catalog was started')`)
	click(t, ctx, "Kill bus")
	holds(t, ctx, `document.querySelector('#said').innerText.includes('bus was killed')`)
	l.mu.Lock()
	l.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"title":"Conflict","detail":"<i>orders-db</i> is dead already"}`))
	}
	l.mu.Unlock()
	click(t, ctx, "Kill orders-db")
	holds(t, ctx, `document.querySelector('#said').textContent === 'kill orders-db: <i>orders-db</i> is dead already'`)
	holds(t, ctx, `(() => { document.querySelector('#rate').value = '40'; document.querySelector('#traffic').requestSubmit(); return true; })()`)
	holds(t, ctx, `document.querySelector('#said').textContent.startsWith('traffic:')`) // one after the other: the last answer is what is said
	holds(t, ctx, `(() => { document.querySelector('#restore').click(); return true; })()`)
	holds(t, ctx, `document.querySelector('#said').textContent.startsWith('restore all:')`)
	for _, want := range []string{"POST /api/v1/nodes/catalog/start ", "POST /api/v1/nodes/bus/kill ", "POST /api/v1/nodes/orders-db/kill ",
		`POST /api/v1/load {"per_second":40}`, "POST /api/v1/restore "} {
		if !l.did(want) {
			t.Errorf("not asked: %q", want)
		}
	}

	// The theme is kept.
	click(t, ctx, "Switch to the dark theme")
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `document.documentElement.dataset.theme === 'dark' && !!document.querySelector('[aria-label="Switch to the light theme"]')`)

	// A lost connection is said, and made again.
	holds(t, ctx, `(() => { window.said = ''; new MutationObserver(() => { window.said += document.querySelector('#link').textContent; })
		.observe(document.querySelector('#link'), { childList: true, characterData: true, subtree: true }); return true; })()`)
	l.mu.Lock()
	l.hangUp()
	l.mu.Unlock()
	holds(t, ctx, `window.said.includes('the picture stands still')`)
	holds(t, ctx, `!document.body.classList.contains('lost')`)
}

// TestNothingIsCut: in every size no card, label or cell overlaps another or runs over an edge, and the page never scrolls
// sideways.
func TestNothingIsCut(t *testing.T) {
	ctx := tab(t)
	for _, frame := range []string{"outage", "bus-cut", "worst", "replicas"} {
		l := newLab(t, frame)
		for _, size := range [][2]int64{{1440, 900}, {1280, 720}, {1920, 1080}, {390, 844}} {
			nothingIsCut(t, ctx, l, size)
		}
	}
}

func nothingIsCut(t *testing.T, ctx context.Context, l *lab, size [2]int64) {
	t.Helper()
	open(t, ctx, l.URL, size[0], size[1])
	holds(t, ctx, `document.documentElement.scrollWidth <= innerWidth`)
	const faults = `(() => {
			const out = [], all = [...document.querySelectorAll('.card, .fail:not(.hidden), .pace, .pile-label, .outbox-label, .bus')].map((e) => [e.className + ' ' + e.innerText, e.getBoundingClientRect()]);
			all.forEach(([n, a], i) => {
				if (a.left < 0 || a.right > innerWidth + 0.5) out.push('cut: ' + n);
				for (const [m, b] of all.slice(i + 1)) if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) out.push(n + ' overlaps ' + m);
			});
			for (const e of document.querySelectorAll('.card, .card-name, .card > .card-main > .state, .card.partial > .card-main > .card-pace, .use, .lights, th, .cell, .cell-word, .verbs, .outbox-label, .pick label'))
				if (e.scrollWidth > e.clientWidth + 1 || (e.matches('.card') && e.scrollHeight > e.clientHeight + 1)) out.push('too narrow: ' + e.className + ' ' + e.innerText);
			return JSON.stringify(out);
		})()`
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](faults))
	if err != nil {
		t.Fatal(err)
	}
	if got != "[]" {
		t.Errorf("%d x %d: %s", size[0], size[1], got)
	}
}
