package orders

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

// releaseTimeout bounds the attempt to give back a reservation whose order could not be stored.
const releaseTimeout = 300 * time.Millisecond

// soldOut is why stock refuses a reservation with 409.
const soldOut = "sold out"

// orderFromCopies takes an order with the own store alone. Stock decides later, over events.
func (s *orders) orderFromCopies(w http.ResponseWriter, r *http.Request) error {
	in, err := s.read(r)
	if err != nil {
		return err
	}
	if done, err := s.answerKnown(w, r, in.ID); done || err != nil {
		return err
	}
	if err := s.users.Ready(); err != nil {
		return err
	}
	p, err := s.store.product(r.Context(), in.UserID, in.ProductID)
	if err != nil {
		return err
	}
	o, added, err := s.store.add(r.Context(), newOrder(in, p, shop.Placed))
	if err != nil {
		return err
	}
	return answer(w, o, added)
}

// asking is the service as it asks its peers in one pattern.
type asking struct {
	*orders
	peers chassis.Caller
}

// orderFromPeers takes an order by asking all who know: users and catalog at once, then stock.
func (s asking) orderFromPeers(w http.ResponseWriter, r *http.Request) error {
	in, err := s.read(r)
	if err != nil {
		return err
	}
	if done, err := s.answerKnown(w, r, in.ID); done || err != nil {
		return err
	}
	p, err := s.ask(r.Context(), in.UserID, in.ProductID)
	if err != nil {
		return err
	}
	wanted := shop.Reservation{OrderID: in.ID, ProductID: in.ProductID, Quantity: in.Quantity}
	err = s.peers.Call(r.Context(), "stock", http.MethodPost, "/reservations", wanted, nil)
	if refused(err, http.StatusConflict) {
		o := newOrder(in, p, shop.Refused)
		o.Reason = soldOut
		if _, _, err := s.store.add(r.Context(), o); err != nil {
			return err
		}
		return chassis.Errorf(http.StatusConflict, "%s: %s", in.ProductID, soldOut)
	}
	if err != nil {
		return err
	}
	o, added, err := s.store.add(r.Context(), newOrder(in, p, shop.Confirmed))
	if err != nil {
		s.release(r.Context(), in.ID, err)
		return err
	}
	return answer(w, o, added)
}

// ask asks users and catalog at once and returns the product; a *chassis.Problem 404 where one of them knows nothing.
func (s asking) ask(ctx context.Context, user, product string) (shop.Product, error) {
	var p shop.Product
	var g errgroup.Group // without a common context: the end of one call is no failure of the other
	g.Go(func() error {
		err := s.peers.Call(ctx, "users", http.MethodGet, "/users/"+url.PathEscape(user), nil, nil)
		if refused(err, http.StatusNotFound) {
			return chassis.Errorf(http.StatusNotFound, "unknown user %q", user)
		}
		return err
	})
	g.Go(func() error {
		err := s.peers.Call(ctx, "catalog", http.MethodGet, "/products/"+url.PathEscape(product), nil, &p)
		if refused(err, http.StatusNotFound) {
			return chassis.Errorf(http.StatusNotFound, "unknown product %q", product)
		}
		return err
	})
	err := g.Wait()
	return p, err
}

// release gives back the reservation of an order that was not stored because of cause. It is an attempt only: that a
// reservation can be left behind is what this pattern costs. An order that may stand keeps its reservation.
func (s asking) release(ctx context.Context, order string, cause error) {
	if errors.Is(cause, errUnsure) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if err := s.peers.Call(ctx, "stock", http.MethodDelete, "/reservations/"+url.PathEscape(order), nil, nil); err != nil {
		s.log.Warn("reservation left behind", "order", order, "err", err)
	}
}

// refused says whether err is a peer's answer of that status.
func refused(err error, status int) bool {
	var call *chassis.CallError
	return errors.As(err, &call) && call.Status == status
}

// read reads and checks a new order and gives it an id where it has none.
func (s *orders) read(r *http.Request) (shop.NewOrder, error) {
	var in shop.NewOrder
	if err := chassis.ReadJSON(r, &in); err != nil {
		return in, err
	}
	if in.ID == "" {
		in.ID = uuid.NewString()
	}
	return in, chassis.Invalid(in.Validate())
}

// answerKnown answers with the order that has this id already, so that a retry never buys twice.
func (s *orders) answerKnown(w http.ResponseWriter, r *http.Request, id string) (bool, error) {
	o, known, err := s.store.find(r.Context(), id)
	if err != nil || !known {
		return false, err
	}
	return true, answer(w, o, false)
}

func newOrder(in shop.NewOrder, p shop.Product, status string) shop.Order {
	return shop.Order{
		ID: in.ID, UserID: in.UserID, ProductID: in.ProductID, ProductName: p.Name, PriceCents: p.PriceCents,
		Quantity: in.Quantity, Status: status, PlacedAt: time.Now().UTC().Truncate(time.Millisecond), Version: 1,
	}
}

func answer(w http.ResponseWriter, o shop.Order, added bool) error {
	if added {
		return chassis.WriteJSON(w, http.StatusCreated, o)
	}
	return chassis.WriteJSON(w, http.StatusOK, o)
}
