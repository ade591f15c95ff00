package web

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/gorilla/websocket"
)

// lab plays the server: the page over a frame, a socket on which diffs come, and an API that writes down what was asked.
type lab struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string
	answer http.HandlerFunc   // of the API
	hangUp context.CancelFunc // ends the newest socket; later ones are served
}

func newLab(t *testing.T, frame string) *lab {
	t.Helper()
	state := fixture(t, frame)
	l := &lab{answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }}
	mux := http.NewServeMux()
	mux.Handle("/", Handler(Options{State: func() ([]byte, error) { return state, nil }}))
	var sockets sync.WaitGroup
	all, cancel := context.WithCancel(context.Background())
	mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		sockets.Add(1)
		defer sockets.Done()
		ctx, hangUp := context.WithCancel(all)
		defer hangUp()
		l.mu.Lock()
		l.hangUp = hangUp
		l.mu.Unlock()
		play(ctx, w, r, state)
	})
	costs := readJSON(t, "costs")
	mux.HandleFunc("GET /api/v1/features/{feature}/{pattern}", func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.asked = append(l.asked, "GET "+r.URL.Path)
		l.mu.Unlock()
		if err := json.NewEncoder(w).Encode(cost(state, costs, r.PathValue("feature"), r.PathValue("pattern"))); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("/api/v1/", func(w http.ResponseWriter, r *http.Request) {
		var body json.RawMessage
		_ = json.NewDecoder(r.Body).Decode(&body) // most requests have none
		l.mu.Lock()
		l.asked = append(l.asked, r.Method+" "+r.URL.Path+" "+string(body))
		answer := l.answer
		l.mu.Unlock()
		answer(w, r)
	})
	l.Server = httptest.NewServer(mux)
	t.Cleanup(func() { cancel(); sockets.Wait(); l.Close() })
	return l
}

// cost is what the API tells of a cell: the frame's word, what the system file says that it needs, and a request where one
// was invented.
func cost(state []byte, costs map[string]any, feature, pattern string) map[string]any {
	var f struct {
		Cells []map[string]any
	}
	if err := json.Unmarshal(state, &f); err != nil {
		panic(err) // it was made here
	}
	answer := map[string]any{"waterfall": costs[feature+"/"+pattern], "needs": []string{"purchases", "catalog", "catalog-db"}}
	for _, c := range f.Cells {
		if c["feature"] == feature && c["pattern"] == pattern {
			maps.Copy(answer, c)
		}
	}
	return answer
}

// did says whether the API was asked that.
func (l *lab) did(what string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Contains(l.asked, what)
}

// all that the API was asked.
func (l *lab) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.asked)
}

// play sends the frame, then diffs in which every busy connection grows, until ctx or the browser ends.
func play(ctx context.Context, w http.ResponseWriter, r *http.Request, state []byte) {
	conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	if conn.WriteMessage(websocket.TextMessage, state) != nil {
		return
	}
	var f map[string]any
	if json.Unmarshal(state, &f) != nil {
		return
	}
	edges, _ := f["edges"].([]any)
	tick := time.NewTicker(150 * time.Millisecond)
	defer tick.Stop()
	for rev := 101.0; ; rev++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var grown []any
		for i, e := range edges {
			e := e.(map[string]any)
			if rate, _ := e["rate"].(float64); rate > 0 && (int(rev)+i)%4 == 0 {
				e["total"] = e["total"].(float64) + 1
				if failed, _ := e["failed_rate"].(float64); failed > 0 {
					e["failed"] = e["failed"].(float64) + 1
				}
				grown = append(grown, e)
			}
		}
		if conn.WriteJSON(map[string]any{"from": rev - 1, "rev": rev, "at": f["at"], "edges": grown}) != nil {
			return
		}
	}
}

// tab is a browser's tab that ends with the test and fails it where the page threw or was refused something by its policy.
func tab(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("the browser tests need chromium on the PATH (Debian: apt-get install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU, chromedp.Flag("hide-scrollbars", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	actx, endBrowser := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, endTab := chromedp.NewContext(actx)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900)); err != nil { // starts the browser for as long as ctx
		t.Fatal(err)
	}
	ended := make(chan struct{})
	messages := chromedp.Console(ctx)
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
	return ctx
}

func open(t *testing.T, ctx context.Context, url string, width, height int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height), chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	holds(t, ctx, `document.querySelectorAll('.card').length === 8`)
}

// holds waits for an expression to be true.
func holds(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("never so: %s", expression)
		case <-tick.C:
		}
	}
}

// keys types into what has the focus.
func keys(t *testing.T, ctx context.Context, keys string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.KeyEvent(keys)); err != nil {
		t.Fatal(err)
	}
}

// clickAt clicks with the mouse.
func clickAt(t *testing.T, ctx context.Context, x, y float64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.MouseClickXY(x, y)); err != nil {
		t.Fatal(err)
	}
}

func click(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	holds(t, ctx, `(() => { const b = document.querySelector('button[aria-label="`+name+`"]'); if (b) b.click(); return !!b; })()`)
}

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
	click(t, ctx, "Cut bus")
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
	shared := `document.querySelectorAll('.edge-reach.chosen').length === 8 && document.querySelectorAll('.edge-emit:not(.faint)').length === 0
		&& document.querySelector('#pick-say').innerText.includes('reaches into') && document.querySelector('th.chosen').innerText.includes('Shared')
		&& document.querySelector('[data-node="monolith"]').classList.contains('dim')`
	holds(t, ctx, shared)
	holds(t, ctx, `location.hash === '#pattern=shared'`)
	holds(t, ctx, `(location.reload(), true)`)
	holds(t, ctx, shared+` && document.querySelector('.pick input[value="shared"]').checked`)
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

// TestNothingIsCut: in every size no card, label or cell overlaps another or runs over an edge, and the page never scrolls
// sideways.
func TestNothingIsCut(t *testing.T) {
	ctx := tab(t)
	for _, frame := range []string{"outage", "bus-cut", "worst"} {
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
			const out = [], all = [...document.querySelectorAll('.card, .fail:not(.hidden), .pile-label, .outbox-label, .bus')].map((e) => [e.className + ' ' + e.innerText, e.getBoundingClientRect()]);
			all.forEach(([n, a], i) => {
				if (a.left < 0 || a.right > innerWidth + 0.5) out.push('cut: ' + n);
				for (const [m, b] of all.slice(i + 1)) if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) out.push(n + ' overlaps ' + m);
			});
			for (const e of document.querySelectorAll('.card, .card-name, .card > .card-main > .state, th, .cell, .cell-word, .verbs, .outbox-label, .pick label'))
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
