package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lockName marks a folder as Stillup's own and, while its lock is held, as in use.
const lockName = "stillup.lock"

// dataFolder makes the folder of all data and returns its absolute path. The default is ./data; for root, whose stores
// run as other users, /var/lib/stillup where those could not reach ./data.
func dataFolder(dir string) (string, error) {
	chosen := dir != ""
	if !chosen {
		dir = "data"
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	if !chosen && os.Geteuid() == 0 && !reachable(filepath.Dir(dir)) {
		dir = "/var/lib/stillup"
	}
	if err := ours(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("data folder: %w; choose another with --data", err)
	}
	return dir, nil
}

// ours refuses a folder that holds somebody else's files: --fresh would delete them.
func ours(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, lockName)); err != nil {
		return fmt.Errorf("data folder %s holds files that are not Stillup's; choose an empty or new one with --data", dir)
	}
	return nil
}

// reachable says whether every user may pass through dir and all above it.
func reachable(dir string) bool {
	for {
		st, err := os.Stat(dir)
		if err != nil || st.Mode().Perm()&0o001 == 0 {
			return false
		}
		up := filepath.Dir(dir)
		if up == dir {
			return true
		}
		dir = up
	}
}

// lock takes the data folder for this process until unlock is called or the process ends, however it ends.
func lock(dir, addr string) (unlock func(), err error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := os.ReadFile(path) // best effort: it only makes the message better
		f.Close()
		return nil, fmt.Errorf("another stillup runs on %s (%s); open its page, end it, or choose another folder with --data",
			dir, strings.TrimSpace(string(holder)))
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := errors.Join(f.Truncate(0), writeAt(f, fmt.Sprintf("process %d, http://%s\n", os.Getpid(), addr))); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

func writeAt(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}

// emptyFolder deletes what earlier runs left. The caller holds the folder's lock, so nothing uses it and it is ours.
func emptyFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("--fresh: %w", err)
	}
	for _, e := range entries {
		if e.Name() == lockName {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("--fresh: %w", err)
		}
	}
	return nil
}
