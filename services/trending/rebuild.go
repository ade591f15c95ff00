package trending

import (
	"context"
	"strings"

	"github.com/stillup/stillup/services/chassis"
)

// rankingCopy is the ranking as its rebuild sees it.
type rankingCopy struct {
	chassis.RedisMark
	ranking ranking
}

// scanCount is how many keys or members are looked at in one round trip.
const scanCount = 1000

// Digest implements [chassis.Copy].
func (c rankingCopy) Digest(ctx context.Context) (*chassis.Digest, error) {
	d, rdb := &chassis.Digest{}, c.ranking.rdb
	sellers, err := rdb.ZRangeWithScores(ctx, sellersKey, 0, -1).Result()
	if err != nil {
		return nil, err
	}
	for _, z := range sellers {
		if err := d.Add("seller", z.Member, z.Score); err != nil {
			return nil, err
		}
	}
	for at := int64(0); ; at += scanCount { // by rank: a scan may meet one twice
		counted, err := rdb.ZRangeWithScores(ctx, countedKey, at, at+scanCount-1).Result()
		if err != nil {
			return nil, err
		}
		for _, z := range counted {
			if err := d.Add("counted", z.Member, z.Score); err != nil {
				return nil, err
			}
		}
		if len(counted) < scanCount {
			break
		}
	}
	products, err := c.products(ctx)
	if err != nil {
		return nil, err
	}
	for key := range products {
		fields, err := rdb.HGetAll(ctx, key).Result()
		if err != nil {
			return nil, err
		}
		if err := d.Add("product", strings.TrimPrefix(key, productKey), fields); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// products are the keys of the copies of products.
func (c rankingCopy) products(ctx context.Context) (map[string]bool, error) {
	keys := map[string]bool{} // a scan may meet one twice
	scan := c.ranking.rdb.Scan(ctx, 0, productKey+"*", scanCount).Iterator()
	for scan.Next(ctx) {
		keys[scan.Val()] = true
	}
	return keys, scan.Err()
}

// Wipe implements [chassis.Copy].
func (c rankingCopy) Wipe(ctx context.Context) error {
	products, err := c.products(ctx)
	if err != nil {
		return err
	}
	keys := []string{sellersKey, countedKey, archivedKey}
	for key := range products {
		keys = append(keys, key)
	}
	return c.ranking.rdb.Unlink(ctx, keys...).Err()
}
