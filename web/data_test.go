package web

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	thingPath = "/api/v1/copies/products/p-01"
	dataSays  = `document.querySelector('#data').innerText.replaceAll('\u202f', ' ')`
)

// saysData waits until the panel of data has all of that in it.
func saysData(t *testing.T, ctx context.Context, words ...string) {
	t.Helper()
	for _, w := range words {
		b, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, ctx, dataSays+`.includes(`+string(b)+`)`)
	}
}

// focused moves the focus to an element of the panel, as the Tab key would reach it.
func focused(t *testing.T, ctx context.Context, selector string) {
	t.Helper()
	holds(t, ctx, `(() => { const e = document.querySelector(`+"`"+selector+"`"+`); e?.focus(); return !!e && document.activeElement === e; })()`)
}

// TestDataByKeyboard: the panel is opened, used and shut by keys alone; the address keeps where one is.
func TestDataByKeyboard(t *testing.T) {
	d := newDataLab(t, "data")
	ctx := tab(t)
	open(t, ctx, d.URL, 1440, 900)
	const loaded = `performance.getEntriesByType('resource').some((e) => /[/](data|copies)[.](js|css)$/.test(e.name))`
	holds(t, ctx, `!`+loaded+` && document.querySelector('#data').hidden && document.querySelector('#open-data').ariaExpanded === 'false'`)
	holds(t, ctx, `(document.querySelector('[data-node="stock"]').focus(), true)`)
	keys(t, ctx, "d")
	holds(t, ctx, loaded+` && document.activeElement.id === 'data-title' && document.querySelector('#open-data').ariaExpanded === 'true'`)
	holds(t, ctx, `document.querySelector('#works').checkVisibility() && document.querySelector('.card').checkVisibility()`) // beside the map and the matrix

	// It begins with the kind that can be changed. Tab goes from the close button into the view.
	holds(t, ctx, `document.querySelector('.kind[aria-pressed="true"]').innerText === 'products' && location.hash === '#data=copies/products'`)
	holds(t, ctx, `document.querySelectorAll('.found').length === 12`)
	keys(t, ctx, kb.Tab)
	holds(t, ctx, `document.activeElement.id === 'data-tab-copies' && document.activeElement.ariaSelected === 'true'`)
	for range 3 {
		keys(t, ctx, kb.Tab)
	}
	holds(t, ctx, `document.activeElement.id === 'data-body'`)
	keys(t, ctx, kb.Tab)
	holds(t, ctx, `document.activeElement.matches('.kind')`)

	// A search, and one of what it finds.
	focused(t, ctx, ".copies-search")
	keys(t, ctx, "lamp")
	holds(t, ctx, `document.querySelectorAll('.found').length === 1 && document.querySelector('.found').innerText.includes('Brass lamp')`)
	if !d.did("GET /api/v1/copies/products?q=lamp&limit=40 ") {
		t.Errorf("asked: %q", d.all())
	}
	keys(t, ctx, kb.Backspace+kb.Backspace+kb.Backspace+kb.Backspace)
	holds(t, ctx, `document.querySelectorAll('.found').length === 12`)
	focused(t, ctx, `.found[data-arg="p-01"]`)
	keys(t, ctx, "\r")
	holds(t, ctx, `document.activeElement.matches('h3.thing-name') && location.hash === '#data=copies/products/p-01'`)

	// Tabs by arrows, each with where it was; the back of the browser.
	focused(t, ctx, "#data-tab-copies")
	for _, tab := range []struct{ id, words string }{{"totals", "times what is owned"}, {"schema", "in force"}, {"rebuild", "The log behind it"}, {"trouble", "The bus forgets"}, {"engines", "Which store for what"}} {
		keys(t, ctx, kb.ArrowRight)
		holds(t, ctx, `document.activeElement.id === 'data-tab-`+tab.id+`' && location.hash === '#data=`+tab.id+`'`)
		saysData(t, ctx, tab.words)
	}
	keys(t, ctx, kb.ArrowRight)
	holds(t, ctx, `document.activeElement.id === 'data-tab-copies' && location.hash === '#data=copies/products/p-01'`)
	saysData(t, ctx, "2 versions behind, 3.4 s")

	// All of the map's room, and back.
	holds(t, ctx, `(document.querySelector('#data-large').click(), !document.querySelector('#room').checkVisibility() && document.querySelector('#data').offsetHeight > 700 && document.querySelector('#works').checkVisibility())`)
	holds(t, ctx, `(document.querySelector('#data-large').click(), document.querySelector('#room').checkVisibility() && document.querySelector('#data').offsetHeight < 600)`)
	focused(t, ctx, "#data-tab-copies")
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `document.querySelector('#data').hidden && location.hash === '' && document.activeElement.dataset.node === 'stock'`)
	waitFor(t, "nothing is watched once it is shut", func() bool { return d.watchers() == 0 })
	keys(t, ctx, "d") // where it was
	saysData(t, ctx, "2 versions behind, 3.4 s")
	keys(t, ctx, "d")
	holds(t, ctx, `document.querySelector('#data').hidden`)

	// A link leads there, and back.
	open(t, ctx, d.URL+"/?link#data=copies/products/p-01", 1440, 900)
	saysData(t, ctx, "Walnut desk")
	holds(t, ctx, `(location.hash = '#data=totals', true)`)
	saysData(t, ctx, "times what is owned")
	holds(t, ctx, `(history.back(), true)`)
	saysData(t, ctx, "2 versions behind, 3.4 s")
}

