package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fixture is an invented full frame of the shop: calm, with what a state changes of it (parts are found by their key, the
// fields that are named are replaced). outage: catalog dead, purchases paused with a pile. slow: catalog answers 300 ms
// later. bus-cut: nothing gets to the bus. worst: nearly all is dead, fails, waits or is unknown. replicas: some services run
// more than once, and what is used is known. looking: nothing can be acted on. data: what stores hold is known, one of them is
// dead, and a stream was cut before it was read.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	frame := readJSON(t, "calm")
	if name != "calm" {
		for k, v := range readJSON(t, name) {
			overlay(frame, k, v)
		}
	}
	b, err := json.Marshal(frame)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func overlay(frame map[string]any, k string, v any) {
	parts, ok := v.([]any)
	if !ok {
		if old, ok := frame[k].(map[string]any); ok {
			maps.Copy(old, v.(map[string]any))
		} else {
			frame[k] = v
		}
		return
	}
	all, _ := frame[k].([]any) // of a kind of part that calm has none of
	for _, part := range parts {
		i := slices.IndexFunc(all, func(old any) bool { return partKey(old) == partKey(part) })
		if i < 0 {
			all = append(all, part)
			continue
		}
		maps.Copy(all[i].(map[string]any), part.(map[string]any))
	}
	frame[k] = all
}

func partKey(part any) string {
	p := part.(map[string]any)
	for _, k := range []string{"id", "name", "seq"} {
		if v, ok := p[k]; ok {
			return fmt.Sprint(v)
		}
	}
	if node, ok := p["node"]; ok {
		return fmt.Sprint(node, "/", p["kind"])
	}
	return fmt.Sprint(p["feature"], "/", p["pattern"])
}

func readJSON(t testing.TB, name string) map[string]any {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%s.json: %v", name, err)
	}
	return v
}

func get(t *testing.T, o Options, path string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler(o).ServeHTTP(w, r)
	res := w.Result()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func of(state string) Options {
	return Options{State: func() ([]byte, error) { return []byte(state), nil }}
}

func TestPage(t *testing.T) {
	res, body := get(t, of(string(fixture(t, "outage"))), "/")
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("status %d, type %q", res.StatusCode, res.Header.Get("Content-Type"))
	}
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'self'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	for _, bad := range []string{" style=", " onclick=", "<style", "javascript:"} {
		if strings.Contains(body, bad) {
			t.Errorf("the page has %q, which its policy refuses", bad)
		}
	}
	if !strings.Contains(body, `<script id="state" type="application/json">`) {
		t.Error("the page has no data block")
	}
}

// TestEveryFileOfThePageIsServed follows the page's own links and the modules' imports.
func TestEveryFileOfThePageIsServed(t *testing.T) {
	_, body := get(t, of(`{"rev":1}`), "/")
	want := map[string]bool{}
	for _, part := range strings.Split(body, `"`) {
		if strings.HasPrefix(part, "/static/") {
			want[part] = true
		}
	}
	modules, err := filepath.Glob("static/js/*.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range modules {
		b, err := os.ReadFile(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(b), `'`) {
			if strings.HasPrefix(part, "./") && strings.HasSuffix(part, ".js") && !strings.ContainsAny(part, " \n") {
				want["/static/js/"+part[2:]] = true
			}
		}
	}
	if len(want) < 20 {
		t.Fatalf("only %d files found: %v", len(want), want)
	}
	for path := range want {
		if res, _ := get(t, of("{}"), path); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}

func TestStatic(t *testing.T) {
	for path, kind := range map[string]string{
		"/static/js/main.js":   "text/javascript; charset=utf-8",
		"/static/css/base.css": "text/css; charset=utf-8",
		"/static/icon.svg":     "image/svg+xml",
	} {
		res, body := get(t, of("{}"), path)
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != kind || body == "" {
			t.Errorf("%s: status %d, type %q, %d bytes", path, res.StatusCode, res.Header.Get("Content-Type"), len(body))
		}
		if res.Header.Get("Cache-Control") != "no-cache" || res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, res.Header)
		}
		tag := res.Header.Get("ETag")
		if again, _ := get(t, of("{}"), path, "If-None-Match", tag); tag == "" || again.StatusCode != http.StatusNotModified {
			t.Errorf("%s: with its ETag %s: %d", path, tag, again.StatusCode)
		}
	}
	for _, path := range []string{"/static/", "/static/js/", "/static/js/none.js", "/static/../web.go", "/nothing"} {
		if res, _ := get(t, of("{}"), path); res.StatusCode == http.StatusOK {
			t.Errorf("%s: served", path)
		}
	}
}

// TestHostileStrings: the data block gives back exactly what was put in, and nothing in it ends the block.
func TestHostileStrings(t *testing.T) {
	hostile := "</script><script>alert(1)</script><!-- \u2028 & ' \""
	state, err := json.Marshal(map[string]any{"rev": 1, "notes": []string{hostile}})
	if err != nil {
		t.Fatal(err)
	}
	raw := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(state)) // as an encoder without HTML escapes writes it
	_, body := get(t, of(raw), "/")
	_, after, _ := strings.Cut(body, `<script id="state" type="application/json">`)
	block, _, found := strings.Cut(after, "</script>")
	if !found {
		t.Fatal("no data block")
	}
	var got struct{ Notes []string }
	if err := json.Unmarshal([]byte(block), &got); err != nil {
		t.Fatalf("%v in %q", err, block)
	}
	if len(got.Notes) != 1 || got.Notes[0] != hostile {
		t.Errorf("got %q", got.Notes)
	}
}

func TestStateFails(t *testing.T) {
	for name, o := range map[string]Options{
		"error":    {State: func() ([]byte, error) { return nil, errors.New("no world") }},
		"not JSON": of("{"),
	} {
		res, body := get(t, o, "/")
		if res.StatusCode != http.StatusInternalServerError || strings.Contains(body, "<html") {
			t.Errorf("%s: %d %q", name, res.StatusCode, body)
		}
	}
}

// TestModules runs the tests of the pure ES modules.
func TestModules(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("the page's module tests need node 20 or later on the PATH (Debian: apt-get install nodejs)")
	}
	tests, err := filepath.Glob("tests/*.test.mjs")
	if err != nil || len(tests) == 0 {
		t.Fatalf("no module tests: %v", err)
	}
	out, err := exec.Command(node, append([]string{"--test"}, tests...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
