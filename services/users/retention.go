package users

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

const (
	removeEvery = 2 * time.Second
	removePause = 50 * time.Millisecond // between batches, where there are many
	removeBatch = 200                   // users in one commit
	// removeLock is the number of the lock that keeps replicas from removing at once.
	removeLock = 0x72656d6f7665 // "remove"

	// ageColumn says when a user signed up; the migrations leave it alone.
	ageColumn = "alter table users add column if not exists registered_at timestamptz not null default now(); " +
		"create index if not exists users_by_age on users (registered_at, id)"
)

// removing drops the users who signed up first, as many as there are too many, until ctx ends.
func (s *store) removing(ctx context.Context) error {
	tick := time.NewTicker(removeEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		n, err := s.remove(ctx)
		if err != nil {
			s.log.Debug("users not removed", "err", err) // a store that is away is told elsewhere
		}
		next := removeEvery
		if n > 0 {
			next = removePause
		}
		tick.Reset(next)
	}
}

// remove drops some of the users who are too many, each with the event of it, and returns how many. Those that the shop
// begins with stay, for they are who buys.
func (s *store) remove(ctx context.Context) (n int, err error) {
	j, err := s.ready()
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var alone bool
		var count int64
		if err := tx.QueryRow(ctx, "select pg_try_advisory_xact_lock($1)", int64(removeLock)).Scan(&alone); err != nil || !alone {
			return err
		}
		if err := tx.QueryRow(ctx, "select count(*) from users where id <> all($1)", s.seeded).Scan(&count); err != nil || count <= s.keep {
			return err
		}
		rows, err := tx.Query(ctx, "delete from users where id in (select id from users where id <> all($1) "+
			"order by registered_at, id limit $2) returning id, version", s.seeded, min(count-s.keep, removeBatch))
		if err != nil {
			return err
		}
		events, err := pgx.CollectRows(rows, removed)
		if err != nil {
			return err
		}
		n = len(events)
		return j.outbox.Add(ctx, tx, events...)
	})
	if err != nil {
		return 0, fmt.Errorf("remove users: %w", err)
	}
	if n > 0 {
		j.relay.Wake()
	}
	return n, nil
}

// removed tells that a user, whose id and version are the row, is gone.
func removed(row pgx.CollectableRow) (e streams.Event, err error) {
	var id string
	var version int64
	if err := row.Scan(&id, &version); err != nil {
		return e, err
	}
	data, err := json.Marshal(shop.Removed{ID: id})
	return streams.Event{ID: uuid.NewString(), Source: shop.Users, Type: shop.UserRemoved, Subject: id, Time: time.Now().UTC(),
		Version: version + 1, Data: data}, err
}

// seedIDs are the ids of the users that the shop begins with.
func seedIDs() []string {
	var ids []string
	for _, u := range shop.SeedUsers() {
		ids = append(ids, u.ID)
	}
	return ids
}
