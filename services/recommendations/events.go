package recommendations

import (
	"context"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// takes is what recommendations takes from the streams that it reads, products in both versions of their events.
func (r *recommendations) takes() chassis.Takes {
	return chassis.Takes{
		shop.OrderConfirmed:   r.bought,
		shop.OrderArchived:    r.archived,
		shop.ProductListedV2:  r.copyProduct,
		shop.ProductChangedV2: r.copyProduct,
		shop.ProductListed:    r.copyProductV1,
		shop.ProductChanged:   r.copyProductV1,
	}
}

func (r *recommendations) bought(ctx context.Context, e streams.Event) error {
	var o shop.Order
	if err := chassis.Payload(e, &o); err != nil {
		return err
	}
	o.ID = e.Subject
	return r.basket.put(ctx, o)
}

// archived takes an order out again, as its owner did: the copy is then what it would be if it were built anew from what the
// owner still has.
func (r *recommendations) archived(ctx context.Context, e streams.Event) error {
	return r.basket.drop(ctx, e.Subject, e.Time)
}

func (r *recommendations) copyProduct(ctx context.Context, e streams.Event) error {
	var p shop.ProductV2
	if err := chassis.Payload(e, &p); err != nil {
		return err
	}
	p.ID, p.Version = e.Subject, e.Version
	return r.basket.rename(ctx, p)
}

// copyProductV1 takes an event of version 1 for one of version 2. Where both come, the later one finds its version there.
func (r *recommendations) copyProductV1(ctx context.Context, e streams.Event) error {
	var p shop.Product
	if err := chassis.Payload(e, &p); err != nil {
		return err
	}
	p.ID, p.Version = e.Subject, e.Version
	return r.basket.rename(ctx, p.V2())
}
