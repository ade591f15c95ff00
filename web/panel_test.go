package web

import (
	"context"
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const panelSays = `document.querySelector('#inspect').innerText.replaceAll('\u202f', '')`

// TestInspector: what is clicked on the map opens beside it, alone, and gives the focus back.
func TestInspector(t *testing.T) {
	l := panelLab(t, "dead")
	ctx := tab(t)
	open(t, ctx, l.URL+"/#pattern=copies", 1440, 900)

	const loaded = `performance.getEntriesByType('resource').some((e) => /inspect[.](js|css)$/.test(e.name))`
	holds(t, ctx, `!`+loaded) // only once it is wanted

	// A card by keyboard: all that is known of the service.
	holds(t, ctx, `(document.querySelector('.card[data-node="orders"]').focus(), true)`)
	keys(t, ctx, "\r")
	holds(t, ctx, loaded+` && document.activeElement.id === 'inspect-title' && document.activeElement.innerText === 'orders'`)
	for _, want := range []string{"POST /sync/orders", "✕ 0.8/s", "catalog refused the connection", "order.placed.v1 2600", "cut off the stream", "✉ 3",
		"orders-db", "Called by", "shoppers", "the product p-12 is not known here"} {
		holds(t, ctx, panelSays+`.includes(`+"`"+want+"`"+`)`)
	}
	holds(t, ctx, `!document.querySelector('#inspect-body .folded').open && document.querySelector('#inspect-body .folded').textContent.includes('orders:•••@')`)
	holds(t, ctx, `location.hash === '#pattern=copies&node=orders'`)

	// A reload keeps it, and what is unfolded stays so while it is live.
	holds(t, ctx, `(window.old = true, location.reload(), true)`)
	holds(t, ctx, `!window.old && `+panelSays+`.includes('POST /copies/orders') && document.querySelector('.pick input[value="copies"]').checked`)
	holds(t, ctx, `(document.querySelector('#inspect-body .folded summary').click(), window.part = document.querySelector('#inspect .grid'), true)`)
	asked := len(l.all())
	holds(t, ctx, `document.querySelector('#inspect-body .folded').open`)
	waitFor(t, "the panel asks again while its part of the map changes", func() bool { return len(l.all()) > asked })
	holds(t, ctx, `document.querySelector('#inspect-body .folded').open && window.part.isConnected`)

	// Links go on, the browser's back goes back, Escape closes and the address forgets it.
	holds(t, ctx, `(document.querySelector('#inspect [data-opens="stream=stock"]').click(), true)`)
	holds(t, ctx, `document.querySelector('#inspect-title').innerText === 'stock'`)
	holds(t, ctx, `document.querySelector('#inspect-say').innerText.includes('nothing is known of')`) // the lab knows no such stream: it says so
	holds(t, ctx, `(history.back(), true)`)
	holds(t, ctx, `document.querySelector('#inspect-title').innerText === 'orders' && document.querySelector('#inspect-say').innerText === ''`)
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `document.querySelector('#inspect').hidden && location.hash === '#pattern=copies' && document.activeElement.dataset.node === 'orders'`)

	// A drum, a lane, a connection, a pile: by the mouse.
	at := func(what string) {
		holds(t, ctx, `(() => { const b = (`+what+`).getBoundingClientRect(); window.spot = [b.x + b.width / 2, b.y + b.height / 2]; return true; })()`)
	}
	press := func() { clickAt(t, ctx, number(t, ctx, `window.spot[0]`), number(t, ctx, `window.spot[1]`)) }
	open(t, ctx, l.URL+"/#", 1440, 900)
	at(`document.querySelector('[data-node="orders-db"] .drum')`)
	press()
	holds(t, ctx, panelSays+`.includes('Who reaches in') && `+panelSays+`.includes('purchases')`)
	at(`[...document.querySelectorAll('.lane-name')].find((e) => e.textContent === 'orders')`)
	press()
	holds(t, ctx, panelSays+`.includes('1763990000000-0') && `+panelSays+`.includes('11 s') && `+panelSays+`.includes('153')`)
	holds(t, ctx, `document.querySelector('.card[data-node="users"]').classList.contains('dim') && !document.querySelector('.card[data-node="purchases"]').classList.contains('dim')`)
	at(`document.querySelector('.pile-label')`)
	press()
	holds(t, ctx, `document.querySelector('#inspect-title').innerText === 'orders' && location.hash === '#node=orders'`)
	holds(t, ctx, `(document.querySelector('#inspect [data-opens="edge=call:orders>catalog"]').click(), true)`)
	holds(t, ctx, panelSays+`.includes('GET /products/p-12')`)
	holds(t, ctx, `document.querySelectorAll('#lines .edge:not(.faint)').length === 1`)

	// One panel at a time.
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `(document.querySelector('[data-feature="buy"][data-pattern="sync"] button').click(), !document.querySelector('#cost').hidden)`)
	holds(t, ctx, `(document.querySelector('.card[data-node="bus"], [data-node="bus"]').click(), document.querySelector('#cost').hidden)`)
	holds(t, ctx, panelSays+`.includes('replies')`)
}

