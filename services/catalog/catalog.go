// Package catalog holds what is on sale and at what price. It owns the products, in a MongoDB of its own, and tells of
// them on the stream catalog.
package catalog

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

const (
	// maxPrice is the highest price in euro cents; the lowest is 1.
	maxPrice = 10_000_000
	// maxList is how many products one list holds, and how many ids one may ask for.
	maxList = 500
)

// Run serves the catalogue until ctx ends. It starts and stays alive with its store, the bus and every peer dead; an
// error is a fault in cfg.
func Run(ctx context.Context, cfg chassis.Config) error {
	svc, err := chassis.New(cfg)
	if err != nil {
		return err
	}
	store, err := open(cfg, svc.Log)
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	defer store.close()
	bus, err := streams.Open(cfg.BusURL)
	if err != nil {
		return fmt.Errorf("catalog: the bus: %w", err)
	}
	defer bus.Close()
	svc.Ready(store.healthy)
	svc.Outbox(store.waiting)
	svc.Republished(store.republished)
	svc.Go("outbox", store.run)
	svc.Republish(store.republish())
	c := catalog{store}
	for _, pattern := range chassis.ServicePatterns() {
		svc.Handle("GET /"+pattern+"/products", c.list)
		svc.Handle("GET /"+pattern+"/products/{id}", c.get)
		svc.Handle("PUT /"+pattern+"/products/{id}/price", c.setPrice)
		svc.Handle("PUT /"+pattern+"/products/{id}/name", c.setName)
		svc.Handle("GET /"+pattern+"/v2/products", c.listV2)
		svc.Handle("GET /"+pattern+"/v2/products/{id}", c.getV2)
	}
	svc.Job("schema-2", store.migration(schema2))
	svc.Job("schema-1", store.migration(schema1))
	svc.AnswerOverBus(bus)
	return svc.Run(ctx)
}

type catalog struct{ store *store }

// list answers with all products, or with those of the ids asked for that exist, by id.
func (c catalog) list(w http.ResponseWriter, r *http.Request) error {
	var answer struct {
		Products []shop.Product `json:"products"`
	}
	var err error
	if answer.Products, err = c.asked(r); err != nil {
		return err
	}
	return chassis.WriteJSON(w, http.StatusOK, answer)
}

// listV2 is list in version 2 of the API.
func (c catalog) listV2(w http.ResponseWriter, r *http.Request) error {
	var answer struct {
		Products []shop.ProductV2 `json:"products"`
	}
	products, err := c.asked(r)
	if err != nil {
		return err
	}
	answer.Products = make([]shop.ProductV2, len(products))
	for i, p := range products {
		answer.Products[i] = p.V2()
	}
	return chassis.WriteJSON(w, http.StatusOK, answer)
}

// asked are the products that a list is asked for.
func (c catalog) asked(r *http.Request) ([]shop.Product, error) {
	query := r.URL.Query()
	if !query.Has("ids") {
		return c.store.all(r.Context())
	}
	asked := strings.Split(query.Get("ids"), ",")
	if len(asked) > maxList {
		return nil, chassis.Errorf(http.StatusBadRequest, "ids: at most %d", maxList)
	}
	ids := []string{}
	for _, id := range asked {
		if shop.ValidID(id) { // no product has any other
			ids = append(ids, id)
		}
	}
	return c.store.some(r.Context(), ids)
}

func (c catalog) get(w http.ResponseWriter, r *http.Request) error {
	p, err := c.one(r)
	if err != nil {
		return err
	}
	return chassis.WriteJSON(w, http.StatusOK, p)
}

// getV2 is get in version 2 of the API.
func (c catalog) getV2(w http.ResponseWriter, r *http.Request) error {
	p, err := c.one(r)
	if err != nil {
		return err
	}
	return chassis.WriteJSON(w, http.StatusOK, p.V2())
}

// one is the product in the path.
func (c catalog) one(r *http.Request) (shop.Product, error) {
	id, err := pathID(r)
	if err != nil {
		return shop.Product{}, err
	}
	return c.store.product(r.Context(), id)
}

// setPrice answers with the product as it is now. The price that it has already changes nothing, so that a repeated
// request is one event.
func (c catalog) setPrice(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
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
	p, err := c.store.setPrice(r.Context(), id, body.PriceCents)
	if err != nil {
		return err
	}
	return chassis.WriteJSON(w, http.StatusOK, p)
}

// setName answers with the product as it is now. The name that it has already changes nothing, as a price.
func (c catalog) setName(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var body struct {
		Name string `json:"name"`
	}
	if err := chassis.ReadJSON(r, &body); err != nil {
		return err
	}
	name := strings.TrimSpace(body.Name)
	if err := chassis.Invalid(shop.ValidateName(name)); err != nil {
		return err
	}
	p, err := c.store.setName(r.Context(), id, name)
	if err != nil {
		return err
	}
	return chassis.WriteJSON(w, http.StatusOK, p)
}

// pathID is the product's id in the path; a 404 where no product can have it.
func pathID(r *http.Request) (string, error) {
	id := r.PathValue("id")
	if !shop.ValidID(id) {
		return "", unknown(id)
	}
	return id, nil
}

func unknown(id string) error { return chassis.Errorf(http.StatusNotFound, "unknown product %q", id) }
