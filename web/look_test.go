package web

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var look = flag.String("look", "", "folder for pictures of the page over the invented outage, without any service running")

// TestLook photographs the page in every size and theme.
func TestLook(t *testing.T) {
	if *look == "" {
		t.Skip("makes pictures; -look FOLDER runs it")
	}
	l := newLab(t, "outage")
	ctx := tab(t)
	for _, s := range []struct {
		name          string
		width, height int64
	}{{"wide", 1440, 900}, {"phone", 390, 844}, {"hall", 1920, 1080}, {"small", 1280, 720}} {
		for _, theme := range []string{"dark", "light"} {
			open(t, ctx, l.URL, s.width, s.height)
			shot(t, ctx, theme, s.width < 640, filepath.Join(*look, s.name+"-"+theme+".png"))
		}
	}
}

// shot waits until dots are under way.
func shot(t *testing.T, ctx context.Context, theme string, whole bool, path string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	settled := `document.documentElement.dataset.theme = "` + theme + `";
		new Promise((done) => setTimeout(() => requestAnimationFrame(() => done(true)), 1500))`
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](settled, chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal(err)
	}
	take := chromedp.CaptureScreenshot()
	if whole {
		take = chromedp.FullScreenshot(100)
	}
	b, err := chromedp.Run(ctx, take)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