// TestConnectionByTheMouse: a line on the map opens the connection that it is.
func TestConnectionByTheMouse(t *testing.T) {
	l := panelLab(t, "outage")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `(() => { const p = [...document.querySelectorAll('.edge-call.failing')].map((e) => [e, e.getPointAtLength(e.getTotalLength() * 0.25)])
		.map(([e, q]) => q.matrixTransform(e.getScreenCTM())).find((q) => q.y < 190); window.spot = p && [p.x, p.y]; return !!p; })()`)
	clickAt(t, ctx, number(t, ctx, `window.spot[0]`), number(t, ctx, `window.spot[1]`))
	holds(t, ctx, `location.hash.startsWith('#edge=call') && document.querySelector('#inspect-kind').innerText === 'connection'`)
}

// TestEventPanel: what is in an event, who has it, and its chain; what looks like markup is text.
func TestEventPanel(t *testing.T) {
	l := panelLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `(() => { const r = [...document.querySelectorAll('#events tr[data-event]')].find((x) => x.innerText.includes('o-041')); if (r) r.click(); return !!r; })()`)
	for _, want := range []string{"has it", "6.4 ms", "waits for it", "failed, will try again", "o-041 · version 1"} {
		holds(t, ctx, panelSays+`.includes(`+"`"+want+"`"+`)`)
	}
	holds(t, ctx, `document.querySelector('#inspect .tree').textContent.includes('<img src=x onerror=alert(1)>') && !document.querySelector('#inspect img')`)
	holds(t, ctx, `document.querySelectorAll('#inspect .fall-row').length === 7 && document.querySelector('#inspect .fall-row[aria-current]').innerText.includes('order.placed.v1')`)
	// Bars are to scale: the first request took 4.1 of 14.3 ms.
	holds(t, ctx, `(() => { const b = document.querySelector('#inspect .fall-bar'), w = b.getBoundingClientRect().width / b.parentElement.getBoundingClientRect().width; return w > 0.25 && w < 0.32; })()`)
	holds(t, ctx, `document.querySelector('#events tr[aria-selected="true"]').innerText.includes('o-041')`)
	// Its way on the map is strong, all else faint.
	holds(t, ctx, `document.querySelectorAll('#lines .edge:not(.faint)').length === 4 && document.querySelectorAll('.lane:not(.faint)').length === 1
		&& document.querySelector('.card[data-node="users"]').classList.contains('dim')`)
	holds(t, ctx, `(() => { const d = [...document.querySelectorAll('#inspect-body .folded')].find((x) => x.textContent.startsWith('Raw')); d.open = true; d.querySelector('.act-copy').click(); return d.querySelector('pre').textContent.includes('"specversion": "1.0"'); })()`)
	holds(t, ctx, `/copied|marked/.test(document.querySelector('#said').innerText)`)
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `document.querySelectorAll('.faint').length === 0`)

	// An answer that does not come is said and asked for again.
	l.mu.Lock()
	answer := l.answer
	l.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	l.mu.Unlock()
	holds(t, ctx, `(document.querySelector('.card[data-node="orders"]').click(), true)`)
	holds(t, ctx, `document.querySelector('#inspect-say').innerText.includes('answered 500. Trying again in')`)
	l.mu.Lock()
	l.answer = answer
	l.mu.Unlock()
	holds(t, ctx, panelSays+`.includes('POST /sync/orders') && document.querySelector('#inspect-say').innerText === ''`)
}

// TestOddEvents: what is none, is too large or came again is marked in the list, and its panel says what each consumer decided.
func TestOddEvents(t *testing.T) {
	l := panelLab(t, "odd")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	const row = `[...document.querySelectorAll('#events tr[data-event] .feed-type')].map((e) => e.className.replace('feed-type', '').trim() + ' ' + e.textContent)`
	for _, want := range []string{"warned ↻ order.placed.v1, the stream had this event before", "bad ✕ not a CloudEvents event: JSON ends early", "bad ▲ 1.0 MB "} {
		holds(t, ctx, row+`.some((s) => s.startsWith(`+"`"+want+"`"+`))`)
	}
	holds(t, ctx, row+`.filter((s) => /[↻✕▲]/.test(s)).length === 3`) // and nothing else is
	holds(t, ctx, `([...document.querySelectorAll('#events tr[data-event]')].find((x) => x.innerText.includes('↻')).click(), true)`)
	for _, want := range []string{"↷ skipped: has version 5 already", "↷ skipped: has answered this order already: reserved", "✓ applied it", "The stream had this event before"} {
		holds(t, ctx, panelSays+`.includes(`+"`"+want+"`"+`)`)
	}
	holds(t, ctx, `([...document.querySelectorAll('#events tr[data-event]')].find((x) => x.innerText.includes('▲')).click(), true)`)
	for _, want := range []string{"▲ 1.0 MB, too large: the event has 1048912 bytes; one may have 262144. Its payload is not kept here", "gave up: dead letter"} {
		holds(t, ctx, panelSays+`.includes(`+"`"+want+"`"+`)`)
	}
	holds(t, ctx, `!document.querySelector('#inspect .tree') && !`+panelSays+`.includes('Envelope')`)
	holds(t, ctx, `(location.hash = '#edge=take:orders>purchases', true)`)
	holds(t, ctx, panelSays+`.includes('120 entries were cut off the stream before this group had read them: its copy misses them')`)
	holds(t, ctx, `[...document.querySelectorAll('.pile-label')].some((e) => e.innerText.includes('120 events missed') && e.innerText.includes('trimmed unread'))`)
}

