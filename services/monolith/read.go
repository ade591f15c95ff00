package monolith

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

// How many orders a list holds where nothing else is asked for, and at most.
const shownOrders, mostOrders = 20, 100

const orderColumns = "id, user_id, product_id, product_name, price_cents, quantity, status, reason, placed_at, version"

// orders answers a user's orders, newest first, the refused ones among them.
func (m monolith) orders(w http.ResponseWriter, r *http.Request) error {
	user := r.FormValue("user")
	if !shop.ValidID(user) {
		return chassis.Errorf(http.StatusBadRequest, "user: the id of a user, as in ?user=u-001")
	}
	limit := shownOrders
	if text := r.FormValue("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > mostOrders {
			return chassis.Errorf(http.StatusBadRequest, "limit: a number from 1 to %d", mostOrders)
		}
	}
	list, err := m.store.query(r.Context(), "where user_id = $1 order by placed_at desc, id desc limit $2", user, limit)
	if err != nil {
		return err
	}
	return chassis.WriteJSON(w, http.StatusOK, map[string][]shop.Order{"orders": list})
}

func (m monolith) order(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id", "order")
	if err != nil {
		return err
	}
	o, known, err := m.store.find(r.Context(), id)
	if err != nil {
		return err
	}
	if !known {
		return unknown("order", id)
	}
	return chassis.WriteJSON(w, http.StatusOK, o)
}

// purchasesQuery is "my purchases", whole: the user, the newest orders and their products' present names in ONE query. It
// is what the monolith is for. Each of the other patterns needs three owners, three calls or three copies for the same
// answer. A user without orders is one row without an order.
const purchasesQuery = `
	select u.name, o.id, o.product_id, p.name, o.price_cents, o.quantity, o.status, o.reason, o.placed_at, o.version
	from users u
	left join lateral (
		select * from orders where user_id = u.id and status <> 'refused' order by placed_at desc, id desc limit $2
	) o on true
	left join products p on p.id = o.product_id
	where u.id = $1
	order by o.placed_at desc, o.id desc`

func (m monolith) purchases(w http.ResponseWriter, r *http.Request) error {
	user, err := pathID(r, "user", "user")
	if err != nil {
		return err
	}
	rows, err := m.store.pool.Query(r.Context(), purchasesQuery, user, shop.PurchasesShown)
	if err != nil {
		return fmt.Errorf("read the purchases of %s: %w", user, err)
	}
	answer := shop.Purchases{UserID: user, Purchases: []shop.Order{}} // never null in JSON
	known := false
	o := shop.Order{UserID: user}
	_, err = pgx.ForEachRow(rows, []any{&answer.UserName, (*zeronull.Text)(&o.ID), (*zeronull.Text)(&o.ProductID),
		(*zeronull.Text)(&o.ProductName), (*zeronull.Int8)(&o.PriceCents), (*zeronull.Int8)(&o.Quantity),
		(*zeronull.Text)(&o.Status), (*zeronull.Text)(&o.Reason), (*zeronull.Timestamptz)(&o.PlacedAt),
		(*zeronull.Int8)(&o.Version)}, func() error {
		known = true
		if o.ID != "" {
			o.PlacedAt = o.PlacedAt.UTC()
			answer.Purchases = append(answer.Purchases, o)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the purchases of %s: %w", user, err)
	}
	if !known {
		return unknown("user", user)
	}
	return chassis.WriteJSON(w, http.StatusOK, answer)
}

// topQuery is "top sellers", whole: ONE query with a JOIN for what the synchronous pattern asks down a chain of three
// services, and the copies keep counters for. It counts by the index of confirmed orders alone and joins what is left.
const topQuery = `
	select best.product_id, p.name, best.orders
	from (
		select product_id, count(*) as orders from orders where status = 'confirmed'
		group by product_id order by count(*) desc, product_id limit $1
	) best
	join products p on p.id = best.product_id
	order by best.orders desc, best.product_id`

func (m monolith) top(w http.ResponseWriter, r *http.Request) error {
	rows, err := m.store.pool.Query(r.Context(), topQuery, shop.SellersShown)
	if err != nil {
		return fmt.Errorf("read the top sellers: %w", err)
	}
	sellers, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s shop.Seller, err error) {
		err = row.Scan(&s.ProductID, &s.ProductName, &s.Orders)
		return s, err
	})
	if err != nil {
		return fmt.Errorf("read the top sellers: %w", err)
	}
	return chassis.WriteJSON(w, http.StatusOK, shop.TopSellers{Sellers: sellers})
}

// find reads an order; false where there is none.
func (s *store) find(ctx context.Context, id string) (shop.Order, bool, error) {
	orders, err := s.query(ctx, "where id = $1", id)
	if err != nil || len(orders) == 0 {
		return shop.Order{}, false, err
	}
	return orders[0], true, nil
}

// query reads orders; an empty list for none.
func (s *store) query(ctx context.Context, where string, args ...any) ([]shop.Order, error) {
	rows, err := s.pool.Query(ctx, "select "+orderColumns+" from orders "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	orders, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o shop.Order, err error) {
		err = row.Scan(&o.ID, &o.UserID, &o.ProductID, &o.ProductName, &o.PriceCents, &o.Quantity, &o.Status, &o.Reason,
			&o.PlacedAt, &o.Version)
		o.PlacedAt = o.PlacedAt.UTC()
		return o, err
	})
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	return orders, nil
}
