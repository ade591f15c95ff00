package stock

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

var (
	//go:embed level_again.lua
	levelAgainSource string
	//go:embed reservation_again.lua
	reservationAgainSource string

	levelAgain       = redis.NewScript(levelAgainSource)
	reservationAgain = redis.NewScript(reservationAgainSource)
)

// republish has the service publish again all levels and reservations.
func (s *stock) republish() chassis.Republish {
	return chassis.Republish{Stream: shop.Stock, Subjects: s.shelf.subjects, Waiting: s.relay.Waiting,
		Next: func(ctx context.Context, cursor string, limit int) (next string, n int, err error) {
			defer s.relay.Wake()
			return s.shelf.again(ctx, cursor, limit)
		},
		Add: func(ctx context.Context, e streams.Event) error {
			defer s.relay.Wake()
			return s.shelf.tell(ctx, e)
		}}
}

// subjects counts products and reservations.
func (s shelf) subjects(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	n, err := s.rdb.HLen(ctx, reservationsKey).Result()
	if err != nil {
		return 0, fmt.Errorf("count reservations: %w", err)
	}
	products, err := s.products(ctx)
	return n + int64(len(products)), err
}

// products are those that have a level, by id. A shop has few.
func (s shelf) products(ctx context.Context) ([]string, error) {
	var ids []string
	scan := s.rdb.Scan(ctx, 0, levelKey+"*", 500).Iterator()
	for scan.Next(ctx) {
		ids = append(ids, strings.TrimPrefix(scan.Val(), levelKey))
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("list the products on the shelf: %w", err)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// again tells anew of all levels, at the empty cursor, and of about limit reservations. The cursor is Redis' own of the
// reservations; a walk with it meets each that is there all the time, some twice.
func (s shelf) again(ctx context.Context, cursor string, limit int) (next string, n int, err error) {
	if cursor == "" {
		if n, err = s.levelsAgain(ctx); err != nil {
			return "", 0, err
		}
		cursor = "0"
	}
	at, err := strconv.ParseUint(cursor, 10, 64)
	if err != nil {
		return "", 0, fmt.Errorf("cursor %q: %w", cursor, err)
	}
	found, at, err := s.rdb.HScan(ctx, reservationsKey, at, "", int64(limit)).Result()
	if err != nil {
		return "", 0, fmt.Errorf("list reservations: %w", err)
	}
	told := make([]*redis.Cmd, 0, len(found)/2)
	if len(found) > 0 {
		if err := reservationAgain.Load(ctx, s.rdb).Err(); err != nil {
			return "", 0, fmt.Errorf("publish reservations again: %w", err)
		}
		_, err = s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i := 0; i < len(found); i += 2 { // field and value
				order := found[i]
				told = append(told, reservationAgain.EvalSha(ctx, p, []string{reservationsKey, outbox.RedisKey}, order,
					beginning(event(ctx, shop.StockReserved, order)), beginning(event(ctx, shop.StockRefused, order)),
					beginning(event(ctx, shop.StockReleased, order))))
			}
			return nil
		})
		if err != nil {
			return "", 0, fmt.Errorf("publish reservations again: %w", err)
		}
	}
	for _, t := range told {
		if one, _ := t.Int(); one == 1 {
			n++
		}
	}
	if at != 0 {
		next = strconv.FormatUint(at, 10)
	}
	return next, n, nil
}

func (s shelf) levelsAgain(ctx context.Context) (n int, err error) {
	products, err := s.products(ctx)
	if err != nil {
		return 0, err
	}
	for _, id := range products {
		one, err := levelAgain.Run(ctx, s.rdb, []string{levelKey + id, outbox.RedisKey}, id,
			beginning(event(ctx, shop.StockDelivered, id))).Int()
		if err != nil {
			return 0, fmt.Errorf("publish the level of %s again: %w", id, err)
		}
		n += one
	}
	return n, nil
}

// tell puts an event of no product and no order into the outbox.
func (s shelf) tell(ctx context.Context, e streams.Event) error {
	err := s.rdb.XAdd(ctx, &redis.XAddArgs{Stream: outbox.RedisKey, Values: []any{streams.Field, e.AppendJSON(nil)}}).Err()
	if err != nil {
		return fmt.Errorf("tell %s: %w", e.Type, err)
	}
	return nil
}
