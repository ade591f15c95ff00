package orders

import (
	"context"
	"fmt"
	"net/http"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

// product reads the own copy of the product that the user wants to buy; a *chassis.Problem 404 where there is no copy of
// the one or the other.
func (s *store) product(ctx context.Context, user, product string) (shop.Product, error) {
	p := shop.Product{ID: product}
	if _, err := s.ready(); err != nil {
		return p, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	var userKnown bool
	var name *string
	var cents *int64
	err := s.pool.QueryRow(ctx, "select exists (select from users where id = $1), p.name, p.price_cents "+
		"from (select) one left join products p on p.id = $2", user, product).Scan(&userKnown, &name, &cents)
	switch {
	case err != nil:
		return p, fmt.Errorf("read copies of user %s and product %s: %w", user, product, err)
	case !userKnown:
		return p, chassis.Errorf(http.StatusNotFound, "unknown user %q", user)
	case name == nil:
		return p, chassis.Errorf(http.StatusNotFound, "unknown product %q", product)
	}
	p.Name, p.PriceCents = *name, *cents
	return p, nil
}

// copyUser keeps a copy of the user unless a newer one is there.
func (s *store) copyUser(ctx context.Context, u shop.User) error {
	return s.upsert(ctx, "users", u.ID, "insert into users (id, name, version) values ($1, $2, $3) on conflict (id) do update "+
		"set name = excluded.name, version = excluded.version where excluded.version > users.version", u.Name, u.Version)
}

// copyProduct keeps a copy of the product unless a newer one is there.
func (s *store) copyProduct(ctx context.Context, p shop.Product) error {
	return s.upsert(ctx, "products", p.ID, "insert into products (id, name, price_cents, version) values ($1, $2, $3, $4) "+
		"on conflict (id) do update set name = excluded.name, price_cents = excluded.price_cents, version = excluded.version "+
		"where excluded.version > products.version", p.Name, p.PriceCents, p.Version)
}

// upsert runs sql, whose $1 is the id of what is copied to the table. Where it changes nothing, the event is skipped.
func (s *store) upsert(ctx context.Context, table, id, sql string, args ...any) error {
	if _, err := s.ready(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	done, err := s.pool.Exec(ctx, sql, append([]any{id}, args...)...)
	if err == nil && done.RowsAffected() == 0 {
		var has int64
		if err = s.pool.QueryRow(ctx, "select version from "+table+" where id = $1", id).Scan(&has); err == nil {
			chassis.SkipVersion(ctx, has)
		}
	}
	if err != nil {
		return fmt.Errorf("copy %s of %s: %w", id, table, err)
	}
	return nil
}
