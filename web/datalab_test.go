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

// dataLab is a panelLab whose API also answers of data, as dataparts.json says, and whose things can be changed while they are
// watched.
type dataLab struct {
	*lab
	mu      sync.Mutex
	answers map[string]any           // by path; what is posted to an action is answered by post
	told    map[chan struct{}]string // who watches which path; a word on it: look again
	refuse  string                   // the problem with which everything that writes is refused; empty: it is done
	cut     bool                     // no live stream can be had
	silent  bool                     // the list of actions is not to be had
	over    <-chan struct{}          // closed when the test ends: so do the streams, though the page is still there
}

func newDataLab(t *testing.T, frame string) *dataLab {
	t.Helper()
	d := &dataLab{lab: panelLab(t, frame), answers: readJSON(t, "dataparts"), told: map[chan struct{}]string{}}
	over := make(chan struct{})
	d.over = over
	t.Cleanup(func() { close(over) })
	rest := panelAnswers(t)
	d.lab.mu.Lock()
	defer d.lab.mu.Unlock()
	d.answer = func(w http.ResponseWriter, r *http.Request) { d.serve(w, r, rest) }
	return d
}

func (d *dataLab) serve(w http.ResponseWriter, r *http.Request, rest http.HandlerFunc) {
	path := r.URL.Path
	if thing, live := strings.CutSuffix(path, "/live"); live {
		d.watch(w, r, thing)
		return
	}
	v, refuse := d.what(r)
	switch {
	case path == "/api/v1/actions" && d.isSilent():
		problem(w, http.StatusServiceUnavailable, "the dashboard is busy")
	case r.Method == http.MethodPost && refuse != "":
		problem(w, http.StatusConflict, refuse)
	case v == nil && strings.HasPrefix(path, "/api/v1/copies/"):
		problem(w, http.StatusNotFound, fmt.Sprintf("nothing is known of %q", path))
	case v == nil:
		rest(w, r)
	default:
		_, _ = w.Write(v) // the page may be gone
	}
}

// what is answered; nil: it is not this lab's.
func (d *dataLab) what(r *http.Request) (answer []byte, refuse string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v, found := d.answers[r.URL.Path]
	if id, action := strings.CutPrefix(r.URL.Path, "/api/v1/actions/"); action && r.Method == http.MethodPost {
		v, found = map[string]any{"action": id, "status": 200, "answer": nil, "took_ms": 12}, true
	}
	if q := strings.ToLower(r.URL.Query().Get("q")); q != "" && found {
		all := maps.Clone(v.(map[string]any))
		var some []any
		for _, rec := range all["records"].([]any) {
			if rec := rec.(map[string]any); strings.Contains(strings.ToLower(rec["label"].(string)), q) || strings.HasPrefix(rec["id"].(string), q) {
				some = append(some, rec)
			}
		}
		all["records"], all["more"] = some, false
		v = all
	}
	if !found {
		return nil, d.refuse
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // it was read from JSON
	}
	return b, d.refuse
}

func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "detail": detail}) // the page may be gone
}

// watch sends a thing, and again whenever it was changed, until the page leaves.
func (d *dataLab) watch(w http.ResponseWriter, r *http.Request, path string) {
	look := make(chan struct{}, 1) // one word is enough: whoever gets it looks at what is then
	d.mu.Lock()
	cut, known := d.cut, d.answers[path] != nil
	if !cut && known {
		d.told[look] = path
	}
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.told, look)
	}()
	if !known {
		problem(w, http.StatusNotFound, fmt.Sprintf("nothing is known of %q", path))
		return
	}
	if cut {
		problem(w, http.StatusServiceUnavailable, "catalog-db refused the connection")
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		d.mu.Lock()
		b, err := json.Marshal(d.answers[path])
		cut := d.cut
		d.mu.Unlock()
		if err != nil {
			panic(err) // it was read from JSON
		}
		if cut {
			return
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", b); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-look:
		case <-r.Context().Done():
			return
		case <-d.over:
			return
		}
	}
}

// alter changes an answer, and tells those who watch it.
func (d *dataLab) alter(path string, do func(v map[string]any)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do(d.answers[path].(map[string]any))
	for look, of := range d.told {
		if of != path {
			continue
		}
		select {
		case look <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// record is the copy of a thing in a store.
func record(thing map[string]any, node string) map[string]any {
	for _, r := range thing["records"].([]any) {
		if r := r.(map[string]any); r["node"] == node {
			return r
		}
	}
	panic("no record of " + node)
}

// actionOf gives an action of the list.
func actionOf(list map[string]any, id string) map[string]any {
	for _, a := range list["actions"].([]any) {
		if a := a.(map[string]any); a["id"] == id {
			return a
		}
	}
	panic("no action " + id)
}

// watchers are the live streams that are open.
func (d *dataLab) watchers() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.told)
}

// refuseAll refuses whatever writes from now on, in these words.
func (d *dataLab) refuseAll(why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuse = why
}

// breakOff ends the live streams, and as long as it is so there are none.
func (d *dataLab) breakOff(is bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = is
	for look := range d.told {
		select {
		case look <- struct{}{}:
		default: // it will look anyway
		}
	}
}

func (d *dataLab) isSilent() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.silent
}

// silence makes the list of actions a problem, or not.
func (d *dataLab) silence(is bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.silent = is
}
