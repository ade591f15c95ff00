package trending

import (
	"context"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// takes is what trending takes from the streams that it reads.
func (t *trending) takes() chassis.Takes {
	return chassis.Takes{
		shop.OrderConfirmed: t.count,
		shop.OrderArchived:  t.archive,
		shop.ProductListed:  t.copyProduct,
		shop.ProductChanged: t.copyProduct,
	}
}

func (t *trending) count(ctx context.Context, e streams.Event) error {
	var o shop.Order
	if err := chassis.Payload(e, &o); err != nil {
		return err
	}
	return t.ranking.count(ctx, e.Subject, o.ProductID, o.PlacedAt)
}

func (t *trending) archive(ctx context.Context, e streams.Event) error {
	var o shop.Archived
	if err := chassis.Payload(e, &o); err != nil {
		return err
	}
	return t.ranking.archive(ctx, e.Subject, o.ProductID, o.PlacedAt)
}

func (t *trending) copyProduct(ctx context.Context, e streams.Event) error {
	var p shop.Product
	if err := chassis.Payload(e, &p); err != nil {
		return err
	}
	p.ID, p.Version = e.Subject, e.Version
	return t.ranking.rename(ctx, p)
}
