package outbox

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stillup/stillup/streams"
)

// Postgres is a table outbox in the owner's database; events are added in the caller's own transaction.
type Postgres struct {
	pool *pgxpool.Pool

	mu   sync.Mutex
	wake func()
	lead *advisory // nil: no connection for the lead
}

// The table's columns ms and seq are the entry id's numbers, null while unsent.
const postgresTable = `
CREATE TABLE IF NOT EXISTS outbox (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	event text NOT NULL,
	ms bigint,
	seq bigint,
	published_at timestamptz
);
CREATE INDEX IF NOT EXISTS outbox_unsent ON outbox (id) WHERE ms IS NULL;
CREATE INDEX IF NOT EXISTS outbox_sent ON outbox (ms, seq) WHERE ms IS NOT NULL;`

// advisoryLock is the number of the lock that its relay holds, and of the one under which the table is made. Such locks
// are a database's own.
const advisoryLock = 0x6f7574626f78 // "outbox"

// NewPostgres makes the table and its indexes where they are missing. The error of a database that does not answer is
// worth another try.
func NewPostgres(ctx context.Context, pool *pgxpool.Pool) (*Postgres, error) {
	// Two replicas that start at once would both create; IF NOT EXISTS does not keep them apart.
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(advisoryLock+1)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, postgresTable)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("outbox: make table outbox: %w", err)
	}
	return &Postgres{pool: pool}, nil
}

// Add adds events in order to the caller's transaction. Call it after the statement that changes the subject's row: that
// row's lock is what keeps the events of one subject in commit order. The relay hears of the commit by NOTIFY.
func (p *Postgres) Add(ctx context.Context, tx pgx.Tx, events ...streams.Event) error {
	if len(events) == 0 {
		return nil
	}
	texts := make([]string, len(events))
	for i, e := range events {
		if err := e.Validate(); err != nil {
			return fmt.Errorf("outbox: add event %q: %w", e.ID, err)
		}
		texts[i] = string(e.AppendJSON(nil))
	}
	_, err := tx.Exec(ctx, `WITH told AS (SELECT pg_notify('outbox', ''))
		INSERT INTO outbox (event) SELECT e FROM unnest($1::text[]) WITH ORDINALITY AS t(e, n), told ORDER BY n`, texts)
	if err != nil {
		return fmt.Errorf("outbox: add %d events: %w", len(events), err)
	}
	return nil
}

// Unsent implements [Store]. It asks for what is not marked and not for ids above the last, which would skip a
// transaction that took its id early and committed late.
func (p *Postgres) Unsent(ctx context.Context, limit int) ([]Record, error) {
	rows, err := p.pool.Query(ctx, `SELECT id, event FROM outbox WHERE ms IS NULL ORDER BY id LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("outbox: unsent: %w", err)
	}
	recs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Record, error) {
		var id int64
		var text string
		if err := row.Scan(&id, &text); err != nil {
			return Record{}, err
		}
		return parseEvent(strconv.FormatInt(id, 10), text)
	})
	if err != nil {
		return nil, fmt.Errorf("outbox: unsent: %w", err)
	}
	return recs, nil
}

// Sent implements [Store].
func (p *Postgres) Sent(ctx context.Context, recs []Record) error {
	ids, ms, seq := make([]int64, len(recs)), make([]int64, len(recs)), make([]int64, len(recs))
	for i, rec := range recs {
		id, err := strconv.ParseInt(rec.Key, 10, 64)
		if err != nil {
			return fmt.Errorf("outbox: mark record %q: %w", rec.Key, err)
		}
		e, err := parseEntryID(rec.EntryID)
		if err != nil {
			return fmt.Errorf("outbox: mark record %q: %w", rec.Key, err)
		}
		ids[i], ms[i], seq[i] = id, e.ms, e.seq
	}
	_, err := p.pool.Exec(ctx, `UPDATE outbox SET ms = t.ms, seq = t.seq, published_at = now()
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS t(id, ms, seq) WHERE outbox.id = t.id`, ids, ms, seq)
	if err != nil {
		return fmt.Errorf("outbox: mark %d records: %w", len(recs), err)
	}
	return nil
}

// LastSent implements [Store].
func (p *Postgres) LastSent(ctx context.Context) (string, error) {
	rows, err := p.pool.Query(ctx, `SELECT ms, seq FROM outbox WHERE ms IS NOT NULL ORDER BY ms DESC, seq DESC LIMIT 1`)
	if err != nil {
		return "", fmt.Errorf("outbox: last sent: %w", err)
	}
	last, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e entryID, err error) {
		return e, row.Scan(&e.ms, &e.seq)
	})
	if err != nil {
		return "", fmt.Errorf("outbox: last sent: %w", err)
	}
	if len(last) == 0 {
		return "", nil
	}
	return last[0].String(), nil
}

// Rewind implements [Store].
func (p *Postgres) Rewind(ctx context.Context, after string) (int, error) {
	e, err := parseEntryID(after)
	if err != nil {
		return 0, fmt.Errorf("outbox: rewind: %w", err)
	}
	done, err := p.pool.Exec(ctx, `UPDATE outbox SET ms = NULL, seq = NULL, published_at = NULL
		WHERE ms IS NOT NULL AND (ms, seq) > ($1, $2)`, e.ms, e.seq)
	if err != nil {
		return 0, fmt.Errorf("outbox: rewind to %s: %w", e, err)
	}
	return int(done.RowsAffected()), nil
}

// Prune implements [Store].
func (p *Postgres) Prune(ctx context.Context, keep int) error {
	_, err := p.pool.Exec(ctx, `DELETE FROM outbox WHERE ms IS NOT NULL AND (ms, seq) <=
		(SELECT ms, seq FROM outbox WHERE ms IS NOT NULL ORDER BY ms DESC, seq DESC OFFSET $1 LIMIT 1)`, keep)
	if err != nil {
		return fmt.Errorf("outbox: prune: %w", err)
	}
	return nil
}
