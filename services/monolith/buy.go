package monolith

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

// soldOut is why an order is refused.
const soldOut = "sold out"

// errTaken ends the transaction of an order whose id another has taken meanwhile: all of it is undone.
var errTaken = errors.New("the id of the order is taken")

// buy answers 201 with the order, confirmed at once, or 200 with the one that has this id already, so that a retry never
// buys twice; 409 where there are too few units, and the order is kept, refused.
func (m monolith) buy(w http.ResponseWriter, r *http.Request) error {
	var in shop.NewOrder
	if err := chassis.ReadJSON(r, &in); err != nil {
		return err
	}
	if in.ID == "" {
		in.ID = uuid.NewString()
	}
	if err := chassis.Invalid(in.Validate()); err != nil {
		return err
	}
	o, known, err := m.store.find(r.Context(), in.ID)
	if err != nil {
		return err
	}
	if !known {
		o, err = m.store.place(r.Context(), in)
		if known = errors.Is(err, errTaken); known {
			o, _, err = m.store.find(r.Context(), in.ID)
		}
	}
	switch {
	case err != nil:
		return err
	case known:
		return chassis.WriteJSON(w, http.StatusOK, o)
	case o.Status == shop.Refused:
		return chassis.Errorf(http.StatusConflict, "%s: %s", o.ProductID, o.Reason)
	}
	return chassis.WriteJSON(w, http.StatusCreated, o)
}

// place is the whole of a purchase in one transaction over four tables: users, products, stock, orders. Either all of it
// stands or nothing does, so nobody has to give back units whose order was lost, as over HTTP, or to settle an order that
// waits for its units, as over events. A *chassis.Problem 404 says that the user or the product is not known.
func (s *store) place(ctx context.Context, in shop.NewOrder) (shop.Order, error) {
	o := shop.Order{ID: in.ID, UserID: in.UserID, ProductID: in.ProductID, Quantity: in.Quantity, Status: shop.Confirmed,
		PlacedAt: time.Now().UTC().Truncate(time.Millisecond), Version: 1}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var registered bool
		if err := tx.QueryRow(ctx, "select exists (select from users where id = $1)", o.UserID).Scan(&registered); err != nil {
			return err
		}
		if !registered {
			return unknown("user", o.UserID)
		}
		// The lock on the product's row makes its buyers come one after another, until each commits.
		var level int64
		err := tx.QueryRow(ctx, "select p.name, p.price_cents, s.level from products p join stock s on s.product_id = p.id "+
			"where p.id = $1 for update of s", o.ProductID).Scan(&o.ProductName, &o.PriceCents, &level)
		if errors.Is(err, pgx.ErrNoRows) {
			return unknown("product", o.ProductID)
		}
		if err != nil {
			return err
		}
		var taken, brought int64
		if level >= o.Quantity {
			taken = o.Quantity
		} else {
			o.Status, o.Reason = shop.Refused, soldOut
		}
		if o.Status == shop.Refused || level-taken < shop.LowLevel {
			brought = s.delivery
		}
		_, err = tx.Exec(ctx, "update stock set level = level - $2 + $3, reserved = reserved + $2, delivered = delivered + $3 "+
			"where product_id = $1", o.ProductID, taken, brought)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, "insert into orders ("+orderColumns+") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "+
			"on conflict (id) do nothing", o.ID, o.UserID, o.ProductID, o.ProductName, o.PriceCents, o.Quantity, o.Status,
			o.Reason, o.PlacedAt, o.Version)
		if err == nil && tag.RowsAffected() == 0 {
			return errTaken
		}
		return err
	})
	if err != nil {
		return o, fmt.Errorf("place order %s: %w", in.ID, err)
	}
	return o, nil
}
