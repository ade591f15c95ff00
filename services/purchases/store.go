package purchases

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"github.com/stillup/stillup/services/shop"
)

const (
	// database is used where the store's address names none.
	database = "shop"

	usersCollection    = "users"
	productsCollection = "products"
	ordersCollection   = "orders"

	// storeTimeout bounds one use of the store, so that one that is there and silent is told to the caller within a
	// second.
	storeTimeout   = 900 * time.Millisecond
	connectTimeout = time.Second
	// prepareTimeout bounds one try to make the index.
	prepareTimeout = 10 * time.Second
	closeTimeout   = 500 * time.Millisecond

	firstRetry, lastRetry = 100 * time.Millisecond, time.Second
)

// store is the read model in the service's own MongoDB: users, products and orders, each document as of its version.
type store struct {
	client   *mongo.Client
	db       *mongo.Database
	log      *slog.Logger
	prepared atomic.Bool // the index stands
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

// prepare makes the index, again and again until the store lets it or ctx ends.
func (s *store) prepare(ctx context.Context) error {
	level := slog.LevelWarn
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := s.makeIndex(ctx)
		if err == nil {
			s.prepared.Store(true)
			s.log.Info("store is ready")
			return nil
		}
		s.log.Log(ctx, level, "store is not ready; trying again", "err", err)
		level = slog.LevelDebug // said once
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

func (s *store) makeIndex(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	_, err := s.db.Collection(ordersCollection).Indexes().CreateOne(ctx, mongo.IndexModel{
		Keys: bson.D{{Key: "user_id", Value: 1}, {Key: "placed_at", Value: -1}},
	})
	if err != nil {
		return fmt.Errorf("make the index of orders: %w", err)
	}
	return nil
}

// healthy says whether the index stands and the store answers.
func (s *store) healthy(ctx context.Context) error {
	if !s.prepared.Load() {
		return errors.New("its store has not answered yet")
	}
	return s.client.Ping(ctx, nil)
}

func (s *store) copyUser(ctx context.Context, u shop.User) error {
	return s.put(ctx, usersCollection, u.ID, u.Version, bson.D{{Key: "name", Value: u.Name}})
}

func (s *store) copyProduct(ctx context.Context, p shop.Product) error {
	return s.put(ctx, productsCollection, p.ID, p.Version, bson.D{{Key: "name", Value: p.Name}})
}

func (s *store) copyOrder(ctx context.Context, o shop.Order) error {
	return s.put(ctx, ordersCollection, o.ID, o.Version, bson.D{
		{Key: "user_id", Value: o.UserID},
		{Key: "product_id", Value: o.ProductID},
		{Key: "product_name", Value: o.ProductName},
		{Key: "price_cents", Value: o.PriceCents},
		{Key: "quantity", Value: o.Quantity},
		{Key: "status", Value: o.Status},
		{Key: "reason", Value: o.Reason},
		{Key: "placed_at", Value: o.PlacedAt},
	})
}

// put keeps fields as the document's state unless one of the same or a later version is there, so that it does not matter
// how often and in which order versions come.
func (s *store) put(ctx context.Context, collection, id string, version int64, fields bson.D) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	c := s.db.Collection(collection)
	fields = append(fields, bson.E{Key: "version", Value: version})
	update := func() (found bool, err error) {
		older := bson.D{{Key: "_id", Value: id}, {Key: "version", Value: bson.D{{Key: "$lt", Value: version}}}}
		res, err := c.UpdateOne(ctx, older, bson.D{{Key: "$set", Value: fields}})
		return err == nil && res.MatchedCount > 0, err
	}
	found, err := update()
	if err == nil && !found {
		_, err = c.InsertOne(ctx, append(bson.D{{Key: "_id", Value: id}}, fields...))
		if mongo.IsDuplicateKeyError(err) {
			// There is one: newer, and then this changes nothing, or older and inserted since by another member.
			_, err = update()
		}
	}
	if err != nil {
		return fmt.Errorf("copy version %d of %s %s: %w", version, collection, id, err)
	}
	return nil
}
