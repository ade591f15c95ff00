package web

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// openBig opens an invented system's page.
func openBig(t *testing.T, ctx context.Context, url string, width, height int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height), chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	holds(t, ctx, `document.querySelectorAll('.card').length > 2 || !document.querySelector('#table').hidden`)
}

// drag moves the mouse with its button down, and some keys held, from a point of the window to another.
func drag(t *testing.T, ctx context.Context, x, y, dx, dy float64, held ...chromedp.Modifier) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	with := []chromedp.MouseOption{chromedp.ButtonLeft, chromedp.ClickCount(1), chromedp.ButtonModifiers(held...)}
	if err := chromedp.Do(ctx, chromedp.MouseEvent(chromedp.MousePressed, x, y, with...), chromedp.MouseEvent(chromedp.MouseMoved, x+dx/2, y+dy/2, with...),
		chromedp.MouseEvent(chromedp.MouseMoved, x+dx, y+dy, with...), chromedp.MouseEvent(chromedp.MouseReleased, x+dx, y+dy, with...)); err != nil {
		t.Fatal(err)
	}
}

func evaluate[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

const scale = `Number(/scale\(([\d.]+)\)/.exec(document.querySelector('#stage').style.transform)[1])`

// boxOf is where an element is in the window, as {x, y, width, height}.
func boxOf(selector string) string {
	return `(() => { const r = document.querySelector('` + selector + `').getBoundingClientRect(); return { x: r.x, y: r.y, width: r.width, height: r.height }; })()`
}

type box struct{ X, Y, Width, Height float64 }

func (b box) middle() (x, y float64) { return b.X + b.Width/2, b.Y + b.Height/2 }

func near(a, b float64) bool { return a-b < 1.5 && b-a < 1.5 }

// TestPanAndZoom: wheel, keys, buttons and drag; what is in the middle stays there in another room; a reload keeps all.
func TestPanAndZoom(t *testing.T) {
	l := newLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	const card = `[data-node="stock"]`
	all := evaluate[float64](t, ctx, scale)

	// The wheel zooms about the pointer.
	before := evaluate[box](t, ctx, boxOf(card))
	x, y := before.middle()
	holds(t, ctx, fmt.Sprintf(`(document.querySelector('#room').dispatchEvent(new WheelEvent('wheel', { deltaY: -200, clientX: %f, clientY: %f, bubbles: true, cancelable: true })), true)`, x, y))
	holds(t, ctx, fmt.Sprintf(`%s > %f`, scale, all*1.3))
	after := evaluate[box](t, ctx, boxOf(card))
	if ax, ay := after.middle(); !near(ax, x) || !near(ay, y) {
		t.Errorf("the card under the pointer went from %.0f,%.0f to %.0f,%.0f", x, y, ax, ay)
	}

	// Dragging the ground pans, and is no click.
	holds(t, ctx, `(() => { window.asked = []; document.querySelector('#map').addEventListener('inspect', (e) => window.asked.push(e.detail.kind + ' ' + e.detail.id)); return true; })()`)
	room := evaluate[box](t, ctx, boxOf("#room"))
	drag(t, ctx, room.X+20, room.Y+room.Height-14, 70, -50)
	moved := evaluate[box](t, ctx, boxOf(card))
	if !near(moved.X, after.X+70) || !near(moved.Y, after.Y-50) {
		t.Errorf("a drag by 70, -50 moved the map by %.0f, %.0f", moved.X-after.X, moved.Y-after.Y)
	}
	if n := evaluate[int](t, ctx, `window.asked.length`); n != 0 {
		t.Error("a drag counted as a click")
	}

	// It is kept over a reload, and by another room in its middle.
	holds(t, ctx, `(window.old = true, location.reload(), true)`)
	holds(t, ctx, `!window.old && document.querySelectorAll('.card').length === 8`)
	if again := evaluate[box](t, ctx, boxOf(card)); !near(again.X, moved.X) || !near(again.Y, moved.Y) {
		t.Errorf("a reload moved the map by %.0f, %.0f", again.X-moved.X, again.Y-moved.Y)
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1340, 800)); err != nil {
		t.Fatal(err)
	}
	holds(t, ctx, `document.querySelector('#dots').style.width === document.querySelector('#room').clientWidth + 'px'`)
	if r := evaluate[box](t, ctx, boxOf(card)); !near(r.X, moved.X-50) || !near(r.Width, moved.Width) {
		t.Errorf("in a room that is 100 narrower the card moved by %.0f", r.X-moved.X)
	}

	// Keys and buttons.
	k := evaluate[float64](t, ctx, scale)
	keys(t, ctx, "+")
	holds(t, ctx, fmt.Sprintf(`%s > %f`, scale, k*1.2))
	keys(t, ctx, "-")
	holds(t, ctx, fmt.Sprintf(`Math.abs(%s - %f) < 0.001`, scale, k))
	click(t, ctx, "Zoom out")
	holds(t, ctx, fmt.Sprintf(`%s < %f`, scale, k*0.8))
	keys(t, ctx, "0")
	holds(t, ctx, `[...document.querySelectorAll('.card')].every((c) => { const a = c.getBoundingClientRect(), r = document.querySelector('#room').getBoundingClientRect();
		return a.left >= r.left && a.right <= r.right && a.top >= r.top && a.bottom <= r.bottom; })`)
	// From afar cards show name, state and drum alone.
	for range 8 {
		keys(t, ctx, "-")
	}
	holds(t, ctx, `Math.abs(`+scale+` - 0.25) < 0.001 && document.querySelector('[data-node="stock"] .verbs').offsetHeight === 0 && document.querySelector('[data-node="stock"] .drum').getBoundingClientRect().height > 5`)
	// The canvas is no larger than the room.
	holds(t, ctx, `(() => { const a = document.querySelector('#dots').getBoundingClientRect(), r = document.querySelector('#room').getBoundingClientRect();
		return Math.abs(a.left - r.left) < 1 && Math.abs(a.top - r.top) < 1 && Math.abs(a.width - r.width) < 1; })()`)
}