// TestCopies: one thing in all its stores, live, and changed from here.
func TestCopies(t *testing.T) {
	d := newDataLab(t, "data")
	ctx := tab(t)
	open(t, ctx, d.URL+"/#data=copies/products/p-01", 1440, 900)
	cell := func(row, node string) string {
		return `[...document.querySelectorAll('.side-by-side tr')].find((r) => r.querySelector('th[scope="row"]')?.innerText === '` + row + `').querySelector('[data-of="` + node + `"]')`
	}
	holds(t, ctx, `[...document.querySelectorAll('.side-by-side thead th .store-of')].map((e) => e.innerText).join() === 'catalog,orders,stock,purchases,trending,monolith'`)
	holds(t, ctx, cell("state", "monolith-db")+`.innerText === 'keeps its own: no copy' && `+cell("name", "monolith-db")+`.textContent === 'Oak desk'`)
	holds(t, ctx, cell("state", "trending-db")+`.innerText === '✕ cannot be asked: connection refused'`)
	holds(t, ctx, cell("state", "purchases-db")+`.innerText === '⚠ 2 versions behind, 3.4 s'`)
	holds(t, ctx, cell("state", "orders-db")+`.innerText === '✓ as its owner'`)
	// What differs is marked by more than colour, and said.
	holds(t, ctx, cell("price_cents", "purchases-db")+`.textContent === '≠ differs from the owner: 2990'`)
	holds(t, ctx, cell("low_at", "stock-db")+`.textContent === '+ the owner has no such field: 5'`)
	holds(t, ctx, cell("kept beside it", "stock-db")+`.innerText.includes('stock:p-01')`)
	holds(t, ctx, `(() => { const x = `+cell("as it is kept", "catalog-db")+`; x.querySelector('summary').click(); return x.querySelector('pre').innerText.includes('"_id": "p-01"'); })()`)
	saysData(t, ctx, "● live")

	// Fields hold what the owner has; what cannot be is said before anybody is asked.
	holds(t, ctx, `document.querySelector('[name="name"]').value === 'Walnut desk' && document.querySelector('[name="price_cents"]').value === '3490'`)
	focused(t, ctx, `[name="price_cents"]`)
	holds(t, ctx, `(document.activeElement.select(), true)`)
	keys(t, ctx, "cheap\r")
	saysData(t, ctx, "that is no number")
	holds(t, ctx, `(document.activeElement.select(), true)`)
	keys(t, ctx, "2500")
	saysData(t, ctx, "= €25.00")
	keys(t, ctx, "\r")
	saysData(t, ctx, "catalog did it: answered 200 in 12 ms")
	if !d.did(`POST /api/v1/actions/reprice-product {"id":"p-01","values":{"price_cents":2500}}`) {
		t.Errorf("asked: %q", d.all())
	}
	// The change arrives, store by store; what was unfolded stays so.
	change := func(node, cents string) {
		d.alter(thingPath, func(thing map[string]any) {
			for _, f := range record(thing, node)["fields"].([]any) {
				if f := f.(map[string]any); f["name"] == "price_cents" {
					f["value"], f["same"] = cents, "same"
				}
			}
		})
		holds(t, ctx, cell("price_cents", node)+`.textContent === '`+cents+`' && [...document.querySelectorAll('[data-of="`+node+`"]')].some((e) => e.innerText.includes('changed just now'))`)
		holds(t, ctx, `[...document.querySelectorAll('td[data-of="`+node+`"]')].some((e) => e.dataset.lit)`)
	}
	change("catalog-db", "2500")
	holds(t, ctx, `![...document.querySelectorAll('td[data-of="orders-db"]')].some((e) => e.dataset.lit)`)
	change("orders-db", "2500")
	holds(t, ctx, cell("as it is kept", "catalog-db")+`.querySelector('details').open`)

	// Nor does it fold, and what is being written is not lost, where a word comes and goes above it.
	var records any
	holds(t, ctx, `(document.querySelector('[name="name"]').value = 'Walnut table', true)`)
	d.alter(thingPath, func(thing map[string]any) { records, thing["records"] = thing["records"], "none" })
	saysData(t, ctx, "The newest cannot be shown")
	d.alter(thingPath, func(thing map[string]any) { thing["records"] = records })
	holds(t, ctx, `!document.querySelector('#data').innerText.includes('The newest cannot be shown')`)
	holds(t, ctx, cell("as it is kept", "catalog-db")+`.querySelector('details').open && document.querySelector('[name="name"]').value === 'Walnut table'`)

	// A refusal is the node's own words.
	d.refuseAll("catalog: the price is too low")
	holds(t, ctx, `(document.querySelector('[data-action="rename-product"]').requestSubmit(), true)`)
	saysData(t, ctx, "✕ catalog: the price is too low")

	// Where it is not live it says so, and gets there again.
	d.breakOff(true)
	saysData(t, ctx, "◌ not live now")
	d.breakOff(false)
	saysData(t, ctx, "● live")
	// One that is not there, in words.
	holds(t, ctx, `(location.hash = '#data=copies/products/p-99', true)`)
	saysData(t, ctx, "It cannot be shown: nothing is known of")
}

