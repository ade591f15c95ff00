package workloads

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// scratch is what the measurements call their own in a store: a schema, a database, a prefix of keys.
const scratch = "stillup_workloads"

type postgres struct{ pool *pgxpool.Pool }

func openPostgres(url string) (engine, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("its address cannot be read")
	}
	c.MaxConns, c.ConnConfig.ConnectTimeout = workers, opWithin
	pool, err := pgxpool.NewWithConfig(context.Background(), c)
	if err != nil {
		return nil, err
	}
	return &postgres{pool}, nil
}

func (p *postgres) close() { p.pool.Close() }

func (p *postgres) clean(ctx context.Context) error {
	_, err := p.pool.Exec(ctx, "drop schema if exists "+scratch+" cascade")
	return err
}

func (p *postgres) prepare(ctx context.Context) error {
	_, err := p.pool.Exec(ctx, `drop schema if exists stillup_workloads cascade;
		create schema stillup_workloads;
		create table stillup_workloads.counter (id int primary key, n bigint not null);
		insert into stillup_workloads.counter values (1, 0);
		create table stillup_workloads.documents (id int primary key, doc jsonb not null);
		create table stillup_workloads.users (id int primary key, name text not null);
		create table stillup_workloads.products (id int primary key, name text not null);
		create table stillup_workloads.orders (
			id bigint primary key,
			user_id int not null references stillup_workloads.users,
			product_id int not null references stillup_workloads.products);
		insert into stillup_workloads.users select i, 'user ' || i from generate_series(0, 199) i;
		insert into stillup_workloads.products select i, 'product ' || i from generate_series(0, 199) i`)
	if err != nil {
		return err
	}
	_, err = p.pool.CopyFrom(ctx, pgx.Identifier{scratch, "documents"}, []string{"id", "doc"},
		pgx.CopyFromSlice(subjects, func(i int) ([]any, error) { return []any{i, productOf(i)}, nil }))
	return err
}

func (p *postgres) count(ctx context.Context) error {
	_, err := p.pool.Exec(ctx, "update stillup_workloads.counter set n = n + 1 where id = 1")
	return err
}

func (p *postgres) counted(ctx context.Context) (n int64, err error) {
	return n, p.pool.QueryRow(ctx, "select n from stillup_workloads.counter where id = 1").Scan(&n)
}

func (p *postgres) document(ctx context.Context, doc, n int) error {
	var d product
	if err := p.pool.QueryRow(ctx, "select doc from stillup_workloads.documents where id = $1", doc).Scan(&d); err != nil {
		return err
	}
	if err := d.whole(); err != nil {
		return err
	}
	_, err := p.pool.Exec(ctx, "update stillup_workloads.documents set doc = jsonb_set(doc, '{variants,1,units}', to_jsonb($2::int)) where id = $1", doc, n)
	return err
}

func (p *postgres) join(ctx context.Context, n int64, user, product int) error {
	var userName, productName string
	err := p.pool.QueryRow(ctx, `with o as (
			insert into stillup_workloads.orders (id, user_id, product_id) values ($1, $2, $3) returning user_id, product_id)
		select u.name, p.name from o join stillup_workloads.users u on u.id = o.user_id join stillup_workloads.products p on p.id = o.product_id`,
		n, user, product).Scan(&userName, &productName)
	if err != nil {
		return err
	}
	return rightNames(user, product, userName, productName)
}

func (p *postgres) refuses(ctx context.Context) error {
	_, err := p.pool.Exec(ctx, "insert into stillup_workloads.orders (id, user_id, product_id) values (-1, -1, 0)")
	const foreignKey = "23503"
	if said := new(pgconn.PgError); errors.As(err, &said) && said.Code == foreignKey {
		return nil
	}
	return fmt.Errorf("an order of nobody was not refused: %w", err)
}

func (p *postgres) disk(ctx context.Context) (string, error) {
	var fsync, commit string
	err := p.pool.QueryRow(ctx, "select current_setting('fsync'), current_setting('synchronous_commit')").Scan(&fsync, &commit)
	if err != nil {
		return "", err
	}
	if fsync == "on" && commit == "on" {
		return "Every change waits for the disk.", nil
	}
	return fmt.Sprintf("Changes do not wait for the disk (fsync %s, synchronous_commit %s).", fsync, commit), nil
}

func (p *postgres) words(workload string) (how, keeps string) {
	switch workload {
	case "counter":
		return "UPDATE … SET n = n + 1: the row's lock makes the workers queue.",
			"Exact."
	case "document":
		return "SELECT of a jsonb column, then UPDATE with jsonb_set: the server changes one path and writes the whole row anew.",
			"Nothing of a neighbour's change is lost."
	}
	return "One statement: INSERT, joined with both tables by foreign key.",
		"The database refuses an order of nobody, and nobody can remove a user who has orders."
}
