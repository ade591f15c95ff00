package probes_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stillup/stillup/viz/probes"
	"github.com/stillup/stillup/viz/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var cell = world.CellKey{Feature: "buy", Pattern: "sync"}

// system has one cell, used by spec.
func system(spec world.RequestSpec) world.System {
	return world.System{Vars: map[string][]string{"user": {"u/1"}, "product": {"p-01"}},
		Features: []world.FeatureSpec{{ID: cell.Feature, Requests: map[string]world.RequestSpec{cell.Pattern: spec}}}}
}

// run runs probes against url, with every cell always quiet, until the test ends, and gives their tries.
func run(t *testing.T, p probes.Probes, url string, cells ...world.CellKey) <-chan world.TrySeen {
	t.Helper()
	p.Quiet = func() []world.CellKey { return cells }
	p.URL = func(string) string { return url }
	p.Log = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	tries, done := make(chan world.TrySeen), make(chan error, 1)
	go func() {
		done <- p.Run(ctx, func(obs ...world.Observation) {
			for _, o := range obs {
				for _, try := range o.(world.TriesSeen).Tries {
					select {
					case tries <- try:
					case <-ctx.Done():
					}
				}
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return tries
}

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func TestRequestIsFilled(t *testing.T) {
	type got struct {
		method, path, kind, trace string
		body                      map[string]any
	}
	requests := make(chan got, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := got{method: r.Method, path: r.URL.EscapedPath(), kind: r.Header.Get("Content-Type"), trace: r.Header.Get("Traceparent")}
		if err := json.NewDecoder(r.Body).Decode(&g.body); err != nil {
			t.Errorf("body: %v", err)
		}
		select {
		case requests <- g:
		default:
		}
		w.WriteHeader(http.StatusCreated)
	}))
	defer srv.Close()
	var body any
	if err := json.Unmarshal([]byte(`{"id":"probe-{uuid}","user":"{user}","lines":[{"product":"{product}","n":1}]}`), &body); err != nil {
		t.Fatal(err)
	}
	spec := world.RequestSpec{Node: "orders", Method: "POST", Path: "/sync/users/{user}/orders", Body: body}
	tries := run(t, probes.Probes{System: system(spec)}, srv.URL+"/", cell)

	first, try := await(t, requests), await(t, tries)
	if first.method != "POST" || first.path != "/sync/users/u%2F1/orders" || first.kind != "application/json" {
		t.Errorf("sent %+v", first)
	}
	line := first.body["lines"].([]any)[0].(map[string]any)
	if first.body["user"] != "u/1" || line["product"] != "p-01" || line["n"] != 1.0 || !regexp.MustCompile(`^probe-[0-9a-f-]{36}$`).MatchString(first.body["id"].(string)) {
		t.Errorf("body %v", first.body)
	}
	if !try.OK || !try.Probe || try.Status != 201 || try.Feature != "buy" || try.Pattern != "sync" || try.Duration <= 0 || try.Start.IsZero() {
		t.Errorf("try %+v", try)
	}
	if first.trace != "00-"+try.TraceID+"-"+try.SpanID+"-01" || len(first.trace) != 55 {
		t.Errorf("traceparent %q, trace %q, span %q", first.trace, try.TraceID, try.SpanID)
	}
	if second := await(t, requests); second.body["id"] == first.body["id"] {
		t.Error("the uuid is the same twice")
	}
}

// TestSpread: where all cells are quiet they are not tried all at once, and each has its turn.
func TestSpread(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	defer srv.Close()
	requests := map[string]world.RequestSpec{}
	var cells []world.CellKey
	for i := range 24 {
		key := world.CellKey{Feature: "buy", Pattern: strconv.Itoa(i)}
		requests[key.Pattern] = world.RequestSpec{Node: "orders", Method: "GET", Path: "/"}
		cells = append(cells, key)
	}
	tries := run(t, probes.Probes{System: world.System{Features: []world.FeatureSpec{{ID: "buy", Requests: requests}}}}, srv.URL, cells...)
	var starts []time.Time
	seen := map[string]bool{}
	for len(seen) < len(cells) {
		try := await(t, tries)
		starts, seen[try.Pattern] = append(starts, try.Start), true
	}
	if len(starts) > len(cells)+6 {
		t.Errorf("%d tries until each of %d cells had its turn", len(starts), len(cells))
	}
	if took := starts[len(starts)-1].Sub(starts[0]); took < 250*time.Millisecond {
		t.Errorf("all were tried within %v", took)
	}
}

func TestJudgement(t *testing.T) {
	refusing := httptest.NewServer(http.NotFoundHandler())
	refusing.Close()
	for _, tc := range []struct {
		name   string
		serve  http.HandlerFunc // nil: nobody listens
		ok     bool
		status int
		reason string
	}{
		{"fine", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) }, true, 200, ""},
		{"a redirect is an answer", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", 302) }, true, 302, ""},
		{"a refusal that is an answer", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(409) }, true, 409, ""},
		{"a problem's detail", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(502)
			_, _ = io.WriteString(w, `{"title":"Bad Gateway","detail":"catalog refused the connection"}`)
		}, false, 502, "catalog refused the connection"},
		{"a problem without detail", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(503)
			_, _ = io.WriteString(w, `{"title":"Service Unavailable"}`)
		}, false, 503, "orders answered 503: Service Unavailable"},
		{"no problem at all", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "oops", 500) }, false, 500, "orders answered 500"},
		{"a broken connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false, 0, "orders broke the connection off"},
		{"nobody listens", nil, false, 0, "orders refused the connection"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			url := refusing.URL
			if tc.serve != nil {
				srv := httptest.NewServer(tc.serve)
				defer srv.Close()
				url = srv.URL
			}
			spec := world.RequestSpec{Node: "orders", Method: "GET", Path: "/", OK: []int{409}}
			try := await(t, run(t, probes.Probes{System: system(spec)}, url, cell))
			if try.OK != tc.ok || try.Status != tc.status || try.Reason != tc.reason {
				t.Errorf("got %v %d %q, want %v %d %q", try.OK, try.Status, try.Reason, tc.ok, tc.status, tc.reason)
			}
		})
	}
}

