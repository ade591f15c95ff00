package web

import (
	"context"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var (
	look     = flag.String("look", "", "folder for pictures of the page over invented states, without any service running")
	lookOnly = flag.String("look-only", "", "only the pictures of this scene")
)

const big = `document.documentElement.dataset.big || document.querySelector('#big').click()`

// scenes are what is looked at: a state, what of the page is chosen, and what is done before the picture.
var scenes = []struct{ name, frame, path, do string }{
	{"calm", "calm", "", ""},
	{"outage", "outage", "", ""},
	{"slow-cost", "slow", "", `document.querySelector('[data-feature="my-purchases"][data-pattern="sync"] button').click()`},
	{"bus-cost", "calm", "", `document.querySelector('[data-feature="my-purchases"][data-pattern="bus"] button').click()`},
	{"bus-cut", "bus-cut", "", ""},
	{"lens-shared", "calm", "/#pattern=shared", ""},
	{"lens-bus", "calm", "/#pattern=bus", ""},
	{"lens-copies", "outage", "/#pattern=copies", ""},
	{"more", "slow", "", `document.querySelector('[aria-label="More for catalog"]').click()`},
	{"mix", "worst", "", `document.querySelector('#mix').click()`},
	{"service", "dead", "/#node=orders", ""},
	{"store", "calm", "/#node=orders-db", ""},
	{"bus", "dead", "/#node=bus", ""},
	{"stream", "dead", "/#stream=orders", ""},
	{"edge", "outage", "/#edge=" + url.QueryEscape("call:orders>catalog"), ""},
	{"event", "calm", "/#event=e-1", ""},
	{"chain", "calm", "/#event=e-1", `setTimeout(() => document.querySelector('#inspect').scrollTo(0, 9999), 800)`},
	{"event-skipped", "odd", "/#event=e-13", ""},
	{"event-large", "odd", "/#event=e-11", ""},
	{"odd", "odd", "", `document.querySelector('.feed-large').click()`},
	{"edge-missed", "odd", "/#edge=" + url.QueryEscape("take:orders>purchases"), ""},
	{"letters", "dead", "/#dead=stock", `setTimeout(() => document.querySelector('.letter-foot summary').click(), 800)`},
	{"feed-large", "calm", "/#event=e-1", `document.querySelector('.feed-large').click()`},
	{"replicas", "replicas", "", ""},
	{"replica-more", "replicas", "", `document.querySelector('[data-node="purchases"] [data-is="dead"]').click()`},
	{"replica-node", "replicas", "/#node=purchases", `setTimeout(() => { document.querySelector('.log-part').open = true; document.querySelector('.log-part').scrollIntoView(); }, 700)`},
	{"replica-panel", "replicas", "/#node=purchases", ""},
	{"looking", "looking", "", `document.querySelector('#looking').click()`},
	{"big-replicas", "replicas", "", big},
	{"data-copies", "data", "/#data=copies/products/p-01", ""},
	{"data-list", "data", "/#data=copies/products", ""},
	{"data-totals", "data", "/#data=totals", ""},
	{"data-schema", "data", "/#data=schema", ""},
	{"data-rebuild", "data", "/#data=rebuild", ""},
	{"data-trouble", "data", "/#data=trouble", ""},
	{"data-engines", "data", "/#data=engines", ""},
	{"data-large", "data", "/#data=copies/products/p-01", `setTimeout(() => document.querySelector('#data-large').click(), 1000)`},
	{"data-big", "data", "/#data=copies/products/p-01", big},
	{"tour-list", "tour", "/walkthrough", tourTo("one-dies", "kill", keptTold)},
	{"tour-ask", "tour", "/walkthrough/one-dies", tourTo("one-dies", "kill", "{}")},
	{"tour-deed", "tour", "/walkthrough/one-dies", tourTo("one-dies", "kill", keptGuess)},
	{"tour-told", "tour", "/walkthrough/one-dies", tourTo("one-dies", "kill", keptTold)},
	{"tour-cost", "tour", "/walkthrough/one-dies", tourTo("one-dies", "why", "{}")},
	{"tour-data", "tour", "/walkthrough/copies-serve", tourTo("copies-serve", "behind", "{}")},
	{"tour-patterns", "tour", "/walkthrough/copies-serve", tourTo("copies-serve", "kill", "{}")},
	{"tour-end", "tour", "/walkthrough/one-dies", tourEnd},
	{"tour-big", "tour", "/walkthrough/one-dies", big + ", " + tourTo("one-dies", "kill", "{}")},
	{"tour-big-told", "tour", "/walkthrough/one-dies", big + ", " + tourTo("one-dies", "kill", keptTold)},
	{"keys", "outage", "", `document.querySelector('#keys').click()`},
	{"big", "outage", "", big},
	{"big-lens", "outage", "/#pattern=copies", big},
	{"big-slow", "slow", "", big},
}

// TestLook photographs the page in its states, sizes and themes.
func TestLook(t *testing.T) {
	if *look == "" {
		t.Skip("makes pictures; -look FOLDER runs it")
	}
	ctx := tab(t)
	for _, scene := range scenes {
		if *lookOnly != "" && scene.name != *lookOnly {
			continue
		}
		l := panelLab(t, strings.Replace(scene.frame, "tour", "calm", 1))
		switch scene.frame {
		case "data":
			l = newDataLab(t, scene.frame).lab
		case "tour":
			l = newTourLab(t, "data").lab
		}
		for _, s := range []struct {
			name          string
			width, height int64
		}{{"wide", 1440, 900}, {"phone", 390, 844}, {"hall", 1920, 1080}, {"small", 1280, 720}, {"4k", 3840, 2160}} {
			if scene.name != "calm" && scene.name != "slow-cost" && scene.name != "more" && scene.name != "data-copies" && scene.name != "big" && scene.name != "tour-ask" && scene.name != "tour-big" && s.name != "wide" && s.name != "phone" {
				continue
			}
			for _, theme := range []string{"dark", "light"} {
				open(t, ctx, l.URL+scene.path, s.width, s.height)
				holds(t, ctx, `(localStorage.clear(), true)`)
				if scene.do != "" {
					holds(t, ctx, "("+scene.do+", true)")
				}
				shot(t, ctx, theme, s.width < 640 && (scene.path == "" || strings.HasPrefix(scene.path, "/#pattern")), filepath.Join(*look, scene.name+"-"+s.name+"-"+theme+".png"))
			}
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
