package trending

import (
	"context"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// takes is what trending takes from the streams that it reads: confirmed orders, and products, in both versions of their
// events.
func (t *trending) takes() chassis.Takes {
	return chassis.Takes{
		shop.OrderConfirmed:   t.count,
		shop.OrderArchived:    t.archive,
		shop.ProductListedV2:  t.copyProduct,
		shop.ProductChangedV2: t.copyProduct,
		shop.ProductListed:    t.copyProductV1,
		shop.ProductChanged:   t.copyProductV1,
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
	var p shop.ProductV2
	if err := chassis.Payload(e, &p); err != nil {
		return err
	}
	p.ID, p.Version = e.Subject, e.Version
	return t.ranking.rename(ctx, p)
}

// copyProductV1 takes an event of version 1 for one of version 2. Where both come, the later one finds its version there.
func (t *trending) copyProductV1(ctx context.Context, e streams.Event) error {
	var p shop.Product
	if err := chassis.Payload(e, &p); err != nil {
		return err
	}
	p.ID, p.Version = e.Subject, e.Version
	return t.ranking.rename(ctx, p.V2())
}
