package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// logLines are invented lines from one number to before another.
func logLines(from, to int) (lines []any) {
	for i := from; i < to; i++ {
		lines = append(lines, map[string]any{"at": fmt.Sprintf("2026-11-24T10:00:%02d.%03dZ", i/1000, i%1000), "replica": "", "text": fmt.Sprintf("line %d", i)})
	}
	return lines
}

// TestLog: what a node writes comes while its section is unfolded, in full and as text, and who scrolled up stays there.
func TestLog(t *testing.T) {
	l := panelLab(t, "replicas")
	ctx := tab(t)
	const box = `document.querySelector('.log')`
	const ends = box + `.scrollTop > 100 && ` + box + `.scrollHeight - ` + box + `.scrollTop - ` + box + `.clientHeight < 3`
	const fold = `(document.querySelector('.log-part summary').click(), true)`

	for _, width := range []int64{390, 1440} {
		open(t, ctx, l.URL+"/?"+fmt.Sprint(width)+"#node=purchases", width, 900)
		holds(t, ctx, panelSays+`.includes('by-hand')`)
		before := asksOfLog(l, "purchases")
		if width == 390 && before != 0 {
			t.Error("the log is asked for before it is wanted")
		}
		holds(t, ctx, fold)
		holds(t, ctx, box+`.querySelectorAll('.log-line').length === 12`)
		holds(t, ctx, box+`.textContent.includes('<img src=x onerror=alert(1)> is text') && !document.querySelector('.log img')`)
		holds(t, ctx, box+`.scrollWidth <= `+box+`.clientWidth && `+box+`.querySelector('time').textContent.length === 12 && `+box+`.querySelector('b').textContent === '1'`)
		holds(t, ctx, ends)
	}
	holds(t, ctx, `document.querySelector('.log-part .words').innerText === ''`)

	// New lines come by themselves, and the end stays in view.
	var mu sync.Mutex
	lines, fails := logLines(0, 150), false
	l.mu.Lock()
	was := l.answer
	l.answer = func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/purchases/logs") {
			was(w, r)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if fails {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"title":"Service Unavailable","detail":"the engine does not answer"}`))
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"lines": lines}) // the page may be gone
	}
	l.mu.Unlock()
	writes := func(from, to int, broken bool) {
		mu.Lock()
		defer mu.Unlock()
		lines, fails = logLines(from, to), broken
	}
	holds(t, ctx, box+`.lastChild.textContent.endsWith('line 149') && !`+box+`.querySelector('b') && `+ends)
	writes(100, 160, false)
	holds(t, ctx, box+`.lastChild.textContent.endsWith('line 159') && `+box+`.firstChild.textContent.endsWith('line 100') && `+ends)

	// Who scrolled up reads on where they are.
	holds(t, ctx, `(`+box+`.scrollTop = 500, window.read = [...`+box+`.children].find((e) => e.offsetTop - `+box+`.offsetTop >= `+box+`.scrollTop), window.readAt = window.read.getBoundingClientRect().top, true)`)
	holds(t, ctx, `window.read.isConnected`)
	writes(110, 170, false)
	holds(t, ctx, box+`.lastChild.textContent.endsWith('line 169') && window.read.isConnected && Math.abs(window.read.getBoundingClientRect().top - window.readAt) < 2`)

	// What cannot be read is said, and what was read stays.
	writes(110, 170, true)
	holds(t, ctx, `document.querySelector('.log-part .words').innerText === 'The newest lines cannot be read: the engine does not answer' && `+box+`.children.length === 60`)

	// Folded, nothing is asked any more; unfolded, at once again.
	holds(t, ctx, fold)
	holds(t, ctx, `!document.querySelector('.log-part').open`)
	asked := asksOfLog(l, "purchases")
	holds(t, ctx, `performance.now() - (window.folded ??= performance.now()) > 2600`) // longer than from one question to the next
	if now := asksOfLog(l, "purchases"); now > asked {
		t.Errorf("asked %d times more while it was folded", now-asked)
	}
	writes(110, 170, false)
	holds(t, ctx, fold)
	holds(t, ctx, `document.querySelector('.log-part .words').innerText === ''`)

	// Another node's, still unfolded: it has written nothing; of another nothing can be had.
	holds(t, ctx, `(location.hash = '#node=purchases-db', true)`)
	holds(t, ctx, `document.querySelector('.log-part').innerText.includes('It has written nothing yet.') && !`+box+`.checkVisibility()`)
	holds(t, ctx, `(location.hash = '#node=bus', true)`)
	holds(t, ctx, `document.querySelector('.log-part .words').innerText.startsWith('It cannot be read: nothing is known of')`)
	holds(t, ctx, `(location.hash = '#stream=orders', true)`)
	holds(t, ctx, `document.querySelector('.log-part').hidden`)
}
