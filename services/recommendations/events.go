package recommendations

import (
	"context"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// takes is what recommendations takes from the streams that it reads.
func (r *recommendations) takes() chassis.Takes {
	return chassis.Takes{
		shop.OrderConfirmed: r.bought,
		shop.OrderArchived:  r.archived,
		shop.ProductListed:  r.copyProduct,
		shop.ProductChanged: r.copyProduct,
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
	p, err := productOf(e)
	if err != nil {
		return err
	}
	return r.basket.rename(ctx, p)
}

// productOf reads a product of whatever schema version its event has.
func productOf(e streams.Event) (shop.Product, error) {
	var p shop.Product
	if err := chassis.Payload(e, &p); err != nil {
		return p, err
	}
	p.ID, p.Version = e.Subject, e.Version
	return p, nil
}
