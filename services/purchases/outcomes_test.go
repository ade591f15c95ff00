package purchases

import (
	"testing"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestOutcomes: what is not applied is told, with what is there instead. Versions of an order stand side by side, so that an
// older one that was missing is applied.
func TestOutcomes(t *testing.T) {
	told := chassistest.TakeOutcomes(t)
	server := streamstest.Start(t, "--appendonly", "no")
	bus := server.Client()
	url := chassistest.Start(t, chassis.Config{Name: "purchases", StoreURL: storestest.Mongo(t), BusURL: server.URL(), OTLPEndpoint: told.URL}, Run)
	chassistest.Ready(t, url)
	for _, v := range []int64{3, 2} {
		chassistest.Tell(t, bus, shop.Catalog, shop.ProductChanged, "p-01", v, shop.Product{ID: "p-01", Name: "Kettle"})
	}
	told.Are(t, "product.changed.v1-p-01-3", "applied")
	told.Are(t, "product.changed.v1-p-01-2", "has version 3 already")
	for _, v := range []int64{2, 1, 2} {
		chassistest.Tell(t, bus, shop.Orders, shop.OrderConfirmed, "o-1", v, shop.Order{ID: "o-1", UserID: "u-1", ProductID: "p-01", Quantity: 1})
	}
	told.Are(t, "order.confirmed.v1-o-1-1", "applied")
	told.Are(t, "order.confirmed.v1-o-1-2", "applied", "has version 2 already")
	for range 2 {
		chassistest.Tell(t, bus, shop.Users, shop.UserRegistered, "u-1", 1, shop.User{ID: "u-1", Name: "Ada"})
	}
	told.Are(t, "user.registered.v1-u-1-1", "applied", "has version 1 already")
}
