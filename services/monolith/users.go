package monolith

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

// Lengths that are accepted: of a name in characters, of an address in bytes.
const maxName, maxEmail = 100, 254

// insertUser leaves a user that has the id already as it is.
const insertUser = "insert into users (id, name, email, version) values ($1, $2, $3, $4) on conflict (id) do nothing"

// signUp answers 201 with the new user, or 200 with the one that has this id already.
func (m monolith) signUp(w http.ResponseWriter, r *http.Request) error {
	var u shop.User
	if err := chassis.ReadJSON(r, &u); err != nil {
		return err
	}
	u.Name, u.Email, u.Version = strings.TrimSpace(u.Name), strings.TrimSpace(u.Email), 1
	if u.ID == "" {
		u.ID = uuid.NewString()
	}
	if err := validateUser(u); err != nil {
		return err
	}
	tag, err := m.store.pool.Exec(r.Context(), insertUser, u.ID, u.Name, u.Email, u.Version)
	if err != nil {
		return fmt.Errorf("sign up %s: %w", u.ID, err)
	}
	if tag.RowsAffected() == 1 {
		return chassis.WriteJSON(w, http.StatusCreated, u)
	}
	return m.writeUser(r.Context(), w, u.ID)
}

func (m monolith) user(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id", "user")
	if err != nil {
		return err
	}
	return m.writeUser(r.Context(), w, id)
}

// writeUser answers with one user; a *chassis.Problem 404 where there is none.
func (m monolith) writeUser(ctx context.Context, w http.ResponseWriter, id string) error {
	u := shop.User{ID: id}
	err := m.store.pool.QueryRow(ctx, "select name, email, version from users where id = $1", id).Scan(&u.Name, &u.Email, &u.Version)
	if errors.Is(err, pgx.ErrNoRows) {
		return unknown("user", id)
	}
	if err != nil {
		return fmt.Errorf("read user %s: %w", id, err)
	}
	return chassis.WriteJSON(w, http.StatusOK, u)
}

// validateUser says what is wrong with a user that wants to sign up; nil for nothing.
func validateUser(u shop.User) error {
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
