package users

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// republish has the service publish again all users.
func (s *store) republish() chassis.Republish {
	return chassis.Republish{Stream: shop.Users, Subjects: s.count, Next: s.again, Add: s.tell, Waiting: s.waiting}
}

func (s *store) count(ctx context.Context) (n int64, err error) {
	if _, err := s.ready(); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := s.pool.QueryRow(ctx, "select count(*) from users").Scan(&n); err != nil {
		return 0, fmt.Errorf("count users: %w", err)
	}
	return n, nil
}

// again tells anew of the users whose ids follow after. Their rows are locked until the commit, so that of each the event has
// its place among those of its changes.
func (s *store) again(ctx context.Context, after string, limit int) (next string, n int, err error) {
	j, err := s.ready()
	if err != nil {
		return "", 0, err
	}
	err = s.inTx(ctx, func(v schema, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "select id from users where id > $1 order by id limit $2 for update", after, limit)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		var events []streams.Event
		for _, id := range ids {
			u, err := v.read(ctx, tx, id)
			if err != nil {
				return err
			}
			of, err := v.events(ctx, u)
			if err != nil {
				return err
			}
			events = append(events, of...)
		}
		if n = len(ids); n == limit {
			next = ids[n-1]
		}
		return j.outbox.Add(ctx, tx, events...)
	})
	if err != nil {
		return "", 0, fmt.Errorf("publish users again: %w", err)
	}
	j.relay.Wake()
	return next, n, nil
}

// tell puts an event of no user into the outbox.
func (s *store) tell(ctx context.Context, e streams.Event) error {
	j, err := s.ready()
	if err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return j.outbox.Add(ctx, tx, e) })
	if err != nil {
		return fmt.Errorf("tell %s: %w", e.Type, err)
	}
	j.relay.Wake()
	return nil
}
