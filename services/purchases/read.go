package purchases

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/stillup/stillup/services/shop"
)

// named is a copy of a user or product: all that an answer needs of it.
type named struct {
	ID   string `bson:"_id"`
	Name string `bson:"name"`
}

// order is a copy of an order.
type order struct {
	ID          string    `bson:"_id"`
	UserID      string    `bson:"user_id"`
	ProductID   string    `bson:"product_id"`
	ProductName string    `bson:"product_name"`
	PriceCents  int64     `bson:"price_cents"`
	Quantity    int64     `bson:"quantity"`
	Status      string    `bson:"status"`
	Reason      string    `bson:"reason"`
	PlacedAt    time.Time `bson:"placed_at"`
	Version     int64     `bson:"version"`
}

// userName is the user's name, and whether there is a copy of the user at all.
func (s *store) userName(ctx context.Context, id string) (name string, known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	var u named
	err = s.db.Collection(usersCollection).FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&u)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read user %s: %w", id, err)
	}
	return u.Name, true, nil
}

// newest are the n newest orders of the user that are not refused, newest first, ties as orders breaks them; never nil.
func (s *store) newest(ctx context.Context, user string, n int) ([]shop.Order, error) {
	filter := bson.D{{Key: "user_id", Value: user}, {Key: "status", Value: bson.D{{Key: "$ne", Value: shop.Refused}}}}
	found, err := find[order](ctx, s.db.Collection(ordersCollection), filter, options.Find().
		SetSort(bson.D{{Key: "placed_at", Value: -1}, {Key: "_id", Value: -1}}).SetLimit(int64(n)))
	if err != nil {
		return nil, fmt.Errorf("read the orders of %s: %w", user, err)
	}
	orders := make([]shop.Order, 0, len(found))
	for _, o := range found {
		o.PlacedAt = o.PlacedAt.UTC()
		orders = append(orders, shop.Order(o))
	}
	return orders, nil
}

// productNames are the names of those of the products that are known, by id.
func (s *store) productNames(ctx context.Context, ids []string) (map[string]string, error) {
	names := map[string]string{}
	if len(ids) == 0 {
		return names, nil
	}
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}
	found, err := find[named](ctx, s.db.Collection(productsCollection), filter, options.Find())
	if err != nil {
		return nil, fmt.Errorf("read the names of products: %w", err)
	}
	for _, p := range found {
		names[p.ID] = p.Name
	}
	return names, nil
}

func find[T any](ctx context.Context, c *mongo.Collection, filter bson.D, o *options.FindOptionsBuilder) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	cursor, err := c.Find(ctx, filter, o)
	if err != nil {
		return nil, err
	}
	var all []T
	err = cursor.All(ctx, &all) // closes the cursor
	return all, err
}
