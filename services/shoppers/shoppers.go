// Package shoppers makes the shop's traffic: shoppers who sign up, browse, look at the stock, buy and look at what they
// bought, in every pattern, at a rate that can be set while it runs. It has no store and no features of its own.
package shoppers

import (
	"context"
	"math/rand/v2"
	"net/http"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

const (
	initialRate = 5   // journeys a second
	maxRate     = 500 // the system file says the same
)

// Run makes traffic until ctx ends; journeys on their way then end after their step. It needs none of its peers to be
// alive. GET and POST /load say and set how much traffic there is, and of what. An error is a fault in cfg.
func Run(ctx context.Context, cfg chassis.Config) error {
	svc, err := chassis.New(cfg)
	if err != nil {
		return err
	}
	var users []string
	for _, u := range shop.SeedUsers() {
		users = append(users, u.ID)
	}
	s := newShoppers(svc.Client.Call, svc.Log, users, shop.Products())
	svc.HandleAdmin("GET /load", s.getLoad)
	svc.HandleAdmin("POST /load", s.postLoad)
	svc.Go("journeys", func(ctx context.Context) error {
		return s.journeys(ctx, rand.NewPCG(rand.Uint64(), rand.Uint64()))
	})
	svc.Go("prices", s.changePrices)
	return svc.Run(ctx)
}

// load is the answer of /load.
type load struct {
	PerSecond float64            `json:"per_second"` // journeys that begin each second
	Patterns  map[string]float64 `json:"patterns"`   // weight of each
	Features  map[string]float64 `json:"features"`   // share of the journeys that use each
	Dropped   int64              `json:"dropped"`    // requests not made since the start: too many were under way
}

// change is the body of POST /load. What is not there stays as it is; null is no number.
type change struct {
	PerSecond *float64            `json:"per_second"`
	Patterns  map[string]*float64 `json:"patterns"`
	Features  map[string]*float64 `json:"features"`
}

func (s *shoppers) getLoad(w http.ResponseWriter, r *http.Request) error {
	s.mu.Lock()
	now := load{s.pacer.get(), s.mix.patterns, s.mix.features, s.bounds.droppedSoFar()}
	s.mu.Unlock()
	return chassis.WriteJSON(w, http.StatusOK, now)
}

// postLoad makes the whole change and answers with all as it is then, or refuses and changes nothing.
func (s *shoppers) postLoad(w http.ResponseWriter, r *http.Request) error {
	var wanted change
	if err := chassis.ReadJSON(r, &wanted); err != nil {
		return err
	}
	if wanted.PerSecond == nil && len(wanted.Patterns) == 0 && len(wanted.Features) == 0 {
		return chassis.Errorf(http.StatusBadRequest, "nothing is set; send per_second (0 to %d journeys), patterns (weights of "+
			"0 to %d by id) or features (shares of 0 to 1 by id)", maxRate, maxWeight)
	}
	if err := s.set(wanted); err != nil {
		return err
	}
	return s.getLoad(w, r)
}

func (s *shoppers) set(wanted change) error {
	if n := wanted.PerSecond; n != nil && (*n < 0 || *n > maxRate) {
		return chassis.Errorf(http.StatusBadRequest, "per_second is %v; it can be 0 to %d journeys a second", *n, maxRate)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.mix.with(wanted.Patterns, wanted.Features)
	if err != nil {
		return err
	}
	s.mix = m
	if wanted.PerSecond != nil {
		s.pacer.set(*wanted.PerSecond)
	}
	return nil
}
