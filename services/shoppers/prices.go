package shoppers

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

// priceEvery is how often the price of a product changes, so that there are changes for the copies to follow.
const priceEvery = 5 * time.Second

// newPrice is the body of PUT /{pattern}/products/{id}/price.
type newPrice struct {
	PriceCents int64 `json:"price_cents"`
}

// changePrices changes one product's price every few seconds until ctx ends, except while there is no traffic: the same
// change in the catalogue and in the monolith, so that their prices stay alike while both live.
func (s *shoppers) changePrices(ctx context.Context) error {
	tick := time.NewTicker(priceEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if s.pacer.get() == 0 {
			continue
		}
		p := s.products[rand.IntN(len(s.products))]
		body := newPrice{priceNear(p)}
		var both sync.WaitGroup // the failure of one is none of the other's
		for peer, pattern := range map[string]string{"catalog": chassis.Copies, chassis.Monolith: chassis.Monolith} {
			both.Go(func() {
				path := "/" + pattern + "/products/" + p.ID + "/price"
				if err := s.call(context.WithoutCancel(ctx), peer, http.MethodPut, path, body, nil); err != nil {
					s.log.Debug("price not changed", "peer", peer, "product", p.ID, "err", err)
				}
			})
		}
		both.Wait()
	}
}

// priceNear is a price up to a tenth above or below the one that the product was first listed with, so that prices do not
// run away however long the shop is open.
func priceNear(p shop.Product) int64 {
	tenth := max(1, p.PriceCents/10)
	return max(1, p.PriceCents-tenth+rand.Int64N(2*tenth+1))
}
