package web

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// light is the light of one replica.
func light(node, replica string) string {
	return `document.querySelector('.light[aria-label^="` + node + ` ` + replica + `:"]')`
}

// TestReplicas: a light for each replica says how it does, and what is done at it is done to that one alone.
func TestReplicas(t *testing.T) {
	l := newLab(t, "replicas")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	const card = `document.querySelector('.card[data-node="purchases"]')`
	holds(t, ctx, card+`.querySelectorAll('.light').length === 3 && document.querySelectorAll('[data-node="users"] .light').length === 0`)
	holds(t, ctx, light("purchases", "2")+`.ariaLabel === 'purchases 2: dead for 12 seconds, holds 3 events'`)
	holds(t, ctx, light("purchases", "2")+`.innerText === 'holds 3' && `+light("purchases", "1")+`.innerText === '1' && `+light("purchases", "3")+`.innerText === ''`)
	holds(t, ctx, card+`.innerText.includes('2 of 3 up') && `+card+`.ariaLabel.includes('2 of 3 up')`)
	// A shape for each state besides its colour.
	holds(t, ctx, `new Set(['up', 'paused', 'dead', 'stopped', 'starting'].map((is) => { const s = document.querySelector('.light[data-is="' + is + '"]');
		return s.querySelector('path').getAttribute('d') + getComputedStyle(s.querySelector('circle')).fill + getComputedStyle(s.querySelector('circle')).strokeDasharray; })).size === 5`)

	holds(t, ctx, `(`+light("purchases", "2")+`.click(), true)`)
	holds(t, ctx, `document.querySelector('.more:popover-open h2').innerText === 'purchases 2' && document.querySelector('.more').innerText.includes('holds 3 events')`)
	holds(t, ctx, `[...document.querySelectorAll('.more .more-row')].filter((r) => !r.hidden).length === 1`) // a dead one can be started
	click(t, ctx, "Start purchases 2")
	holds(t, ctx, `document.querySelector('#said').innerText.startsWith('purchases 2 was started')`)

	// By keyboard; a fault of one alone.
	holds(t, ctx, `(`+light("purchases", "1")+`.focus(), true)`)
	keys(t, ctx, "\r")
	holds(t, ctx, `document.querySelector('.more:popover-open h2').innerText === 'purchases 1' && document.querySelector('#inspect').hidden`)
	holds(t, ctx, `(document.querySelector('[aria-label="Slow purchases 1"]').closest('form').requestSubmit(), true)`)
	holds(t, ctx, `document.querySelector('#said').innerText.startsWith('purchases 1 is made slow')`)

	// The card's own verbs are for all of them, and say so.
	holds(t, ctx, `document.querySelector('[aria-label="Kill purchases"]').title.includes('All 3 replicas')`)
	holds(t, ctx, `(document.querySelector('[aria-label="More for purchases"]').click(), document.querySelector('.more:popover-open h2').innerText === 'purchases, all 3 replicas')`)
	keys(t, ctx, kb.Escape)
	click(t, ctx, "Kill purchases")
	waitFor(t, "all are killed", func() bool { return l.did("POST /api/v1/nodes/purchases/kill ") })
	for _, want := range []string{"POST /api/v1/nodes/purchases/start?replica=2 ", `POST /api/v1/nodes/purchases/slow?replica=1 {"latency_ms":300}`} {
		if !l.did(want) {
			t.Errorf("not asked: %q of %q", want, l.all())
		}
	}

	// What is open of one that goes is closed; of what is left all is well.
	holds(t, ctx, `(`+light("purchases", "3")+`.click(), document.querySelector('.more:popover-open h2').innerText === 'purchases 3')`)
	l.change(map[string]any{"id": "purchases", "replicas": []any{map[string]any{"id": "1", "state": "up", "pending": 0}, map[string]any{"id": "2", "state": "up", "pending": 0}}})
	holds(t, ctx, `!document.querySelector('.more:popover-open') && `+card+`.querySelectorAll('.light[data-is="up"]').length === 2`)
	holds(t, ctx, `!`+card+`.innerText.includes('of 3') && `+card+`.querySelector('.says').checkVisibility()`)
}

// TestReplicasInThePanel: the panel has them too, with the same window, and who of a group holds what.
func TestReplicasInThePanel(t *testing.T) {
	l := panelLab(t, "replicas")
	ctx := tab(t)
	open(t, ctx, l.URL+"/#node=purchases", 1440, 900)
	for _, want := range []string{"2 of 3 up", "✕ dead", "0.06 of 0.5 cpu", "16 of 64 MB", "purchases 2 holds 3, asked 12 s ago", "by-hand holds nothing, asked 15 min ago"} {
		holds(t, ctx, panelSays+`.includes(`+"`"+want+"`"+`)`)
	}
	holds(t, ctx, `(document.querySelector('#inspect [aria-label="More for purchases 2"]').click(), document.querySelector('.more:popover-open h2').innerText === 'purchases 2')`)
	click(t, ctx, "Start purchases 2")
	waitFor(t, "that one is started", func() bool { return l.did("POST /api/v1/nodes/purchases/start?replica=2 ") })
}

