package stock

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// apply takes what stock needs from the streams that it reads: placed orders to reserve for, and the products' names.
func (s *stock) apply(ctx context.Context, e streams.Entry) error {
	var take func(context.Context, streams.Event) error
	switch e.Event.Type {
	case shop.OrderPlaced:
		take = s.reserveFor
	case shop.ProductListed, shop.ProductChanged:
		take = s.copyProduct
	default:
		return nil
	}
	ctx, end := chassis.StartEvent(ctx, e.Stream, s.name, e.Event.TraceParent, e.Event.ID, e.Event.Type)
	err := take(ctx, e.Event)
	end(err)
	return err
}

// reserveFor answers a placed order with an event: reserved, or refused with the reason.
func (s *stock) reserveFor(ctx context.Context, e streams.Event) error {
	var o shop.Order
	if err := decode(e, &o); err != nil {
		return err
	}
	r := shop.Reservation{OrderID: e.Subject, ProductID: o.ProductID, Quantity: o.Quantity}
	if err := validate(r); err != nil {
		return streams.Reject(fmt.Errorf("order %s: %w", e.Subject, err))
	}
	_, err := s.hold(ctx, r)
	return err
}

func (s *stock) copyProduct(ctx context.Context, e streams.Event) error {
	var p shop.Product
	if err := decode(e, &p); err != nil {
		return err
	}
	p.ID, p.Version = e.Subject, e.Version
	return s.shelf.rename(ctx, p)
}

// decode reads the event's payload into v; one that cannot be read never will be.
func decode(e streams.Event, v any) error {
	if err := json.Unmarshal(e.Data, v); err != nil {
		return streams.Reject(fmt.Errorf("payload of %s: %w", e.Type, err))
	}
	return nil
}