// TestPins: a card stays where a hand put it, over a reload, and its connections go with it, until it is let go.
func TestPins(t *testing.T) {
	l := newLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	const card = `[data-node="stock"]`
	holds(t, ctx, `(() => { window.way = document.querySelector('[data-edge="emit:stock>stock"]').getAttribute('d'); return true; })()`)
	before, other := evaluate[box](t, ctx, boxOf(card)), evaluate[box](t, ctx, boxOf(`[data-node="orders"]`))
	drag(t, ctx, before.X+30, before.Y+20, 60, 25, chromedp.ModifierAlt)
	holds(t, ctx, `document.querySelector('[data-edge="emit:stock>stock"]').getAttribute('d') !== window.way && !!document.querySelector('[aria-label="Unpin stock"]')`)
	moved := evaluate[box](t, ctx, boxOf(card))
	if !near(moved.X, before.X+60) || !near(moved.Y, before.Y+25) {
		t.Errorf("a drag by 60, 25 moved the card by %.0f, %.0f", moved.X-before.X, moved.Y-before.Y)
	}
	if o := evaluate[box](t, ctx, boxOf(`[data-node="orders"]`)); o != other {
		t.Error("another card moved too")
	}
	holds(t, ctx, `(window.old = true, location.reload(), true)`)
	holds(t, ctx, `!window.old && document.querySelectorAll('.card').length === 8 && !!document.querySelector('[aria-label="Unpin stock"]')`)
	if again := evaluate[box](t, ctx, boxOf(card)); !near(again.X, moved.X) || !near(again.Y, moved.Y) {
		t.Errorf("a reload moved it by %.0f, %.0f", again.X-moved.X, again.Y-moved.Y)
	}
	click(t, ctx, "Unpin stock")
	holds(t, ctx, `!document.querySelector('[aria-label="Unpin stock"]') && document.querySelector('#said').textContent.includes('stock')`)
	if back := evaluate[box](t, ctx, boxOf(card)); !near(back.X, before.X) || !near(back.Y, before.Y) {
		t.Error("let go, it is not where it stood")
	}

	// With keys, and let go with a double click; from the grip with the mouse alone.
	holds(t, ctx, `(document.querySelector('[data-node="stock"]').focus(), true)`)
	if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.ArrowRight, chromedp.KeyModifiers(chromedp.ModifierShift))); err != nil {
		t.Fatal(err)
	}
	holds(t, ctx, fmt.Sprintf(`Math.abs(document.querySelector('%s').getBoundingClientRect().x - %f - 20 * %s) < 1.5`, card, before.X, scale))
	holds(t, ctx, `(document.querySelector('[data-node="stock"] .card-name').dispatchEvent(new MouseEvent('dblclick', { bubbles: true })), true)`)
	holds(t, ctx, `!document.querySelector('[aria-label="Unpin stock"]') && localStorage.length === 0`)
	grip := evaluate[box](t, ctx, boxOf(`[aria-label="Move stock"]`))
	x, y := grip.middle()
	drag(t, ctx, x, y, 40, 0)
	holds(t, ctx, `!!document.querySelector('[aria-label="Unpin stock"]')`)
}

