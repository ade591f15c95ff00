package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/stillup/stillup/viz/class"
)

// classLab is a lab with classes whose steps all ask for the same cells. What is asked of nodes is written down by its lab.
type classLab struct {
	*httptest.Server
	lab     *lab
	cells   []string
	mu      sync.Mutex
	classes *class.Classes
	all     context.Context // of the streams of these classes
	end     context.CancelFunc
	away    bool // no request about a class is answered
}

func newClassLab(t *testing.T, frame string) *classLab {
	t.Helper()
	return classesOver(t, newLab(t, frame), "buy in sync", "browse in <b>sync</b>")
}

func classesOver(t *testing.T, over *lab, cells ...string) *classLab {
	t.Helper()
	l := &classLab{lab: over, cells: cells}
	l.restart()
	mux := http.NewServeMux()
	mux.Handle("/", l.lab.Config.Handler)
	mux.HandleFunc("POST /api/v1/class", l.serve)
	mux.HandleFunc("/api/v1/class/{id}", l.serve)
	mux.HandleFunc("POST /api/v1/class/{id}/guess", l.serve)
	mux.HandleFunc("GET /api/v1/class/{id}/live", l.live)
	l.Server = httptest.NewServer(mux)
	t.Cleanup(func() { l.restart(); l.CloseClientConnections(); l.Close() })
	return l
}

// restart forgets all classes and breaks off who listens.
func (l *classLab) restart() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end != nil {
		l.end()
	}
	l.classes = new(class.Classes)
	l.all, l.end = context.WithCancel(context.Background())
}

func (l *classLab) leave(is bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = is
}

func (l *classLab) now() (*class.Classes, context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		panic(http.ErrAbortHandler)
	}
	return l.classes, l.all
}

func (l *classLab) serve(w http.ResponseWriter, r *http.Request) {
	classes, _ := l.now()
	var in struct {
		ID, Key, Who, Chapter, Step string
		Guess                       map[string]bool
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	at := class.Place{Chapter: in.Chapter, Step: in.Step, Cells: l.cells}
	if in.Step == "" {
		at.Cells = nil
	}
	var err error
	switch id := r.PathValue("id"); {
	case id == "":
		in.ID, in.Key, err = classes.Begin(in.ID, in.Key, at)
	case r.Method == http.MethodPut:
		err = classes.Move(id, in.Key, at)
	case r.Method == http.MethodDelete:
		err = classes.End(id, in.Key)
	case in.Step == "done":
		problem(w, http.StatusConflict, "the step is done")
		return
	default:
		err = classes.Guess(id, in.Who, in.Chapter, in.Step, in.Guess)
	}
	if refused(w, err) {
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"id": in.ID, "key": in.Key, "follow": "/follow/" + in.ID}) // the page may be gone
}

func refused(w http.ResponseWriter, err error) bool {
	switch {
	case err == nil:
		return false
	case errors.Is(err, class.ErrUnknown):
		problem(w, http.StatusNotFound, err.Error())
	case errors.Is(err, class.ErrKey):
		problem(w, http.StatusForbidden, err.Error())
	case errors.Is(err, class.ErrMoved):
		problem(w, http.StatusConflict, err.Error())
	default:
		problem(w, http.StatusBadRequest, err.Error())
	}
	return true
}

func (l *classLab) live(w http.ResponseWriter, r *http.Request) {
	classes, all := l.now()
	listener, err := classes.Listen(r.PathValue("id"), r.FormValue("who"), r.FormValue("key"))
	if refused(w, err) {
		return
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(all, cancel)()
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		m, err := listener.Next(ctx)
		if err != nil {
			return
		}
		b, _ := json.Marshal(m) // of strings and numbers
		if _, err := fmt.Fprintf(w, "data: %s\n\n", b); err != nil {
			return
		}
		w.(http.Flusher).Flush()
	}
}

// inPage runs a function's body in the page, with its modules as m(name), and places to stand in the panel as box and aside.
func inPage(t *testing.T, ctx context.Context, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	const before = `(async () => {
		const m = (name) => import('/static/js/' + name + '.js'), { sheet } = await m('later');
		await Promise.all(['sheet', 'tour', 'class'].map(sheet));
		document.querySelector('#tour').hidden = false;
		document.body.classList.add('tours');
		const box = document.querySelector('#tour-body'), aside = document.querySelector('#tour-class') ?? box;
		window.said = [];
		const say = (s) => window.said.push(s);
	`
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](before+body+"; return true; })()", chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal(err)
	}
}

