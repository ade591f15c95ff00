package web

import (
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gorilla/websocket"
)

var look = flag.String("look", "", "folder for pictures of the page over the invented outage, without any service running")

// TestLook photographs the page in every size and theme.
func TestLook(t *testing.T) {
	if *look == "" {
		t.Skip("makes pictures; -look FOLDER runs it")
	}
	state := fixture(t)
	mux := http.NewServeMux()
	mux.Handle("/", Handler(Options{State: func() ([]byte, error) { return state, nil }}))
	mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) { play(w, r, state) })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.DisableGPU, chromedp.NoSandbox, chromedp.Flag("hide-scrollbars", true))
	actx, endBrowser := chromedp.NewExecAllocator(t.Context(), options...)
	defer endBrowser()
	ctx, endTab := chromedp.NewContext(actx)
	defer endTab()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900)); err != nil { // starts the browser for as long as ctx
		t.Fatal(err)
	}
	for _, s := range []struct {
		name          string
		width, height int64
	}{{"wide", 1440, 900}, {"phone", 390, 844}, {"hall", 1920, 1080}, {"small", 1280, 720}} {
		for _, theme := range []string{"dark", "light"} {
			shot(t, ctx, srv.URL, theme, s.width, s.height, filepath.Join(*look, s.name+"-"+theme+".png"))
		}
	}
}

func shot(t *testing.T, ctx context.Context, url, theme string, width, height int64, path string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height), chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	settled := `document.documentElement.dataset.theme = "` + theme + `";
		new Promise((done) => setTimeout(() => requestAnimationFrame(() => done(true)), 1500))`
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](settled, chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal(err)
	}
	take := chromedp.CaptureScreenshot()
	if width < 640 {
		take = chromedp.FullScreenshot(90)
	}
	b, err := chromedp.Run(ctx, take)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// play sends the frame, then diffs in which every busy edge grows.
func play(w http.ResponseWriter, r *http.Request, state []byte) {
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
	for rev := 101.0; ; rev++ {
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
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
		if conn.WriteJSON(map[string]any{"from": rev - 1, "rev": rev, "at": f["at"], "edges": grown}) != nil {
			return
		}
	}
}
