package orders

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// republish has the service publish again all orders.
func (s *store) republish() chassis.Republish {
	return chassis.Republish{Stream: shop.Orders, Subjects: s.count, Next: s.again, Waiting: s.waiting,
		Add: func(ctx context.Context, e streams.Event) error {
			return s.change(ctx, func(ctx context.Context, tx pgx.Tx, box *outbox.Postgres) error { return box.Add(ctx, tx, e) })
		}}
}

func (s *store) count(ctx context.Context) (n int64, err error) {
	if _, err := s.ready(); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := s.pool.QueryRow(ctx, "select count(*) from orders").Scan(&n); err != nil {
		return 0, fmt.Errorf("count orders: %w", err)
	}
	return n, nil
}

// again tells anew of the orders whose ids follow after. Their rows are locked until the commit, so that of each the event
// has its place among those of its changes.
func (s *store) again(ctx context.Context, after string, limit int) (next string, n int, err error) {
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx, box *outbox.Postgres) error {
		rows, err := tx.Query(ctx, "select "+columns+" from orders where id > $1 order by id limit $2 for update", after, limit)
		if err != nil {
			return err
		}
		list, err := pgx.CollectRows(rows, scan)
		if err != nil {
			return err
		}
		if n = len(list); n == limit {
			next = list[n-1].ID
		}
		return emit(ctx, tx, box, list...)
	})
	if err != nil {
		return "", 0, fmt.Errorf("publish orders again: %w", err)
	}
	return next, n, nil
}
