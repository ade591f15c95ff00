package orders

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stillup/stillup/services/chassis"
)

// userCopy is the copy of users as its rebuild sees it.
type userCopy struct {
	chassis.PostgresMark
	store *store
}

func (s *store) userCopy() userCopy { return userCopy{chassis.PostgresMark{Pool: s.pool}, s} }

// Mark implements [chassis.Marks].
func (c userCopy) Mark(ctx context.Context) (string, error) {
	if _, err := c.store.ready(); err != nil {
		return "", err
	}
	return c.PostgresMark.Mark(ctx)
}

// Digest implements [chassis.Copy].
func (c userCopy) Digest(ctx context.Context) (*chassis.Digest, error) {
	rows, err := c.store.pool.Query(ctx, "select id, name, version from users")
	if err != nil {
		return nil, err
	}
	d := &chassis.Digest{}
	var id, name string
	var version int64
	_, err = pgx.ForEachRow(rows, []any{&id, &name, &version}, func() error { return d.Add("user", id, name, version) })
	return d, err
}

// Wipe implements [chassis.Copy].
func (c userCopy) Wipe(ctx context.Context) error {
	_, err := c.store.pool.Exec(ctx, "delete from users")
	return err
}

// removeUser drops the copy of a user whom the owner has dropped.
func (s *store) removeUser(ctx context.Context, id string) error {
	if _, err := s.ready(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if _, err := s.pool.Exec(ctx, "delete from users where id = $1", id); err != nil {
		return fmt.Errorf("drop the copy of user %s: %w", id, err)
	}
	return nil
}
