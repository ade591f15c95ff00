package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/gorilla/websocket"
)

// TestWalkthroughResumes plays a chapter by the keyboard alone, and in its midst reloads the page, opens a second tab, and
// has the dashboard end and come back at the same address: each time one is at the step where one was.
func TestWalkthroughResumes(t *testing.T) {
	files := impatient(t)
	addr := freeAddr(t)
	o := upOptions{chapters: files, data: dataDir(t), addr: addr}
	l := startLabWith(t, o)
	p := openPage(t, l.base)
	p.calm()
	p.until(60*time.Second, "every cell works", cellsAre(`() => true`, "works"))
	p.keys("w")
	p.until(10*time.Second, "the chapters are listed", `document.querySelectorAll('#tour .tour-list li').length === 12`)
	p.tabTo(`e.dataset.act === 'enter' && e.dataset.arg === 'one-crash'`)
	p.keys(kb.Enter)
	p.until(60*time.Second, "the lab is ready", at("Everything works"))
	p.until(30*time.Second, "the first step is done", done)
	p.tabTo(`e.dataset.act === 'next'`)
	p.keys(kb.Enter)
	p.until(10*time.Second, "the question", at("Kill stock"))
	const cells = 6
	for i := range cells { // space chooses the first of each row, which is "works"
		p.tabTo(fmt.Sprintf(`e.matches('input[type="radio"]') && e.name === 'tour-cell-%d'`, i))
		p.keys(" ")
	}
	p.do(chromedp.Reload())
	p.until(15*time.Second, "after a reload it is the same step", at("Kill stock"))
	for i := range cells {
		p.tabTo(fmt.Sprintf(`e.matches('input[type="radio"]') && e.name === 'tour-cell-%d'`, i))
		p.keys(" ")
	}
	p.tabTo(`e.dataset.act === 'answer'`)
	p.keys(kb.Enter)
	p.until(5*time.Second, "the answer is kept", `document.querySelectorAll('#tour .tour-given li').length === 6`)

	second := p.another(l.base + "/walkthrough/one-crash")
	second.until(15*time.Second, "a second tab is at the same step, with the answer", at("Kill stock")+` && document.querySelectorAll('#tour .tour-given li').length === 6`)

	l.end()
	p.until(15*time.Second, "the page says that the dashboard is away", `document.body.classList.contains('lost')`)
	o.fresh = false
	l = startLabWith(t, o)
	p.until(40*time.Second, "the page is live again", `!document.body.classList.contains('lost')`)
	for _, tab := range []*page{p, second} {
		tab.until(20*time.Second, "the tab is where it was, and listens again", at("Kill stock")+` && document.querySelectorAll('#tour .tour-given li').length === 6 && document.querySelector('#tour .tour-lost').textContent === ''`)
	}
	p.tabTo(`e.dataset.act === 'do'`)
	p.keys(kb.Enter)
	for _, tab := range []*page{p, second} {
		tab.until(40*time.Second, "the step is done and marked in the tab", done+` && document.querySelectorAll('#tour .tour-marks tr[data-cell]').length === 6`)
	}
	for _, title := range []string{"Start stock", "Let events wait", "See it catch up"} {
		p.tabTo(`e.dataset.act === 'next'`)
		p.keys(kb.Enter)
		p.until(10*time.Second, title, at(title))
		p.tabTo(`e.dataset.act === 'do'`)
		p.keys(kb.Enter)
		p.until(60*time.Second, title+" is done", done)
	}
	second.until(10*time.Second, "the second tab went along", at("See it catch up"))
	p.tabTo(`e.dataset.act === 'next'`)
	p.keys(kb.Enter)
	p.until(5*time.Second, "the chapter's end with its score", `/^\d of 6$/.test(document.querySelector('#tour .tour-score b')?.textContent ?? '')`)
	l.settled()
}

// done is true where the step that is shown is done.
const done = `document.querySelector('#tour .tour-step')?.dataset.phase === 'done'`