// TestDeadLetters: they are counted on the map, opened with their reason, and sent again; a refusal is shown in its words.
func TestDeadLetters(t *testing.T) {
	l := panelLab(t, "dead")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `[...document.querySelectorAll('.dead-mark')].map((b) => b.innerText).join() === '✉ 3 dead letters,✉ 1 dead letter,✉ 3,✉ 1'`)
	holds(t, ctx, `(document.querySelector('.dead-mark').click(), true)`)
	holds(t, ctx, `document.querySelectorAll('.letter').length === 3 && `+panelSays+`.includes('orders gave up after 5 tries') && `+panelSays+`.includes('<script>alert(1)</script> is not a quantity')`)
	holds(t, ctx, `(document.querySelector('.letter summary').click(), document.querySelector('.letter .tree').innerText.includes('qty: -3'))`)
	holds(t, ctx, `(document.querySelector('.letter .act-resend').click(), true)`)
	holds(t, ctx, `document.querySelector('#said').innerText === '1 event was sent again'`)
	waitFor(t, "one is sent again", func() bool { return l.did("POST /api/v1/deadletters/stock.dead/1764000000101-0/resend ") })

	l.mu.Lock()
	l.answer = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"title":"Conflict","detail":"this dashboard only looks on"}`))
	}
	l.mu.Unlock()
	holds(t, ctx, `(document.querySelector('.letter-all .act-resend').click(), true)`)
	holds(t, ctx, `document.querySelector('#said').innerText === 'send again: this dashboard only looks on'`)
	waitFor(t, "all are sent again", func() bool { return l.did("POST /api/v1/deadletters/stock.dead/resend ") })

	// The count on the map falls with the frames, and is gone at 0.
	l.more <- map[string]any{"edges": []any{map[string]any{"id": "take:stock>orders", "kind": "take", "from": "stock", "to": "orders", "total": 1000, "dead": 0}}}
	holds(t, ctx, `document.querySelectorAll('.dead-mark').length === 2`)
}

// TestFeedUnseen: events that come before anything was drawn, as in a tab that is opened and not looked at, are there when it is.
func TestFeedUnseen(t *testing.T) {
	l := panelLab(t, "calm")
	ctx := tab(t)
	err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{
			Source: `window.held = []; window.requestAnimationFrame = (f) => window.held.push(f);`})
		return err
	}), chromedp.Navigate(l.URL))
	if err != nil {
		t.Fatal(err)
	}
	holds(t, ctx, `held.length > 0 && performance.getEntriesByType('resource').some((e) => e.name.includes('/api/v1/events') && e.responseEnd > 0)`)
	l.happen(250)
	holds(t, ctx, `(() => { window.requestAnimationFrame = (f) => setTimeout(() => f(performance.now())); held.splice(0).forEach((f) => f(performance.now())); return document.querySelector('#events tr[data-event]')?.dataset.event === '250'; })()`)
}

// TestFeed: rows come live, are narrowed, frozen and gone through; what is missing between is filled or said.
func TestFeed(t *testing.T) {
	l := panelLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	const first = `document.querySelector('#events tr[data-event]')`
	holds(t, ctx, first+`.dataset.event === '113'`)

	// A gap that can be filled is filled; one of a rush is said.
	l.happen(250)
	holds(t, ctx, first+`.dataset.event === '250'`)
	holds(t, ctx, `document.querySelector('#events table').ariaRowCount === '251' && !document.querySelector('#events .gap')`)
	l.happen(2000)
	holds(t, ctx, first+`.dataset.event === '2000'`)
	holds(t, ctx, `(document.querySelector('.feed-scroll').scrollTop = 30 * 24, true)`)
	holds(t, ctx, `document.querySelector('#events .gap').innerText === '… 1\u202f710 not shown'`)
	holds(t, ctx, `(document.querySelector('.feed-scroll').scrollTop = 0, true)`)

	// Paused, what is shown stays; what comes is counted, and there after.
	holds(t, ctx, `(document.querySelector('.feed-pause').click(), true)`)
	l.happen(2128)
	holds(t, ctx, `document.querySelector('.feed-pause').innerText === '▶ Resume · 128 newer' && `+first+`.dataset.event === '2000'`)
	holds(t, ctx, `(document.querySelector('.feed-pause').click(), `+first+`.dataset.event === '2128')`)
	holds(t, ctx, `!document.querySelector('#events .gap') && document.querySelector('.feed-pause').innerText === '❚❚ Pause'`)

	// Thousands of rows, of which only those in sight are in the document; a reader who has scrolled keeps the place.
	for top := 2168; top <= 9000; top += 40 {
		l.happen(top)
	}
	holds(t, ctx, first+`.dataset.event === '8968' && Number(document.querySelector('#events table').ariaRowCount) > 6500`)
	holds(t, ctx, `(document.querySelector('.feed-scroll').scrollTop = 5000 * 24, true)`)
	holds(t, ctx, `!!document.querySelector('#events tr[data-event="3968"]') && document.querySelectorAll('#events tr').length < 60`)
	holds(t, ctx, `(window.y = document.querySelector('#events tr[data-event="3968"]').getBoundingClientRect().y, true)`)
	l.happen(9008)
	holds(t, ctx, `Number(document.querySelector('#events table').ariaRowCount) > 6900 && Math.abs(document.querySelector('#events tr[data-event="3968"]').getBoundingClientRect().y - window.y) < 2`)
	holds(t, ctx, `(document.querySelector('.feed-scroll').scrollTop = 0, true)`)

	// Filters: by words in the head, by the server in the payload.
	holds(t, ctx, `(() => { const i = document.querySelector('.feed-type-filter'); i.value = 'stock'; i.dispatchEvent(new Event('input')); return true; })()`)
	holds(t, ctx, `[...document.querySelectorAll('#events tr[data-event]')].length > 5 && [...document.querySelectorAll('#events tr[data-event]')].every((r) => r.innerText.includes('stock.changed'))`)
	holds(t, ctx, `(() => { const i = document.querySelector('.feed-type-filter'); i.value = ''; i.dispatchEvent(new Event('input')); const s = document.querySelector('.feed-text-filter'); s.value = 'needle'; s.dispatchEvent(new Event('input')); return true; })()`)
	holds(t, ctx, first+` && `+first+`.dataset.event === '9002' && [...document.querySelectorAll('#events tr[data-event]')].every((r) => Number(r.dataset.event) % 7 === 0)`)
	l.happen(9030)
	holds(t, ctx, first+`.dataset.event === '9030'`)
	holds(t, ctx, `(() => { const s = document.querySelector('.feed-text-filter'); s.value = ''; s.dispatchEvent(new Event('input')); return true; })()`)
	// The words are taken a moment later: only then are the rows those that the keys go through.
	holds(t, ctx, `[...document.querySelectorAll('#events tr[data-event]')].some((r) => Number(r.dataset.event) % 7 !== 0)`)

	// By keyboard: down, open, and back; and with more room.
	holds(t, ctx, `(document.querySelector('.feed-large').click(), document.querySelector('.events').getBoundingClientRect().width > 900)`)
	holds(t, ctx, `!!document.querySelector('#events tr[tabindex="0"]') && (document.querySelector('#events tr[tabindex="0"]').focus(), true)`)
	keys(t, ctx, kb.ArrowDown)
	keys(t, ctx, "\r")
	holds(t, ctx, `document.activeElement.id === 'inspect-title' && location.hash.startsWith('#event=n-')`)
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `document.querySelector('#inspect').hidden && document.activeElement.dataset.event !== undefined && document.body.classList.contains('feeds')`)
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `!document.body.classList.contains('feeds')`)
}

// TestSilentServer: one that hangs is noticed as one that is gone, ages go on, and the page comes back by itself with the truth.
func TestSilentServer(t *testing.T) {
	l := panelLab(t, "outage")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `document.querySelector('#link').innerText === '' && (window.was = document.querySelector('[data-node="catalog"] .state').innerText, true)`)
	l.hush(true)
	holds(t, ctx, `document.body.classList.contains('lost') && document.querySelector('#link').innerText.includes('nothing was heard for 5 s: the picture stands still since')`)
	holds(t, ctx, `document.querySelector('[data-node="catalog"] .state').innerText !== window.was`)
	l.truth(fixture(t, "calm"))
	l.hush(false)
	holds(t, ctx, `document.querySelector('[data-node="catalog"]').dataset.state === 'up' && !document.body.classList.contains('lost') && document.querySelector('#link').innerText === ''`)
}
