package services

import (
	"net/http"
	"testing"

	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestBusOnly runs the six services with no address of each other: what crosses services works over the bus alone, in a
// chain too.
func TestBusOnly(t *testing.T) {
	server := streamstest.Start(t)
	urls := runShop(t, server.URL(), false)
	bus := server.Client()
	awaitThat(t, "the four that answer are on the bus", func() bool {
		groups, err := bus.XInfoGroups(t.Context(), shop.Requests).Result()
		return err == nil && len(groups) == 4
	})

	product := shop.Products()[0]
	var o shop.Order
	in := shop.NewOrder{ID: "o-1", UserID: "u-001", ProductID: product.ID, Quantity: 2}
	status := chassistest.Call(urls["orders"], http.MethodPost, "/bus/orders", in, &o)
	if status != http.StatusCreated || o.Status != shop.Confirmed || o.ProductName != product.Name {
		t.Errorf("buy: %d %+v", status, o)
	}
	var level shop.Level
	if chassistest.Get(urls["stock"]+"/bus/stock/"+product.ID, &level); level.Reserved != 2 {
		t.Errorf("stock: %+v", level)
	}
	var mine shop.Purchases
	status = chassistest.Get(urls["purchases"]+"/bus/purchases/u-001", &mine)
	if status != http.StatusOK || mine.UserName == "" || len(mine.Purchases) != 1 || mine.Purchases[0] != o {
		t.Errorf("my purchases: %d %+v", status, mine)
	}
	var top shop.TopSellers
	status = chassistest.Get(urls["trending"]+"/bus/top", &top)
	if want := (shop.Seller{ProductID: product.ID, ProductName: product.Name, Orders: 1}); status != http.StatusOK || len(top.Sellers) != 1 || top.Sellers[0] != want {
		t.Errorf("top sellers: %d %+v", status, top)
	}
	// 3 to buy, 3 for my purchases, 2 for the top sellers.
	if asked, replied := bus.XLen(t.Context(), shop.Requests).Val(), bus.XLen(t.Context(), shop.Replies).Val(); asked != 8 || replied != 8 {
		t.Errorf("%d requests and %d replies, want 8 of each", asked, replied)
	}
	awaitThat(t, "nobody is behind on requests and replies", func() bool {
		list, err := streams.Inspect(t.Context(), bus, []string{shop.Requests, shop.Replies})
		if err != nil || len(list) != 2 || len(list[0].Groups) != 4 || len(list[1].Groups) != 3 {
			return false
		}
		for _, s := range list {
			for _, g := range s.Groups {
				if g.Lag != 0 || g.Pending != 0 {
					return false
				}
			}
		}
		return true
	})
}
