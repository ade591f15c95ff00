package stock

import (
	"testing"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestOutcomes: what is not applied is told, with what is there instead.
func TestOutcomes(t *testing.T) {
	told := chassistest.TakeOutcomes(t)
	server := streamstest.Start(t, "--appendonly", "no")
	bus := server.Client()
	url := chassistest.Start(t, chassis.Config{Name: "stock", StoreURL: storestest.Redis(t), BusURL: server.URL(), OTLPEndpoint: told.URL}, Run)
	chassistest.Ready(t, url)
	for _, v := range []int64{1, 3, 2, 3} {
		chassistest.Tell(t, bus, shop.Catalog, shop.ProductChanged, "p-01", v, shop.Product{ID: "p-01", Name: "Kettle"})
	}
	told.Are(t, "product.changed.v1-p-01-1", "applied")
	told.Are(t, "product.changed.v1-p-01-2", "has version 3 already")
	told.Are(t, "product.changed.v1-p-01-3", "applied", "has version 3 already")
	for range 2 {
		chassistest.Tell(t, bus, shop.Orders, shop.OrderPlaced, "o-1", 1, shop.Order{ID: "o-1", ProductID: "p-01", Quantity: 1})
	}
	told.Are(t, "order.placed.v1-o-1-1", "applied", "has answered this order already: reserved")
}
