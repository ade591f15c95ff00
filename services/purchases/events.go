package purchases

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// apply takes what purchases needs from the streams that it reads; all else is none of its business.
func (p *purchases) apply(ctx context.Context, e streams.Entry) error {
	var take func(context.Context, streams.Event) error
	switch e.Event.Type {
	case shop.UserRegistered:
		take = p.takeUser
	case shop.ProductListed, shop.ProductChanged:
		take = p.takeProduct
	case shop.OrderPlaced, shop.OrderConfirmed, shop.OrderRefused:
		take = p.takeOrder
	default:
		return nil
	}
	ctx, end := chassis.StartEvent(ctx, e.Stream, p.name, e.Event.TraceParent, e.Event.ID, e.Event.Type)
	err := take(ctx, e.Event)
	end(err)
	return err
}

func (p *purchases) takeUser(ctx context.Context, e streams.Event) error {
	var u shop.User
	if err := decode(e, &u); err != nil {
		return err
	}
	u.ID, u.Version = e.Subject, e.Version
	return p.store.copyUser(ctx, u)
}

func (p *purchases) takeProduct(ctx context.Context, e streams.Event) error {
	var product shop.Product
	if err := decode(e, &product); err != nil {
		return err
	}
	product.ID, product.Version = e.Subject, e.Version
	return p.store.copyProduct(ctx, product)
}

func (p *purchases) takeOrder(ctx context.Context, e streams.Event) error {
	var o shop.Order
	if err := decode(e, &o); err != nil {
		return err
	}
	o.ID, o.Version = e.Subject, e.Version
	return p.store.copyOrder(ctx, o)
}

// decode reads the event's payload into v; one that cannot be read never will be.
func decode(e streams.Event, v any) error {
	if err := json.Unmarshal(e.Data, v); err != nil {
		return streams.Reject(fmt.Errorf("payload of %s: %w", e.Type, err))
	}
	return nil
}