// shows waits until a part of the page has all of that in it.
func shows(t *testing.T, ctx context.Context, selector string, words ...string) {
	t.Helper()
	for _, w := range words {
		b, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, ctx, `document.querySelector('`+selector+`').innerText.includes(`+string(b)+`)`)
	}
}

const someTerms = `[{ term: 'copy', also: ['copies'], say: 'What a service keeps of another one, brought by [events].' },
	{ term: 'event', also: ['events'], say: 'A message that says what has happened.' }, { term: 'outbox', also: [], say: 'A table of <b>events</b>.' },
	...Array.from({ length: 24 }, (_, i) => ({ term: 'term ' + String(i).padStart(2, '0'), also: [], say: 'Said of it, at such a length that it takes two lines or more in the window where it stands, so that this scrolls.' })),
	{ term: 'write', also: [], say: 'The last one.' }]`

// TestGlossary: a term in a text opens it at that term; it is narrowed, and closed by Escape; the focus comes back.
func TestGlossary(t *testing.T) {
	l := newLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	inPage(t, ctx, `const { Glossary, termed } = await m('glossary'); window.glossary = new Glossary(`+someTerms+`, say);
		const p = document.createElement('p'); p.append(...termed('The [copies] are behind; it is in the [write]; [nothing].', (w) => window.glossary.open(w))); box.append(p)`)
	holds(t, ctx, `[...document.querySelectorAll('#tour-body .term')].map((b) => b.textContent).join() === 'copies,write,nothing'`)
	focused(t, ctx, `#tour-body .term`)
	keys(t, ctx, "\r")
	holds(t, ctx, `document.querySelector('.glossary').matches(':modal') && document.querySelector('[data-asked] dt').innerText.startsWith('copy') && document.activeElement === document.querySelector('[data-asked] dt')`)
	holds(t, ctx, `document.querySelectorAll('.glossary-term').length === 28 && document.querySelectorAll('.glossary dd b').length === 0`)
	// A term within it leads on, to where it can be seen.
	holds(t, ctx, `(document.querySelector('.glossary dd .term').click(), document.querySelector('[data-asked] dt').innerText.startsWith('event'))`)
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `!document.querySelector('.glossary').open && document.activeElement === document.querySelector('#tour-body .term')`)
	holds(t, ctx, `(document.querySelectorAll('#tour-body .term')[1].click(), true)`)
	inSight := `(() => { const a = document.querySelector('[data-asked]').getBoundingClientRect(), b = document.querySelector('.glossary-body').getBoundingClientRect(); return a.top >= b.top && a.bottom <= b.bottom; })()`
	holds(t, ctx, `document.querySelector('[data-asked] dt').innerText.startsWith('write') && `+inSight)
	// What is typed narrows it; one Escape closes it all the same, and nothing of it reaches the page.
	focused(t, ctx, `.glossary-field`)
	keys(t, ctx, "has happened")
	holds(t, ctx, `[...document.querySelectorAll('.glossary dt')].map((e) => e.firstChild.textContent).join() === 'event' && document.querySelector('.glossary-found').innerText === '1 of 28'`)
	keys(t, ctx, "x")
	holds(t, ctx, `document.querySelector('.glossary-found').innerText === 'no such term'`)
	keys(t, ctx, kb.Escape)
	holds(t, ctx, `!document.querySelector('.glossary').open`)
	// A word that is none is said; without one it is opened at the field.
	holds(t, ctx, `(document.querySelectorAll('#tour-body .term')[2].click(), window.said.join() === '“nothing” is not in the glossary')`)
	holds(t, ctx, `document.activeElement.matches('.glossary-field') && !document.querySelector('[data-asked]') && document.querySelectorAll('.glossary-term').length === 28`)
	// It fits a phone.
	open(t, ctx, l.URL+"/?phone", 390, 844)
	inPage(t, ctx, `const { Glossary } = await m('glossary'); new Glossary(`+someTerms+`, say).open('write')`)
	holds(t, ctx, inSight+` && document.documentElement.scrollWidth <= innerWidth && document.querySelector('.glossary').getBoundingClientRect().bottom <= innerHeight + 1`)
}

