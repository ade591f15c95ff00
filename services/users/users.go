// Package users signs customers up. It owns them, in a Postgres of its own, and tells of them on the stream users.
package users

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// Run serves sign-up until ctx ends. It starts and stays alive with its store, the bus and every peer dead; an error is
// a fault in cfg.
func Run(ctx context.Context, cfg chassis.Config) error {
	svc, err := chassis.New(cfg)
	if err != nil {
		return err
	}
	store, err := open(cfg, svc.Log)
	if err != nil {
		return fmt.Errorf("users: %w", err)
	}
	defer store.pool.Close()
	bus, err := streams.Open(cfg.BusURL)
	if err != nil {
		return fmt.Errorf("users: the bus: %w", err)
	}
	defer bus.Close()
	svc.Ready(store.healthy)
	svc.Outbox(store.waiting)
	svc.Republished(store.republished)
	svc.Go("outbox", store.run)
	svc.Go("retention", store.removing)
	svc.Republish(store.republish())
	u := users{store}
	for _, pattern := range chassis.ServicePatterns() {
		svc.Handle("POST /"+pattern+"/users", u.signUp)
		svc.Handle("GET /"+pattern+"/users/{id}", u.get)
		svc.Handle("GET /"+pattern+"/v2/users/{id}", u.getV2)
	}
	svc.Job("schema-2", store.migration(schema2))
	svc.Job("schema-1", store.migration(schema1))
	svc.AnswerOverBus(bus)
	return svc.Run(ctx)
}

type users struct{ store *store }

// signUp answers 201 with the new user, or 200 with the one that has this id already.
func (s users) signUp(w http.ResponseWriter, r *http.Request) error {
	var u shop.User
	if err := chassis.ReadJSON(r, &u); err != nil {
		return err
	}
	u.Name, u.Email, u.Version = strings.TrimSpace(u.Name), strings.TrimSpace(u.Email), 1
	if u.ID == "" {
		u.ID = uuid.NewString()
	}
	if err := chassis.Invalid(u.Validate()); err != nil {
		return err
	}
	u, added, err := s.store.register(r.Context(), u)
	if err != nil {
		return err
	}
	if added {
		return chassis.WriteJSON(w, http.StatusCreated, u)
	}
	return chassis.WriteJSON(w, http.StatusOK, u)
}

func (s users) get(w http.ResponseWriter, r *http.Request) error {
	u, err := s.one(r)
	if err != nil {
		return err
	}
	return chassis.WriteJSON(w, http.StatusOK, u)
}

// getV2 is get in version 2 of the API.
func (s users) getV2(w http.ResponseWriter, r *http.Request) error {
	u, err := s.one(r)
	if err != nil {
		return err
	}
	return chassis.WriteJSON(w, http.StatusOK, u.V2())
}

// one is the user in the path; a 404 where there is none.
func (s users) one(r *http.Request) (shop.User, error) {
	id := r.PathValue("id")
	if !shop.ValidID(id) {
		return shop.User{}, chassis.Errorf(http.StatusNotFound, "unknown user %q", id)
	}
	return s.store.user(r.Context(), id)
}