// keys presses keys.
func (p *page) keys(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// tabTo presses Tab until an element e has the focus of which an expression is true.
func (p *page) tabTo(expression string) {
	p.t.Helper()
	match := fmt.Sprintf(`((e) => !!e && (%s))(document.activeElement)`, expression)
	p.until(10*time.Second, "there is "+expression, fmt.Sprintf(`[...document.querySelectorAll('#tour *')].some((e) => e.checkVisibility() && e.getAttribute('aria-disabled') !== 'true' && (%s))`, expression))
	for range 400 {
		if p.is(match) {
			return
		}
		p.keys(kb.Tab)
	}
	p.t.Fatalf("the key Tab does not come to where %s; it is at %s", expression, p.text(`document.activeElement.outerHTML.slice(0, 200)`))
}

// another is a second tab of the same browser.
func (p *page) another(url string) *page {
	p.t.Helper()
	ctx, end := chromedp.NewContext(p.ctx)
	q := &page{t: p.t, ctx: ctx}
	p.t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as the context of its first use
		p.t.Fatal(err)
	}
	q.calm()
	q.do(chromedp.EmulateViewport(1440, 900), chromedp.Navigate(url))
	return q
}

// freeAddr is a loopback address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// TestClassOnTheLab: a presenter's page drives, a follower's page goes along, and so do 299 more, each listening to the
// class, to its step and to the world; all see a kill and its measurement, and the presenter sees what all predicted.
func TestClassOnTheLab(t *testing.T) {
	const others = 299
	l := startLab(t)
	teacher := openPage(t, l.base)
	teacher.calm()
	teacher.until(60*time.Second, "every cell works", cellsAre(`() => true`, "works"))
	teacher.do(chromedp.Navigate(l.base + "/walkthrough"))
	teacher.click(`#tour [data-act="teach"]`)
	teacher.until(10*time.Second, "the class is open", `/\/follow\/\w+$/.test(document.querySelector('#tour .class-url')?.textContent ?? '')`)
	link := teacher.text(`document.querySelector('#tour .class-url').textContent`)
	id := link[strings.LastIndex(link, "/")+1:]

	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	crowd := make([]*member, others)
	for i := range crowd {
		crowd[i] = &member{l: l, class: id, who: fmt.Sprintf("m-%d", i)}
		work.Go(func() { crowd[i].follow(ctx) })
		work.Go(func() { crowd[i].watch(ctx) })
	}
	defer func() { cancel(); work.Wait() }()
	pupil := openPage(t, link)
	pupil.calm()
	teacher.until(60*time.Second, "all follow", `/\b300\b/.test(document.querySelector('#tour .class-follow')?.textContent ?? '')`)

	teacher.click(`#tour [data-act="enter"][data-arg="one-crash"]`)
	teacher.until(60*time.Second, "the lab is ready", at("Everything works"))
	teacher.until(60*time.Second, "its first step is done", done)
	l.gathered(crowd, "one-crash", "all-works")
	begun := time.Now()
	teacher.click(`#tour [data-act="next"]`)
	l.gathered(crowd, "one-crash", "kill-stock")
	t.Logf("all %d are at the next step %s after it was pressed", others, time.Since(begun).Round(time.Millisecond))
	pupil.until(10*time.Second, "the follower's page went along", at("Kill stock"))
	if n := pupil.text(`String([...document.querySelectorAll('#tour [data-act="do"], #tour [data-act="next"], .verb')].filter((e) => e.checkVisibility()).length)`); n != "0" {
		t.Errorf("the follower's page offers %s buttons that act", n)
	}
	guess := func(p *page, works string) {
		for i := range 6 {
			p.click(fmt.Sprintf(`#tour input[name="tour-cell-%d"][value="%s"]`, i, works))
		}
		p.click(`#tour [data-act="answer"]`)
	}
	guess(pupil, "true")
	begun = time.Now()
	var failed atomic.Int64
	var guesses sync.WaitGroup
	for i, m := range crowd {
		guesses.Go(func() {
			if err := m.guess(i%3 != 0); err != nil {
				failed.Add(1)
				t.Log(err)
			}
		})
	}
	guesses.Wait()
	if n := failed.Load(); n > 0 {
		t.Fatalf("%d guesses were not taken", n)
	}
	const works = 199 + 1 // two of three, and the page
	teacher.until(10*time.Second, "the presenter sees what all predict", fmt.Sprintf(`[...document.querySelectorAll('#tour .spread-words')].length === 6 &&
		[...document.querySelectorAll('#tour .spread-words')].every((e) => /\b%d\b.*\b%d\b/.test(e.textContent))`, works, 300-works))
	t.Logf("%d guesses are in and shown after %s", others+1, time.Since(begun).Round(time.Millisecond))

	guess(teacher, "false")
	begun = time.Now()
	teacher.click(`#tour [data-act="do"]`)
	for _, p := range []*page{teacher, pupil} {
		p.until(40*time.Second, "it is measured and marked", done+` && document.querySelectorAll('#tour .tour-marks tr[data-cell]').length === 6`)
	}
	l.eventually(10*time.Second, "all are told what was measured", func() error {
		for _, m := range crowd {
			if !m.told.Load() {
				return fmt.Errorf("%s was not told", m.who)
			}
		}
		return nil
	})
	t.Logf("killed, measured, and told to all within %s", time.Since(begun).Round(time.Millisecond))
	for _, m := range crowd {
		if bad, _ := m.bad.Load().(string); m.frames.Load() == 0 || bad != "" {
			t.Errorf("%s: %d frames of the world, %q", m.who, m.frames.Load(), bad)
		}
	}
	if *pictures {
		teacher.shots("docs", "class")
		pupil.shots("docs", "follow")
	}
	begun = time.Now()
	cancel()
	work.Wait()
	t.Logf("all have left after %s", time.Since(begun).Round(time.Millisecond))
}

