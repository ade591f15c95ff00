package web

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed static
var static embed.FS

// types of what is served; the system's own table may lack or misname them.
var types = map[string]string{
	".js":  "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
}

// asset is one file ready to be sent.
type asset struct {
	body, tag, kind string
}

// assets are the embedded files by path, minified once for the whole process.
var assets = sync.OnceValue(func() map[string]asset {
	all := map[string]asset{}
	err := fs.WalkDir(static, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := static.ReadFile(name)
		if err != nil {
			return err
		}
		if b, err = minified(name, b); err != nil {
			return err
		}
		all["/"+name] = asset{body: string(b), tag: fmt.Sprintf(`"%x"`, sha256.Sum256(b))[:18] + `"`, kind: types[path.Ext(name)]}
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("embedded files: %v", err)) // only a broken build gets here
	}
	return all
})

// files serves the embedded files. Each has the digest of what is sent as ETag and is asked for anew every time
// (no-cache), so that a new version is seen at once and an old one costs a 304.
func files() http.Handler {
	assets := assets()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := assets[r.URL.Path]
		if !ok || a.kind == "" {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("ETag", a.tag)
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Type", a.kind)
		h.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, r.URL.Path, time.Time{}, strings.NewReader(a.body))
	})
}
