package main

import (
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/stillup/stillup/"

// folders lists the module's folders that hold Go code, relative to the root.
func folders(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		switch d.Name() {
		case ".git", "node_modules", "testdata", "bin", "data":
			return fs.SkipDir
		}
		if files, _ := filepath.Glob(filepath.Join(path, "*.go")); len(files) > 0 {
			dirs = append(dirs, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

// TestImports holds the rules of ARCHITECTURE.md: who may import whom, of our own packages, outside tests.
func TestImports(t *testing.T) {
	shared := []string{"streams", "services/shop", "services/chassis", "services/outbox"}
	for _, dir := range folders(t) {
		p, err := build.ImportDir(dir, 0)
		if err != nil {
			if _, none := err.(*build.NoGoError); none {
				continue
			}
			t.Fatal(err)
		}
		var may []string
		helper := strings.HasSuffix(dir, "test")
		switch {
		case dir == "." || helper:
			continue
		case dir == "streams", dir == "viz/world", dir == "viz/socketproxy", dir == "services/shop", dir == "services/stores":
		case dir == "services":
			may = append(shared, "services/")
		case strings.HasPrefix(dir, "services/"):
			may = shared
		case dir == "viz":
			may = []string{"viz/", "web"}
		case dir == "viz/tap":
			may = []string{"viz/world", "streams"}
		case strings.HasPrefix(dir, "viz/"), dir == "web":
			may = []string{"viz/world"}
		default:
			t.Errorf("%s: no rule for this folder; code lives in services, viz, streams and web", dir)
		}
		for _, imported := range p.Imports {
			own, ours := strings.CutPrefix(imported, module)
			if !ours || strings.HasPrefix(own, dir+"/") {
				continue
			}
			allowed := false
			for _, m := range may {
				allowed = allowed || own == m || strings.HasSuffix(m, "/") && strings.HasPrefix(own, m)
			}
			if !allowed {
				t.Errorf("%s imports %s; it may import %v", dir, own, may)
			}
		}
	}
}

// TestPackagesAreDocumented: the package comment says in a sentence what the package is for.
func TestPackagesAreDocumented(t *testing.T) {
	for _, dir := range folders(t) {
		p, err := build.ImportDir(dir, 0)
		if err == nil && p.Doc == "" {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

// TestTopLevel: what stands at the root is what was asked for.
func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	code := map[string]bool{"services": true, "viz": true, "streams": true, "web": true, "docs": true, "bin": true, "data": true}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !code[e.Name()] {
			t.Errorf("folder %s at the top level", e.Name())
		}
	}
}
