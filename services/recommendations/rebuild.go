package recommendations

import (
	"context"
	"fmt"

	"github.com/stillup/stillup/services/chassis"
)

// basketCopy is the read model as its rebuild sees it.
type basketCopy struct {
	chassis.RedisMark
	basket basket
}

// scanned is how many entries one step of a scan asks for.
const scanned = 1000

// Digest implements [chassis.Copy]: over each kept order, each two products with their count, and each product's name. How
// the store came to it, and which archived orders it remembers, is no part of it.
func (c basketCopy) Digest(ctx context.Context) (*chassis.Digest, error) {
	b, d, met := c.basket, &chassis.Digest{}, map[string]bool{}
	add := func(record ...any) error { // a scan may tell of one twice
		if key := fmt.Sprint(record[:2]...); !met[key] {
			met[key] = true
			return d.Add(record...)
		}
		return nil
	}
	err := scan(func(cursor uint64) (uint64, error) {
		list, next, err := b.rdb.HScan(ctx, ordersKey, cursor, "", scanned).Result()
		for i := 0; i+1 < len(list) && err == nil; i += 2 {
			err = add("order", list[i], list[i+1])
		}
		return next, err
	})
	if err != nil {
		return nil, fmt.Errorf("digest of the orders: %w", err)
	}
	err = b.each(ctx, pairsKey, func(key string) error {
		all, err := b.rdb.ZRangeWithScores(ctx, key, 0, -1).Result()
		if err != nil {
			return err
		}
		with := map[string]float64{}
		for _, z := range all {
			with[fmt.Sprint(z.Member)] = z.Score
		}
		return add("pairs", key, with)
	})
	if err != nil {
		return nil, fmt.Errorf("digest of the pairs: %w", err)
	}
	err = b.each(ctx, productKey, func(key string) error {
		p, err := b.rdb.HGetAll(ctx, key).Result()
		if err != nil {
			return err
		}
		return add("product", key, p)
	})
	if err != nil {
		return nil, fmt.Errorf("digest of the products: %w", err)
	}
	return d, nil
}

// Wipe implements [chassis.Copy].
func (c basketCopy) Wipe(ctx context.Context) error {
	for _, prefix := range []string{ordersKey, userKey, pairsKey, productKey} { // the first is that of the archived ones too
		err := c.basket.each(ctx, prefix, func(key string) error { return c.basket.rdb.Unlink(ctx, key).Err() })
		if err != nil {
			return fmt.Errorf("wipe the store: %w", err)
		}
	}
	return nil
}

// each calls do with every key that begins so; with one maybe more than once.
func (b basket) each(ctx context.Context, prefix string, do func(key string) error) error {
	return scan(func(cursor uint64) (uint64, error) {
		keys, next, err := b.rdb.Scan(ctx, cursor, prefix+"*", scanned).Result()
		if err != nil {
			return 0, err
		}
		for _, key := range keys {
			if err := do(key); err != nil {
				return 0, err
			}
		}
		return next, nil
	})
}

// scan takes steps until one leads back to the beginning.
func scan(step func(cursor uint64) (next uint64, err error)) error {
	cursor := uint64(0)
	for {
		next, err := step(cursor)
		if err != nil || next == 0 {
			return err
		}
		cursor = next
	}
}
