package web

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gorilla/websocket"
)

// lab plays the server: the page over a frame, a socket on which diffs come, and an API that writes down what was asked.
type lab struct {
	*httptest.Server
	mu     sync.Mutex
	state  []byte // the frame that the next socket begins with
	asked  []string
	answer http.HandlerFunc    // of the API
	hangUp context.CancelFunc  // ends the newest socket; later ones are served
	top    int                 // number of the newest invented event
	hushed bool                // sockets stay open and say nothing, as those of a server that hangs
	more   chan map[string]any // parts of a frame to send besides
	nodes  chan map[string]any // changes of nodes that the newest socket tells
}

func newLab(t *testing.T, frame string) *lab {
	t.Helper()
	return labOver(t, fixture(t, frame))
}

func labOver(t *testing.T, state []byte) *lab {
	t.Helper()
	l := &lab{state: state, more: make(chan map[string]any), nodes: make(chan map[string]any),
		answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }}
	mux := http.NewServeMux()
	mux.Handle("/", Handler(Options{State: func() ([]byte, error) { return state, nil }, Chapters: []string{"one-dies", "copies-serve"}}))
	var sockets sync.WaitGroup
	all, cancel := context.WithCancel(context.Background())
	mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		sockets.Add(1)
		defer sockets.Done()
		ctx, hangUp := context.WithCancel(all)
		defer hangUp()
		l.mu.Lock()
		l.hangUp = hangUp
		l.mu.Unlock()
		l.play(ctx, w, r)
	})
	costs := readJSON(t, "costs")
	mux.HandleFunc("GET /api/v1/features/{feature}/{pattern}", func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.asked = append(l.asked, "GET "+r.URL.Path)
		l.mu.Unlock()
		if err := json.NewEncoder(w).Encode(cost(state, costs, r.PathValue("feature"), r.PathValue("pattern"))); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("GET /api/v1/events", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"events": l.log(r.URL.Query())}) // the page may be gone
	})
	mux.HandleFunc("/api/v1/", func(w http.ResponseWriter, r *http.Request) {
		var body json.RawMessage
		_ = json.NewDecoder(r.Body).Decode(&body) // most requests have none
		l.mu.Lock()
		what := r.Method + " " + r.URL.Path
		if r.URL.RawQuery != "" {
			what += "?" + r.URL.RawQuery
		}
		l.asked = append(l.asked, what+" "+string(body))
		answer := l.answer
		l.mu.Unlock()
		answer(w, r)
	})
	l.Server = httptest.NewServer(mux)
	t.Cleanup(func() { cancel(); sockets.Wait(); l.Close() })
	return l
}

// cost is what the API tells of a cell: the frame's word, what the system file says that it needs, and a request where one
// was invented.
func cost(state []byte, costs map[string]any, feature, pattern string) map[string]any {
	var f struct {
		Cells []map[string]any
	}
	if err := json.Unmarshal(state, &f); err != nil {
		panic(err) // it was made here
	}
	answer := map[string]any{"waterfall": costs[feature+"/"+pattern], "needs": []string{"purchases", "users", "users-db",
		"orders", "orders-db", "catalog", "catalog-db", "bus"}}
	for _, c := range f.Cells {
		if c["feature"] == feature && c["pattern"] == pattern {
			answer["cell"] = c
		}
	}
	return answer
}

// change tells the page that a node is now otherwise.
func (l *lab) change(node map[string]any) {
	l.nodes <- node
}

// did says whether the API was asked that.
func (l *lab) did(what string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Contains(l.asked, what)
}

// all that the API was asked.
func (l *lab) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.asked)
}

// hush makes every socket silent, or lets them speak again.
func (l *lab) hush(is bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hushed = is
}

// truth changes the frame that new sockets begin with.
func (l *lab) truth(state []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = state
}

// says is what a new socket begins with; ok is false while sockets are silent.
func (l *lab) says() (state []byte, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state, !l.hushed
}

