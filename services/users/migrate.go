package users

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/stillup/stillup/services/chassis"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

const (
	// migrationTries is how often a migration asks for the table, migrationPause apart; whoever uses it at length goes first.
	migrationTries = 20
	migrationPause = 250 * time.Millisecond
	// migrationTimeout bounds one try.
	migrationTimeout = 10 * time.Second
)

// say is what the end of a migration says.
var say = map[schema]string{
	schema1: "users has schema 1: name, email",
	schema2: "users has schema 2: given_name, family_name, email_address",
}

// goose runs with goose, one replica at a time, and tells how many migrations were applied.
func (s *store) goose(ctx context.Context, run func(ctx context.Context, p *goose.Provider) ([]*goose.MigrationResult, error)) (int, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return 0, err
	}
	const second, tries = 1, 8
	alone, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(second, tries))
	if err != nil {
		return 0, err
	}
	db := stdlib.OpenDBFromPool(s.pool)
	defer db.Close() // the pool stays open
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(alone),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return 0, err
	}
	done, err := run(ctx, p)
	return len(done), err
}

// makeTable brings an empty store to schema 1, takes on one that was made before there were migrations, and leaves one of
// schema 2 as it is.
func (s *store) makeTable(ctx context.Context) error {
	_, err := s.goose(ctx, func(ctx context.Context, p *goose.Provider) ([]*goose.MigrationResult, error) {
		return p.UpTo(ctx, int64(schema1))
	})
	if err != nil {
		return fmt.Errorf("make tables: %w", err)
	}
	return nil
}

// migration is the job that brings the table to a schema while the service answers. It is one transaction: whatever cuts
// it off, the table has one schema or the other.
func (s *store) migration(to schema) func(ctx context.Context, report *chassis.Report) error {
	return func(ctx context.Context, report *chassis.Report) error {
		if _, err := s.ready(); err != nil {
			return err
		}
		n, err := s.count(ctx)
		if err != nil {
			return err
		}
		report.Expect(n)
		report.Say("users gets schema %d, in one transaction", to)
		done, err := s.migrate(ctx, to, report)
		if err != nil {
			return err
		}
		s.schema.Store(int64(to))
		if done == 0 {
			report.Expect(0)
		} else {
			report.Add(n)
		}
		report.Say("%s", say[to])
		return nil
	}
}

// migrate tries until the table is free for as long as it takes, and tells how many migrations were applied.
func (s *store) migrate(ctx context.Context, to schema, report *chassis.Report) (done int, err error) {
	for try := range migrationTries {
		done, err = s.tryMigrate(ctx, to)
		if !lockTimedOut(err) {
			return done, err
		}
		report.Say("users is in use; tried %d times of %d", try+1, migrationTries)
		select {
		case <-time.After(migrationPause):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return 0, fmt.Errorf("users was in use all the time, so nothing is changed: %w", err)
}

func (s *store) tryMigrate(ctx context.Context, to schema) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, migrationTimeout)
	defer cancel()
	return s.goose(ctx, func(ctx context.Context, p *goose.Provider) ([]*goose.MigrationResult, error) {
		if to == schema1 {
			return p.DownTo(ctx, int64(schema1))
		}
		return p.UpTo(ctx, int64(to))
	})
}

// lockTimedOut says whether the migration gave up waiting for the table.
func lockTimedOut(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && said.Code == "55P03"
}
