package trending

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

// Keys in trending's own Redis.
const (
	sellersKey  = "sellers"         // ZSET: product id by its confirmed orders
	countedKey  = "orders:counted"  // ZSET: id of each counted order by when it was placed, so that none counts twice
	archivedKey = "orders:archived" // up to when orders are archived: these count no more, should they be told of again
	productKey  = "product:"        // + id, HASH: copy of a product
)

// storeTimeout bounds one use of the store, so that one that is there and silent is told to the caller within a second.
const storeTimeout = 900 * time.Millisecond

var (
	//go:embed count.lua
	countSource string
	countScript = redis.NewScript(countSource)

	//go:embed archive.lua
	archiveSource string
	archiveScript = redis.NewScript(archiveSource)

	//go:embed product.lua
	productSource string
	productScript = redis.NewScript(productSource)
)

// ranking is the read model: confirmed orders per product, and the products' names.
type ranking struct{ rdb *redis.Client }

// count counts a confirmed order once, however often it is told of it.
func (k ranking) count(ctx context.Context, order, product string, placed time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	counted, err := countScript.Run(ctx, k.rdb, []string{sellersKey, countedKey, archivedKey}, order, product, placed.UnixMilli()).Int64()
	if err != nil {
		return fmt.Errorf("count order %s: %w", order, err)
	}
	if counted == 0 {
		chassis.Skip(ctx, "has counted this order already")
	}
	return nil
}

// archive counts an order no more that its owner has dropped, nor any that was placed before it.
func (k ranking) archive(ctx context.Context, order, product string, placed time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := archiveScript.Run(ctx, k.rdb, []string{sellersKey, countedKey, archivedKey}, order, product, placed.UnixMilli()).Err()
	if err != nil {
		return fmt.Errorf("archive order %s: %w", order, err)
	}
	return nil
}

// rename keeps a copy of the product unless a newer one is there.
func (k ranking) rename(ctx context.Context, p shop.ProductV2) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	kept, err := productScript.Run(ctx, k.rdb, []string{productKey + p.ID},
		"version", p.Version, "name", p.Title, "price_cents", p.PriceCents()).Int64()
	if err != nil {
		return fmt.Errorf("copy product %s: %w", p.ID, err)
	}
	if kept <= 0 {
		chassis.SkipVersion(ctx, -kept)
	}
	return nil
}

// best are the n products with the most confirmed orders, ties by product id. A product that is not known yet has no name.
func (k ranking) best(ctx context.Context, n int) (shop.TopSellers, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	top := shop.TopSellers{Sellers: []shop.Seller{}}
	// All are read, not the first n: Redis breaks ties the other way round. They are as many as there are products.
	all, err := k.rdb.ZRangeWithScores(ctx, sellersKey, 0, -1).Result()
	if err != nil {
		return top, fmt.Errorf("read the sellers: %w", err)
	}
	for _, z := range all {
		top.Sellers = append(top.Sellers, shop.Seller{ProductID: z.Member.(string), Orders: int64(z.Score)})
	}
	slices.SortFunc(top.Sellers, func(a, b shop.Seller) int {
		return cmp.Or(cmp.Compare(b.Orders, a.Orders), cmp.Compare(a.ProductID, b.ProductID))
	})
	top.Sellers = top.Sellers[:min(n, len(top.Sellers))]
	names := make([]*redis.SliceCmd, len(top.Sellers))
	if len(names) == 0 {
		return top, nil
	}
	_, err = k.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, s := range top.Sellers {
			names[i] = p.HMGet(ctx, productKey+s.ProductID, "name")
		}
		return nil
	})
	if err != nil {
		return top, fmt.Errorf("read the sellers' names: %w", err)
	}
	for i, name := range names {
		top.Sellers[i].ProductName, _ = name.Val()[0].(string) // nil where the product is not known yet
	}
	return top, nil
}