// TestInspectIsAsked: what a click, or Enter, on the map asks others to look into.
func TestInspectIsAsked(t *testing.T) {
	l := newLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `(() => { window.asked = ''; document.querySelector('#map').addEventListener('inspect', (e) => { window.asked = e.detail.kind + ' ' + e.detail.id; }); return true; })()`)
	at := func(point, want string) {
		t.Helper()
		p := evaluate[box](t, ctx, `(() => { `+point+` })()`)
		clickAt(t, ctx, p.X, p.Y)
		holds(t, ctx, `window.asked === '`+want+`'`)
		holds(t, ctx, `(window.asked = '', true)`)
	}
	at(`const r = document.querySelector('[data-node="orders"] .card-label').getBoundingClientRect(); return { x: r.x + 2, y: r.y + 5 };`, "node orders")
	at(`const r = document.querySelector('[data-node="orders-db"] .drum').getBoundingClientRect(); return { x: r.x + 20, y: r.y + 20 };`, "node orders-db")
	at(`const r = document.querySelector('[data-stream="stock"] .lane-name').getBoundingClientRect(); return { x: r.x + 5, y: r.y + 7 };`, "stream stock")
	at(`const p = document.querySelector('[data-edge="take:orders>trending"]'), m = p.getPointAtLength(p.getTotalLength() * 0.9).matrixTransform(p.getScreenCTM()); return { x: m.x, y: m.y };`, "edge take:orders>trending")
	holds(t, ctx, `(document.querySelector('[data-node="stock"]').focus(), true)`)
	keys(t, ctx, kb.Enter)
	holds(t, ctx, `window.asked === 'node stock'`)
	holds(t, ctx, `document.querySelector('#inspect-title').innerText === 'stock'`)
	holds(t, ctx, `(window.asked = '', document.querySelector('[aria-label="Kill stock"]').click(), window.asked === '')`)
	// What is looked into alone is strong.
	holds(t, ctx, `(location.hash = '#edge=emit:stock>stock', true)`)
	holds(t, ctx, `document.querySelectorAll('#lines .edge:not(.faint)').length === 1
		&& document.querySelectorAll('.lane:not(.faint)').length === 1`)
}

// TestDeathAndReturn: a ring and a sentence, also where nothing may move.
func TestDeathAndReturn(t *testing.T) {
	l := newLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `(() => { window.rings = []; new MutationObserver((all) => { for (const m of all) for (const e of m.addedNodes) if (e.classList.contains('ring')) window.rings.push(e.className); })
		.observe(document.querySelector('#labels'), { childList: true }); return document.querySelector('#news').textContent === ''; })()`)
	l.change(map[string]any{"id": "catalog", "state": "down", "reason": "killed by hand"})
	holds(t, ctx, `document.querySelector('#news').textContent === 'catalog is dead' && document.querySelector('#news').dataset.tone === 'bad' && window.rings.join() === 'ring ring-bad'`)
	holds(t, ctx, `!document.querySelector('.ring')`)
	l.change(map[string]any{"id": "catalog", "state": "up", "reason": ""})
	holds(t, ctx, `document.querySelector('#news').textContent === 'catalog is back' && window.rings.join() === 'ring ring-bad,ring ring-good'`)
}

