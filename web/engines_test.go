package web

import (
	"testing"
)

// TestEngines: the same work on each engine is shown beside each other, measured when asked for, with what was not measured
// and who chose what.
func TestEngines(t *testing.T) {
	d := newDataLab(t, "data")
	of := readJSON(t, "engines")
	set := func(change func()) {
		d.mu.Lock()
		defer d.mu.Unlock()
		change()
		d.answers["/api/v1/workloads"] = of
	}
	results := of["results"]
	set(func() { of["state"], of["results"] = "idle", []any{} })
	ctx := tab(t)
	open(t, ctx, d.URL+"/#data=engines", 1440, 900)
	saysData(t, ctx, "8 workers at once, 2 s each")
	saysData(t, ctx, "a sorted set keeps the ranking")
	holds(t, ctx, `!document.querySelector('.engine-row') && document.querySelector('.act-measure').innerText === 'Measure'`)

	set(func() { of["state"], of["done"], of["now"], of["left_ms"] = "running", 4, "document on redis", 11250 })
	holds(t, ctx, `(document.querySelector('.act-measure').click(), true)`)
	saysData(t, ctx, "4 of 9 measured, now document on redis, at least 12 s left")
	holds(t, ctx, `document.querySelector('.engines [role="progressbar"]').ariaValueNow === '4' && document.querySelector('.act-measure').ariaDisabled === 'true'`)
	if !d.did("POST /api/v1/workloads ") {
		t.Errorf("asked: %q", d.all())
	}
	set(func() { of["state"], of["done"], of["results"] = "done", 9, results })
	saysData(t, ctx, "Redis did 4.8 times as much as Postgres, the next.")
	saysData(t, ctx, "not measured: read: connection reset by peer")
	saysData(t, ctx, "MongoDB here is FerretDB 1.24.0 (embedded): it stands in for the real one")
	holds(t, ctx, `document.querySelectorAll('.engine-row').length === 9 && document.querySelectorAll('.engine-row.best').length === 3`)
	holds(t, ctx, `[...document.querySelectorAll('.engine-row.best .bar-of:not(.wait)')].every((e) => e.getBoundingClientRect().width > 200)`)

	set(func() { of["can"], of["why"] = false, "the system file names no stores for it" })
	saysData(t, ctx, "Not here: the system file names no stores for it.")
	holds(t, ctx, `!document.querySelector('.act-measure')`)
}
