// Package purchases answers what a user has bought: from a read model of its own in MongoDB, kept from the streams users,
// catalog and orders, or by asking those services.
package purchases

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// Run serves purchases until ctx ends. It starts and stays alive with its store, the bus and every peer dead; an error
// is a fault in cfg.
func Run(ctx context.Context, cfg chassis.Config) error {
	svc, err := chassis.New(cfg)
	if err != nil {
		return err
	}
	store, err := open(cfg.StoreURL, svc.Log)
	if err != nil {
		return fmt.Errorf("purchases: %w", err)
	}
	defer store.close()
	bus, err := streams.Open(cfg.BusURL)
	if err != nil {
		return fmt.Errorf("purchases: the bus: %w", err)
	}
	defer bus.Close()

	others, err := reachOthers(svc)
	if err != nil {
		return fmt.Errorf("purchases: %w", err)
	}

	p := &purchases{store: store, others: others}
	svc.Ready(store.healthy)
	svc.Handle("GET /copies/purchases/{user}", p.fromCopies)
	svc.Handle("GET /shared/purchases/{user}", p.fromStores)
	svc.Handle("GET /sync/purchases/{user}", asking{chassis.Under(chassis.Sync, svc.Client)}.fromPeers)
	svc.Handle("GET /bus/purchases/{user}", asking{chassis.Under(chassis.Bus, svc.AskOverBus(bus))}.fromPeers)
	consumer := &streams.Consumer{
		Redis:   bus,
		Group:   cfg.Name,
		Name:    svc.Instance,
		Streams: []string{shop.Users, shop.Catalog, shop.Orders},
		Handle:  p.takes().Handler(cfg.Name),
		Healthy: svc.Healthy,
		Log:     svc.Log,
	}
	p.copies = svc.Consume("copies", consumer, chassis.Rebuild{Job: "rebuild", Takes: p.takes(), Copy: store.copy()})
	return svc.Run(ctx)
}

type purchases struct {
	store  *store
	others others
	copies *chassis.Rebuilder
}

// fromCopies answers from the service's own store alone.
func (p *purchases) fromCopies(w http.ResponseWriter, r *http.Request) error {
	user := r.PathValue("user")
	if !shop.ValidID(user) {
		return unknownUser(user)
	}
	if err := p.copies.Ready(); err != nil {
		return err
	}
	name, known, err := p.store.userName(r.Context(), user)
	if err != nil {
		return err
	}
	if !known {
		return unknownUser(user)
	}
	orders, err := p.store.newest(r.Context(), user, shop.PurchasesShown)
	if err != nil {
		return err
	}
	names, err := p.store.productNames(r.Context(), productsOf(orders))
	if err != nil {
		return err
	}
	rename(orders, names)
	return chassis.WriteJSON(w, http.StatusOK, shop.Purchases{UserID: user, UserName: name, Purchases: orders})
}

func unknownUser(id string) error { return chassis.Errorf(http.StatusNotFound, "unknown user %q", id) }

// rename gives the orders their products' present names; a product that is not known keeps the name it was ordered by.
func rename(orders []shop.Order, names map[string]string) {
	for i, o := range orders {
		if name, ok := names[o.ProductID]; ok {
			orders[i].ProductName = name
		}
	}
}

// productsOf are the orders' products, each once, sorted.
func productsOf(orders []shop.Order) []string {
	ids := make([]string, 0, len(orders))
	for _, o := range orders {
		ids = append(ids, o.ProductID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