// gathered waits until the crowd is at a step.
func (l *lab) gathered(crowd []*member, chapter, step string) {
	l.t.Helper()
	l.eventually(30*time.Second, "all are at "+step, func() error {
		for _, m := range crowd {
			if at, _ := m.at.Load().(string); at != chapter+"/"+step {
				return fmt.Errorf("%s is at %q: %v", m.who, at, m.bad.Load())
			}
		}
		return nil
	})
}

// member follows a class without a page.
type member struct {
	l          *lab
	class, who string
	at, bad    atomic.Value // strings
	told       atomic.Bool  // of the step kill-stock what was measured
	frames     atomic.Int64 // of the world
}

// follow listens to the class, and to each step that it comes to.
func (m *member) follow(ctx context.Context) {
	var steps sync.WaitGroup
	defer steps.Wait()
	leave := context.CancelFunc(func() {})
	defer func() { leave() }()
	m.listen(ctx, "/api/v1/class/"+m.class+"/live?who="+m.who, func(b []byte) {
		var told struct{ Chapter, Step string }
		if err := json.Unmarshal(b, &told); err != nil || told.Step == "" {
			return
		}
		here := told.Chapter + "/" + told.Step
		if was, _ := m.at.Load().(string); was == here {
			return
		}
		leave()
		var step context.Context
		step, leave = context.WithCancel(ctx)
		steps.Go(func() {
			m.listen(step, "/api/v1/walkthrough/"+here+"/live", func(b []byte) {
				if here == "one-crash/kill-stock" && strings.Contains(string(b), `"phase":"done"`) {
					m.told.Store(true)
				}
			})
		})
		m.at.Store(here)
	})
}

// listen reads server-sent events until ctx ends.
func (m *member) listen(ctx context.Context, path string, take func([]byte)) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.l.base+path, nil)
	if err != nil {
		m.bad.Store(err.Error())
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if ctx.Err() == nil {
			m.bad.Store(err.Error())
		}
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		m.bad.Store(path + " " + resp.Status)
		return
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if b, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			take([]byte(b))
		}
	}
}

// watch takes the world's frames as a page does.
func (m *member) watch(ctx context.Context) {
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, strings.Replace(m.l.base, "http", "ws", 1)+"/ws", nil)
	if err != nil {
		if ctx.Err() == nil {
			m.bad.Store(err.Error())
		}
		return
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
		m.frames.Add(1)
	}
}

// guess predicts the same of all cells.
func (m *member) guess(works bool) error {
	guess := map[string]bool{}
	for _, cell := range []string{"check-stock in copies", "browse in copies", "sign-up in copies", "buy in copies", "buy in sync", "my-purchases in sync"} {
		guess[cell] = works
	}
	_, err := m.l.call(http.MethodPost, "/api/v1/class/"+m.class+"/guess",
		map[string]any{"who": m.who, "chapter": "one-crash", "step": "kill-stock", "guess": guess}, nil)
	return err
}