const someRun = `
	const chapters = [['one', 'One, or all', 'One crash takes all of it along.', 2], ['copies', 'Own copies', 'Who keeps a copy of what it needs answers while others are dead; the copies are behind.', 3], ['cost', 'What it costs', 'Every copy is paid for.', 1]]
		.map(([id, title, claim, n]) => ({ id, title, claim, minutes: 3, steps: n, stepIds: ['a', 'b', 'c'].slice(0, n) }));
	const at = new Date(2026, 10, 30, 14, 2).getTime(), cell = (cell, answers) => ({ cell, answers, state: answers ? 'works' : 'fails', reason: '', because: [], why: '' });
	const state = { chapter: '', step: '', chapters: {
		one: { finished: true, steps: { a: { guess: { x: true, y: true }, done: { at, after: '', sum: 'With stock dead 4 of 6 features <b>answered</b>.', cells: [cell('x', true), cell('y', false)] } }, b: { done: { at: at + 240000, after: '', sum: '', cells: [] } } } },
		copies: { steps: { a: { done: { at: at + 600000, after: '', sum: 'From its own copy my purchases answered in 1.4 ms, by asking in 118 ms: 84 times as long.', cells: [] } } } } } };`

// TestSummary: what was measured stands there by chapter, as text too, and on paper alone.
func TestSummary(t *testing.T) {
	l := newLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	inPage(t, ctx, someRun+`const { Summary } = await m('toursum'); window.gone = []; window.summary = new Summary({ get: () => state }, chapters, { say, go: (id) => window.gone.push(id) });
		box.append(window.summary.root); window.summary.render()`)
	shows(t, ctx, ".tour-sum", "1 of 3 chapters played and 1 of 2 predictions right", "measured in your own run", "With stock dead 4 of 6 features <b>answered</b>.",
		"30 November 2026, 14:02 to 14:06 · 1 of 2 predictions right", "84 times as long", "1 of 3 steps so far: go on", "Not played yet", "What it costs")
	holds(t, ctx, `document.querySelectorAll('.tour-sum b').length === 0`)
	holds(t, ctx, `(document.querySelectorAll('.tour-sum a').forEach((a) => a.click()), window.gone.join() === 'copies,cost' && location.pathname === '/')`)
	holds(t, ctx, `[...document.querySelectorAll('.tour-sum a')].map((a) => a.getAttribute('href')).join() === '/walkthrough/copies,/walkthrough/cost'`)
	holds(t, ctx, `(Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText: async (s) => { window.copied = s; } } }), document.querySelector('.tour-sum .act-copy').click(), true)`)
	holds(t, ctx, `window.copied.includes('Claim: Who keeps a copy') && window.copied.includes('Not played yet: What it costs.') && window.said.at(-1) === 'the summary is copied'`)
	// Without a clipboard it stands selected in a field.
	holds(t, ctx, `(Object.defineProperty(navigator, 'clipboard', { configurable: true, value: undefined }), document.execCommand = () => false, document.querySelector('.tour-sum .act-copy').click(), true)`)
	holds(t, ctx, `(() => { const f = document.querySelector('.copy-field'); return f === document.activeElement && f.selectionEnd === f.value.length && f.value === window.copied && window.said.at(-1).includes('Ctrl+C'); })()`)
	holds(t, ctx, `(dispatchEvent(new Event('beforeprint')), document.querySelectorAll('body > .tour-paper').length === 1)`)
	holds(t, ctx, `(dispatchEvent(new Event('afterprint')), document.querySelectorAll('.tour-paper').length === 0)`)
}

// present and follow stand a presenter and a follower in the page; window.at and window.guessed are then what their page does.
const (
	present = `const { Presenter } = await m('tourclass'); const p = new Presenter({ say, names: () => ({ features: [{ id: 'buy', name: 'Buy' }], patterns: [] }) }); aside.append(p.root); window.at = (c, s) => p.at(c, s)`
	follow  = `const { Follower } = await m('follow'); window.went = []; aside.append(new Follower(%q, { say, go: (c, s) => window.went.push(c + '/' + s), guess: (f) => { window.guessed = f; } }).root)`
)

