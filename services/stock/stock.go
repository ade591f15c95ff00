// Package stock knows how many units of each product there are, and holds them for orders, in a Redis of its own.
package stock

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// Run serves stock until ctx ends. It starts and stays alive with its store, the bus and every peer dead; an error is a
// fault in cfg.
func Run(ctx context.Context, cfg chassis.Config) error {
	svc, err := chassis.New(cfg)
	if err != nil {
		return err
	}
	store, err := streams.Open(cfg.StoreURL)
	if err != nil {
		return fmt.Errorf("stock: its store: %w", err)
	}
	defer store.Close()
	bus, err := streams.Open(cfg.BusURL)
	if err != nil {
		return fmt.Errorf("stock: the bus: %w", err)
	}
	defer bus.Close()

	s := &stock{shelf: shelf{store}, log: svc.Log,
		relay: &outbox.Relay{Store: outbox.NewRedis(store), BusURL: cfg.BusURL, Stream: shop.Stock, Log: svc.Log}}
	svc.Ready(func(ctx context.Context) error {
		if !s.seeded.Load() {
			return errUnready
		}
		return store.Ping(ctx).Err()
	})
	for _, pattern := range chassis.ServicePatterns() {
		svc.Handle("GET /"+pattern+"/stock/{product}", s.look)
		svc.Handle("POST /"+pattern+"/reservations", s.reserve)
		svc.Handle("DELETE /"+pattern+"/reservations/{order}", s.release)
	}
	consumer := &streams.Consumer{
		Redis:   bus,
		Group:   cfg.Name,
		Name:    svc.Instance,
		Streams: []string{shop.Catalog, shop.Orders},
		Handle:  s.takes().Handler(cfg.Name),
		Healthy: svc.Healthy,
		Log:     svc.Log,
	}
	svc.Outbox(s.relay.Waiting)
	svc.Republished(s.relay.Republished)
	svc.AnswerOverBus(bus)
	svc.Go("outbox", s.run)
	svc.Republish(s.republish())
	svc.Go("events", consumer.Run)
	return svc.Run(ctx)
}

type stock struct {
	shelf  shelf
	log    *slog.Logger
	relay  *outbox.Relay
	seeded atomic.Bool
}

// run fills the shelf, again and again until the store lets it, and then relays events until ctx ends.
func (s *stock) run(ctx context.Context) error {
	_, ok := chassis.UntilReady(ctx, s.log, func(ctx context.Context) (any, error) { return nil, s.shelf.seed(ctx) })
	if !ok {
		return nil
	}
	s.seeded.Store(true)
	return s.relay.Run(ctx)
}

func (s *stock) look(w http.ResponseWriter, r *http.Request) error {
	product := r.PathValue("product")
	if !shop.ValidID(product) {
		return chassis.Errorf(http.StatusNotFound, "%s %q", unknownProduct, product)
	}
	v, err := s.shelf.level(r.Context(), product)
	if err != nil {
		return err
	}
	return chassis.WriteJSON(w, http.StatusOK, v)
}

// reserve answers 201 with the reservation, also where the order had it already, 409 where there are too few units.
func (s *stock) reserve(w http.ResponseWriter, r *http.Request) error {
	var in shop.Reservation
	if err := chassis.ReadJSON(r, &in); err != nil {
		return err
	}
	if err := chassis.Invalid(in.Validate()); err != nil {
		return err
	}
	state, err := s.hold(r.Context(), in)
	switch {
	case err != nil:
		return err
	case state == soldOut:
		return chassis.Errorf(http.StatusConflict, "%s: %s", in.ProductID, soldOut)
	case state == unknownProduct:
		return chassis.Errorf(http.StatusNotFound, "%s %q", unknownProduct, in.ProductID)
	}
	return chassis.WriteJSON(w, http.StatusCreated, shop.Reservation{OrderID: in.OrderID, ProductID: in.ProductID, Quantity: in.Quantity})
}

// release answers 204 whether or not anything was held.
func (s *stock) release(w http.ResponseWriter, r *http.Request) error {
	done, err := s.shelf.release(r.Context(), r.PathValue("order"))
	if err != nil {
		return err
	}
	if done {
		s.relay.Wake()
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// hold reserves and has the event of it sent.
func (s *stock) hold(ctx context.Context, r shop.Reservation) (string, error) {
	if !s.seeded.Load() {
		return "", errUnready
	}
	state, now, err := s.shelf.reserve(ctx, r)
	switch {
	case now:
		s.relay.Wake()
	case err == nil:
		chassis.Skip(ctx, "has answered this order already: "+state)
	}
	return state, err
}
