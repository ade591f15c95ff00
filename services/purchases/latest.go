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

	"github.com/stillup/stillup/services/shop"
)

// A user's page is cut to the newest keepListed orders, refused ones among them, once it has maxListed. It has to hold
// shop.PurchasesShown that are not refused.
const keepListed, maxListed = 3 * shop.PurchasesShown, 4 * shop.PurchasesShown

// latest is a user's page: the newest orders, each in its versions, all in one document so that an answer is one look-up.
type latest struct {
	ID     string                      `bson:"_id"` // the user's
	Orders map[string]map[string]order `bson:"orders"`
}

// order is one version of a copy of an order.
type order struct {
	ID          string    `bson:"id"`
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

// field makes a name that MongoDB takes for a field out of any order id.
var field = strings.NewReplacer("%", "%25", ".", "%2E", "$", "%24")

// list puts a version of the order on its user's page. Redelivery changes nothing.
func (s *store) list(ctx context.Context, o shop.Order) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	c, user := s.db.Collection(latestCollection), bson.D{{Key: "_id", Value: o.UserID}}
	name := fmt.Sprintf("orders.%s.%d", field.Replace(o.ID), o.Version)
	var l latest
	err := c.FindOneAndUpdate(ctx, user, bson.D{{Key: "$set", Value: bson.D{{Key: name, Value: order(o)}}}},
		options.FindOneAndUpdate().SetUpsert(true).SetReturnDocument(options.After)).Decode(&l)
	if err != nil {
		return fmt.Errorf("list order %s: %w", o.ID, err)
	}
	if len(l.Orders) < maxListed {
		return nil
	}
	var old bson.D
	for _, o := range l.newestFirst()[keepListed:] {
		old = append(old, bson.E{Key: "orders." + field.Replace(o.ID), Value: ""})
	}
	if _, err := c.UpdateOne(ctx, user, bson.D{{Key: "$unset", Value: old}}); err != nil {
		return fmt.Errorf("cut the page of %s: %w", o.UserID, err)
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
	for _, o := range l.newestFirst() {
		if o.Status != shop.Refused && len(orders) < n {
			orders = append(orders, o)
		}
	}
	return orders, nil
}

// newestFirst are the orders of the page, each in its highest version.
func (l latest) newestFirst() []shop.Order {
	all := make([]shop.Order, 0, len(l.Orders))
	for _, versions := range l.Orders {
		var now order
		for _, o := range versions {
			if o.Version > now.Version {
				now = o
			}
		}
		now.PlacedAt = now.PlacedAt.UTC()
		all = append(all, shop.Order(now))
	}
	slices.SortFunc(all, func(a, b shop.Order) int {
		return cmp.Or(b.PlacedAt.Compare(a.PlacedAt), cmp.Compare(b.ID, a.ID))
	})
	return all
}
