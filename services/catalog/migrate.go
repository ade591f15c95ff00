package catalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/stillup/stillup/services/chassis"
)

const (
	// schemaCollection holds one document, which says which schema is wanted: it is written before the first product is
	// migrated, so that what is interrupted is found and finished.
	schemaCollection = collection + "_schema"
	schemaID         = "wanted"

	// migrateBatch is how many products are read at once to be migrated.
	migrateBatch = 100
	// migrateTimeout bounds each use of the store by a migration, so that one that dies is told soon.
	migrateTimeout = 3 * time.Second
	// settleRetry is how long the service waits before it tries again to finish a migration.
	settleRetry = time.Second
)

// say is what the end of a migration says.
var say = map[schema]string{
	schema1: "every product has schema 1: name, price_cents",
	schema2: "every product has schema 2: title, net_cents, vat_cents",
}

// wanted is the schema that the products are to have; schema 1 where none was ever asked for.
func (s *store) wanted(ctx context.Context) (schema, error) {
	ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	var doc struct {
		Schema schema `bson:"schema"`
	}
	err := s.schemas.FindOne(ctx, bson.D{{Key: "_id", Value: schemaID}}).Decode(&doc)
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return schema1, nil
	case err != nil:
		return 0, fmt.Errorf("read which schema is wanted: %w", err)
	}
	return doc.Schema, nil
}

// want has the products have that schema, from now on.
func (s *store) want(ctx context.Context, to schema) error {
	ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	_, err := s.schemas.UpdateOne(ctx, bson.D{{Key: "_id", Value: schemaID}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "schema", Value: to}}}}, options.UpdateOne().SetUpsert(true))
	if err != nil {
		return fmt.Errorf("keep that schema %d is wanted: %w", to, err)
	}
	return nil
}

// migration is the job that brings every product to a schema while the service answers. Whatever cuts it off leaves
// nothing wrong: each document has one schema or the other, both are read, and another run or the next start finishes.
func (s *store) migration(to schema) func(ctx context.Context, report *chassis.Report) error {
	return func(ctx context.Context, report *chassis.Report) error {
		if _, err := s.ready(); err != nil {
			return err
		}
		if err := s.want(ctx, to); err != nil {
			return err
		}
		n, err := s.notIn(ctx, to)
		if err != nil {
			return err
		}
		report.Expect(n)
		report.Say("products get schema %d, one by one", to)
		left := n
		if err := s.migrate(ctx, to, func(n int64) { left -= n; report.Add(n) }); err != nil {
			return fmt.Errorf("%w; what is migrated stays so, and another run does the rest", err)
		}
		report.Add(left) // what another replica did, or a write of which the answer was lost: all have the schema
		report.Say("%s", say[to])
		return nil
	}
}

// notIn counts the products that do not have the schema.
func (s *store) notIn(ctx context.Context, to schema) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	n, err := s.products.CountDocuments(ctx, in(other(to)))
	if err != nil {
		return 0, fmt.Errorf("count products: %w", err)
	}
	return n, nil
}

func other(s schema) schema {
	if s == schema2 {
		return schema1
	}
	return schema2
}

// migrate brings products to the schema until all have it, and tells of each. It ends with an error where another schema
// is wanted meanwhile.
func (s *store) migrate(ctx context.Context, to schema, told func(n int64)) error {
	for {
		wanted, err := s.wanted(ctx)
		if err != nil {
			return err
		}
		if wanted != to {
			return fmt.Errorf("schema %d is wanted meanwhile", wanted)
		}
		batch, err := s.unmigrated(ctx, to)
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, r := range batch {
			done, err := s.reshape(ctx, r, to)
			if err != nil {
				return err
			}
			if done {
				told(1)
			}
		}
	}
}

// unmigrated are some products that do not have the schema.
func (s *store) unmigrated(ctx context.Context, to schema) ([]record, error) {
	ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	return s.find(ctx, in(other(to)), migrateBatch)
}

// reshape stores a record in another schema, in one write, and reports whether it did: not where it has changed since it
// was read. No event tells of it, for the product is what it was.
func (s *store) reshape(ctx context.Context, r record, to schema) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	now := record{r.Product, to}
	done, err := s.products.UpdateOne(ctx, r.is(), bson.D{
		{Key: "$set", Value: now.values()},
		{Key: "$unset", Value: now.without()},
	})
	if err != nil {
		return false, fmt.Errorf("migrate product %s: %w", r.ID, err)
	}
	return done.MatchedCount == 1, nil
}

// settle finishes a migration that was cut off, until that is done or ctx ends.
func (s *store) settle(ctx context.Context) {
	for {
		to, err := s.wanted(ctx)
		if err == nil {
			err = s.migrate(ctx, to, func(int64) {})
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		s.log.Debug("products not all migrated; trying again", "err", err) // a store that is away is told elsewhere
		select {
		case <-time.After(settleRetry):
		case <-ctx.Done():
			return
		}
	}
}
