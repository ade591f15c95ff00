package recommendations

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/shop"
)

// Keys in the service's own Redis. Product and user ids are such that none of these can be mistaken for another.
const (
	ordersKey   = "orders"          // HASH: each kept order by id, an orderCopy as JSON
	userKey     = "user:"           // + id, ZSET: the user's kept orders by when they were placed
	pairsKey    = "pairs:"          // + product id, ZSET: other products by the users who bought both
	productKey  = "product:"        // + id, HASH: copy of a product
	archivedKey = "orders:archived" // ZSET: orders that were archived, by when; the newest keepArchived
)

const (
	// keepOrders is how many orders of a user are kept: the newest, ties by id. What of a user is older counts for nothing.
	keepOrders = 20
	// keepArchived is how many archived orders are remembered, so that none comes back. It is more than the bus holds.
	keepArchived = 200_000
	// storeTimeout bounds one use of the store, so that one that is there and silent is told to the caller within a second.
	storeTimeout = 900 * time.Millisecond
)

var (
	//go:embed put.lua
	putSource string
	putScript = redis.NewScript(putSource)

	//go:embed drop.lua
	dropSource string
	dropScript = redis.NewScript(dropSource)

	//go:embed product.lua
	productSource string
	productScript = redis.NewScript(productSource)
)

// basket is the read model. For each user it has the newest confirmed orders, for each two products the number of users
// who have both among these, and it has the products' names. It is a function of the set of events alone: neither their
// order nor repeats of them make a difference.
type basket struct{ rdb *redis.Client }

// orderCopy is what is kept of an order.
type orderCopy struct {
	UserID    string    `json:"user_id"`
	ProductID string    `json:"product_id"`
	PlacedAt  time.Time `json:"placed_at"`
}

// put keeps a confirmed order, unless it is older than those that are kept, or archived.
func (b basket) put(ctx context.Context, o shop.Order) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	kept, err := json.Marshal(orderCopy{o.UserID, o.ProductID, o.PlacedAt})
	if err != nil {
		return fmt.Errorf("keep order %s: %w", o.ID, err)
	}
	err = putScript.Run(ctx, b.rdb, []string{ordersKey, userKey + o.UserID, archivedKey, pairsKey},
		o.ID, o.PlacedAt.UnixMilli(), kept, keepOrders).Err()
	if err != nil {
		return fmt.Errorf("keep order %s: %w", o.ID, err)
	}
	return nil
}

// drop takes an archived order out, and keeps it from coming back.
func (b basket) drop(ctx context.Context, order string, archived time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := dropScript.Run(ctx, b.rdb, []string{ordersKey, userKey, archivedKey, pairsKey},
		order, archived.UnixMilli(), keepArchived).Err()
	if err != nil {
		return fmt.Errorf("drop order %s: %w", order, err)
	}
	return nil
}

// rename keeps a copy of the product's name unless a newer one is there.
func (b basket) rename(ctx context.Context, p shop.ProductV2) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := productScript.Run(ctx, b.rdb, []string{productKey + p.ID}, "version", p.Version, "name", p.Title).Err()
	if err != nil {
		return fmt.Errorf("copy product %s: %w", p.ID, err)
	}
	return nil
}

// with are the n products that most users of a product bought besides, ties by id; known is false for a product of which
// there is nothing.
func (b basket) with(ctx context.Context, product string, n int) (found shop.Recommendations, known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	found = shop.Recommendations{ProductID: product, With: []shop.Together{}}
	// All are read, not the first n: Redis breaks ties the other way round. They are as many as there are products.
	all, err := b.rdb.ZRangeWithScores(ctx, pairsKey+product, 0, -1).Result()
	if err != nil {
		return found, false, fmt.Errorf("read the pairs of %s: %w", product, err)
	}
	for _, z := range all {
		found.With = append(found.With, shop.Together{ProductID: z.Member.(string), Together: int64(z.Score)})
	}
	slices.SortFunc(found.With, func(a, b shop.Together) int {
		return cmp.Or(cmp.Compare(b.Together, a.Together), cmp.Compare(a.ProductID, b.ProductID))
	})
	found.With = found.With[:min(n, len(found.With))]
	names := make([]*redis.SliceCmd, len(found.With))
	var own *redis.SliceCmd
	_, err = b.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		own = p.HMGet(ctx, productKey+product, "name")
		for i, t := range found.With {
			names[i] = p.HMGet(ctx, productKey+t.ProductID, "name")
		}
		return nil
	})
	if err != nil {
		return found, false, fmt.Errorf("read names: %w", err)
	}
	found.ProductName, known = own.Val()[0].(string) // nil where the product is not known yet
	for i, name := range names {
		found.With[i].ProductName, _ = name.Val()[0].(string)
	}
	return found, known || len(all) > 0, nil
}
