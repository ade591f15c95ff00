package monolith

import (
	"context"
	"fmt"
	"time"

	"github.com/stillup/stillup/services/shop"
)

const (
	dropEvery = 2 * time.Second
	dropPause = 50 * time.Millisecond // between batches, where there are many
	dropBatch = 200                   // rows in one commit
)

// dropping drops the oldest orders and users, as many as there are too many, until ctx ends.
func (s *store) dropping(ctx context.Context) error {
	tick := time.NewTicker(dropEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		n, err := s.drop(ctx)
		if err != nil {
			s.log.Debug("old rows not dropped", "err", err) // a store that is away is told elsewhere
		}
		next := dropEvery
		if n > 0 {
			next = dropPause
		}
		tick.Reset(next)
	}
}

// drop drops some of the orders and users that are too many, the oldest, and returns how many. Where the services need an
// event for each and consumers that drop their copies, here it is two statements: there are no copies. A user who has orders
// stays as long as these, for so the database promises.
func (s *store) drop(ctx context.Context) (n int64, err error) {
	if err := s.ready(); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	tag, err := s.pool.Exec(ctx, "delete from orders where id in (select id from orders order by placed_at, id "+
		"limit least($2, greatest(0, (select count(*) from orders) - $1)))", s.orders, dropBatch)
	if err != nil {
		return 0, fmt.Errorf("drop orders: %w", err)
	}
	n = tag.RowsAffected()
	var seeded []string
	for _, u := range shop.SeedUsers() {
		seeded = append(seeded, u.ID)
	}
	tag, err = s.pool.Exec(ctx, "delete from users where id in (select id from users u where id <> all($3) "+
		"and not exists (select from orders where user_id = u.id) order by registered_at, id "+
		"limit least($2, greatest(0, (select count(*) from users where id <> all($3)) - $1)))", s.users, dropBatch, seeded)
	if err != nil {
		return n, fmt.Errorf("drop users: %w", err)
	}
	return n + tag.RowsAffected(), nil
}
