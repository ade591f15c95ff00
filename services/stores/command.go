package stores

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Command is a store ready to be run. Run again after any kind of end, it goes on with the same data.
type Command struct {
	Path     string
	Args     []string // without the program's name; no secrets in them
	Env      []string // "KEY=value", to be added to the child's environment
	Dir      string   // working directory
	UID, GID uint32   // user to run it as; 0: the launcher's own
	// StopSignal asks for a prompt, clean end. For Postgres it is SIGINT: SIGTERM would wait for its clients for ever.
	StopSignal syscall.Signal
	URL        string // postgres://, mongodb:// or redis://, with the store's own password
}

// Prepare makes dir ready to hold a store and returns the command that serves it on the loopback port. It may be called
// again on the same folder, also after it was killed half-way, but not while the store runs: a port in use is an error
// that names it and matches syscall.EADDRINUSE. Each folder has a password of its own, made once, in a file that only
// the launcher's user can read. FerretDB knows no passwords: it answers anyone on this machine.
func (f Found) Prepare(ctx context.Context, dir string, port int) (Command, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Command{}, fmt.Errorf("prepare %s: %w", f.Engine, err)
	}
	if err := portFree(port); err != nil {
		return Command{}, fmt.Errorf("prepare %s in %s: %w", f.Engine, dir, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Command{}, fmt.Errorf("prepare %s: %w", f.Engine, err)
	}
	var cmd Command
	switch f.Engine {
	case Redis:
		cmd, err = f.prepareRedis(dir, port)
	case MongoDB:
		cmd, err = f.prepareMongo(dir, port)
	case Postgres:
		cmd, err = f.preparePostgres(ctx, dir, port)
	default:
		err = ErrUnknownEngine
	}
	if err != nil {
		return Command{}, fmt.Errorf("prepare %s in %s: %w", f.Engine, dir, err)
	}
	return cmd, nil
}

// portFree tries the port and lets go of it.
func portFree(port int) error {
	l, err := net.Listen("tcp", address(port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is in use by another program: %w", port, syscall.EADDRINUSE)
	}
	if err != nil {
		return fmt.Errorf("port %d: %w", port, err)
	}
	return l.Close()
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// password reads the store's password from dir, making it at first.
func password(dir string) (string, error) {
	path := filepath.Join(dir, "password")
	b, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(b))) > 0 {
		return strings.TrimSpace(string(b)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	random := make([]byte, 16)
	_, _ = rand.Read(random) // it never fails
	secret := hex.EncodeToString(random)
	return secret, writeFile(path, secret+"\n")
}

// writeFile replaces the file at path whole or not at all, readable by its owner only.
func writeFile(path, content string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
