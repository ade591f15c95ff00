package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// dropUnborn deletes what FerretDB had only begun when it was killed. It makes a database's file first and its table of
// collections after, and refuses to start for ever where the second is missing; it makes a collection's table first and
// lists it after, and fails for ever to make it again. Neither holds anything, since a collection is listed before it
// has a document.
func dropUnborn(ctx context.Context, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.sqlite"))
	if err != nil {
		return err
	}
	for _, path := range files {
		born, err := born(ctx, path)
		if err != nil {
			return fmt.Errorf("look into %s: %w", path, err)
		}
		if born {
			if err := dropUnlisted(ctx, path); err != nil {
				return fmt.Errorf("tidy %s: %w", path, err)
			}
			continue
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// born says whether the database has its table of collections.
func born(ctx context.Context, path string) (bool, error) {
	db, err := sql.Open("sqlite", sqliteURL(path))
	if err != nil {
		return false, err
	}
	defer db.Close()
	var n int
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '_ferretdb_collections'`).Scan(&n)
	return n > 0, err
}

// dropUnlisted drops the collections' tables that are not in the table of collections.
func dropUnlisted(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", sqliteURL(path))
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\_ferretdb\_%' ESCAPE '\'
		AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT IN (SELECT table_name FROM _ferretdb_collections)`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var unlisted []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		unlisted = append(unlisted, name)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, name := range unlisted {
		if _, err := db.ExecContext(ctx, fmt.Sprintf(`DROP TABLE %q`, name)); err != nil {
			return err
		}
	}
	return nil
}
