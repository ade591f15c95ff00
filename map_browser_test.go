package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// js runs an expression that does something and is true.
func (p *page) js(what, expression string) {
	p.t.Helper()
	p.until(3*time.Second, what, expression)
}

func (p *page) key(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// panel is true where the side panel says all of these.
func panel(words ...string) string {
	return fmt.Sprintf(`((words) => words.every((w) => document.querySelector('#inspect').innerText.replaceAll('\u202f', '').includes(w)))(%s)`, list(words))
}

func list(words []string) string {
	text := "["
	for _, w := range words {
		text += fmt.Sprintf("%q,", w)
	}
	return text + "]"
}

// TestMapOnTheLab is what an engineer does with the map of a running shop: moves about, looks into a service, a stream, a
// connection and an event, narrows and freezes the events, and uses the keys.
func TestMapOnTheLab(t *testing.T) {
	l := startLab(t)
	p := openPage(t, l.base)
	p.until(20*time.Second, "every cell works", cellsAre(`() => true`, "works"))
	p.until(5*time.Second, "the time from commit to the dashboard is shown", `/commit to dashboard \d/.test(document.body.innerText)`)

	t.Run("moves, searches, and reads the table", func(t *testing.T) {
		p.t = t
		p.js("zooms in", `(() => { window.before = document.querySelector('#stage').style.transform; document.querySelector('#zoom-in').click(); return true; })()`)
		p.until(2*time.Second, "the map is larger", `document.querySelector('#stage').style.transform !== window.before`)
		p.js("fits again", `(document.querySelector('#zoom-fit').click(), true)`)
		p.until(2*time.Second, "the map is as it was", `document.querySelector('#stage').style.transform === window.before`)
		p.js("searches", `(() => { const i = document.querySelector('#search'); i.value = 'trend'; i.dispatchEvent(new Event('input')); return true; })()`)
		p.until(2*time.Second, "what is found is marked", `document.querySelectorAll('.hit').length > 0 && [...document.querySelectorAll('.hit')].every((e) => e.innerText.includes('trend') || (e.dataset.node ?? '').includes('trend'))`)
		p.js("clears the search", `(() => { const i = document.querySelector('#search'); i.value = ''; i.dispatchEvent(new Event('input')); return true; })()`)
		p.js("the table", `(document.querySelector('#as-table').click(), true)`)
		p.until(3*time.Second, "every node and stream has its row", `['orders', 'orders-db', 'bus', 'monolith', 'shoppers', 'requests'].every((id) => !!document.querySelector('#table [data-row="' + id + '"]'))`)
		p.js("the map again", `(document.querySelector('#as-table').click(), true)`)
		p.until(2*time.Second, "cards are there", `document.querySelector('[data-node="orders"]').offsetWidth > 0`)
	})
	t.Run("looks into a service, its stream and its store", func(t *testing.T) {
		p.t = t
		p.js("opens orders", `(document.querySelector('.card[data-node="orders"]').click(), true)`)
		p.until(5*time.Second, "its routes, what it emits, takes, calls", panel("POST /copies/orders", "POST /sync/orders", "order.placed.v1", "catalog", "orders-db", "Called by", "shoppers"))
		p.until(time.Second, "no password is shown", `document.querySelector('#inspect').textContent.includes('•••') && !/:[^•@\/]+@127/.test(document.querySelector('#inspect').textContent)`)
		p.js("opens its stream", `(document.querySelector('#inspect [data-opens="stream=orders"]').click(), true)`)
		p.until(5*time.Second, "who reads it", panel("purchases", "stock", "trending"))
		p.js("closes", `(document.querySelector('#inspect-close').click(), true)`)
	})
	t.Run("finds an order's way", func(t *testing.T) {
		p.t = t
		o := l.buy("u-003", shop.Products()[2].ID)
		p.js("narrows by its id", `(() => { const i = document.querySelector('.feed-text-filter'); i.value = '`+o.ID+`'; i.dispatchEvent(new Event('input')); return true; })()`)
		p.until(5*time.Second, "placed, reserved and confirmed are found", `((rows) => rows.length > 2 && rows.every((r) => r.innerText.includes('`+o.ID+`')) && ['order.placed.v1', 'stock.reserved.v1', 'order.confirmed.v1'].every((type) => rows.some((r) => r.innerText.includes(type))))([...document.querySelectorAll('#events tr[data-event]')])`)
		p.js("opens the one that confirms it", `([...document.querySelectorAll('#events tr[data-event]')].find((r) => r.innerText.includes('order.confirmed')).click(), true)`)
		p.until(5*time.Second, "who has it, and its whole way", panel(o.ID, "purchases", "trending", "order.placed.v1", "stock.reserved.v1", "order.confirmed.v1"))
		p.until(5*time.Second, "after how long each had it", `/purchases[^]*?\d+(\.\d+)? ms/.test(document.querySelector('#inspect').innerText)`)
		p.until(2*time.Second, "its path alone is strong on the map", `document.querySelectorAll('.lane:not(.faint)').length === 1`)
		p.js("closes", `(document.querySelector('#inspect-close').click(), true)`)
		p.js("takes the filter away", `(() => { const i = document.querySelector('.feed-text-filter'); i.value = ''; i.dispatchEvent(new Event('input')); return true; })()`)
	})
	t.Run("freezes the events", func(t *testing.T) {
		p.t = t
		p.until(5*time.Second, "events are listed", `document.querySelectorAll('#events tr[data-event]').length > 5`)
		p.js("pauses", `(document.querySelector('.feed-pause').click(), window.top1 = document.querySelector('#events tr[data-event]').dataset.event, true)`)
		p.until(10*time.Second, "newer ones are counted, and what is shown stays", `/ newer/.test(document.querySelector('.feed-pause').innerText) && document.querySelector('#events tr[data-event]').dataset.event === window.top1`)
		p.js("resumes", `(document.querySelector('.feed-pause').click(), true)`)
		p.until(5*time.Second, "the newest are there", `Number(document.querySelector('#events tr[data-event]').dataset.event) > Number(window.top1)`)
	})
	t.Run("kills and starts by the keys", func(t *testing.T) {
		p.t = t
		p.js("chooses a node", `(document.querySelector('.card[data-node="users"]').focus(), true)`)
		p.key(kb.ArrowRight)
		p.key(kb.ArrowRight)
		p.until(2*time.Second, "the arrows went to catalog", `document.activeElement.dataset.node === 'catalog'`)
		p.key("k")
		p.until(3*time.Second, "catalog is dead, and it is said", `document.querySelector('[data-node="catalog"]').dataset.state === 'down' && /catalog/.test(document.querySelector('#told').textContent)`)
		p.key("s")
		p.until(5*time.Second, "catalog is back", `document.querySelector('[data-node="catalog"]').dataset.state === 'up'`)
		p.key("?")
		p.until(2*time.Second, "the sheet of keys", `!!document.querySelector('dialog[open]')`)
		p.key(kb.Escape)
	})
	t.Run("a dead letter is seen, opened and sent again", func(t *testing.T) {
		p.t = t
		bus, err := streams.Open(l.busURL())
		if err != nil {
			t.Fatal(err)
		}
		defer bus.Close()
		poison := streams.Event{ID: "poison-1", Source: "catalog", Type: shop.ProductChanged, Subject: "p-01", Time: time.Now().UTC(), Version: 1 << 40, Data: []byte(`"no product"`)}
		if _, err := streams.Publish(t.Context(), bus, shop.Catalog, poison); err != nil {
			t.Fatal(err)
		}
		p.until(10*time.Second, "they are counted on the map", `[...document.querySelectorAll('.dead-mark')].some((b) => /dead letter/.test(b.innerText))`)
		p.js("opens them", `(document.querySelector('.dead-mark').click(), true)`)
		p.until(5*time.Second, "each consumer that gave up, and why", `document.querySelectorAll('.letter').length === 4 && /payload of product.changed.v1/.test(document.querySelector('#inspect').innerText)`)
		p.js("sends one again", `(document.querySelector('.letter .act-resend').click(), true)`)
		p.until(5*time.Second, "it is said that it was sent", `/sent again/.test(document.querySelector('#said').innerText) || /sent again/.test(document.querySelector('#notes').innerText)`)
		p.until(10*time.Second, "it was handled again: those who cannot read it give up on it once more", `document.querySelectorAll('.letter').length > 4`)
	})
	t.Run("the server is gone, and that is said at once", func(t *testing.T) {
		p.t = t
		l.t = t
		l.settled()
		l.end()
		p.until(3*time.Second, "the page says so and greys", `document.body.classList.contains('lost') && document.querySelector('#link').innerText.includes('stands still')`)
	})
}
