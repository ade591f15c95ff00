package purchases

import (
	"context"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// takes is what purchases takes from the streams that it reads.
func (p *purchases) takes() chassis.Takes {
	return chassis.Takes{
		shop.UserRegistered: p.takeUser,
		shop.UserRemoved:    p.dropUser,
		shop.ProductListed:  p.takeProduct,
		shop.ProductChanged: p.takeProduct,
		shop.OrderPlaced:    p.takeOrder,
		shop.OrderConfirmed: p.takeOrder,
		shop.OrderRefused:   p.takeOrder,
		shop.OrderArchived:  p.dropOrder,
	}
}

func (p *purchases) takeUser(ctx context.Context, e streams.Event) error {
	var u shop.User
	if err := chassis.Payload(e, &u); err != nil {
		return err
	}
	u.ID, u.Version = e.Subject, e.Version
	return p.store.copyUser(ctx, u)
}

func (p *purchases) takeProduct(ctx context.Context, e streams.Event) error {
	var product shop.Product
	if err := chassis.Payload(e, &product); err != nil {
		return err
	}
	product.ID, product.Version = e.Subject, e.Version
	return p.store.copyProduct(ctx, product)
}

func (p *purchases) takeOrder(ctx context.Context, e streams.Event) error {
	var o shop.Order
	if err := chassis.Payload(e, &o); err != nil {
		return err
	}
	o.ID, o.Version = e.Subject, e.Version
	return p.store.copyOrder(ctx, o)
}

func (p *purchases) dropUser(ctx context.Context, e streams.Event) error {
	return p.store.removeUser(ctx, e.Subject)
}

func (p *purchases) dropOrder(ctx context.Context, e streams.Event) error {
	var o shop.Archived
	if err := chassis.Payload(e, &o); err != nil {
		return err
	}
	o.ID = e.Subject
	return p.store.archive(ctx, o)
}
