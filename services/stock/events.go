package stock

import (
	"context"
	"fmt"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// takes is what stock takes from the streams that it reads: placed orders to reserve for, and products, in both versions of
// their events.
func (s *stock) takes() chassis.Takes {
	return chassis.Takes{
		shop.OrderPlaced:      s.reserveFor,
		shop.ProductListedV2:  s.copyProduct,
		shop.ProductChangedV2: s.copyProduct,
		shop.ProductListed:    s.copyProductV1,
		shop.ProductChanged:   s.copyProductV1,
	}
}

// reserveFor answers a placed order with an event: reserved, or refused with the reason.
func (s *stock) reserveFor(ctx context.Context, e streams.Event) error {
	var o shop.Order
	if err := chassis.Payload(e, &o); err != nil {
		return err
	}
	r := shop.Reservation{OrderID: e.Subject, ProductID: o.ProductID, Quantity: o.Quantity}
	if err := r.Validate(); err != nil {
		return streams.Reject(fmt.Errorf("order %s: %w", e.Subject, err))
	}
	_, err := s.hold(ctx, r)
	return err
}

func (s *stock) copyProduct(ctx context.Context, e streams.Event) error {
	var p shop.ProductV2
	if err := chassis.Payload(e, &p); err != nil {
		return err
	}
	p.ID, p.Version = e.Subject, e.Version
	return s.shelf.rename(ctx, p)
}

// copyProductV1 takes an event of version 1 for one of version 2. Where both come, the later one finds its version there.
func (s *stock) copyProductV1(ctx context.Context, e streams.Event) error {
	var p shop.Product
	if err := chassis.Payload(e, &p); err != nil {
		return err
	}
	p.ID, p.Version = e.Subject, e.Version
	return s.shelf.rename(ctx, p.V2())
}
