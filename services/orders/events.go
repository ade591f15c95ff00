package orders

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// apply takes what orders needs from the streams that it reads: copies of users and products, and stock's answers to
// placed orders. All else is none of its business.
func (s *orders) apply(ctx context.Context, e streams.Entry) error {
	var take func(context.Context, streams.Event) error
	switch e.Event.Type {
	case shop.UserRegistered:
		take = s.takeUser
	case shop.ProductListed, shop.ProductChanged:
		take = s.takeProduct
	case shop.StockReserved:
		take = s.confirm
	case shop.StockRefused:
		take = s.refuse
	default:
		return nil
	}
	ctx, end := chassis.StartEvent(ctx, e.Stream, s.name, e.Event.TraceParent, e.Event.ID, e.Event.Type)
	err := take(ctx, e.Event)
	end(err)
	return err
}

func (s *orders) takeUser(ctx context.Context, e streams.Event) error {
	var u shop.User
	if err := decode(e, &u); err != nil {
		return err
	}
	u.ID, u.Version = e.Subject, e.Version
	return s.store.copyUser(ctx, u)
}

func (s *orders) takeProduct(ctx context.Context, e streams.Event) error {
	var p shop.Product
	if err := decode(e, &p); err != nil {
		return err
	}
	p.ID, p.Version = e.Subject, e.Version
	return s.store.copyProduct(ctx, p)
}

func (s *orders) confirm(ctx context.Context, e streams.Event) error {
	return s.store.settle(ctx, e.Subject, shop.Confirmed, "")
}

func (s *orders) refuse(ctx context.Context, e streams.Event) error {
	var r shop.Reservation
	if err := decode(e, &r); err != nil {
		return err
	}
	return s.store.settle(ctx, e.Subject, shop.Refused, r.Reason)
}

// decode reads the event's payload into v; one that cannot be read never will be.
func decode(e streams.Event, v any) error {
	if err := json.Unmarshal(e.Data, v); err != nil {
		return streams.Reject(fmt.Errorf("payload of %s: %w", e.Type, err))
	}
	return nil
}
