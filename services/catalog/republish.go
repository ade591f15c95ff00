package catalog

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// republish has the service publish again all products.
func (s *store) republish() chassis.Republish {
	return chassis.Republish{Stream: shop.Catalog, Subjects: s.count, Next: s.again, Add: s.tell, Waiting: s.waiting}
}

func (s *store) count(ctx context.Context) (int64, error) {
	ids, err := s.after(ctx, "", 0)
	return int64(len(ids)), err
}

// after are the ids of products that follow one, by id, at most limit; 0: all. A shop has few.
func (s *store) after(ctx context.Context, id string, limit int) ([]string, error) {
	if _, err := s.ready(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	found, err := s.products.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: id}}}}, options.Find().
		SetProjection(bson.D{{Key: "_id", Value: 1}}).SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(int64(limit)))
	if err != nil {
		return nil, fmt.Errorf("read the ids of products: %w", err)
	}
	var docs []struct {
		ID string `bson:"_id"`
	}
	if err := found.All(ctx, &docs); err != nil {
		return nil, fmt.Errorf("read the ids of products: %w", err)
	}
	ids := make([]string, len(docs))
	for i, doc := range docs {
		ids[i] = doc.ID
	}
	return ids, nil
}

// again tells anew of the products whose ids follow after.
func (s *store) again(ctx context.Context, after string, limit int) (next string, n int, err error) {
	j, err := s.ready()
	if err != nil {
		return "", 0, err
	}
	ids, err := s.after(ctx, after, limit)
	if err != nil {
		return "", 0, err
	}
	for _, id := range ids {
		if err := s.tellOf(ctx, j.outbox, id); err != nil {
			return "", 0, fmt.Errorf("publish product %s again: %w", id, err)
		}
	}
	if n = len(ids); n == limit {
		next = ids[n-1]
	}
	j.relay.Wake()
	return next, n, nil
}

// tellOf puts the events of the product's state into its document, if that is still its state and schema.
func (s *store) tellOf(ctx context.Context, box *outbox.Mongo, id string) error {
	for {
		r, err := s.record(ctx, id)
		if err != nil {
			return err
		}
		types := listed
		if r.Version > 1 {
			types = changed
		}
		events, err := r.events(ctx, types)
		if err != nil {
			return err
		}
		done, err := s.push(ctx, box, r.is(), events...)
		if err != nil || done {
			return err
		}
	}
}

// tell puts an event of no product into the outbox, which is a part of the products: into that of the first.
func (s *store) tell(ctx context.Context, e streams.Event) error {
	j, err := s.ready()
	if err != nil {
		return err
	}
	ids, err := s.after(ctx, "", 1)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return fmt.Errorf("tell %s: there is no product to keep it with", e.Type)
	}
	if _, err := s.push(ctx, j.outbox, bson.D{{Key: "_id", Value: ids[0]}}, e); err != nil {
		return fmt.Errorf("tell %s: %w", e.Type, err)
	}
	j.relay.Wake()
	return nil
}

// push adds events to the outbox of the document, and reports whether there is one.
func (s *store) push(ctx context.Context, box *outbox.Mongo, doc bson.D, events ...streams.Event) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	done, err := s.products.UpdateOne(ctx, doc,
		bson.D{{Key: "$push", Value: bson.D{{Key: "outbox", Value: bson.D{{Key: "$each", Value: pending(box, events)}}}}}})
	return err == nil && done.MatchedCount == 1, err
}
