// Package users signs customers up. It owns them, in a Postgres of its own, and tells of them on the stream users.
package users

import (
	"context"
	"fmt"
	"net/http"
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// Lengths that are accepted: of a name in characters, of an address in bytes.
const maxName, maxEmail = 100, 254

var validID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

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
	svc.Go("outbox", store.run)
	u := users{store}
	for _, pattern := range chassis.ServicePatterns() {
		svc.Handle("POST /"+pattern+"/users", u.signUp)
		svc.Handle("GET /"+pattern+"/users/{id}", u.get)
	}
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
	if err := validate(u); err != nil {
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
	id := r.PathValue("id")
	if !validID.MatchString(id) {
		return chassis.Errorf(http.StatusNotFound, "unknown user %q", id)
	}
	u, err := s.store.user(r.Context(), id)
	if err != nil {
		return err
	}
	return chassis.WriteJSON(w, http.StatusOK, u)
}

// validate says what is wrong with a user that wants to sign up; nil for nothing.
func validate(u shop.User) error {
	bad := func(text string) error { return chassis.Errorf(http.StatusBadRequest, "%s", text) }
	address, err := mail.ParseAddress(u.Email)
	switch {
	case !validID.MatchString(u.ID):
		return bad("id: 1 to 64 letters, digits, dots, dashes and underscores")
	case u.Name == "" || utf8.RuneCountInString(u.Name) > maxName:
		return bad(fmt.Sprintf("name: 1 to %d characters", maxName))
	case strings.ContainsFunc(u.Name, unicode.IsControl):
		return bad("name: no control characters")
	case err != nil || address.Address != u.Email || len(u.Email) > maxEmail:
		return bad(fmt.Sprintf("email: an address such as ada@example.com, at most %d bytes", maxEmail))
	case strings.ContainsFunc(u.Email, unicode.IsControl):
		return bad("email: no control characters")
	}
	return nil
}