// TestSubjectsLead: what an event is about is one click from all its copies.
func TestSubjectsLead(t *testing.T) {
	d := newDataLab(t, "data")
	ctx := tab(t)
	open(t, ctx, d.URL, 1440, 900)
	holds(t, ctx, `(() => { const s = [...document.querySelectorAll('.feed-opens')].find((e) => e.dataset.opens.startsWith('data=copies/users/')); if (s) window.way = s.dataset.opens; s?.click(); return !!s; })()`)
	holds(t, ctx, `decodeURIComponent(location.hash.slice(1)) === window.way && document.querySelector('#inspect').hidden && !document.querySelector('#data').hidden`)
	holds(t, ctx, `![...document.querySelectorAll('#events tr[data-event]')].some((r) => r.querySelector('.feed-opens') && r.innerText.includes('requests'))`)
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `(document.querySelector('#events tr[data-event]').click(), true)`)
	holds(t, ctx, `(location.hash = '#event=e-1', true)`)
	holds(t, ctx, `!!document.querySelector('#inspect dl.facts a[data-opens^="data=copies/"]')`)
	holds(t, ctx, `(document.querySelector('#inspect dl.facts a[data-opens^="data=copies/"]').click(), true)`)
	holds(t, ctx, `location.hash.includes('event=e-1') && location.hash.includes('data=copies/') && !document.querySelector('#inspect').hidden`)
	// An Escape closes what has the focus, then the other.
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `document.querySelector('#data').hidden && !document.querySelector('#inspect').hidden`)
}

