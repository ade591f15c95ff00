package web

import (
	"net/http"
	"net/http/httptest"
	"path"
	"sync"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// gate stands before a lab's server: files are held back until they are released, or refused.
type gate struct {
	*httptest.Server
	mu      sync.Mutex
	held    map[string]chan struct{} // by base name
	refused map[string]bool          // by base name
}

func newGate(t *testing.T, l *lab) *gate {
	g := &gate{held: map[string]chan struct{}{}, refused: map[string]bool{}}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		g.mu.Lock()
		held, refused := g.held[name], g.refused[name]
		g.mu.Unlock()
		if held != nil {
			select {
			case <-held:
			case <-r.Context().Done():
				return
			}
		}
		if refused {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		l.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

// hold keeps a file back until the returned function is called.
func (g *gate) hold(name string) (release func()) {
	held := make(chan struct{})
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held[name] = held
	return func() { close(held) }
}

func (g *gate) refuse(name string, is bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused[name] = is
}

// TestLoadedLate: what was wished last while the panel came is what it shows, and where one left meanwhile it stays closed.
func TestLoadedLate(t *testing.T) {
	g := newGate(t, panelLab(t, "calm"))
	ctx := tab(t)
	release := g.hold("inspect.js")
	open(t, ctx, g.URL, 1440, 900)
	holds(t, ctx, `(document.querySelector('.card[data-node="orders"]').click(), location.hash = '#edge=emit:stock>stock', true)`)
	holds(t, ctx, `performance.getEntriesByType('resource').some((e) => e.name.endsWith('/inspect.css')) && document.querySelector('#inspect').hidden`)
	release()
	holds(t, ctx, `document.querySelector('#inspect-title').innerText === 'stock → stock' && location.hash === '#edge=emit:stock%3Estock'`)

	release = g.hold("inspect.js")
	open(t, ctx, g.URL+"/?again#node=stock", 1440, 900)
	holds(t, ctx, `performance.getEntriesByType('resource').some((e) => e.name.endsWith('/inspect.css'))`)
	holds(t, ctx, `(addEventListener('hashchange', () => { window.left = true; }), location.hash = '#pattern=copies', true)`)
	holds(t, ctx, `window.left && document.querySelector('.pick input[value="copies"]').checked`)
	release()
	holds(t, ctx, `performance.getEntriesByType('resource').some((e) => e.name.endsWith('/tree.js')) && document.querySelector('#inspect').hidden`)
	holds(t, ctx, `(document.querySelector('.card[data-node="orders"]').click(), true)`)
	holds(t, ctx, `document.querySelector('#inspect-title').innerText === 'orders'`)
}

// TestLoadingFails: a part that cannot be loaded is said in words, what was there stays, and the next wish tries again.
func TestLoadingFails(t *testing.T) {
	g := newGate(t, newLab(t, "calm"))
	ctx := tab(t)
	for _, part := range []struct{ files, wish, said, shown string }{
		{"cost", `document.querySelector('[data-feature="buy"][data-pattern="sync"] button').click()`, "what a request costs cannot be loaded",
			`document.querySelector('#cost').checkVisibility() && document.activeElement.id === 'cost-title'`},
		{"table", `document.querySelector('#as-table').click()`, "the table cannot be loaded", `document.querySelectorAll('.facts').length === 2`},
		{"mix", `document.querySelector('#mix').click()`, "the window of the mix cannot be loaded", `document.querySelector('.mix:popover-open')?.contains(document.activeElement)`},
		{"more", `document.querySelector('.verb-more').click()`, "the window of what more can be done cannot be loaded", `document.querySelector('.more:popover-open')?.contains(document.activeElement)`},
		{"sheet", `document.querySelector('#keys').click()`, "the sheet of keys cannot be loaded", `document.querySelector('.sheet')?.matches(':modal')`},
		{"inspect", `document.querySelector('.card[data-node="orders"]').click()`, "the panel cannot be loaded", `document.querySelector('#inspect-title').innerText === 'orders'`},
		{"big", `document.querySelector('#big').click()`, "big type cannot be loaded", `document.documentElement.dataset.big === 'on'`},
	} {
		names := []string{part.files + ".js", part.files + ".css"}
		if part.files == "big" { // its script is there from the beginning
			names = names[1:]
		}
		for _, name := range names {
			open(t, ctx, g.URL+"/?"+name, 1440, 900)
			g.refuse(name, true)
			if name == "mix.css" || name == "more.css" {
				name = "popover.css"
				g.refuse(name, true)
			}
			holds(t, ctx, `(`+part.wish+`, true)`)
			holds(t, ctx, `document.querySelector('#said').innerText.startsWith('`+part.said+`: ') && document.querySelector('#said').dataset.tone === 'bad'`)
			holds(t, ctx, `!(`+part.shown+`)`)
			holds(t, ctx, `document.querySelector('#room').checkVisibility() && !document.documentElement.dataset.big`)
			g.refuse(name, false)
			holds(t, ctx, `(`+part.wish+`, true)`)
			holds(t, ctx, part.shown)
			holds(t, ctx, `(sessionStorage.clear(), localStorage.clear(), true)`)
		}
	}
}

// TestBigTypeFails: kept big type that cannot be loaded is said; the page is whole with its other type.
func TestBigTypeFails(t *testing.T) {
	g := newGate(t, newLab(t, "calm"))
	ctx := tab(t)
	open(t, ctx, g.URL, 1440, 900)
	keys(t, ctx, "b")
	holds(t, ctx, `localStorage.getItem('stillup-big') === 'on'`)
	g.refuse("big.css", true)
	open(t, ctx, g.URL+"/?again", 1440, 900)
	holds(t, ctx, `document.querySelector('#said').innerText.startsWith('big type cannot be loaded: ') && !document.documentElement.dataset.big && document.querySelector('#big').ariaPressed === 'false'`)
	g.refuse("big.css", false)
	open(t, ctx, g.URL, 1440, 900)
	holds(t, ctx, `document.querySelector('#big').ariaPressed === 'true' && parseFloat(getComputedStyle(document.querySelector('.card-name')).fontSize) > 20`)
}

// TestOneThingCloses: an Escape closes what a request costs before the large list of events, though its part came later.
func TestOneThingCloses(t *testing.T) {
	l := newLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `(document.querySelector('[data-feature="buy"][data-pattern="sync"] button').click(), true)`)
	holds(t, ctx, `!document.querySelector('#cost').hidden`)
	holds(t, ctx, `(document.querySelector('.feed-large').click(), document.body.classList.contains('feeds'))`)
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `document.querySelector('#cost').hidden && document.body.classList.contains('feeds')`)
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `!document.body.classList.contains('feeds')`)
}