// TestManyReplicas: with any number of them, at small cards and on the phone, lights stay within their card.
func TestManyReplicas(t *testing.T) {
	ctx := tab(t)
	for _, services := range []int{10, 20} {
		l := labOver(t, replicated(t, invented(t, services, 6)))
		for _, size := range [][2]int64{{1920, 1080}, {390, 844}} {
			openBig(t, ctx, l.URL, size[0], size[1])
			holds(t, ctx, `document.querySelectorAll('.light').length > 30`)
			out := evaluate[string](t, ctx, `(() => { document.querySelector('#stage').classList.remove('far');
				return [...document.querySelectorAll('.card:has(.light)')].flatMap((c) => { const b = c.querySelector('.card-main').getBoundingClientRect();
					return [...c.querySelectorAll('.card-main > :not(.chips, .card-name), .light')].filter((e) => e.checkVisibility()).map((e) => [e, e.getBoundingClientRect()])
						.filter(([, r]) => r.right > b.right + 1 || r.bottom > b.bottom + 1).map(([e]) => c.dataset.node + ' ' + e.className); }).join(', '); })()`)
			if out != "" {
				t.Errorf("%d services at %d: %s", services, size[0], out)
			}
		}
	}
}

// TestUse: numbers and bars on cards, with a warning near a limit; nothing moves when the first come.
func TestUse(t *testing.T) {
	l := newLab(t, "calm")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	holds(t, ctx, `!document.querySelector('.use, .light') && !performance.getEntriesByType('resource').some((e) => e.name.endsWith('/oncard.js'))`)
	kill := boxOf(`[aria-label="Kill users"]`)
	pace := boxOf(`.card[data-node="users"] .card-pace`)
	before, paced := evaluate[box](t, ctx, kill), evaluate[box](t, ctx, pace)
	l.change(map[string]any{"id": "users", "use": map[string]any{"cpu": 0.03, "cpu_limit": 0.5, "memory": 14 << 20, "memory_limit": 64 << 20}})
	const use = `document.querySelector('.card[data-node="users"] .use')`
	holds(t, ctx, `!!`+use+` && `+use+`.innerText.split('\n').join(' ') === '0.03 cpu 14 MB' && `+use+`.title === 'It uses 0.03 of 0.5 cpu, 14 of 64 MB'`)
	holds(t, ctx, `!document.querySelector('.meter.warned') && document.querySelectorAll('.use').length === 1`)
	if after, p := evaluate[box](t, ctx, kill), evaluate[box](t, ctx, pace); after != before || p != paced {
		t.Errorf("the buttons went from %v to %v, the pace from %v to %v", before, after, paced, p)
	}
	l.change(map[string]any{"id": "users", "use": map[string]any{"cpu": 0.46, "cpu_limit": 0.5, "memory": 14 << 20}})
	holds(t, ctx, use+`.innerText.includes('⚠ 0.46 cpu') && document.querySelectorAll('.meter.warned').length === 1 && document.querySelectorAll('.use .limited').length === 1`)
	l.change(map[string]any{"id": "users-db", "use": map[string]any{"cpu": 0.1, "memory": 80 << 20, "memory_limit": 256 << 20}})
	holds(t, ctx, `document.querySelector('.store[data-node="users-db"]').title.includes('It uses 0.1 cpu, 80 of 256 MB')`)
	l.change(map[string]any{"id": "users", "use": nil})
	holds(t, ctx, `!`+use+`.checkVisibility()`)
}

// TestLookingOnly: where nothing can be acted on the header says so and why, until it can.
func TestLookingOnly(t *testing.T) {
	l := newLab(t, "looking")
	ctx := tab(t)
	open(t, ctx, l.URL, 1440, 900)
	const badge = `document.querySelector('#looking')`
	holds(t, ctx, badge+`.checkVisibility() && `+badge+`.title === 'This dashboard watches a system that somebody else runs.'`)
	holds(t, ctx, `![...document.querySelectorAll('.verb')].some((b) => b.checkVisibility())`)
	holds(t, ctx, `(`+badge+`.click(), true)`)
	holds(t, ctx, `document.querySelector('.looking-why:popover-open').innerText.includes('somebody else runs')`)
	keys(t, ctx, kb.Escape)
	// A light then opens what is known of its node.
	holds(t, ctx, `(`+light("purchases", "2")+`.click(), true)`)
	holds(t, ctx, `document.querySelector('#inspect-title').innerText === 'purchases'`)
	l.more <- map[string]any{"control": map[string]any{"can": true}}
	holds(t, ctx, `!`+badge+`.checkVisibility()`)
}

// asksOfLog are the questions for a node's log so far.
func asksOfLog(l *lab, node string) (n int) {
	for _, a := range l.all() {
		if strings.HasPrefix(a, "GET /api/v1/nodes/"+node+"/logs?lines=") {
			n++
		}
	}
	return n
}

// replicated is an invented frame in which every service runs from two to twelve times, some of its replicas dead or paused
// and holding events, and every node's use is known.
func replicated(t testing.TB, frame []byte) []byte {
	t.Helper()
	var f map[string]any
	if err := json.Unmarshal(frame, &f); err != nil {
		t.Fatal(err)
	}
	for i, n := range f["nodes"].([]any) {
		n := n.(map[string]any)
		n["use"] = map[string]any{"cpu": float64(i%50) / 100, "cpu_limit": 0.5, "memory": (900 + i) << 10, "memory_limit": 64 << 20}
		if n["kind"] != "service" || n["state"] != "up" {
			continue
		}
		var all []map[string]any
		for k := range 2 + i%11 {
			r := map[string]any{"id": strconv.Itoa(k + 1), "state": "up", "since": n["since"], "pending": i % 3}
			if state := []string{"up", "down", "paused", "starting"}[(i+k)%7%4]; k%3 == 1 {
				r["state"], r["pending"] = state, 3+i*k
			}
			all = append(all, r)
		}
		n["replicas"] = all
	}
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
