//go:build containers

package main

import (
	"archive/tar"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// rootfs is the file system of an image, put together from this machine's own files. What is in it stays the same for the
// same files, so that an image is only built anew when something has changed.
type rootfs struct {
	t    *testing.T
	dir  string   // what the engine is given to build it from
	body *os.File // rootfs.tar in dir: up to a gigabyte, so not kept in memory
	tar  *tar.Writer
	has  map[string]bool
}

func newRootfs(t *testing.T) *rootfs {
	t.Helper()
	r := &rootfs{t: t, dir: t.TempDir(), has: map[string]bool{"": true}}
	var err error
	if r.body, err = os.Create(filepath.Join(r.dir, "rootfs.tar")); err != nil {
		t.Fatal(err)
	}
	r.tar = tar.NewWriter(r.body)
	return r
}

// add puts an entry in, after the folders above it. What is there already stays.
func (r *rootfs) add(h tar.Header, content []byte) {
	r.t.Helper()
	h.Name = strings.TrimPrefix(h.Name, "/")
	if r.has[h.Name] {
		return
	}
	if above := path.Dir(h.Name); above != "." {
		r.add(tar.Header{Name: above, Typeflag: tar.TypeDir, Mode: 0o755}, nil)
	}
	r.has[h.Name] = true
	h.Size = int64(len(content))
	if err := r.tar.WriteHeader(&h); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.tar.Write(content); err != nil {
		r.t.Fatal(err)
	}
}

// folder makes an empty folder that belongs to id, which is a user and a group alike.
func (r *rootfs) folder(name string, mode int64, id int) {
	r.t.Helper()
	r.add(tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: mode, Uid: id, Gid: id}, nil)
}

// text makes a file; a script is one that everybody may run.
func (r *rootfs) text(name string, mode int64, content string) {
	r.t.Helper()
	r.add(tar.Header{Name: name, Mode: mode}, []byte(content))
}

// file copies one of this machine's files to name, through symbolic links.
func (r *rootfs) file(name, from string) {
	r.t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		r.t.Fatal(err)
	}
	info, err := os.Stat(from)
	if err != nil {
		r.t.Fatal(err)
	}
	r.add(tar.Header{Name: name, Mode: int64(info.Mode().Perm())}, content)
}

// tree copies a folder to the same place, but for what skip names by its path.
func (r *rootfs) tree(dir string, skip func(path string) bool) {
	r.t.Helper()
	r.treeAs(dir, func(path string) string { return path }, skip)
}

// treeAs is tree to another place.
func (r *rootfs) treeAs(dir string, as func(path string) string, skip func(path string) bool) {
	r.t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case skip != nil && skip(path) && d.IsDir():
			return fs.SkipDir
		case skip != nil && skip(path) || d.IsDir():
			return nil
		}
		r.file(as(path), path)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

var library = regexp.MustCompile(`(/\S+) \(0x`)

// program copies a program to name and the libraries that it is linked with to where they are here.
func (r *rootfs) program(name, from string) {
	r.t.Helper()
	r.file(name, from)
	out, err := exec.Command("ldd", from).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && strings.Contains(string(out), "not a dynamic executable")) {
		r.t.Fatalf("ldd %s: %v: %s", from, err, out)
	}
	for _, found := range library.FindAllStringSubmatch(string(out), -1) {
		r.file(found[1], found[1])
	}
}

// found is the path of a program of this machine, by the first of its names that there is.
func found(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("this machine has no %s; make test-containers installs what is needed", strings.Join(names, ", nor "))
	return ""
}

// users names the accounts of an image.
func (r *rootfs) users(name string, id string) {
	r.t.Helper()
	r.text("/etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\n"+name+":x:"+id+":"+id+"::/:/bin/sh\n")
	r.text("/etc/group", 0o644, "root:x:0:\n"+name+":x:"+id+":\n")
	r.folder("/tmp", 0o1777, 0)
}

// build makes the image; settings are lines of a Dockerfile.
func (r *rootfs) build(image string, settings ...string) {
	r.t.Helper()
	dockerfile := "FROM scratch\nADD rootfs.tar /\nLABEL " + standInLabel + "=1\n" + strings.Join(settings, "\n") + "\n"
	err := errors.Join(r.tar.Close(), r.body.Close(), os.WriteFile(filepath.Join(r.dir, "Dockerfile"), []byte(dockerfile), 0o644))
	if err != nil {
		r.t.Fatal(err)
	}
	docker(r.t, "build", "-t", image, r.dir)
	if err := os.RemoveAll(r.dir); err != nil {
		r.t.Fatal(err)
	}
}
