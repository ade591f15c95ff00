package orders

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/shop"
)

const columns = "id, user_id, product_id, product_name, price_cents, quantity, status, reason, placed_at, version"

// scan reads one row of columns.
func scan(row pgx.CollectableRow) (shop.Order, error) {
	var o shop.Order
	err := row.Scan(&o.ID, &o.UserID, &o.ProductID, &o.ProductName, &o.PriceCents, &o.Quantity, &o.Status, &o.Reason,
		&o.PlacedAt, &o.Version)
	o.PlacedAt = o.PlacedAt.UTC()
	return o, err
}

// add keeps a new order and the event of its state in one commit. Where the id is taken it returns the order that has
// it, and false.
func (s *store) add(ctx context.Context, o shop.Order) (shop.Order, bool, error) {
	added := false
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx, box *outbox.Postgres) error {
		tag, err := tx.Exec(ctx, "insert into orders ("+columns+
			") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (id) do nothing",
			o.ID, o.UserID, o.ProductID, o.ProductName, o.PriceCents, o.Quantity, o.Status, o.Reason, o.PlacedAt, o.Version)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		added = true
		return emit(ctx, tx, box, o)
	})
	if err != nil {
		return o, false, fmt.Errorf("store order %s: %w", o.ID, err)
	}
	if added {
		return o, true, nil
	}
	known, _, err := s.find(ctx, o.ID)
	return known, false, err
}

// settle ends the saga of an order that is placed. Any other is left alone: one that is settled already, or one of the
// synchronous pattern, which stock tells of too and which may not be stored yet.
func (s *store) settle(ctx context.Context, id, status, reason string) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx, box *outbox.Postgres) error {
		rows, err := tx.Query(ctx, "update orders set status = $2, reason = $3, version = version + 1 "+
			"where id = $1 and status = '"+shop.Placed+"' returning "+columns, id, status, reason)
		if err != nil {
			return err
		}
		o, err := pgx.CollectExactlyOneRow(rows, scan)
		if errors.Is(err, pgx.ErrNoRows) {
			chassis.Skip(ctx, "the order waits for no answer of stock")
			return nil
		}
		if err != nil {
			return err
		}
		return emit(ctx, tx, box, o)
	})
	if err != nil {
		return fmt.Errorf("settle order %s: %w", id, err)
	}
	return nil
}

// find reads an order; false where there is none.
func (s *store) find(ctx context.Context, id string) (shop.Order, bool, error) {
	orders, err := s.query(ctx, "where id = $1", id)
	if err != nil || len(orders) == 0 {
		return shop.Order{}, false, err
	}
	return orders[0], true, nil
}

// newest reads up to limit orders of a user, newest first; an empty list for none.
func (s *store) newest(ctx context.Context, user string, limit int) ([]shop.Order, error) {
	return s.query(ctx, "where user_id = $1 order by placed_at desc, id desc limit $2", user, limit)
}

func (s *store) query(ctx context.Context, where string, args ...any) ([]shop.Order, error) {
	if _, err := s.ready(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	rows, err := s.pool.Query(ctx, "select "+columns+" from orders "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	orders, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	return orders, nil
}

// sales counts the confirmed orders of each product, by the index of them alone: the best n, ties by product id.
func (s *store) sales(ctx context.Context, n int) ([]shop.Seller, error) {
	if _, err := s.ready(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	rows, err := s.pool.Query(ctx, "select product_id, count(*) from orders where status = '"+shop.Confirmed+
		"' group by product_id order by count(*) desc, product_id limit $1", n)
	if err != nil {
		return nil, fmt.Errorf("count sales: %w", err)
	}
	sellers, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s shop.Seller, err error) {
		err = row.Scan(&s.ProductID, &s.Orders)
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("count sales: %w", err)
	}
	return sellers, nil
}
