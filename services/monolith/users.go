package monolith

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

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
	if err := chassis.Invalid(u.Validate()); err != nil {
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
