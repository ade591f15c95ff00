package trending

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// apply takes what trending needs from the streams that it reads; all else is none of its business.
func (t *trending) apply(ctx context.Context, e streams.Entry) error {
	var take func(context.Context, streams.Event) error
	switch e.Event.Type {
	case shop.OrderConfirmed:
		take = t.count
	case shop.ProductListed, shop.ProductChanged:
		take = t.copyProduct
	default:
		return nil
	}
	ctx, end := chassis.StartEvent(ctx, e.Stream, t.name, e.Event.TraceParent, e.Event.ID, e.Event.Type)
	err := take(ctx, e.Event)
	end(err)
	return err
}

func (t *trending) count(ctx context.Context, e streams.Event) error {
	var o shop.Order
	if err := decode(e, &o); err != nil {
		return err
	}
	return t.ranking.count(ctx, e.Subject, o.ProductID, e.Time)
}

func (t *trending) copyProduct(ctx context.Context, e streams.Event) error {
	var p shop.Product
	if err := decode(e, &p); err != nil {
		return err
	}
	p.ID, p.Version = e.Subject, e.Version
	return t.ranking.rename(ctx, p)
}

// decode reads the event's payload into v; one that cannot be read never will be.
func decode(e streams.Event, v any) error {
	if err := json.Unmarshal(e.Data, v); err != nil {
		return streams.Reject(fmt.Errorf("payload of %s: %w", e.Type, err))
	}
	return nil
}
