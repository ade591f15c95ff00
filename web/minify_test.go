package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// What scripts and style sheets may weigh, in bytes, uncompressed as served: those that a fresh page loads until it stands,
// and all together with those that it loads once they are wanted.
const (
	mostAtFirst = 150_000
	mostServed  = 370_000
)

// TestWeightServed: the page's files stay small, and what is sent of each is not what stands in the source.
func TestWeightServed(t *testing.T) {
	served := map[string]int{}
	source, all := 0, 0
	for _, pattern := range []string{"static/js/*.js", "static/css/*.css"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			res, body := get(t, of("{}"), "/"+name)
			if res.StatusCode != http.StatusOK || body == "" || len(body) >= len(b) {
				t.Errorf("%s: status %d, %d bytes of %d", name, res.StatusCode, len(body), len(b))
			}
			served["/"+name] = len(body)
			source += len(b)
			all += len(body)
		}
	}
	ctx := tab(t)
	open(t, ctx, newLab(t, "calm").URL, 1440, 900)
	holds(t, ctx, `document.readyState === 'complete' && document.querySelectorAll('#lines .edge.busy').length > 0 && document.querySelectorAll('#events tr[data-event]').length > 0`)
	loaded := evaluate[map[string]int](t, ctx, `Object.fromEntries(performance.getEntriesByType('resource').map((e) => [new URL(e.name).pathname, e.decodedBodySize]))`)
	first, files := 0, 0
	for path, size := range loaded {
		want, ok := served[path]
		if !ok {
			continue
		}
		if size != want {
			t.Errorf("%s: the browser had %d bytes of %d", path, size, want)
		}
		first += size
		files++
	}
	t.Logf("scripts and styles: %d bytes in %d files at first; all: %d in %d, in the source %d", first, files, all, len(served), source)
	if files < 50 || files == len(served) {
		t.Errorf("a fresh page loaded %d of %d files: that cannot be", files, len(served))
	}
	if first > mostAtFirst {
		t.Errorf("a fresh page loads %d bytes of scripts and styles, at most %d are promised", first, mostAtFirst)
	}
	if all > mostServed {
		t.Errorf("all scripts and styles are %d bytes, at most %d are meant", all, mostServed)
	}
}

// TestModulesAsServed: what browsers get can be imported, each module of it, and the module tests hold over it as they do
// over the source.
func TestModulesAsServed(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("the page's module tests need node 20 or later on the PATH (Debian: apt-get install nodejs)")
	}
	dir := t.TempDir()
	var imports strings.Builder
	// What a browser has and modules touch when they are imported.
	imports.WriteString("globalThis.location = { hash: '' };\nglobalThis.addEventListener = () => {};\n")
	for _, folder := range []string{"static/js", "tests", "testdata"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
		names, err := filepath.Glob(folder + "/*")
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files, %v", folder, len(names), err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if folder == "static/js" {
				_, body := get(t, of("{}"), "/"+name)
				b = []byte(body)
				if base := path.Base(name); base != "main.js" && base != "again.js" { // which need the page at once; the browser tests load them
					fmt.Fprintf(&imports, "await import('./%s');\n", name)
				}
			}
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"type":"module"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "imports.mjs"), []byte(imports.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	tests, err := filepath.Glob(filepath.Join(dir, "tests", "*.test.mjs"))
	if err != nil || len(tests) == 0 {
		t.Fatalf("no module tests: %v", err)
	}
	for _, args := range [][]string{{"imports.mjs"}, append([]string{"--test"}, tests...)} {
		cmd := exec.Command(node, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}

func TestClosedUp(t *testing.T) {
	for _, c := range [][2]string{
		{"a { b: c; }", "a{b:c}"},
		{"a > b, c  >d { }", "a>b,c>d{}"},
		{"a :hover, a:hover { b: c; } /* d */ e { f: g }", "a :hover,a:hover{b:c}e{f:g}"},
		{"a { b: 0.5; c: 10.5px -0.2px 0.25em; d: rgb(0 0 0 / 0.5); e: calc(0.1px - 0.2px); f: 0; }", "a{b:.5;c:10.5px -.2px .25em;d:rgb(0 0 0 / .5);e:calc(.1px - .2px);f:0}"},
		{"a { --b: 0.5 > 0; c: 0.5; --d: e; }", "a{--b: 0.5 > 0;c:.5;--d: e}"},
		{`a::after { content: "x: 0.5 > ; }"; }`, `a::after{content:"x: 0.5 > ; }"}`},
		{"@media (min-width: 1px) { a { b: c; } }", "@media (min-width:1px){a{b:c}}"},
		{"a-0.b { c: d1 0.5px }", "a-0.b{c:d1 .5px}"},
	} {
		if got := string(closedUp([]byte(c[0]))); got != c[1] {
			t.Errorf("%s: %s, not %s", c[0], got, c[1])
		}
	}
}

// TestStylesAsServed: a browser reads the same rules from what is served as from the source.
func TestStylesAsServed(t *testing.T) {
	ctx, cancel := context.WithTimeout(tab(t), 30*time.Second)
	defer cancel()
	files, err := filepath.Glob("static/css/*.css")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d style sheets, %v", len(files), err)
	}
	// Texts of custom properties and of the conditions of rules stay as written: there white space is no difference.
	const rules = `((css) => { const s = new CSSStyleSheet(); s.replaceSync(css);
		return [...s.cssRules].map((r) => r.cssText.replace(/\s+/g, '')).join('\n'); })`
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, body := get(t, of("{}"), "/"+name)
		var read [2]string
		for i, css := range []string{string(b), body} {
			text, err := json.Marshal(css)
			if err != nil {
				t.Fatal(err)
			}
			if read[i], err = chromedp.Run(ctx, chromedp.Evaluate[string](rules+"("+string(text)+")")); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if read[0] != read[1] || read[0] == "" {
			t.Errorf("%s: the source is read as\n%s\nwhat is served as\n%s", name, read[0], read[1])
		}
	}
}
