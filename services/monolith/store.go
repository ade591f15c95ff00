package monolith

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

const (
	maxConns       = 10
	connectTimeout = time.Second
	// storeTimeout bounds a request, so that a database that is there and silent is told to the caller within a second.
	storeTimeout = 900 * time.Millisecond
	// prepareTimeout bounds one try to make the tables and the seed.
	prepareTimeout = 10 * time.Second
	// idleInTransaction is how long the database waits for the next word within a transaction, in its own notation. One
	// that a cut connection left behind would otherwise go on holding its product's row against every buyer.
	idleInTransaction = "2s"

	firstRetry, lastRetry = 100 * time.Millisecond, time.Second
)

//go:embed schema.sql
var schema string

// store is the one Postgres of the whole shop. It need not be there: what is asked of it before its tables stand is a 503.
type store struct {
	pool     *pgxpool.Pool
	log      *slog.Logger
	delivery int64       // units that a delivery brings
	orders   int64       // how many are kept, the newest
	users    int64       // how many are kept beside the seeded ones, the newest
	made     atomic.Bool // tables and seed stand
}

// open prepares a store without any I/O. An error is a fault in the address.
func open(cfg chassis.Config, log *slog.Logger) (*store, error) {
	c, err := pgxpool.ParseConfig(cfg.StoreURL)
	if err != nil {
		return nil, fmt.Errorf("address of its store: %w", err)
	}
	c.MaxConns = maxConns
	c.ConnConfig.ConnectTimeout = connectTimeout
	c.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = idleInTransaction
	pool, err := pgxpool.NewWithConfig(context.Background(), c)
	if err != nil {
		return nil, fmt.Errorf("its store: %w", err)
	}
	return &store{pool: pool, log: log, delivery: shop.UnitsDelivered,
		orders: shop.KeptOrders, users: shop.KeptUsers}, nil
}

// run makes tables and seed, again and again until the store lets it or ctx ends.
func (s *store) run(ctx context.Context) error {
	level := slog.LevelWarn
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := s.prepare(ctx)
		if err == nil {
			s.made.Store(true)
			s.log.Info("store is ready")
			return nil
		}
		s.log.Log(ctx, level, "store is not ready; trying again", "err", err)
		level = slog.LevelDebug // said once
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// prepare makes the tables and what is missing of the seed in one commit. What stands is left as it is.
func (s *store) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, schema); err != nil {
			return fmt.Errorf("make tables: %w", err)
		}
		if err := tx.SendBatch(ctx, seed()).Close(); err != nil {
			return fmt.Errorf("seed: %w", err)
		}
		return nil
	})
}

// seed puts in the users, the products and the stock that the shop begins with.
func seed() *pgx.Batch {
	b := &pgx.Batch{}
	for _, u := range shop.SeedUsers() {
		b.Queue(insertUser, u.ID, u.Name, u.Email, u.Version)
	}
	for _, p := range shop.Products() {
		b.Queue("insert into products (id, name, category, description, price_cents, version) values ($1, $2, $3, $4, $5, $6) "+
			"on conflict (id) do nothing", p.ID, p.Name, p.Category, p.Description, p.PriceCents, p.Version)
		b.Queue("insert into stock (product_id, level, reserved, delivered) values ($1, $2, 0, $2) "+
			"on conflict (product_id) do nothing", p.ID, shop.UnitsDelivered)
	}
	return b
}

// healthy says whether tables and seed stand and the store answers.
func (s *store) healthy(ctx context.Context) error {
	if err := s.ready(); err != nil {
		return err
	}
	return s.pool.Ping(ctx)
}

func (s *store) ready() error {
	if s.made.Load() {
		return nil
	}
	return chassis.Errorf(http.StatusServiceUnavailable, "its store has not answered yet")
}
