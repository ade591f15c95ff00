package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"

	"github.com/FerretDB/FerretDB/ferretdb"
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
	slog.SetDefault(slog.New(slog.DiscardHandler))
	db, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: addr},
		Logger:    slog.New(slog.DiscardHandler),
		Handler:   "sqlite",
		SQLiteURL: sqliteURL(dir + "/"),
	})
	if err != nil {
		return fmt.Errorf("mongod: %w", err)
	}
	return db.Run(ctx)
}

// sqliteURL is path as SQLite opens it here.
func sqliteURL(path string) string {
	u := url.URL{Scheme: "file", Path: path, OmitHost: true, RawQuery: url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(wal)", "synchronous(normal)", "auto_vacuum(none)",
	}}.Encode()}
	return u.String()
}
