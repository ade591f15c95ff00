// Package trending counts confirmed orders per product in a Redis of its own and answers which products sell best.
package trending

import (
	"context"
	"fmt"
	"net/http"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// shown is how many sellers an answer holds at most.
const shown = shop.SellersShown

// Run serves top sellers until ctx ends. It starts and stays alive with its store, the bus and every peer dead; an error
// is a fault in cfg.
func Run(ctx context.Context, cfg chassis.Config) error {
	svc, err := chassis.New(cfg)
	if err != nil {
		return err
	}
	store, err := streams.Open(cfg.StoreURL)
	if err != nil {
		return fmt.Errorf("trending: its store: %w", err)
	}
	defer store.Close()
	bus, err := streams.Open(cfg.BusURL)
	if err != nil {
		return fmt.Errorf("trending: the bus: %w", err)
	}
	defer bus.Close()

	others, err := reachOthers(svc)
	if err != nil {
		return fmt.Errorf("trending: %w", err)
	}

	t := &trending{ranking: ranking{store}, others: others}
	svc.Ready(func(ctx context.Context) error { return store.Ping(ctx).Err() })
	svc.Handle("GET /copies/top", t.topFromCopies)
	svc.Handle("GET /shared/top", t.topFromStores)
	svc.Handle("GET /sync/top", asking{chassis.Under(chassis.Sync, svc.Client)}.top)
	svc.Handle("GET /bus/top", asking{chassis.Under(chassis.Bus, svc.AskOverBus(bus))}.top)
	consumer := &streams.Consumer{
		Redis:   bus,
		Group:   cfg.Name,
		Name:    svc.Instance,
		Streams: []string{shop.Catalog, shop.Orders},
		Handle:  t.takes().Handler(cfg.Name),
		Healthy: svc.Healthy,
		Log:     cfg.Log,
	}
	t.copies = svc.Consume("copies", consumer, chassis.Rebuild{Job: "rebuild", Takes: t.takes(), Copy: rankingCopy{chassis.RedisMark{Client: store}, t.ranking}})
	return svc.Run(ctx)
}

type trending struct {
	ranking ranking
	others  others
	copies  *chassis.Rebuilder
}

// topFromCopies answers from the service's own store alone.
func (t *trending) topFromCopies(w http.ResponseWriter, r *http.Request) error {
	if err := t.copies.Ready(); err != nil {
		return err
	}
	top, err := t.ranking.best(r.Context(), shown)
	if err != nil {
		return err
	}
	return chassis.WriteJSON(w, http.StatusOK, top)
}

// asking is the service as it asks its peers in one pattern. It needs no store.
type asking struct{ peers chassis.Caller }

// top asks orders, which asks catalog for the names: with the caller's own request, a chain of three.
func (t asking) top(w http.ResponseWriter, r *http.Request) error {
	var top shop.TopSellers
	if err := t.peers.Call(r.Context(), "orders", http.MethodGet, "/sales", nil, &top); err != nil {
		return err
	}
	return chassis.WriteJSON(w, http.StatusOK, top)
}
