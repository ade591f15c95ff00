package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// document is a product as it is stored: with its unsent events, which no reader is shown.
type document struct {
	shop.Product `bson:",inline"`
	Outbox       []any `bson:"outbox"`
}

// withoutOutbox leaves the unsent events where they are.
var withoutOutbox = bson.D{{Key: "outbox", Value: 0}}

// seed lists the products that are missing. Each is one write together with its event, so that whatever interrupts it,
// or another replica that does the same, leaves none out and lists none twice.
func (s *store) seed(ctx context.Context, box *outbox.Mongo) error {
	there, err := s.find(ctx, bson.D{})
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, p := range there {
		known[p.ID] = true
	}
	for _, p := range shop.Products() {
		if known[p.ID] {
			continue
		}
		e, err := event(ctx, shop.ProductListed, p)
		if err != nil {
			return err
		}
		_, err = s.products.InsertOne(ctx, document{p, []any{box.Pending(e)}})
		if err != nil && !mongo.IsDuplicateKeyError(err) { // a duplicate: another replica was faster
			return fmt.Errorf("list %s: %w", p.ID, err)
		}
	}
	return nil
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
	return s.find(ctx, filter)
}

func (s *store) find(ctx context.Context, filter bson.D) ([]shop.Product, error) {
	found, err := s.products.Find(ctx, filter, options.Find().SetProjection(withoutOutbox).
		SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(maxList))
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	list := []shop.Product{}
	if err := found.All(ctx, &list); err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	return list, nil
}

// product reads one product; a *chassis.Problem 404 where there is none.
func (s *store) product(ctx context.Context, id string) (shop.Product, error) {
	var p shop.Product
	if _, err := s.ready(); err != nil {
		return p, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := s.products.FindOne(ctx, bson.D{{Key: "_id", Value: id}}, options.FindOne().SetProjection(withoutOutbox)).Decode(&p)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return p, unknown(id)
	}
	if err != nil {
		return p, fmt.Errorf("read product %s: %w", id, err)
	}
	return p, nil
}

// setPrice changes the price and keeps the event of it in one write, and returns the product as it is then. A price that
// the product has already is no change and no event.
func (s *store) setPrice(ctx context.Context, id string, cents int64) (shop.Product, error) {
	j, err := s.ready()
	if err != nil {
		return shop.Product{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	for {
		p, err := s.product(ctx, id)
		if err != nil || p.PriceCents == cents {
			return p, err
		}
		was := p.Version
		p.PriceCents, p.Version = cents, was+1
		e, err := event(ctx, shop.ProductChanged, p)
		if err != nil {
			return p, err
		}
		done, err := s.products.UpdateOne(ctx, bson.D{{Key: "_id", Value: id}, {Key: "version", Value: was}}, bson.D{
			{Key: "$set", Value: bson.D{{Key: "price_cents", Value: p.PriceCents}, {Key: "version", Value: p.Version}}},
			{Key: "$push", Value: bson.D{{Key: "outbox", Value: j.outbox.Pending(e)}}},
		})
		if err != nil {
			return p, fmt.Errorf("change the price of %s: %w", id, err)
		}
		if done.MatchedCount == 1 {
			j.relay.Wake()
			return p, nil
		}
		// Another change came between the read and the write: again, on what stands now, until the time is up.
	}
}

// event tells of the product's whole state.
func event(ctx context.Context, typ string, p shop.Product) (streams.Event, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return streams.Event{}, fmt.Errorf("event of product %s: %w", p.ID, err)
	}
	return streams.Event{
		ID:          uuid.NewString(),
		Source:      shop.Catalog,
		Type:        typ,
		Subject:     p.ID,
		Time:        time.Now().UTC(),
		TraceParent: chassis.TraceParent(ctx),
		Version:     p.Version,
		Data:        data,
	}, nil
}
