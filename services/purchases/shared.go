package purchases

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

// others are the stores of users, orders and catalog, used past their owners. This is the anti-pattern of a shared
// database, here on purpose: what stands in this file repeats the owners' schemas, and breaks when they change.
type others struct {
	users, orders *chassis.Reach[*pgxpool.Pool]
	catalog       *chassis.Reach[*mongo.Database]
}

// reachOthers prepares the use of the others' stores. An error is a fault in an address.
func reachOthers(svc *chassis.Service) (o others, err error) {
	if o.users, err = svc.ReachPostgres("users-db"); err != nil {
		return o, err
	}
	if o.orders, err = svc.ReachPostgres("orders-db"); err != nil {
		return o, err
	}
	o.catalog, err = svc.ReachMongo("catalog-db")
	return o, err
}

// fromStores reads the three stores at once, each always, and joins by itself what no database can join any more.
func (p *purchases) fromStores(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("user")
	if !shop.ValidID(id) {
		return unknownUser(id)
	}
	var (
		name   string
		known  bool
		orders []shop.Order
		names  map[string]string
		// Of several failures the first of these is told, so that the answer does not depend on which came first.
		userErr, ordersErr, productsErr error
		reads                           sync.WaitGroup // without a common context: the end of one is no failure of the other
	)
	reads.Go(func() { name, known, userErr = p.others.userName(r.Context(), id) })
	reads.Go(func() { orders, ordersErr = p.others.newest(r.Context(), id, shop.PurchasesShown) })
	reads.Go(func() { names, productsErr = p.others.productNames(r.Context()) })
	reads.Wait()
	if userErr == nil && !known {
		return unknownUser(id)
	}
	if err := cmp.Or(userErr, ordersErr, productsErr); err != nil {
		return err
	}
	rename(orders, names)
	return chassis.WriteJSON(w, http.StatusOK, shop.Purchases{UserID: id, UserName: name, Purchases: orders})
}

// userName reads users' table.
func (o others) userName(ctx context.Context, id string) (name string, known bool, err error) {
	err = o.users.Do(ctx, "SELECT", func(ctx context.Context, db *pgxpool.Pool) error {
		err := db.QueryRow(ctx, "select name from users where id = $1", id).Scan(&name)
		known = err == nil
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	return name, known, err
}

// newest reads from orders' table the n newest of the user that are not refused, newest first; never nil.
func (o others) newest(ctx context.Context, user string, n int) (list []shop.Order, err error) {
	err = o.orders.Do(ctx, "SELECT", func(ctx context.Context, db *pgxpool.Pool) error {
		rows, err := db.Query(ctx, "select id, user_id, product_id, product_name, price_cents, quantity, status, reason, placed_at, "+
			"version from orders where user_id = $1 and status <> '"+shop.Refused+"' order by placed_at desc, id desc limit $2", user, n)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (o shop.Order, err error) {
			err = row.Scan(&o.ID, &o.UserID, &o.ProductID, &o.ProductName, &o.PriceCents, &o.Quantity, &o.Status, &o.Reason,
				&o.PlacedAt, &o.Version)
			o.PlacedAt = o.PlacedAt.UTC()
			return o, err
		})
		return err
	})
	return list, err
}

// catalogs is a product as catalog stores it: what is needed of it, which is there or catalog has another schema.
type catalogs struct {
	ID   string  `bson:"_id"`
	Name *string `bson:"name"`
}

// productNames reads catalog's collection: all names by product id, for which are needed is known only when the orders
// are, and a shop has few products.
func (o others) productNames(ctx context.Context) (map[string]string, error) {
	names := map[string]string{}
	err := o.catalog.Do(ctx, "find", func(ctx context.Context, db *mongo.Database) error {
		// Catalog keeps its unsent events in the same documents: only what is needed is read.
		found, err := find[catalogs](ctx, db.Collection("products"), bson.D{}, options.Find().SetProjection(bson.D{{Key: "name", Value: 1}}))
		if err != nil {
			return err
		}
		for _, p := range found {
			if p.Name == nil {
				return chassis.NoField("catalog-db", "product "+p.ID, "name")
			}
			names[p.ID] = *p.Name
		}
		return nil
	})
	return names, err
}
