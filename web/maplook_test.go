package web

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestLookBig photographs invented systems.
func TestLookBig(t *testing.T) {
	if *look == "" {
		t.Skip("makes pictures; -look FOLDER runs it")
	}
	ctx := tab(t)
	for _, big := range []struct {
		name              string
		services, streams int
		do                string
	}{
		{"6-fast", 6, 6, ""}, {"20", 20, 100, ""}, {"60", 60, 100, ""}, {"60-near", 60, 100, `document.querySelector('#zoom-in').click(), document.querySelector('#zoom-in').click(), document.querySelector('#zoom-in').click(), document.querySelector('#zoom-in').click()`},
		{"20-open", 20, 100, `document.querySelector('.band').click()`},
		{"20-found", 20, 100, `(() => { const i = document.querySelector('#search'); i.value = 'pay'; i.dispatchEvent(new Event('input')); })()`},
		{"60-table", 60, 100, `document.querySelector('#as-table').click()`},
		{"200", 200, 100, ""},
	} {
		if *lookOnly != "" && big.name != *lookOnly {
			continue
		}
		l := labOver(t, invented(t, big.services, big.streams))
		for _, s := range [][2]int64{{1440, 900}, {390, 844}} {
			for _, theme := range []string{"dark", "light"} {
				if err := chromedp.Do(ctx, chromedp.EmulateViewport(s[0], s[1]), chromedp.Navigate(l.URL)); err != nil {
					t.Fatal(err)
				}
				holds(t, ctx, fmt.Sprintf(`document.querySelectorAll('.card').length > %d || !document.querySelector('#table').hidden`, big.services))
				if big.do != "" && (s[0] > 640 || big.name == "60-table") {
					holds(t, ctx, "("+big.do+", true)")
				}
				shot(t, ctx, theme, false, filepath.Join(*look, fmt.Sprintf("big-%s-%d-%s.png", big.name, s[0], theme)))
				holds(t, ctx, `(sessionStorage.clear(), true)`)
			}
		}
	}
}