// TestManyAreLegible: nothing of a large system's map overlaps or is cut, at first sight and close by.
func TestManyAreLegible(t *testing.T) {
	ctx := tab(t)
	for _, services := range []int{20, 60} {
		l := labOver(t, invented(t, services, 100))
		for _, size := range [][2]int64{{1440, 900}, {390, 844}} {
			openBig(t, ctx, l.URL, size[0], size[1])
			holds(t, ctx, fmt.Sprintf(`document.querySelectorAll('.card').length === %d`, services+1))
			got := evaluate[string](t, ctx, `(() => {
				const out = [], all = [...document.querySelectorAll('.card, .pile-label')].map((e) => [e.innerText, e.getBoundingClientRect()]);
				all.forEach(([n, a], i) => {
					if (a.left < 0 || a.right > innerWidth + 0.5) out.push('cut: ' + n);
					for (const [m, b] of all.slice(i + 1)) if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) out.push(n + ' overlaps ' + m);
				});
				for (const e of document.querySelectorAll('.card')) if (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1) out.push('too narrow: ' + e.innerText);
				return JSON.stringify(out.slice(0, 8));
			})()`)
			if got != "[]" {
				t.Errorf("%d services at %d x %d: %s", services, size[0], size[1], got)
			}
			holds(t, ctx, `document.documentElement.scrollWidth <= innerWidth`)
		}
	}
}

// TestRatesWithoutMotion: where nothing may move no dot and no stream of light is drawn; rates stand in numbers instead.
func TestRatesWithoutMotion(t *testing.T) {
	l := newLab(t, "calm")
	ctx := tab(t, "force-prefers-reduced-motion")
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `document.querySelectorAll('.pace').length > 5`)
	if painted := evaluate[int](t, ctx, `(() => { const c = document.querySelector('#dots'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; return d.reduce((n, v) => n + (v ? 1 : 0), 0); })()`); painted != 0 {
		t.Errorf("%d values are painted on the canvas", painted)
	}
	l.change(map[string]any{"id": "catalog", "state": "down"})
	holds(t, ctx, `getComputedStyle(document.querySelector('.ring-bad')).animationName === 'none'`)
}

// TestFastIsLight: what is too fast for dots is a stream of light with its number.
func TestFastIsLight(t *testing.T) {
	l := labOver(t, invented(t, 6, 6))
	ctx := tab(t)
	openBig(t, ctx, l.URL, 1440, 900)
	const painted = `(() => { const c = document.querySelector('#dots'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i]) n++; return n; })()`
	holds(t, ctx, painted+` > 500 && [...document.querySelectorAll('.pace')].some((e) => e.innerText === '316/s')`)
	holds(t, ctx, `!!document.querySelector('.edge-take.flow-2')`)
}

// TestPhone: one finger scrolls the page, two zoom the map; the canvas is what of the map is on the screen.
func TestPhone(t *testing.T) {
	l := newLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 390, 844)
	holds(t, ctx, `document.querySelector('#room').clientHeight > 1200 && document.documentElement.scrollHeight > 2000`)
	holds(t, ctx, `(scrollTo(0, 1500), true)`)
	holds(t, ctx, `(() => { const c = document.querySelector('#dots').getBoundingClientRect(); return scrollY > 1000 && Math.abs(c.top) < 2 && Math.abs(c.height - innerHeight) < 2; })()`)
	holds(t, ctx, `(scrollTo(0, 700), true)`)
	const fingers = `(kind, y1, y2) => { const on = document.querySelector('[data-node="users"]'), touch = (identifier, clientY) => new Touch({ identifier, target: on, clientX: 200, clientY });
		return on.dispatchEvent(new TouchEvent(kind, { touches: [touch(1, y1), touch(2, y2)].slice(0, y2 ? 2 : 1), bubbles: true, cancelable: true })); }`
	before := evaluate[float64](t, ctx, scale)
	if !evaluate[bool](t, ctx, `(`+fingers+`)('touchmove', 300, 0)`) {
		t.Error("one finger was kept from scrolling the page")
	}
	if evaluate[bool](t, ctx, `(`+fingers+`)('touchstart', 350, 450)`) || evaluate[bool](t, ctx, `(`+fingers+`)('touchmove', 300, 500)`) {
		t.Error("two fingers were left to the browser")
	}
	if now := evaluate[float64](t, ctx, scale); now < before*1.9 || now > before*2.1 {
		t.Errorf("two fingers twice as far apart zoomed from %.2f to %.2f", before, now)
	}
	click(t, ctx, "Zoom out")
	holds(t, ctx, `(document.querySelector('#zoom-fit').click(), true)`)
	holds(t, ctx, fmt.Sprintf(`Math.abs(%s - %f) < 0.001`, scale, before))
}
