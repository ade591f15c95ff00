package orders

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/sync/errgroup"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

// others are the stores of users, catalog and stock, used past their owners. This is the anti-pattern of a shared
// database, here on purpose: what stands in this file repeats the owners' schemas and rules, and breaks when they change.
type others struct {
	users   *chassis.Reach[*pgxpool.Pool]
	catalog *chassis.Reach[*mongo.Database]
	stock   *chassis.Reach[*redis.Client]
}

// Keys in stock's Redis, and how many reservations it keeps: as services/stock has them.
const (
	stockLevelKey        = "level:"
	stockReservationsKey = "reservations"
	stockOrdersKey       = "reservations:orders"
	stockRemembered      = shop.KeptReservations
)

// unknownInStock is what the script says where stock has no level of the product.
const unknownInStock = "unknown product"

var (
	//go:embed shared_reserve.lua
	sharedReserveSource string
	//go:embed shared_release.lua
	sharedReleaseSource string

	sharedReserve = redis.NewScript(sharedReserveSource)
	sharedRelease = redis.NewScript(sharedReleaseSource)
)

// reachOthers prepares the use of the others' stores. An error is a fault in an address.
func reachOthers(svc *chassis.Service) (o others, err error) {
	if o.users, err = svc.ReachPostgres("users-db"); err != nil {
		return o, err
	}
	if o.catalog, err = svc.ReachMongo("catalog-db"); err != nil {
		return o, err
	}
	o.stock, err = svc.ReachRedis("stock-db")
	return o, err
}

// orderFromStores takes an order by itself, in four stores: it reads those of users and catalog at once, changes stock's,
// and then its own. No transaction spans them.
func (s *orders) orderFromStores(w http.ResponseWriter, r *http.Request) error {
	in, err := s.read(r)
	if err != nil {
		return err
	}
	if done, err := s.answerKnown(w, r, in.ID); done || err != nil {
		return err
	}
	p, err := s.others.look(r.Context(), in.UserID, in.ProductID)
	if err != nil {
		return err
	}
	state, err := s.others.reserve(r.Context(), in)
	switch {
	case err != nil:
		return err
	case state == soldOut:
		o := newOrder(in, p, shop.Refused)
		o.Reason = soldOut
		if _, _, err := s.store.add(r.Context(), o); err != nil {
			return err
		}
		return chassis.Errorf(http.StatusConflict, "%s: %s", in.ProductID, soldOut)
	case state == unknownInStock:
		return chassis.Errorf(http.StatusBadGateway, "stock-db holds no level of product %q", in.ProductID)
	}
	o, added, err := s.store.add(r.Context(), newOrder(in, p, shop.Confirmed))
	if err != nil {
		s.releaseInStore(r.Context(), in.ID, err)
		return err
	}
	return answer(w, o, added)
}

// look reads users' table and catalog's collection at once and returns the product; a *chassis.Problem 404 where one of
// them holds nothing.
func (o others) look(ctx context.Context, user, product string) (shop.Product, error) {
	var found struct {
		Name       *string `bson:"name"`
		PriceCents *int64  `bson:"price_cents"`
	}
	var g errgroup.Group // without a common context: the end of one read is no failure of the other
	g.Go(func() error {
		var known bool
		err := o.users.Do(ctx, "SELECT", func(ctx context.Context, db *pgxpool.Pool) error {
			return db.QueryRow(ctx, "select exists (select from users where id = $1)", user).Scan(&known)
		})
		if err == nil && !known {
			return chassis.Errorf(http.StatusNotFound, "unknown user %q", user)
		}
		return err
	})
	g.Go(func() error {
		known := true
		err := o.catalog.Do(ctx, "find", func(ctx context.Context, db *mongo.Database) error {
			// Catalog keeps its unsent events in the same documents: only what is needed is read.
			err := db.Collection("products").FindOne(ctx, bson.D{{Key: "_id", Value: product}},
				options.FindOne().SetProjection(bson.D{{Key: "name", Value: 1}, {Key: "price_cents", Value: 1}})).Decode(&found)
			switch {
			case errors.Is(err, mongo.ErrNoDocuments):
				known = false
				return nil
			case err != nil:
				return err
			case found.Name == nil:
				return chassis.NoField("catalog-db", "product "+product, "name")
			case found.PriceCents == nil:
				return chassis.NoField("catalog-db", "product "+product, "price_cents")
			}
			return nil
		})
		if err == nil && !known {
			return chassis.Errorf(http.StatusNotFound, "unknown product %q", product)
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return shop.Product{}, err
	}
	return shop.Product{ID: product, Name: *found.Name, PriceCents: *found.PriceCents}, nil
}

// reserve holds units in stock's own store, once however often it is asked to, and returns how that went. Stock never
// learns of it: no event is told, and no delivery comes where the level runs low, which is a rule of stock's.
func (o others) reserve(ctx context.Context, in shop.NewOrder) (state string, err error) {
	plain, err := json.Marshal(shop.Reservation{OrderID: in.ID, ProductID: in.ProductID, Quantity: in.Quantity})
	if err != nil {
		return "", fmt.Errorf("reserve for %s: %w", in.ID, err)
	}
	err = o.stock.Do(ctx, "EVALSHA", func(ctx context.Context, rdb *redis.Client) (err error) {
		state, err = sharedReserve.Run(ctx, rdb, []string{stockLevelKey + in.ProductID, stockReservationsKey, stockOrdersKey},
			in.ID, in.ProductID, in.Quantity, plain, stockRemembered).Text()
		return err
	})
	return state, err
}

// releaseInStore is release for a reservation that was made in stock's own store.
func (s *orders) releaseInStore(ctx context.Context, order string, cause error) {
	if errors.Is(cause, errUnsure) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	err := s.others.stock.Do(ctx, "EVALSHA", func(ctx context.Context, rdb *redis.Client) error {
		return sharedRelease.Run(ctx, rdb, []string{stockReservationsKey}, order, stockLevelKey).Err()
	})
	if err != nil {
		s.log.Warn("reservation left behind", "order", order, "err", err)
	}
}
