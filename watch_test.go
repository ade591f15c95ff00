package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadChapters: the sample has its own, a folder is taken as it is, and another system has none.
func TestReadChapters(t *testing.T) {
	own := t.TempDir()
	file := filepath.Join(own, "01-mine.yaml")
	if err := os.WriteFile(file, []byte("id: mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ system, chapters, has, wrong string }{
		{sample, "", "glossary.yaml", ""},
		{sample, own, "01-mine.yaml", ""},
		{"mine.json", own, "01-mine.yaml", ""},
		{"mine.json", "", "", ""},
		{"mine.json", file, "", "is no folder"},
		{"mine.json", filepath.Join(own, "none"), "", "--chapters: "},
	} {
		got, err := readChapters(vizOptions{system: c.system, chapters: c.chapters})
		switch {
		case c.wrong != "":
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%+v: %v", c, err)
			}
		case err != nil || (got == nil) != (c.has == ""):
			t.Errorf("%+v: %v, %v", c, got, err)
		case got != nil:
			if _, err := fs.Stat(got, c.has); err != nil {
				t.Errorf("%+v: %v", c, err)
			}
		}
	}
}
