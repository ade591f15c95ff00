package purchases

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/sync/errgroup"

	"github.com/stillup/stillup/services/shop"
)

// A user's list of orders is cut to the latest keepListed once it has maxListed.
const keepListed, maxListed = 100, 200

// readers is how many orders are read at once for one answer.
const readers = 4

// latest is a user's list of orders. Each reads "time order", the time of fixed length, so that texts sort by time.
type latest struct {
	ID     string   `bson:"_id"` // the user's
	Orders []string `bson:"orders"`
}

func listed(o shop.Order) string {
	return o.PlacedAt.UTC().Format("2006-01-02T15:04:05.000Z") + " " + o.ID
}

// list adds the order to its user's list, once.
func (s *store) list(ctx context.Context, o shop.Order) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	c, user := s.db.Collection(latestCollection), bson.D{{Key: "_id", Value: o.UserID}}
	_, err := c.UpdateOne(ctx, user, bson.D{{Key: "$addToSet", Value: bson.D{{Key: "orders", Value: listed(o)}}}},
		options.UpdateOne().SetUpsert(true))
	if err != nil {
		return fmt.Errorf("list order %s: %w", o.ID, err)
	}
	var l latest
	if err := c.FindOne(ctx, user).Decode(&l); err != nil {
		return fmt.Errorf("list order %s: %w", o.ID, err)
	}
	if len(l.Orders) < maxListed {
		return nil
	}
	slices.Sort(l.Orders)
	old := l.Orders[:len(l.Orders)-keepListed]
	if _, err := c.UpdateOne(ctx, user, bson.D{{Key: "$pullAll", Value: bson.D{{Key: "orders", Value: old}}}}); err != nil {
		return fmt.Errorf("cut the list of %s: %w", o.UserID, err)
	}
	return nil
}

// newest are the n newest orders of the user that are not refused, newest first, ties as orders breaks them; never nil.
func (s *store) newest(ctx context.Context, user string, n int) ([]shop.Order, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	orders := []shop.Order{}
	var l latest
	err := s.db.Collection(latestCollection).FindOne(ctx, bson.D{{Key: "_id", Value: user}}).Decode(&l)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return orders, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the orders of %s: %w", user, err)
	}
	slices.SortFunc(l.Orders, func(a, b string) int { return cmp.Compare(b, a) })
	for ids := range slices.Chunk(l.Orders, n) {
		some, err := s.orders(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, o := range some {
			if o.Status != shop.Refused && len(orders) < n {
				orders = append(orders, o)
			}
		}
		if len(orders) == n {
			break
		}
	}
	return orders, nil
}

// orders reads the listed orders, in the order of the list.
func (s *store) orders(ctx context.Context, list []string) ([]shop.Order, error) {
	all := make([]shop.Order, len(list))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readers)
	for i, entry := range list {
		g.Go(func() error {
			_, id, _ := strings.Cut(entry, " ")
			o, version, err := highest[order](ctx, s.db.Collection(ordersCollection), id)
			if err != nil {
				return fmt.Errorf("read order %s: %w", id, err)
			}
			all[i] = shop.Order{ID: id, UserID: o.UserID, ProductID: o.ProductID, ProductName: o.ProductName,
				PriceCents: o.PriceCents, Quantity: o.Quantity, Status: o.Status, Reason: o.Reason,
				PlacedAt: o.PlacedAt.UTC(), Version: version}
			return nil
		})
	}
	return all, g.Wait()
}

// order is one version of a copy of an order.
type order struct {
	UserID      string    `bson:"user_id"`
	ProductID   string    `bson:"product_id"`
	ProductName string    `bson:"product_name"`
	PriceCents  int64     `bson:"price_cents"`
	Quantity    int64     `bson:"quantity"`
	Status      string    `bson:"status"`
	Reason      string    `bson:"reason"`
	PlacedAt    time.Time `bson:"placed_at"`
}
