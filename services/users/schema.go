package users

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// schema is the shape of the table users: the version of its migrations.
type schema int64

// In schema 2 the name is split in two, and email is called email_address.
const (
	schema1 schema = 1
	schema2 schema = 2
)

// at does something that is written for the schema that the table has. Which one that is, is remembered; where do fails for
// want of a column, the table was migrated since, maybe by another replica: it is looked at, and do done once more.
func (s *store) at(ctx context.Context, do func(v schema) error) error {
	if v := schema(s.schema.Load()); v != 0 {
		err := do(v)
		if !noColumn(err) {
			return err
		}
	}
	v, err := s.look(ctx)
	if err != nil {
		return err
	}
	return do(v)
}

// look finds out which schema the table has.
func (s *store) look(ctx context.Context) (schema, error) {
	var split bool
	err := s.pool.QueryRow(ctx, "select exists (select from pg_attribute where attrelid = 'users'::regclass "+
		"and attname = 'given_name' and not attisdropped)").Scan(&split)
	if err != nil {
		return 0, fmt.Errorf("look which schema users has: %w", err)
	}
	v := schema1
	if split {
		v = schema2
	}
	s.schema.Store(int64(v))
	return v, nil
}

// noColumn says whether the database knows a column no more.
func noColumn(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && said.Code == "42703"
}

// insert adds the user to tx; false where the id is taken.
func (v schema) insert(ctx context.Context, tx pgx.Tx, u shop.User) (bool, error) {
	sql, values := "insert into users (id, version, name, email) values ($1, $2, $3, $4)", []any{u.ID, u.Version, u.Name, u.Email}
	if v == schema2 {
		v2 := u.V2()
		sql = "insert into users (id, version, given_name, family_name, email_address) values ($1, $2, $3, $4, $5)"
		values = []any{u.ID, u.Version, v2.GivenName, v2.FamilyName, v2.EmailAddress}
	}
	tag, err := tx.Exec(ctx, sql+" on conflict (id) do nothing", values...)
	return err == nil && tag.RowsAffected() == 1, err
}

// querier is a pool, or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// read finds one user; pgx.ErrNoRows where there is none.
func (v schema) read(ctx context.Context, db querier, id string) (shop.User, error) {
	if v == schema2 {
		u := shop.UserV2{ID: id}
		err := db.QueryRow(ctx, "select given_name, family_name, email_address, version from users where id = $1", id).
			Scan(&u.GivenName, &u.FamilyName, &u.EmailAddress, &u.Version)
		return u.V1(), err
	}
	u := shop.User{ID: id}
	err := db.QueryRow(ctx, "select name, email, version from users where id = $1", id).Scan(&u.Name, &u.Email, &u.Version)
	return u, err
}

// events tell of the user's whole state: one event at schema 1; at schema 2 another beside it, for those who know version 2,
// and before it, so that they take that one.
func (v schema) events(ctx context.Context, u shop.User) ([]streams.Event, error) {
	now := time.Now().UTC()
	event := func(typ string, payload any) (streams.Event, error) {
		data, err := json.Marshal(payload)
		if err != nil {
			return streams.Event{}, fmt.Errorf("event of user %s: %w", u.ID, err)
		}
		return streams.Event{ID: uuid.NewString(), Source: shop.Users, Type: typ, Subject: u.ID, Time: now,
			TraceParent: chassis.TraceParent(ctx), Version: u.Version, Data: data}, nil
	}
	v1, err := event(shop.UserRegistered, u)
	if err != nil || v == schema1 {
		return []streams.Event{v1}, err
	}
	v2, err := event(shop.UserRegisteredV2, u.V2())
	return []streams.Event{v2, v1}, err
}
