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
	asked  []string
	answer http.HandlerFunc    // of the API
	hangUp context.CancelFunc  // ends the newest socket; later ones are served
	nodes  chan map[string]any // changes of nodes that the newest socket tells
}

func newLab(t *testing.T, frame string) *lab {
	t.Helper()
	return labOver(t, fixture(t, frame))
}

func labOver(t *testing.T, state []byte) *lab {
	t.Helper()
	l := &lab{nodes: make(chan map[string]any), answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }}
	mux := http.NewServeMux()
	mux.Handle("/", Handler(Options{State: func() ([]byte, error) { return state, nil }}))
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
		play(ctx, w, r, state, l.nodes)
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
	mux.HandleFunc("/api/v1/", func(w http.ResponseWriter, r *http.Request) {
		var body json.RawMessage
		_ = json.NewDecoder(r.Body).Decode(&body) // most requests have none
		l.mu.Lock()
		l.asked = append(l.asked, r.Method+" "+r.URL.Path+" "+string(body))
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

// play sends the frame, then diffs in which every busy connection grows, until ctx or the browser ends.
func play(ctx context.Context, w http.ResponseWriter, r *http.Request, state []byte, changes <-chan map[string]any) {
	conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	if conn.WriteMessage(websocket.TextMessage, state) != nil {
		return
	}
	var f map[string]any
	if json.Unmarshal(state, &f) != nil {
		return
	}
	edges, _ := f["edges"].([]any)
	tick := time.NewTicker(150 * time.Millisecond)
	defer tick.Stop()
	nodes, _ := f["nodes"].([]any)
	for rev := 101.0; ; rev++ {
		var changed []any
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case c := <-changes:
			i := slices.IndexFunc(nodes, func(n any) bool { return n.(map[string]any)["id"] == c["id"] })
			maps.Copy(nodes[i].(map[string]any), c)
			changed = nodes[i : i+1]
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
		if conn.WriteJSON(map[string]any{"from": rev - 1, "rev": rev, "at": f["at"], "edges": grown, "nodes": changed}) != nil {
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
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
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

// keys types into what has the focus.
func keys(t *testing.T, ctx context.Context, keys string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.KeyEvent(keys)); err != nil {
		t.Fatal(err)
	}
}

// clickAt clicks with the mouse.
func clickAt(t *testing.T, ctx context.Context, x, y float64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.MouseClickXY(x, y)); err != nil {
		t.Fatal(err)
	}
}

func click(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	holds(t, ctx, `(() => { const b = document.querySelector('button[aria-label="`+name+`"]'); if (b) b.click(); return !!b; })()`)
}
