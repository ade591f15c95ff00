package orders

import (
	"context"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// takes is what orders takes from the streams that it reads: copies of users and products, and stock's answers to placed
// orders.
func (s *orders) takes() chassis.Takes {
	return chassis.Takes{
		shop.UserRegistered: s.takeUser,
		shop.UserRemoved:    s.dropUser,
		shop.ProductListed:  s.takeProduct,
		shop.ProductChanged: s.takeProduct,
		shop.StockReserved:  s.confirm,
		shop.StockRefused:   s.refuse,
	}
}

func (s *orders) takeUser(ctx context.Context, e streams.Event) error {
	var u shop.User
	if err := chassis.Payload(e, &u); err != nil {
		return err
	}
	u.ID, u.Version = e.Subject, e.Version
	return s.store.copyUser(ctx, u)
}

func (s *orders) dropUser(ctx context.Context, e streams.Event) error {
	return s.store.removeUser(ctx, e.Subject)
}

func (s *orders) takeProduct(ctx context.Context, e streams.Event) error {
	var p shop.Product
	if err := chassis.Payload(e, &p); err != nil {
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
	if err := chassis.Payload(e, &r); err != nil {
		return err
	}
	return s.store.settle(ctx, e.Subject, shop.Refused, r.Reason)
}