// TestClass: a presenter's class is followed, guessed in, outlives the dashboard and the presenter's page, and is ended.
func TestClass(t *testing.T) {
	l := newClassLab(t, "outage")
	teacher, pupil := tab(t), tab(t)
	open(t, teacher, l.URL, 1440, 900)
	inPage(t, teacher, present)
	holds(t, teacher, `document.querySelector('.class-url').textContent.startsWith('`+l.URL+`/follow/')`)
	shows(t, teacher, ".class", "nobody follows yet", "“127.0.0.1” is this machine alone")
	link := evaluate[string](t, teacher, `document.querySelector('.class-url').textContent`)
	id := link[strings.LastIndex(link, "/")+1:]

	open(t, pupil, l.URL, 1440, 900)
	inPage(t, pupil, fmt.Sprintf(follow, id))
	shows(t, pupil, ".following", "You follow a class", "1 follows", "It has not begun yet")
	shows(t, teacher, ".class-count", "1 follows")
	holds(t, teacher, `(window.at('requests', 'kill'), true)`)
	holds(t, pupil, `window.went.join() === 'requests/kill'`)
	holds(t, teacher, `document.querySelector('.class-door').open`) // it was the first step
	shows(t, teacher, ".class", "no answers yet", "Buy", "no answer yet", "browse, <b>sync</b>")
	holds(t, pupil, `(window.guessed({ 'buy in sync': false, 'browse in <b>sync</b>': true }), true)`)
	shows(t, pupil, ".following", "Your answer is in.")
	shows(t, teacher, ".class", "1 of 1 answered", "0 works · 1 fails", "1 works · 0 fails")
	holds(t, teacher, `document.querySelector('.spread-fails').style.width === '100%' && document.querySelector('.spread-works').style.width === '0%'`)

	// Who follows acts on nothing: not by a button, not by a key.
	holds(t, pupil, `document.body.classList.contains('follows') && ![...document.querySelectorAll('.verb, #restore, #traffic, #mix')].some((e) => e.checkVisibility())`)
	holds(t, pupil, `(document.querySelector('.verb').click(), document.querySelector('#restore').click(), document.querySelector('#traffic').requestSubmit(), window.said.length === 3 && window.said[0].includes('only its presenter'))`)
	focused(t, pupil, `.card[data-node="users"]`)
	keys(t, pupil, "ks")
	holds(t, pupil, `window.said.length === 5`)
	keys(t, pupil, "rr")
	holds(t, pupil, `window.said.length === 7`)
	for _, a := range l.lab.all() {
		if strings.HasPrefix(a, "POST") {
			t.Errorf("asked: %s", a)
		}
	}

	// What is guessed while the dashboard is away comes when it is back, as does the class after a restart that forgot it.
	l.leave(true)
	l.restart()
	shows(t, pupil, ".following", "Not live now: the dashboard does not answer")
	shows(t, teacher, ".class-said", "Not live now: the dashboard does not answer")
	holds(t, pupil, `(window.guessed({ 'buy in sync': true }), true)`)
	shows(t, pupil, ".following", "Your answer waits: the dashboard does not answer")
	l.leave(false)
	shows(t, teacher, ".class", "1 of 1 answered", "1 works · 0 fails")
	holds(t, teacher, `document.querySelector('.class-url').textContent === '`+link+`'`)
	shows(t, pupil, ".following", "Your answer is in.", "1 follows")
	holds(t, teacher, `document.querySelector('.class-said').innerText === ''`)

	// One that comes too late is not taken. Once all are there, the link is out of the way.
	holds(t, teacher, `(window.at('requests', 'done'), true)`)
	holds(t, teacher, `!document.querySelector('.class-door').open`)
	holds(t, pupil, `window.went.at(-1) === 'requests/done' && document.querySelector('.following-answer').innerText === ''`)
	holds(t, pupil, `(window.guessed({ 'buy in sync': true }), true)`)
	shows(t, pupil, ".following", "Your answer was not taken: the step is done.")

	// The presenter's page comes back: the same class.
	open(t, teacher, l.URL+"/?again", 1440, 900)
	inPage(t, teacher, present)
	shows(t, teacher, ".class", "1 follows")
	holds(t, teacher, `document.querySelector('.class-url').textContent === '`+link+`'`)
	holds(t, teacher, `(window.at('requests', 'start'), true)`)
	holds(t, pupil, `window.went.at(-1) === 'requests/start'`)

	// Large, for the back of a room.
	holds(t, teacher, `(document.querySelector('.act-large').click(), document.querySelector('.class-large').matches(':modal') && parseFloat(getComputedStyle(document.querySelector('.class-large-url')).fontSize) > 80)`)
	holds(t, teacher, `document.querySelector('.class-large-url').textContent === document.querySelector('.class-url').textContent && document.querySelector('.class-large').scrollWidth <= document.querySelector('.class-large').clientWidth`)
	keys(t, teacher, kb.Escape)

	// It takes two presses to end it.
	holds(t, teacher, `(document.querySelector('.act-end').click(), document.querySelector('.act-end').innerText === 'Press again to end it')`)
	shows(t, pupil, ".following", "You follow a class")
	holds(t, teacher, `(document.querySelector('.act-end').click(), true)`)
	shows(t, teacher, ".class", "The class has ended.", "Open another class")
	holds(t, teacher, `localStorage.getItem('stillup-class') === null && document.activeElement.matches('.act-again')`)
	shows(t, pupil, ".following", "The class has ended", "ask for its link")
	open(t, pupil, l.URL+"/?late", 1440, 900)
	inPage(t, pupil, fmt.Sprintf(follow, id))
	shows(t, pupil, ".following", "There is no class at this address now")
	keys(t, teacher, "\r")
	holds(t, teacher, `document.querySelector('.class-url').textContent.includes('/follow/') && !document.querySelector('.class-url').textContent.endsWith('`+id+`')`)
}

