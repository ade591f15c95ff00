package orders

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
	url := chassistest.Start(t, chassis.Config{Name: "orders", StoreURL: storestest.Postgres(t), BusURL: server.URL(), OTLPEndpoint: told.URL,
		Peers: map[string]string{"users": "http://127.0.0.1:1", "catalog": "http://127.0.0.1:1", "stock": "http://127.0.0.1:1"}}, Run)
	chassistest.Ready(t, url)
	for _, v := range []int64{3, 2} {
		chassistest.Tell(t, bus, shop.Catalog, shop.ProductChanged, "p-01", v, shop.Product{ID: "p-01", Name: "Kettle"})
	}
	told.Are(t, "product.changed.v1-p-01-3", "applied")
	told.Are(t, "product.changed.v1-p-01-2", "has version 3 already")
	for range 2 {
		chassistest.Tell(t, bus, shop.Users, shop.UserRegistered, "u-1", 1, shop.User{ID: "u-1", Name: "Ada"})
	}
	told.Are(t, "user.registered.v1-u-1-1", "applied", "has version 1 already")
	chassistest.Tell(t, bus, shop.Stock, shop.StockReserved, "o-1", 1, shop.Reservation{OrderID: "o-1", ProductID: "p-01", Quantity: 1})
	told.Are(t, "stock.reserved.v1-o-1-1", "the order waits for no answer of stock")
}
