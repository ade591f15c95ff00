package monolith

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

const (
	// maxPrice is the highest price in euro cents; the lowest is 1.
	maxPrice = 10_000_000
	// maxList is how many products one list holds, and how many ids one may ask for.
	maxList = 500
)

const productColumns = "id, name, category, description, price_cents, version"

// scanProduct reads one row of productColumns.
func scanProduct(row pgx.CollectableRow) (p shop.Product, err error) {
	err = row.Scan(&p.ID, &p.Name, &p.Category, &p.Description, &p.PriceCents, &p.Version)
	return p, err
}

// products answers with all products, or with those of the ids asked for that exist, by id.
func (m monolith) products(w http.ResponseWriter, r *http.Request) error {
	where, args := "", []any{}
	if query := r.URL.Query(); query.Has("ids") {
		asked := strings.Split(query.Get("ids"), ",")
		if len(asked) > maxList {
			return chassis.Errorf(http.StatusBadRequest, "ids: at most %d", maxList)
		}
		ids := []string{}
		for _, id := range asked {
			if shop.ValidID(id) { // no product has any other
				ids = append(ids, id)
			}
		}
		where, args = "where id = any($1)", []any{ids}
	}
	list, err := m.readProducts(r, where, args...)
	if err != nil {
		return err
	}
	return chassis.WriteJSON(w, http.StatusOK, map[string][]shop.Product{"products": list})
}

func (m monolith) product(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id", "product")
	if err != nil {
		return err
	}
	return m.writeProduct(w, r, id)
}

// setPrice answers with the product as it is now. The price that it has already changes nothing.
func (m monolith) setPrice(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id", "product")
	if err != nil {
		return err
	}
	var body struct {
		PriceCents int64 `json:"price_cents"`
	}
	if err := chassis.ReadJSON(r, &body); err != nil {
		return err
	}
	if body.PriceCents < 1 || body.PriceCents > maxPrice {
		return chassis.Errorf(http.StatusBadRequest, "price_cents: 1 to %d", maxPrice)
	}
	rows, err := m.store.pool.Query(r.Context(), "update products set price_cents = $2, version = version + 1 "+
		"where id = $1 and price_cents <> $2 returning "+productColumns, id, body.PriceCents)
	if err != nil {
		return fmt.Errorf("change the price of %s: %w", id, err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanProduct)
	if errors.Is(err, pgx.ErrNoRows) { // no such product, or no change
		return m.writeProduct(w, r, id)
	}
	if err != nil {
		return fmt.Errorf("change the price of %s: %w", id, err)
	}
	return chassis.WriteJSON(w, http.StatusOK, p)
}

// writeProduct answers with one product; a *chassis.Problem 404 where there is none.
func (m monolith) writeProduct(w http.ResponseWriter, r *http.Request, id string) error {
	list, err := m.readProducts(r, "where id = $1", id)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return unknown("product", id)
	}
	return chassis.WriteJSON(w, http.StatusOK, list[0])
}

// readProducts reads products by id, the first maxList; an empty list for none.
func (m monolith) readProducts(r *http.Request, where string, args ...any) ([]shop.Product, error) {
	rows, err := m.store.pool.Query(r.Context(), fmt.Sprintf("select %s from products %s order by id limit %d",
		productColumns, where, maxList), args...)
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanProduct)
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	return list, nil
}

// stock answers how many units of a product there are. Its name comes by a JOIN, where the service of the same name has to
// keep a copy.
func (m monolith) stock(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "product", "product")
	if err != nil {
		return err
	}
	v := shop.Level{ProductID: id}
	err = m.store.pool.QueryRow(r.Context(), "select p.name, s.level, s.reserved, s.delivered "+
		"from stock s join products p on p.id = s.product_id where s.product_id = $1", id).
		Scan(&v.ProductName, &v.Level, &v.Reserved, &v.Delivered)
	if errors.Is(err, pgx.ErrNoRows) {
		return unknown("product", id)
	}
	if err != nil {
		return fmt.Errorf("read the stock of %s: %w", id, err)
	}
	return chassis.WriteJSON(w, http.StatusOK, v)
}