// TestLanesTell: what a lane keeps is told on the map and beside it.
func TestLanesTell(t *testing.T) {
	d := newDataLab(t, "data")
	ctx := tab(t)
	open(t, ctx, d.URL+"/#stream=orders", 1440, 900)
	holds(t, ctx, `document.querySelector('[data-stream="orders"] title').textContent.replaceAll('\u202f', ' ').includes('41 800 events kept, at most 50 000 or 16 MB')`)
	holds(t, ctx, `document.querySelector('[data-stream="requests"] title').textContent.includes('events kept, ')`)
	holds(t, ctx, panelSays+`.includes('41800 entries, 9.84 MB') && `+panelSays+`.includes('at most 50000 entries or 16 MB')`)
}

// TestTotals: sums, prices however small, what is not known, and a price of one's own that is kept.
func TestTotals(t *testing.T) {
	d := newDataLab(t, "data")
	ctx := tab(t)
	open(t, ctx, d.URL+"/#data=totals", 1440, 900)
	saysData(t, ctx, "11.3 MB owned + 19.5 MB copied = 2.7 times what is owned", "0.000091 cents", "≈ 48 210", "not known: trending-db refused the connection",
		"⚠ 3.4 s behind, 2 events", "61 s behind", "≈ an estimate", "€0.10 is a round figure")
	focused(t, ctx, ".price-input")
	holds(t, ctx, `(document.activeElement.select(), true)`)
	keys(t, ctx, "x")
	saysData(t, ctx, "a number, 0 or more")
	saysData(t, ctx, "0.000091 cents")
	keys(t, ctx, kb.Backspace+"10")
	saysData(t, ctx, "0.0091 cents")
	open(t, ctx, d.URL+"/?again#data=totals", 1440, 900)
	saysData(t, ctx, "0.0091 cents")
	holds(t, ctx, `(localStorage.clear(), true)`)
	d.alter("/api/v1/copies", func(v map[string]any) { v["kinds"] = []any{} })
	saysData(t, ctx, "there is nothing to count")
}

