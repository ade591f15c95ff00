package orders

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

const (
	archiveEvery = 2 * time.Second
	archivePause = 50 * time.Millisecond // between batches, where there are many
	archiveBatch = 200                   // orders in one commit
	// archiveLock is the number of the lock that keeps replicas from archiving at once.
	archiveLock = 0x617263686976 // "archiv"
)

// archiving drops the oldest orders, as many as there are too many, until ctx ends.
func (s *store) archiving(ctx context.Context) error {
	tick := time.NewTicker(archiveEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		n, err := s.archive(ctx)
		if err != nil {
			s.log.Debug("orders not archived", "err", err) // a store that is away is told elsewhere
		}
		next := archiveEvery
		if n > 0 {
			next = archivePause
		}
		tick.Reset(next)
	}
}

// archive drops some of the orders that are too many, the oldest, each with its event, and returns how many. Orders of one
// millisecond go together, so that whoever is told of one knows that all of that time and before are gone. An order that is
// not settled yet keeps itself and all that came after it, until there are twice as many orders as are to be kept.
func (s *store) archive(ctx context.Context) (n int, err error) {
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx, box *outbox.Postgres) error {
		old, err := s.old(ctx, tx)
		if err != nil || len(old) == 0 {
			return err
		}
		ids, events := make([]string, len(old)), make([]streams.Event, len(old))
		for i, o := range old {
			ids[i] = o.ID
			if events[i], err = archived(o); err != nil {
				return err
			}
		}
		n = len(old)
		if _, err := tx.Exec(ctx, "delete from orders where id = any($1)", ids); err != nil {
			return err
		}
		return box.Add(ctx, tx, events...)
	})
	if err != nil {
		return 0, fmt.Errorf("archive orders: %w", err)
	}
	return n, nil
}

// old locks and reads the next orders to archive.
func (s *store) old(ctx context.Context, tx pgx.Tx) ([]shop.Order, error) {
	var alone bool
	var count int64
	if err := tx.QueryRow(ctx, "select pg_try_advisory_xact_lock($1)", int64(archiveLock)).Scan(&alone); err != nil || !alone {
		return nil, err
	}
	if err := tx.QueryRow(ctx, "select count(*) from orders").Scan(&count); err != nil || count <= s.keep {
		return nil, err
	}
	rows, err := tx.Query(ctx, "select "+columns+" from orders order by placed_at limit $1 for update", min(count-s.keep, archiveBatch)+1)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, err
	}
	stop := list[len(list)-1].PlacedAt // the others of its time may not be among these
	for _, o := range list {
		if o.Status == shop.Placed && count <= 2*s.keep && o.PlacedAt.Before(stop) {
			stop = o.PlacedAt
		}
	}
	for i, o := range list {
		if !o.PlacedAt.Before(stop) {
			return list[:i], nil
		}
	}
	return list, nil
}

// archived tells that the order is gone.
func archived(o shop.Order) (streams.Event, error) {
	data, err := json.Marshal(shop.Archived{ID: o.ID, UserID: o.UserID, ProductID: o.ProductID, PlacedAt: o.PlacedAt})
	return streams.Event{ID: uuid.NewString(), Source: shop.Orders, Type: shop.OrderArchived, Subject: o.ID, Time: time.Now().UTC(),
		Version: o.Version + 1, Data: data}, err
}