// silent serves requests that are answered only at the test's end; it counts those under way.
func silent(t *testing.T) (url string, arrived chan string, most func() int64) {
	var now, max atomic.Int64
	arrived, end := make(chan string, 1000), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := max.Load(); n > m && !max.CompareAndSwap(m, n); m = max.Load() {
		}
		arrived <- r.URL.Path
		select {
		case <-r.Context().Done():
		case <-end:
		}
	}))
	t.Cleanup(func() { close(end); srv.Close() })
	return srv.URL, arrived, max.Load
}

func TestSilentServiceTimesOut(t *testing.T) {
	url, _, most := silent(t)
	spec := world.RequestSpec{Node: "orders", Method: "GET", Path: "/"}
	try := await(t, run(t, probes.Probes{System: system(spec)}, url, cell))
	if try.OK || try.Reason != "orders did not answer in time" || try.Duration < 1100*time.Millisecond || try.Duration > 2500*time.Millisecond {
		t.Errorf("try %+v", try)
	}
	if most() != 1 {
		t.Errorf("%d tries of one cell at once, want 1", most())
	}
}

func TestBoundAtOnce(t *testing.T) {
	url, arrived, most := silent(t)
	sys, cells := world.System{}, []world.CellKey{}
	const bound = 64
	for i := range bound + 4 {
		id := strconv.Itoa(i)
		sys.Features = append(sys.Features, world.FeatureSpec{ID: id,
			Requests: map[string]world.RequestSpec{"sync": {Node: "orders", Method: "GET", Path: "/" + id}}})
		cells = append(cells, world.CellKey{Feature: id, Pattern: "sync"})
	}
	tries := run(t, probes.Probes{System: sys}, url, cells...)
	var met []string
	for len(met) < bound {
		met = append(met, await(t, arrived))
	}
	await(t, tries) // the first to time out makes room for one more
	met = append(met, await(t, arrived))
	if most() > bound {
		t.Errorf("%d tries at once", most())
	}
	first := slices.Sorted(slices.Values(met[:bound]))
	if len(slices.Compact(first)) != bound {
		t.Errorf("a cell was tried twice at once: %v", met)
	}
}

// TestLeftAlone: what may not or cannot be asked is not.
func TestLeftAlone(t *testing.T) {
	get := world.RequestSpec{Node: "orders", Method: "GET", Path: "/get"}
	sys := system(get)
	add := func(id string, spec world.RequestSpec) world.CellKey {
		sys.Features = append(sys.Features, world.FeatureSpec{ID: id, Requests: map[string]world.RequestSpec{"sync": spec}})
		return world.CellKey{Feature: id, Pattern: "sync"}
	}
	post := add("post", world.RequestSpec{Node: "orders", Method: "POST", Path: "/post"})
	blank := add("blank", world.RequestSpec{Node: "orders", Method: "GET", Path: "/{nobody}"})
	var mu sync.Mutex
	paths := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		paths[r.URL.Path]++
		mu.Unlock()
	}))
	defer srv.Close()
	tries := run(t, probes.Probes{System: sys, ReadOnly: true}, srv.URL, post, blank, world.CellKey{Feature: "unheard of"}, cell)
	await(t, tries)
	await(t, tries)
	mu.Lock()
	defer mu.Unlock()
	if len(paths) != 1 || paths["/get"] == 0 {
		t.Errorf("asked %v, want /get alone", paths)
	}
}
