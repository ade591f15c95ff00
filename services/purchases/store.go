package purchases

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

const (
	// database is used where the store's address names none.
	database = "shop"

	usersCollection    = "users"
	productsCollection = "products"
	ordersCollection   = "orders"
	pagesCollection    = "pages" // per user the newest orders, see page
	marksCollection    = "marks" // of a rebuild, and up to when orders are archived

	// storeTimeout bounds one use of the store, so that one that is there and silent is told to the caller within a
	// second.
	storeTimeout = 900 * time.Millisecond
	// applyTimeout bounds the writes of one event. Nobody waits for it, and a store that is slow with many of them does
	// each the later for every one that is given up and asked for again.
	applyTimeout   = 5 * time.Second
	connectTimeout = time.Second
	closeTimeout   = 500 * time.Millisecond
)

// store is the read model in the service's own MongoDB: users, products and orders, and per user a page of the
// newest orders. What grows is asked for by _id alone: that is one look-up in every MongoDB-compatible engine, also in those
// that know no other index.
type store struct {
	client *mongo.Client
	db     *mongo.Database
	log    *slog.Logger

	archived archived
}

// open prepares a store and does not wait for it. An error is a fault in the address.
func open(url string, log *slog.Logger) (*store, error) {
	address, err := connstring.ParseAndValidate(url)
	if err != nil {
		return nil, fmt.Errorf("address of its store: %w", err)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(url).
		SetConnectTimeout(connectTimeout).SetServerSelectionTimeout(storeTimeout))
	if err != nil {
		return nil, fmt.Errorf("its store: %w", err)
	}
	name := address.Database
	if name == "" {
		name = database
	}
	return &store{client: client, db: client.Database(name), log: log}, nil
}

func (s *store) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := s.client.Disconnect(ctx); err != nil {
		s.log.Debug("store not left in order", "err", err)
	}
}

// healthy says whether the store answers.
func (s *store) healthy(ctx context.Context) error { return s.client.Ping(ctx, nil) }

func (s *store) copyUser(ctx context.Context, u shop.User) error {
	return s.putVersion(ctx, usersCollection, u.ID, u.Version, bson.D{{Key: "name", Value: u.Name}})
}

// copyProduct keeps the product's name unless the one there is of the same or a later version. A product has many
// versions and there are few products, so only the newest is kept, by a condition on it.
func (s *store) copyProduct(ctx context.Context, p shop.Product) error {
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	c := s.db.Collection(productsCollection)
	fields := bson.D{{Key: "name", Value: p.Name}, {Key: "version", Value: p.Version}}
	update := func() (found bool, err error) {
		older := bson.D{{Key: "_id", Value: p.ID}, {Key: "version", Value: bson.D{{Key: "$lt", Value: p.Version}}}}
		res, err := c.UpdateOne(ctx, older, bson.D{{Key: "$set", Value: fields}})
		return err == nil && res.MatchedCount > 0, err
	}
	found, err := update()
	if err == nil && !found {
		_, err = c.InsertOne(ctx, append(bson.D{{Key: "_id", Value: p.ID}}, fields...))
		if mongo.IsDuplicateKeyError(err) {
			// There is one: newer, and then this changes nothing, or older and inserted since by another member.
			if found, err = update(); err == nil && !found {
				err = s.skip(ctx, c, p.ID)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("copy version %d of product %s: %w", p.Version, p.ID, err)
	}
	return nil
}

// skip says that the event is skipped for the version that is there.
func (s *store) skip(ctx context.Context, c *mongo.Collection, id string) error {
	var has struct {
		Version int64 `bson:"version"`
	}
	if err := c.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&has); err != nil {
		return err
	}
	chassis.SkipVersion(ctx, has.Version)
	return nil
}

// copyOrder keeps a version of the order and lists the order on its user's page. Redelivery changes nothing.
func (s *store) copyOrder(ctx context.Context, o shop.Order) error {
	if gone, err := s.isArchived(ctx, o.PlacedAt); err != nil || gone {
		return err
	}
	err := s.putVersion(ctx, ordersCollection, o.ID, o.Version, order(o))
	if err != nil {
		return err
	}
	return s.list(ctx, o)
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

// putVersion keeps fields as one version of a document that has few. Versions stand side by side and a reader takes the
// highest, so it does not matter how often and in which order they come, nor from how many members.
func (s *store) putVersion(ctx context.Context, collection, id string, version int64, fields any) error {
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	done, err := s.db.Collection(collection).UpdateOne(ctx, bson.D{{Key: "_id", Value: id}},
		bson.D{{Key: "$set", Value: bson.D{{Key: fmt.Sprintf("versions.%d", version), Value: fields}}}},
		options.UpdateOne().SetUpsert(true))
	if err != nil {
		return fmt.Errorf("copy version %d of %s %s: %w", version, collection, id, err)
	}
	if done.ModifiedCount+done.UpsertedCount == 0 {
		chassis.SkipVersion(ctx, version)
	}
	return nil
}
