// Package shoppers makes the shop's traffic: shoppers who sign up, browse, look at the stock, buy and look at what they
// bought, in both patterns, at a rate that can be set while it runs. It has no store and no features of its own.
package shoppers

import (
	"context"
	"net/http"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

const (
	initialRate = 5   // journeys a second
	maxRate     = 500 // the system file says the same

	// maxInFlight bounds the journeys at one time. What is to begin above that is dropped: a shopper who waits would
	// make the traffic depend on how fast the shop is.
	maxInFlight = 256
)

// Run makes traffic until ctx ends; journeys on their way then end after their step. It needs none of its peers to be
// alive. GET and POST /load say and set how much traffic there is. An error is a fault in cfg.
func Run(ctx context.Context, cfg chassis.Config) error {
	svc, err := chassis.New(cfg)
	if err != nil {
		return err
	}
	var users []string
	for _, u := range shop.SeedUsers() {
		users = append(users, u.ID)
	}
	s := newShoppers(svc.Client, svc.Log, users, shop.Products())
	s.routes(svc)
	svc.Go("journeys", s.journeys)
	svc.Go("prices", s.changePrices)
	return svc.Run(ctx)
}

// load is the answer of /load.
type load struct {
	PerSecond float64 `json:"per_second"` // journeys that begin each second
	Dropped   int64   `json:"dropped"`    // journeys that did not begin since the start: too many were on their way
}

func (s *shoppers) routes(svc *chassis.Service) {
	svc.HandleAdmin("GET /load", s.getLoad)
	svc.HandleAdmin("POST /load", s.postLoad)
}

func (s *shoppers) getLoad(w http.ResponseWriter, r *http.Request) error {
	return chassis.WriteJSON(w, http.StatusOK, load{PerSecond: s.pacer.get(), Dropped: s.dropped.Load()})
}

func (s *shoppers) postLoad(w http.ResponseWriter, r *http.Request) error {
	var wanted struct {
		PerSecond *float64 `json:"per_second"`
	}
	if err := chassis.ReadJSON(r, &wanted); err != nil {
		return err
	}
	if wanted.PerSecond == nil {
		return chassis.Errorf(http.StatusBadRequest, "per_second is missing; send 0 to %d journeys a second", maxRate)
	}
	if n := *wanted.PerSecond; n < 0 || n > maxRate {
		return chassis.Errorf(http.StatusBadRequest, "per_second is %v; it can be 0 to %d journeys a second", n, maxRate)
	}
	s.pacer.set(*wanted.PerSecond)
	return s.getLoad(w, r)
}
