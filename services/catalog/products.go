package catalog

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// withoutOutbox leaves the unsent events where they are.
var withoutOutbox = bson.D{{Key: "outbox", Value: 0}}

// seed lists the products that are missing, in the schema that is wanted. Each is one write together with its events, so
// that whatever interrupts it, or another replica that does the same, leaves none out and lists none twice.
func (s *store) seed(ctx context.Context, box *outbox.Mongo) error {
	to, err := s.wanted(ctx)
	if err != nil {
		return err
	}
	there, err := s.find(ctx, bson.D{}, maxList)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, r := range there {
		known[r.ID] = true
	}
	for _, p := range shop.Products() {
		if known[p.ID] {
			continue
		}
		r := record{p, to}
		events, err := r.events(ctx, listed)
		if err != nil {
			return err
		}
		_, err = s.products.InsertOne(ctx, r.document(pending(box, events)))
		if err != nil && !mongo.IsDuplicateKeyError(err) { // a duplicate: another replica was faster
			return fmt.Errorf("list %s: %w", p.ID, err)
		}
	}
	return nil
}

// pending are events as they stand in a document.
func pending(box *outbox.Mongo, events []streams.Event) []any {
	list := make([]any, len(events))
	for i, e := range events {
		list[i] = box.Pending(e)
	}
	return list
}

// all reads the products by id, the first maxList.
func (s *store) all(ctx context.Context) ([]shop.Product, error) { return s.read(ctx, bson.D{}) }

// some reads those of the ids that exist, by id.
func (s *store) some(ctx context.Context, ids []string) ([]shop.Product, error) {
	return s.read(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}})
}

func (s *store) read(ctx context.Context, filter bson.D) ([]shop.Product, error) {
	if _, err := s.ready(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	found, err := s.find(ctx, filter, maxList)
	if err != nil {
		return nil, err
	}
	list := make([]shop.Product, len(found))
	for i, r := range found {
		list[i] = r.Product
	}
	return list, nil
}

// find reads the records of a filter by id, the first limit.
func (s *store) find(ctx context.Context, filter bson.D, limit int64) ([]record, error) {
	found, err := s.products.Find(ctx, filter, options.Find().SetProjection(withoutOutbox).
		SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(limit))
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	var docs []document
	if err := found.All(ctx, &docs); err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	list := make([]record, len(docs))
	for i, d := range docs {
		if list[i], err = d.record(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// product reads one product; a *chassis.Problem 404 where there is none.
func (s *store) product(ctx context.Context, id string) (shop.Product, error) {
	r, err := s.record(ctx, id)
	return r.Product, err
}

// record is product, and says in which schema it stands.
func (s *store) record(ctx context.Context, id string) (record, error) {
	if _, err := s.ready(); err != nil {
		return record{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	var d document
	err := s.products.FindOne(ctx, bson.D{{Key: "_id", Value: id}}, options.FindOne().SetProjection(withoutOutbox)).Decode(&d)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return record{}, unknown(id)
	}
	if err != nil {
		return record{}, fmt.Errorf("read product %s: %w", id, err)
	}
	return d.record()
}

// setPrice changes the price; see change.
func (s *store) setPrice(ctx context.Context, id string, cents int64) (shop.Product, error) {
	return s.change(ctx, id, func(p *shop.Product) { p.PriceCents = cents })
}

// setName changes the name; see change.
func (s *store) setName(ctx context.Context, id, name string) (shop.Product, error) {
	return s.change(ctx, id, func(p *shop.Product) { p.Name = name })
}

// change changes a product and keeps the events of it in one write, and returns the product as it is then. What leaves it
// as it is, is no change and no event. The document keeps its schema: to change that is the migration's alone.
func (s *store) change(ctx context.Context, id string, do func(p *shop.Product)) (shop.Product, error) {
	j, err := s.ready()
	if err != nil {
		return shop.Product{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	for {
		was, err := s.record(ctx, id)
		if err != nil {
			return shop.Product{}, err
		}
		r := was
		if do(&r.Product); r == was {
			return r.Product, nil
		}
		r.Version++
		events, err := r.events(ctx, changed)
		if err != nil {
			return r.Product, err
		}
		done, err := s.products.UpdateOne(ctx, was.is(), bson.D{
			{Key: "$set", Value: r.values()},
			{Key: "$push", Value: bson.D{{Key: "outbox", Value: bson.D{{Key: "$each", Value: pending(j.outbox, events)}}}}},
		})
		if err != nil {
			return r.Product, fmt.Errorf("change product %s: %w", id, err)
		}
		if done.MatchedCount == 1 {
			j.relay.Wake()
			return r.Product, nil
		}
		// Another change, or the migration, came between the read and the write: again, on what stands now, until the time
		// is up.
	}
}