// TestSchemaAndRebuild: jobs are started, their progress is seen to its end, and the digests say what they prove.
func TestSchemaAndRebuild(t *testing.T) {
	d := newDataLab(t, "data")
	ctx := tab(t)
	open(t, ctx, d.URL+"/#data=schema", 1440, 900)
	saysData(t, ctx, "in force: the shape after “Change to schema 2”", "under way: Change to schema 2", "120 of 200 · 48/s · 1.7 s left", "given_name", "Shared database fails at once", "_id")
	holds(t, ctx, `document.querySelector('[data-action="users-schema-2"] [role="progressbar"]').ariaValueNow === '60'`)
	holds(t, ctx, `(document.querySelector('[data-action="catalog-schema-1"] button').click(), true)`)
	waitFor(t, "the action is asked for", func() bool { return d.did(`POST /api/v1/actions/catalog-schema-1 {}`) })
	holds(t, ctx, `(document.querySelector('#data a[data-opens="data=copies/products/p-01"]').click(), true)`)
	saysData(t, ctx, "2 versions behind")

	holds(t, ctx, `(document.querySelector('#data-tab-rebuild').click(), true)`)
	saysData(t, ctx, "12 400 of 30 000 · 8.2k/s · 2.1 s left", "✓ equal: it is what it was", "Not now: trending-db is dead", "at most 50 000 entries or 16 MB", "41 800 entries, 9.84 MB", "84 %", "recommendations: not there yet")
	holds(t, ctx, `!document.querySelector('[data-action="rebuild-trending"] button') && document.querySelector('[data-action="rebuild-purchases"] button').ariaDisabled === 'true'`)
	d.alter("/api/v1/actions", func(v map[string]any) {
		p := actionOf(v, "rebuild-purchases")["progress"].(map[string]any)
		p["state"], p["after"], p["ended"], p["done"] = "done", "77aa00", "2026-11-24T10:00:02.000Z", 30000
	})
	saysData(t, ctx, "✓ done in 3.5 s · 30 000 in all", "✕ not equal: it is another than it was")
	d.alter("/api/v1/actions", func(v map[string]any) {
		p := actionOf(v, "rebuild-purchases")["progress"].(map[string]any)
		p["state"], p["said"], p["before"], p["after"] = "failed", "the bus refused the connection", "", ""
	})
	saysData(t, ctx, "✕ failed in 3.5 s", "the bus refused the connection")
	// A service joins: its cards come, and what it has still to read is said.
	d.more <- map[string]any{"nodes": []any{map[string]any{"id": "recommendations", "kind": "service", "state": "up"}, map[string]any{"id": "recommendations-db", "kind": "store", "engine": "redis", "owner": "recommendations", "state": "up",
		"holds": []any{map[string]any{"kind": "orders", "copy": true}}}}, "edges": []any{map[string]any{"id": "take:orders>recommendations", "kind": "take", "from": "orders", "to": "recommendations", "waiting": 1200}}}
	saysData(t, ctx, "1 200 events to read: it is still building", "holds orders")
	// When nothing is heard the page says from when what it shows is.
	d.silence(true)
	saysData(t, ctx, "What is shown is from ")
	d.silence(false)
	holds(t, ctx, `!`+dataSays+`.includes('What is shown is from ')`)
}

// TestTrouble: each trouble is made by its button, what came of it is said, and what was cut unread is healed from here.
func TestTrouble(t *testing.T) {
	d := newDataLab(t, "data")
	ctx := tab(t)
	open(t, ctx, d.URL+"/#data=trouble", 1440, 900)
	saysData(t, ctx, "⚠ catalog was cut before all had read it", "trending has missed entries")
	press := func(name string) {
		holds(t, ctx, `(() => { const b = [...document.querySelectorAll('#data button')].find((b) => b.innerText === '`+name+`'); b?.click(); return !!b; })()`)
	}
	press("Publish catalog again")
	press("Lose the last 10 s")
	saysData(t, ctx, "✓ lost: users 14, stock 52, orders 61.")
	press("Lose everything")
	holds(t, ctx, `(() => { const s = document.querySelector('[name="trim-stream"]'); s.value = 'catalog'; return s.value === 'catalog'; })()`)
	press("Cut it")
	saysData(t, ctx, "✓ 3 980 entries were cut off catalog")
	press("The same event twice")
	saysData(t, ctx, "the newest event stands on users once more")
	d.refuseAll("this dashboard only looks")
	press("A huge event (1 MB)")
	saysData(t, ctx, "✕ this dashboard only looks")
	for _, want := range []string{`POST /api/v1/actions/republish-catalog {}`, `POST /api/v1/bus/lose {"seconds":10}`, `POST /api/v1/bus/lose {"all":true}`,
		`POST /api/v1/streams/catalog/trim {"keep":0}`, `POST /api/v1/streams/users/disturb {"how":"duplicate"}`, `POST /api/v1/streams/users/disturb {"how":"huge"}`} {
		waitFor(t, want, func() bool { return d.did(want) })
	}
	holds(t, ctx, `document.querySelector('[name="trim-stream"]').value === 'catalog'`) // what was chosen stays
	holds(t, ctx, `(document.querySelector('#data [data-opens="event=1764000000000-0"]').click(), true)`)
	holds(t, ctx, `!document.querySelector('#inspect').hidden && !document.querySelector('#data').hidden`)

	// Where nothing can be done nothing is offered, and it says why.
	d.more <- map[string]any{"control": map[string]any{"can": false, "why": "This dashboard watches a system that somebody else runs."}}
	for _, view := range []string{"trouble", "rebuild", "schema", "copies/products/p-01"} {
		holds(t, ctx, `(location.hash = '#data=`+view+`', true)`)
		saysData(t, ctx, "This dashboard only looks, so nothing is offered here. This dashboard watches a system that somebody else runs.")
		holds(t, ctx, `!document.querySelector('#data :is(.act-run, .act-lose, .act-trim, .act-disturb, select)') && !document.querySelector('.change')`)
	}
}

