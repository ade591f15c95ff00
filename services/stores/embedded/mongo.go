package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/FerretDB/FerretDB/ferretdb"
	"golang.org/x/sync/errgroup"
)

// serveMongo serves FerretDB on addr until ctx ends, its SQLite files in dir. A write that it has acknowledged survives
// the death of the process: SQLite's log has it, in the hands of the operating system.
func serveMongo(ctx context.Context, addr, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("mongod: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("mongod: %w", err)
	}
	// A Unix socket's path is short by law: it is named relative to the folder. A killed engine leaves it behind.
	if err := os.Chdir(dir); err != nil {
		return fmt.Errorf("mongod: %w", err)
	}
	if err := os.Remove(engineSocket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("mongod: %w", err)
	}
	if err := dropUnborn(ctx, dir); err != nil {
		return fmt.Errorf("mongod: %w", err)
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("mongod: %w", err)
	}
	defer ln.Close()
	db, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: engineSocket},
		Logger:    slog.New(slog.DiscardHandler),
		Handler:   "sqlite",
		SQLiteURL: sqliteURL(dir + "/"),
	})
	if err != nil {
		return fmt.Errorf("mongod: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return db.Run(ctx) })
	g.Go(func() error {
		x := indexer{dir: dir, done: map[[2]string]bool{}}
		return (&atomic{upstream: engineSocket, written: x.written}).serve(ctx, ln)
	})
	return g.Wait()
}

// engineSocket is where FerretDB itself listens, in the data folder; clients come through [atomic].
const engineSocket = "ferretdb.sock"

// sqliteURL is path as SQLite opens it here.
func sqliteURL(path string) string {
	u := url.URL{Scheme: "file", Path: path, OmitHost: true, RawQuery: url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(wal)", "synchronous(normal)", "auto_vacuum(none)",
	}}.Encode()}
	return u.String()
}
