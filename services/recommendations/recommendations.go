// Package recommendations knows which products the same users bought, from confirmed orders and a copy of the products'
// names in a Redis of its own. It is made to be added to a shop that runs: all that it needs is on the bus.
package recommendations

import (
	"context"
	"fmt"
	"net/http"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// Run serves recommendations until ctx ends. It starts and stays alive with its store and the bus dead; an error is a fault
// in cfg.
func Run(ctx context.Context, cfg chassis.Config) error {
	svc, err := chassis.New(cfg)
	if err != nil {
		return err
	}
	store, err := streams.Open(cfg.StoreURL)
	if err != nil {
		return fmt.Errorf("recommendations: its store: %w", err)
	}
	defer store.Close()
	bus, err := streams.Open(cfg.BusURL)
	if err != nil {
		return fmt.Errorf("recommendations: the bus: %w", err)
	}
	defer bus.Close()

	r := &recommendations{basket: basket{store}}
	svc.Ready(func(ctx context.Context) error { return store.Ping(ctx).Err() })
	svc.Handle("GET /copies/recommendations/{product}", r.fromCopies)
	consumer := &streams.Consumer{
		Redis:   bus,
		Group:   cfg.Name,
		Name:    svc.Instance,
		Streams: []string{shop.Catalog, shop.Orders},
		Handle:  r.takes().Handler(cfg.Name),
		Healthy: svc.Healthy,
		Log:     cfg.Log,
	}
	r.copies = svc.Consume("copies", consumer, chassis.Rebuild{Job: "rebuild", Takes: r.takes(),
		Copy: basketCopy{chassis.RedisMark{Client: store}, r.basket}})
	return svc.Run(ctx)
}

type recommendations struct {
	basket basket
	copies *chassis.Rebuilder
}

// fromCopies answers from the service's own store alone.
func (r *recommendations) fromCopies(w http.ResponseWriter, req *http.Request) error {
	product := req.PathValue("product")
	if !shop.ValidID(product) {
		return chassis.Errorf(http.StatusNotFound, "unknown product %q", product)
	}
	if err := r.copies.Ready(); err != nil {
		return err
	}
	found, known, err := r.basket.with(req.Context(), product, shop.TogetherShown)
	if err != nil {
		return err
	}
	if !known {
		return chassis.Errorf(http.StatusNotFound, "unknown product %q", product)
	}
	return chassis.WriteJSON(w, http.StatusOK, found)
}
