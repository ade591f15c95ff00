// Package monolith is the whole shop in one process over one Postgres: all six features, the same API and the same seed.
package monolith

import (
	"context"
	"fmt"
	"net/http"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

// Run serves all six features until ctx ends. It starts and stays alive with its store dead; an error is a fault in cfg.
func Run(ctx context.Context, cfg chassis.Config) error {
	svc, err := chassis.New(cfg)
	if err != nil {
		return err
	}
	store, err := open(cfg, svc.Log)
	if err != nil {
		return fmt.Errorf("monolith: %w", err)
	}
	defer store.pool.Close()
	return serve(ctx, svc, store)
}

func serve(ctx context.Context, svc *chassis.Service, store *store) error {
	m := monolith{store}
	handle := func(method, path string, h handler) {
		svc.Handle(method+" /"+chassis.Monolith+path, m.bounded(h))
	}
	handle("POST", "/users", m.signUp)
	handle("GET", "/users/{id}", m.user)
	handle("GET", "/products", m.products)
	handle("GET", "/products/{id}", m.product)
	handle("PUT", "/products/{id}/price", m.setPrice)
	handle("GET", "/stock/{product}", m.stock)
	handle("POST", "/orders", m.buy)
	handle("GET", "/orders", m.orders)
	handle("GET", "/orders/{id}", m.order)
	handle("GET", "/purchases/{user}", m.purchases)
	handle("GET", "/top", m.top)
	svc.Ready(store.healthy)
	svc.Go("store", store.run)
	svc.Go("retention", store.dropping)
	return svc.Run(ctx)
}

// monolith is every feature of the shop. Each has its handler and its SQL side by side.
type monolith struct{ store *store }

type handler = func(http.ResponseWriter, *http.Request) error

// bounded lets h run once tables and seed stand, for at most storeTimeout: all that a request waits for is the store.
func (m monolith) bounded(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := m.store.ready(); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
		defer cancel()
		return h(w, r.WithContext(ctx))
	}
}

// pathID is the id in the path, of a thing called what; a *chassis.Problem 404 where nothing can have it.
func pathID(r *http.Request, name, what string) (string, error) {
	id := r.PathValue(name)
	if !shop.ValidID(id) {
		return "", unknown(what, id)
	}
	return id, nil
}

func unknown(what, id string) error {
	return chassis.Errorf(http.StatusNotFound, "unknown %s %q", what, id)
}
