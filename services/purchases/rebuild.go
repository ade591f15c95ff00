package purchases

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/stillup/stillup/services/chassis"
)

// copied is the read model as its rebuild sees it.
type copied struct {
	chassis.MongoMark
	store *store
}

func (s *store) copy() copied {
	return copied{chassis.MongoMark{Collection: s.db.Collection(marksCollection)}, s}
}

// Digest implements [chassis.Copy]. Of the versions of a document the highest counts, and of a user's page the orders that it
// has to hold: how many more it has depends on when it was cut.
func (c copied) Digest(ctx context.Context) (*chassis.Digest, error) {
	d := &chassis.Digest{}
	for _, name := range []string{usersCollection, ordersCollection} {
		err := each(ctx, c.store.db.Collection(name), func(doc versioned) error {
			version, raw, err := doc.highest()
			if err != nil {
				return err
			}
			var fields bson.M
			if err := bson.Unmarshal(raw, &fields); err != nil {
				return err
			}
			return d.Add(name, doc.ID, version, fields)
		})
		if err != nil {
			return nil, err
		}
	}
	err := each(ctx, c.store.db.Collection(productsCollection), func(doc bson.M) error {
		return d.Add(productsCollection, doc["_id"], doc)
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, c.store.db.Collection(pagesCollection), func(p page) error {
		orders, err := p.newestFirst()
		if err != nil || len(orders) == 0 {
			return err
		}
		return d.Add(pagesCollection, p.ID, orders[:min(len(orders), keepListed)])
	})
	return d, err
}

// each calls do with every document of the collection.
func each[T any](ctx context.Context, c *mongo.Collection, do func(T) error) error {
	found, err := c.Find(ctx, bson.D{})
	if err != nil {
		return err
	}
	defer found.Close(ctx)
	for found.Next(ctx) {
		var doc T
		if err := found.Decode(&doc); err != nil {
			return err
		}
		if err := do(doc); err != nil {
			return err
		}
	}
	return found.Err()
}

// Wipe implements [chassis.Copy].
func (c copied) Wipe(ctx context.Context) error {
	for _, name := range []string{usersCollection, productsCollection, ordersCollection, pagesCollection} {
		if err := c.store.db.Collection(name).Drop(ctx); err != nil {
			return err
		}
	}
	_, err := c.store.db.Collection(marksCollection).DeleteOne(ctx, bson.D{{Key: "_id", Value: archivedID}})
	c.store.forgetArchived()
	return err
}
