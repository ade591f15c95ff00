package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// panelLab is a lab whose API answers of nodes, streams, connections, one event and dead letters as inspect.json says, and
// whose log has events.
func panelLab(t *testing.T, frame string) *lab {
	t.Helper()
	l := newLab(t, frame)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.top = 113 // the frame's newest
	l.answer = panelAnswers(t)
	return l
}

// panelAnswers are those of inspect.json; what stands in neither is not found.
func panelAnswers(t *testing.T) http.HandlerFunc {
	answers := readJSON(t, "inspect")
	return func(w http.ResponseWriter, r *http.Request) {
		path, err := url.PathUnescape(r.URL.EscapedPath())
		if err != nil {
			t.Error(err)
		}
		var v any
		switch a, found := answers[path]; {
		case r.Method == http.MethodPost && strings.HasSuffix(path, "/resend"):
			v = map[string]any{"sent": 1}
		case path == "/api/v1/deadletters":
			all := answers[path].(map[string]any)["dead"].([]any)
			of := slices.DeleteFunc(slices.Clone(all), func(d any) bool { return d.(map[string]any)["of"] != r.URL.Query().Get("stream") })
			v = map[string]any{"total": len(of), "dead": of}
		case found:
			v = a
		default:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusNotFound)
			v = map[string]any{"title": "Not Found", "detail": fmt.Sprintf("nothing is known of %q", path)}
		}
		_ = json.NewEncoder(w).Encode(v) // the page may be gone
	}
}

// inventedEvent is the event of a number; every seventh has "needle" in its payload.
func inventedEvent(seq int) map[string]any {
	kind := [...]string{"users", "orders", "stock"}[seq%3]
	raw := map[string]any{"specversion": "1.0", "data": map[string]any{"n": seq}}
	if seq%7 == 0 {
		raw["data"] = map[string]any{"n": seq, "word": "needle"}
	}
	return map[string]any{"seq": seq, "stream": kind, "entry_id": fmt.Sprintf("17640000%d-0", seq), "id": fmt.Sprintf("n-%d", seq),
		"type": kind + ".changed.v1", "subject": fmt.Sprintf("s-%d", seq), "node": kind, "source": kind,
		"time": time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC).Add(time.Duration(seq) * time.Millisecond).Format("2006-01-02T15:04:05.000Z"), "raw": raw}
}

// log answers of the invented events, which reach from 1 to l.top, the newest first.
func (l *lab) log(q url.Values) []any {
	l.mu.Lock()
	top := l.top
	l.mu.Unlock()
	if before, err := strconv.Atoi(q.Get("before")); err == nil {
		top = min(top, before-1)
	}
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil {
		limit = 100
	}
	events := []any{}
	for seq := top; seq > 0 && len(events) < limit; seq-- {
		e := inventedEvent(seq)
		raw, _ := json.Marshal(e["raw"]) // made here
		if strings.Contains(e["type"].(string), q.Get("type")) && strings.Contains(string(raw), q.Get("text")) &&
			(q.Get("stream") == "" || q.Get("stream") == e["stream"]) {
			events = append(events, e)
		}
	}
	return events
}

// happen puts events up to that number into the log, and of those the newest into a frame, as many as a frame has at most.
func (l *lab) happen(top int) {
	l.mu.Lock()
	from := max(l.top+1, top-39)
	l.top = top
	l.mu.Unlock()
	var events []any
	for seq := from; seq <= top; seq++ {
		events = append(events, inventedEvent(seq))
	}
	l.more <- map[string]any{"events": events}
}
