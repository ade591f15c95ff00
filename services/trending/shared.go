package trending

import (
	"cmp"
	"context"
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

// others are the stores of orders and catalog, used past their owners. This is the anti-pattern of a shared database,
// here on purpose: what stands in this file repeats the owners' schemas, and breaks when they change.
type others struct {
	orders  *chassis.Reach[*pgxpool.Pool]
	catalog *chassis.Reach[*mongo.Database]
}

// reachOthers prepares the use of the others' stores. An error is a fault in an address.
func reachOthers(svc *chassis.Service) (o others, err error) {
	if o.orders, err = svc.ReachPostgres("orders-db"); err != nil {
		return o, err
	}
	o.catalog, err = svc.ReachMongo("catalog-db")
	return o, err
}

// topFromStores reads both stores at once, each always.
func (t *trending) topFromStores(w http.ResponseWriter, r *http.Request) error {
	var (
		top                   shop.TopSellers
		names                 map[string]string
		ordersErr, catalogErr error          // of two failures the first of these is told
		reads                 sync.WaitGroup // without a common context: the end of one is no failure of the other
	)
	reads.Go(func() { top.Sellers, ordersErr = t.others.best(r.Context(), shown) })
	reads.Go(func() { names, catalogErr = t.others.productNames(r.Context()) })
	reads.Wait()
	if err := cmp.Or(ordersErr, catalogErr); err != nil {
		return err
	}
	for i, s := range top.Sellers {
		top.Sellers[i].ProductName = names[s.ProductID]
	}
	return chassis.WriteJSON(w, http.StatusOK, top)
}

// best counts in orders' table the confirmed orders of each product: the best n, ties by product id; never nil.
func (o others) best(ctx context.Context, n int) (sellers []shop.Seller, err error) {
	err = o.orders.Do(ctx, "SELECT", func(ctx context.Context, db *pgxpool.Pool) error {
		rows, err := db.Query(ctx, "select product_id, count(*) from orders where status = '"+shop.Confirmed+
			"' group by product_id order by count(*) desc, product_id limit $1", n)
		if err != nil {
			return err
		}
		sellers, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s shop.Seller, err error) {
			err = row.Scan(&s.ProductID, &s.Orders)
			return s, err
		})
		return err
	})
	return sellers, err
}

// productNames reads catalog's collection: all names by product id, of which a shop has few.
func (o others) productNames(ctx context.Context) (map[string]string, error) {
	names := map[string]string{}
	err := o.catalog.Do(ctx, "find", func(ctx context.Context, db *mongo.Database) error {
		// Catalog keeps its unsent events in the same documents: only what is needed is read.
		found, err := db.Collection("products").Find(ctx, bson.D{}, options.Find().SetProjection(bson.D{{Key: "name", Value: 1}}))
		if err != nil {
			return err
		}
		var products []struct {
			ID   string  `bson:"_id"`
			Name *string `bson:"name"`
		}
		if err := found.All(ctx, &products); err != nil {
			return err
		}
		for _, p := range products {
			if p.Name == nil {
				return chassis.NoField("catalog-db", "product "+p.ID, "name")
			}
			names[p.ID] = *p.Name
		}
		return nil
	})
	return names, err
}
