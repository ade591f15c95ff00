package recommendations

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// scanned is how many entries one step of a scan asks for.
const scanned = 1000

// digest is the same for two stores that answer the same: over each kept order, each two products with their count, and each
// product's name. How the store came to it, and which archived orders it remembers, is no part of it. What changes while it is
// taken may be in it or not. The store's content passes through memory.
func (b basket) digest(ctx context.Context) (string, error) {
	var lines []string
	err := scan(func(cursor uint64) (uint64, error) {
		list, next, err := b.rdb.HScan(ctx, ordersKey, cursor, "", scanned).Result()
		for i := 0; i+1 < len(list); i += 2 {
			lines = append(lines, "order "+list[i]+" "+list[i+1])
		}
		return next, err
	})
	if err != nil {
		return "", fmt.Errorf("digest of the orders: %w", err)
	}
	err = b.each(ctx, pairsKey, func(key string) error {
		all, err := b.rdb.ZRangeWithScores(ctx, key, 0, -1).Result()
		for _, z := range all {
			lines = append(lines, fmt.Sprintf("%s %v %.0f", key, z.Member, z.Score))
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("digest of the pairs: %w", err)
	}
	err = b.each(ctx, productKey, func(key string) error {
		p, err := b.rdb.HGetAll(ctx, key).Result()
		lines = append(lines, fmt.Sprintf("%s %s %q", key, p["version"], p["name"]))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("digest of the products: %w", err)
	}
	slices.Sort(lines) // a scan may tell of an entry twice
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(lines), "\n")))
	return hex.EncodeToString(sum[:]), nil
}

// wipe deletes all that the store has. The service's place on the bus stands there, not here.
func (b basket) wipe(ctx context.Context) error {
	if err := b.rdb.FlushDB(ctx).Err(); err != nil {
		return fmt.Errorf("wipe the store: %w", err)
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
