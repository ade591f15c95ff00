// Package orders takes orders. It owns them, in a Postgres of its own, and tells of them on the stream orders.
package orders

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// How many orders a list holds where nothing else is asked for, and at most.
const shownOrders, mostOrders = 20, 100

// Run takes orders until ctx ends. It starts and stays alive with its store, the bus and every peer dead; an error is a
// fault in cfg.
func Run(ctx context.Context, cfg chassis.Config) error {
	svc, err := chassis.New(cfg)
	if err != nil {
		return err
	}
	store, err := open(cfg, svc.Log)
	if err != nil {
		return fmt.Errorf("orders: %w", err)
	}
	defer store.pool.Close()
	bus, err := streams.Open(cfg.BusURL)
	if err != nil {
		return fmt.Errorf("orders: the bus: %w", err)
	}
	defer bus.Close()

	others, err := reachOthers(svc)
	if err != nil {
		return fmt.Errorf("orders: %w", err)
	}

	s := &orders{store: store, others: others, log: svc.Log}
	svc.Ready(store.healthy)
	svc.Outbox(store.waiting)
	svc.Republished(store.republished)
	svc.Go("outbox", store.run)
	svc.Go("archive", store.archiving)
	svc.Republish(store.republish())
	svc.Handle("POST /shared/orders", s.orderFromStores)
	svc.Handle("POST /copies/orders", s.orderFromCopies)
	for pattern, caller := range map[string]chassis.Caller{chassis.Sync: svc.Client, chassis.Bus: svc.AskOverBus(bus)} {
		a := asking{s, chassis.Under(pattern, caller)}
		svc.Handle("POST /"+pattern+"/orders", a.orderFromPeers)
		svc.Handle("GET /"+pattern+"/sales", a.sales)
	}
	for _, pattern := range chassis.ServicePatterns() {
		svc.Handle("GET /"+pattern+"/orders", s.list)
		svc.Handle("GET /"+pattern+"/orders/{id}", s.get)
	}
	svc.AnswerOverBus(bus)
	consumer := &streams.Consumer{
		Redis:   bus,
		Group:   cfg.Name,
		Name:    svc.Instance,
		Streams: []string{shop.Users, shop.Catalog, shop.Stock},
		Handle:  s.takes().Handler(cfg.Name),
		Healthy: svc.Healthy,
		Log:     svc.Log,
	}
	s.users = svc.Consume("copies and saga", consumer,
		chassis.Rebuild{Job: "rebuild-users", Streams: []string{shop.Users}, Takes: s.takes(), Copy: store.userCopy()})
	return svc.Run(ctx)
}

type orders struct {
	store  *store
	others others
	users  *chassis.Rebuilder // of the copy of users
	log    *slog.Logger
}

// list answers a user's orders, newest first.
func (s *orders) list(w http.ResponseWriter, r *http.Request) error {
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
	list, err := s.store.newest(r.Context(), user, limit)
	if err != nil {
		return err
	}
	return chassis.WriteJSON(w, http.StatusOK, map[string][]shop.Order{"orders": list})
}

func (s *orders) get(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if !shop.ValidID(id) {
		return chassis.Errorf(http.StatusNotFound, "unknown order %q", id)
	}
	o, known, err := s.store.find(r.Context(), id)
	if err != nil {
		return err
	}
	if !known {
		return chassis.Errorf(http.StatusNotFound, "unknown order %q", id)
	}
	return chassis.WriteJSON(w, http.StatusOK, o)
}