// keep takes over what was said of edges, so that later frames do not take it back.
func keep(edges []any, said any) {
	list, _ := said.([]any)
	for _, now := range list {
		for _, e := range edges {
			if e, now := e.(map[string]any), now.(map[string]any); e["id"] == now["id"] {
				maps.Copy(e, now)
				for _, total := range []string{"total", "failed", "rate", "failed_rate"} { // numbers as JSON has them
					if n, ok := e[total].(int); ok {
						e[total] = float64(n)
					}
				}
			}
		}
	}
}

// play sends the frame, then diffs in which every busy connection grows, until ctx or the browser ends.
func (l *lab) play(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	tick := time.NewTicker(150 * time.Millisecond)
	defer tick.Stop()
	state, ok := l.says()
	for ; !ok; state, ok = l.says() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
	var f map[string]any
	if json.Unmarshal(state, &f) != nil || conn.WriteMessage(websocket.TextMessage, state) != nil {
		return
	}
	edges, _ := f["edges"].([]any)
	nodes, _ := f["nodes"].([]any)
	for rev := 101.0; ; rev++ {
		frame := map[string]any{"from": rev - 1, "rev": rev, "at": f["at"]}
		select {
		case <-ctx.Done():
			return
		case more := <-l.more:
			maps.Copy(frame, more)
			keep(edges, more["edges"])
		case c := <-l.nodes:
			i := slices.IndexFunc(nodes, func(n any) bool { return n.(map[string]any)["id"] == c["id"] })
			maps.Copy(nodes[i].(map[string]any), c)
			frame["nodes"] = nodes[i : i+1]
		case <-tick.C:
		}
		if _, ok := l.says(); !ok {
			continue
		}
		var grown []any
		for i, e := range edges {
			e := e.(map[string]any)
			if rate, _ := e["rate"].(float64); rate > 0 && (int(rev)+i)%4 == 0 {
				e["total"] = e["total"].(float64) + 1
				if failed, _ := e["failed_rate"].(float64); failed > 0 {
					e["failed"] = e["failed"].(float64) + 1
				}
				grown = append(grown, e)
			}
		}
		if frame["edges"] == nil {
			frame["edges"] = grown
		}
		if conn.WriteJSON(frame) != nil {
			return
		}
	}
}

// tab is a browser's tab that ends with the test and fails it where the page threw or was refused something by its policy.
func tab(t *testing.T, flags ...string) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("the browser tests need chromium on the PATH (Debian: apt-get install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU, chromedp.Flag("hide-scrollbars", true))
	for _, f := range flags {
		options = append(options, chromedp.Flag(f, true))
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	actx, endBrowser := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, endTab := chromedp.NewContext(actx)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900)); err != nil { // starts the browser for as long as ctx
		t.Fatal(err)
	}
	ended := make(chan struct{})
	messages := chromedp.Console(ctx)
	go func() {
		defer close(ended)
		for m, err := range messages {
			if err != nil {
				return // the tab ended
			}
			if m.IsException() || m.Source == "security" {
				t.Errorf("the page: %s", m)
			}
		}
	}()
	t.Cleanup(func() { endTab(); endBrowser(); <-ended })
	return ctx
}

func open(t *testing.T, ctx context.Context, url string, width, height int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height), chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	holds(t, ctx, `document.querySelectorAll('.card').length === 8`)
}

// holds waits for an expression to be true.
func holds(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("never so: %s", expression)
		case <-tick.C:
		}
	}
}

// number is what an expression says.
func number(t *testing.T, ctx context.Context, expression string) float64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	n, err := chromedp.Run(ctx, chromedp.Evaluate[float64](expression))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// waitFor waits until it is so.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never so: %s", what)
		}
	}
}

// keys types into what has the focus.
func keys(t *testing.T, ctx context.Context, keys string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.KeyEvent(keys)); err != nil {
		t.Fatal(err)
	}
}

// clickAt clicks with the mouse.
func clickAt(t *testing.T, ctx context.Context, x, y float64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.MouseClickXY(x, y)); err != nil {
		t.Fatal(err)
	}
}

func click(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	holds(t, ctx, `(() => { const b = document.querySelector('button[aria-label="`+name+`"]'); if (b) b.click(); return !!b; })()`)
}
