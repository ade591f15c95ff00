// Package services is the shop as a system: its nodes, how they are wired, and the system file that describes it.
package services

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/stillup/stillup/services/catalog"
	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/monolith"
	"github.com/stillup/stillup/services/orders"
	"github.com/stillup/stillup/services/purchases"
	"github.com/stillup/stillup/services/recommendations"
	"github.com/stillup/stillup/services/shoppers"
	"github.com/stillup/stillup/services/stock"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/trending"
	"github.com/stillup/stillup/services/users"
)

// System is the system file: all that the visualizer is told of the shop.
//
//go:embed system.json
var System []byte

//go:embed chapters/*.yaml
var chapterFiles embed.FS

// Chapters is the folder of the walkthrough through the shop: a file for each chapter, and the glossary.
var Chapters, _ = fs.Sub(chapterFiles, "chapters") // fails only for a name that is none

// Bus is the node id of the Redis that carries the streams.
const Bus = "bus"

// service is one program of the shop and the store that it keeps.
type service struct {
	name    string
	engine  string // of its store; empty: it has none
	run     func(context.Context, chassis.Config) error
	calls   []string // services that it asks over HTTP, be it only to have them publish again
	reaches []string // other services' stores that it uses directly in the pattern shared
	offBus  bool     // it has nothing to do with the bus
	later   bool     // it is not there at first, and joins when it is told to
}

// client says whether the service only makes traffic.
func (s service) client() bool { return s.name == "shoppers" }

// all lists the shop's services. The engines differ on purpose: each suits its work.
var all = []service{
	{name: "users", engine: stores.Postgres, run: users.Run},
	{name: "catalog", engine: stores.MongoDB, run: catalog.Run},
	{name: "stock", engine: stores.Redis, run: stock.Run},
	{name: "orders", engine: stores.Postgres, run: orders.Run, calls: []string{"users", "catalog", "stock"},
		reaches: []string{"users-db", "catalog-db", "stock-db"}},
	{name: "purchases", engine: stores.MongoDB, run: purchases.Run, calls: []string{"users", "orders", "catalog"},
		reaches: []string{"users-db", "orders-db", "catalog-db"}},
	{name: "trending", engine: stores.Redis, run: trending.Run, calls: []string{"orders", "catalog"},
		reaches: []string{"orders-db", "catalog-db"}},
	{name: "recommendations", engine: stores.Redis, run: recommendations.Run, later: true},
	{name: "monolith", engine: stores.Postgres, run: monolith.Run, offBus: true},
	{name: "shoppers", run: shoppers.Run, offBus: true,
		calls: []string{"users", "catalog", "stock", "orders", "purchases", "trending", "monolith"}},
}

// Names are the services that Run knows.
func Names() []string {
	var names []string
	for _, s := range all {
		names = append(names, s.name)
	}
	return names
}

// Run runs the service cfg.Name until ctx ends.
func Run(ctx context.Context, cfg chassis.Config) error {
	i := slices.IndexFunc(all, func(s service) bool { return s.name == cfg.Name })
	if i < 0 {
		return fmt.Errorf("no service is called %q; there are %s", cfg.Name, strings.Join(Names(), ", "))
	}
	if err := all[i].run(ctx, cfg); err != nil {
		return fmt.Errorf("service %s: %w", cfg.Name, err)
	}
	return nil
}
