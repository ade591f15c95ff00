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
		replicas          bool
	}{
		{"6-fast", 6, 6, "", false}, {"20", 20, 100, "", false}, {"60", 60, 100, "", false}, {"60-near", 60, 100, `document.querySelector('#zoom-in').click(), document.querySelector('#zoom-in').click(), document.querySelector('#zoom-in').click(), document.querySelector('#zoom-in').click()`, false},
		{"20-open", 20, 100, `document.querySelector('.band').click()`, false},
		{"20-found", 20, 100, `(() => { const i = document.querySelector('#search'); i.value = 'pay'; i.dispatchEvent(new Event('input')); })()`, false},
		{"60-table", 60, 100, `document.querySelector('#as-table').click()`, false},
		{"200", 200, 100, "", false},
		{"12-replicas", 12, 20, "", true}, {"20-replicas", 20, 20, "", true}, {"20-replicas-near", 20, 20, `(() => { for (let i = 0; i < 3; i++) document.querySelector('#zoom-in').click(); document.querySelector('.card[data-node="users"]').dispatchEvent(new CustomEvent('reveal', { bubbles: true, cancelable: true })); })()`, true},
	} {
		if *lookOnly != "" && big.name != *lookOnly {
			continue
		}
		frame := invented(t, big.services, big.streams)
		if big.replicas {
			frame = replicated(t, frame)
		}
		l := labOver(t, frame)
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