// TestClassOnThePage: the walkthrough's own panel teaches and follows: a step for a step, a guess for a guess.
func TestClassOnThePage(t *testing.T) {
	tour := newTourLab(t, "data")
	l := classesOver(t, tour.lab, "browse in sync", "check-stock in sync", "buy in sync", "my-purchases in sync", "sign-up in sync")
	teacher, pupil := tab(t), tab(t)
	open(t, teacher, l.URL+"/walkthrough", 1440, 900)
	holds(t, teacher, `(() => { const b = document.querySelector('#tour [data-act="teach"]'); b?.click(); return !!b; })()`)
	holds(t, teacher, `document.querySelector('.class-url')?.textContent.includes('/follow/')`)
	link := evaluate[string](t, teacher, `document.querySelector('.class-url').textContent`)

	open(t, pupil, link, 1440, 900)
	holds(t, pupil, `document.querySelector('.following')?.innerText.includes('It has not begun yet')`)
	holds(t, teacher, `(() => { const b = document.querySelector('#tour [data-act="enter"][data-arg="one-dies"]'); b?.click(); return !!b; })()`)
	holds(t, pupil, `document.querySelector('#tour .tour-step')?.innerText.includes(document.querySelector('#tour .tour-title').innerText) && document.querySelector('#tour').innerText.includes('Step 1 of 4')`)
	tour.is("one-dies/look", "done")
	next := `(() => { const b = [...document.querySelectorAll('#tour button')].find((b) => b.innerText.startsWith('Next') && b.ariaDisabled !== 'true' && b.checkVisibility()); b?.click(); return !!b; })()`
	holds(t, teacher, next)
	holds(t, pupil, `document.querySelector('#tour').innerText.includes('Step 2 of 4') && document.querySelectorAll('#tour .tour-cell').length === 5`)
	shows(t, pupil, "#tour", "You follow a class", "1 follows") // still beside the step
	shows(t, teacher, ".class", "no answers yet")
	holds(t, pupil, `(document.querySelectorAll('#tour .tour-cell').forEach((c, i) => c.querySelector('input[value="' + (i > 0) + '"]').click()), document.querySelector('#tour form').requestSubmit(), true)`)
	shows(t, pupil, "#tour", "Your answer is in.")
	shows(t, teacher, ".class", "1 of 1 answered", "0 works · 1 fails", "1 works · 0 fails")
	holds(t, pupil, `![...document.querySelectorAll('#tour button')].some((b) => /^(Kill|Next|Back|Begin)/.test(b.innerText) && b.checkVisibility())`) // who follows does nothing and goes nowhere
	// Reloaded, it is at the same step, and its answer is still there.
	open(t, pupil, link, 390, 844)
	holds(t, pupil, `document.querySelector('#tour').innerText.includes('Step 2 of 4') && document.documentElement.scrollWidth <= innerWidth`)
	shows(t, pupil, "#tour", "Your answer")
	shows(t, teacher, ".class", "1 of 1 answered")
	tour.is("one-dies/kill", "done")
	holds(t, pupil, `document.querySelector('#tour').innerText.includes('right')`)
}