// TestDataOnAPhone: it covers all, nothing beneath can be reached, and what is opened from it takes its place.
func TestDataOnAPhone(t *testing.T) {
	d := newDataLab(t, "data")
	ctx := tab(t)
	open(t, ctx, d.URL, 390, 844)
	holds(t, ctx, `(document.querySelector('#open-data').click(), true)`)
	holds(t, ctx, `document.querySelector('.top').inert && document.querySelector('.side').inert && !document.querySelector('#data').inert`)
	for _, view := range []string{"copies/products", "copies/products/p-01", "totals", "schema", "rebuild", "trouble"} {
		holds(t, ctx, `(location.hash = '#data=`+view+`', true)`)
		holds(t, ctx, `document.querySelector('#data-body').innerText.length > 80 && !document.querySelector('#data').innerText.includes('Looking')`)
		holds(t, ctx, `document.documentElement.scrollWidth <= innerWidth && document.querySelector('#data-body').scrollWidth <= document.querySelector('#data-body').clientWidth`)
	}
	holds(t, ctx, `(document.querySelector('#data .alarm a').click(), true)`)
	holds(t, ctx, `document.querySelector('#data').hidden && !document.querySelector('#inspect').hidden && !document.querySelector('.top').inert`)
}

// TestDataCalm: who asked for less motion sees the word of a change and nothing move.
func TestDataCalm(t *testing.T) {
	d := newDataLab(t, "data")
	ctx := tab(t)
	reduce := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}}
	if err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, reduce)
		return err
	})); err != nil {
		t.Fatal(err)
	}
	open(t, ctx, d.URL+"/#data=copies/products/p-01", 1440, 900)
	saysData(t, ctx, "● live")
	d.alter(thingPath, func(thing map[string]any) { record(thing, "orders-db")["version"] = 9 })
	saysData(t, ctx, "changed just now")
	holds(t, ctx, `![...document.querySelectorAll('#data td')].some((e) => e.dataset.lit) && document.getAnimations().every((a) => a.playState !== 'running')`)
	saysData(t, ctx, "● live")
	holds(t, ctx, `!`+dataSays+`.includes('changed just now')`) // after a while it is new no more
}

// TestDataLate: a view that cannot be loaded is said, and had when it is asked for again.
func TestDataLate(t *testing.T) {
	d := newDataLab(t, "data")
	g := newGate(t, d.lab)
	ctx := tab(t)
	open(t, ctx, g.URL+"/#data=totals", 1440, 900)
	saysData(t, ctx, "times what is owned")
	g.refuse("trouble.js", true)
	holds(t, ctx, `(document.querySelector('#data-tab-trouble').click(), true)`)
	saysData(t, ctx, "the view of trouble cannot be loaded")
	if said := evaluate[string](t, ctx, `document.querySelector('#said').innerText`); !strings.Contains(said, "cannot be loaded") {
		t.Errorf("said: %q", said)
	}
	g.refuse("trouble.js", false)
	holds(t, ctx, `(document.querySelector('#data-tab-trouble').click(), true)`)
	saysData(t, ctx, "The bus forgets")
}
