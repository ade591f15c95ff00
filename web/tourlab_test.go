package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// tourLab is a dataLab whose API also plays the walkthrough of tour.json: a step is in the phase that the test says, and does
// what its button asks without changing it.
type tourLab struct {
	*dataLab
	mu      sync.Mutex
	tour    map[string]any
	phases  map[string]string        // by "chapter/step": the name of its verdict; "waiting", without it "done"
	told    map[chan struct{}]string // who listens to which step; a word on it: look again
	refused map[string]string        // by the end of a path: the problem with which it is refused
	dead    bool                     // the API answers nothing, and every stream of steps ends
}

func newTourLab(t *testing.T, frame string) *tourLab {
	t.Helper()
	l := &tourLab{dataLab: newDataLab(t, frame), tour: readJSON(t, "tour"), phases: map[string]string{}, told: map[chan struct{}]string{}, refused: map[string]string{}}
	l.lab.mu.Lock()
	defer l.lab.mu.Unlock()
	rest := l.answer
	l.answer = func(w http.ResponseWriter, r *http.Request) {
		if path, of := strings.CutPrefix(r.URL.Path, "/api/v1/walkthrough"); of {
			l.serve(w, r, strings.TrimPrefix(path, "/"))
			return
		}
		rest(w, r)
	}
	return l
}

func (l *tourLab) serve(w http.ResponseWriter, r *http.Request, path string) {
	if step, live := strings.CutSuffix(path, "/live"); live {
		l.listen(w, r, step)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		problem(w, http.StatusBadGateway, "nobody is there")
		return
	}
	for end, why := range l.refused {
		if strings.HasSuffix(r.URL.Path, end) {
			problem(w, http.StatusConflict, why)
			return
		}
	}
	parts := strings.Split(path, "/")
	var v any
	switch end := parts[len(parts)-1]; {
	case path == "":
		v = l.tour["list"]
	case r.Method == http.MethodGet:
		v = l.tour["chapters"].(map[string]any)[path]
	case end == "begin" || end == "leave":
		v = l.tour[end]
	case end == "do":
		all := l.lab.all()
		asked := all[len(all)-1]
		var body struct{ Deed string }
		_ = json.Unmarshal([]byte(asked[strings.LastIndex(asked, " ")+1:]), &body) // none: the step's own
		did := l.tour["did"].(map[string]any)
		if v = map[string]any{"did": did[strings.TrimSuffix(path, "/do")]}; strings.Contains(asked, `{"deed":`) {
			v = map[string]any{"did": []string{"it is done"}}
		}
	}
	if v == nil {
		problem(w, http.StatusNotFound, fmt.Sprintf("the walkthrough has no %s", path))
		return
	}
	_ = json.NewEncoder(w).Encode(v) // the page may be gone
}

// verdict is how a step stands.
func (l *tourLab) verdict(step string) map[string]any {
	phase := l.phases[step]
	all, _ := l.tour["verdicts"].(map[string]any)[step].(map[string]any)
	if phase == "" {
		phase = "waiting"
		if all["waiting"] == nil {
			phase = "done"
		}
	}
	chapter, id, _ := strings.Cut(step, "/")
	v := map[string]any{"chapter": chapter, "step": id, "phase": phase, "conditions": []any{}, "help": []any{}, "took_ms": 0, "after": "", "sum": "", "cells": []any{}}
	if phase == "help" {
		v["phase"] = "waiting"
	}
	if phase == "done" {
		v["done_at"] = "2026-11-24T10:00:00Z"
	}
	more, _ := all[phase].(map[string]any)
	maps.Copy(v, more)
	return v
}

// listen tells a listener how a step stands, and again whenever the test changed it.
func (l *tourLab) listen(w http.ResponseWriter, r *http.Request, step string) {
	look := make(chan struct{}, 1) // one word is enough: whoever gets it looks at what is then
	l.mu.Lock()
	l.told[look] = step
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.told, look)
	}()
	for begun := false; ; begun = true {
		l.mu.Lock()
		dead := l.dead
		b, err := json.Marshal(l.verdict(step))
		l.mu.Unlock()
		if err != nil {
			panic(err) // it was read from JSON
		}
		if dead {
			if !begun {
				problem(w, http.StatusBadGateway, "nobody is there")
			}
			return
		}
		if !begun {
			w.Header().Set("Content-Type", "text/event-stream")
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", b); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-l.over:
			return
		case <-look:
		}
	}
}

// is puts a step into a phase, and tells its listeners.
func (l *tourLab) is(step, phase string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phases[step] = phase
	l.tell()
}

// die makes the walkthrough's API answer nothing, or come back.
func (l *tourLab) die(is bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = is
	l.tell()
}

// refuse refuses what ends so; empty: it does not any more.
func (l *tourLab) refuse(end, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refused[end] = why; why == "" {
		delete(l.refused, end)
	}
}

// tell wakes all listeners; l.mu is held.
func (l *tourLab) tell() {
	for look := range l.told {
		select {
		case look <- struct{}{}:
		default: // it will look anyhow
		}
	}
}

// What a browser keeps of the step that kills the catalog: what was answered, and what was told when it was done.
const (
	keptGuess = `{"guess": {"browse in sync": true, "check-stock in sync": true, "buy in sync": false, "my-purchases in sync": true, "sign-up in sync": true}}`
	keptTold  = `{"guess": {"browse in sync": true, "check-stock in sync": true, "buy in sync": false, "my-purchases in sync": true, "sign-up in sync": true},
		"done": {"at": 0, "after": "It took 1.2 s until the first request failed. Whatever asked the catalog waited for somebody who is not there, and failed with it. [Events] would have waited instead.",
		"sum": "With the catalog dead, 2 of 5 features answered with synchronous requests.", "cells": [{"cell": "browse in sync", "state": "fails", "reason": "catalog refused the connection", "because": ["catalog"]},
		{"cell": "check-stock in sync", "state": "works", "answers": true}, {"cell": "buy in sync", "state": "fails", "because": ["catalog"]},
		{"cell": "my-purchases in sync", "state": "fails", "why": "purchases asks the catalog for the name of each product. No name, no page."}, {"cell": "sign-up in sync", "state": "slow", "answers": true}]}}`
)

// otherTab is what a page does where another tab of its browser kept that.
func otherTab(kept string) string {
	return `(() => {
		const wait = setInterval(() => {
			if (!document.querySelector('.tour-step, .tour-list')) return;
			clearInterval(wait);
			dispatchEvent(new StorageEvent('storage', { key: 'stillup-tour:The shop', newValue: JSON.stringify(` + kept + `) }));
		}, 20);
	})()`
}

// tourTo goes to a step, as another tab would, with what is kept of it.
func tourTo(chapter, step, kept string) string {
	return otherTab(`{"chapter": "` + chapter + `", "step": "` + step + `", "chapters": {"` + chapter + `": {"did": ["started stock"], "steps": {"look": {"done": {"at": 0}}, "` + step + `": ` + kept + `}}}}`)
}

// tourEnd is at the end of the first chapter.
var tourEnd = otherTab(`{"chapter": "", "step": "", "chapters": {"one-dies": {"finished": true, "steps": {"kill": ` + keptTold + `, "start": {"done": {"at": 0, "sum": "The catalog was back after 2.1 s, and with it everything that asks it."}}}}}}`)
