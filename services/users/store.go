package users

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/shop"
)

const (
	maxConns       = 10
	connectTimeout = time.Second
	// storeTimeout bounds the store's part of a request, so that a database that is there and silent is told to the
	// caller within a second.
	storeTimeout = 900 * time.Millisecond
)

// store is the service's own Postgres. It need not be there: what is asked of it before its tables stand is a 503.
type store struct {
	pool   *pgxpool.Pool
	busURL string
	keep   int64    // how many users are kept beside the seeded ones
	seeded []string // their ids
	log    *slog.Logger
	schema atomic.Int64            // that the table had last; 0: not known
	made   atomic.Pointer[journal] // nil until the tables stand
}

// journal is the outbox and who empties it.
type journal struct {
	outbox *outbox.Postgres
	relay  *outbox.Relay
}

// open prepares a store without any I/O. An error is a fault in the address.
func open(cfg chassis.Config, log *slog.Logger) (*store, error) {
	c, err := pgxpool.ParseConfig(cfg.StoreURL)
	if err != nil {
		return nil, fmt.Errorf("address of its store: %w", err)
	}
	c.MaxConns = maxConns
	c.ConnConfig.ConnectTimeout = connectTimeout
	pool, err := pgxpool.NewWithConfig(context.Background(), c)
	if err != nil {
		return nil, fmt.Errorf("its store: %w", err)
	}
	return &store{pool: pool, busURL: cfg.BusURL, keep: shop.KeptUsers, seeded: seedIDs(), log: log}, nil
}

// run makes tables and seed, again and again until the store lets it, and then relays events until ctx ends.
func (s *store) run(ctx context.Context) error {
	j, ok := chassis.UntilReady(ctx, s.log, s.prepare)
	if !ok {
		return nil
	}
	s.made.Store(j)
	return j.relay.Run(ctx)
}

func (s *store) prepare(ctx context.Context) (*journal, error) {
	if err := s.makeTable(ctx); err != nil {
		return nil, err
	}
	if _, err := s.pool.Exec(ctx, ageColumn); err != nil {
		return nil, fmt.Errorf("make tables: %w", err)
	}
	box, err := outbox.NewPostgres(ctx, s.pool)
	if err != nil {
		return nil, fmt.Errorf("make the outbox: %w", err)
	}
	if err := s.seed(ctx, box); err != nil {
		return nil, fmt.Errorf("seed users: %w", err)
	}
	return &journal{box, &outbox.Relay{Store: box, BusURL: s.busURL, Stream: shop.Users, Log: s.log}}, nil
}

// seed fills an empty table, with the events of it, once however many replicas start.
func (s *store) seed(ctx context.Context, box *outbox.Postgres) error {
	return s.inTx(ctx, func(v schema, tx pgx.Tx) error {
		var filled bool
		if _, err := tx.Exec(ctx, "lock table users in share row exclusive mode"); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "select exists (select from users)").Scan(&filled); err != nil || filled {
			return err
		}
		for _, u := range shop.SeedUsers() {
			if _, err := insert(ctx, v, tx, box, u); err != nil {
				return err
			}
		}
		return nil
	})
}

// healthy says whether the tables stand and the store answers.
func (s *store) healthy(ctx context.Context) error {
	if _, err := s.ready(); err != nil {
		return err
	}
	return s.pool.Ping(ctx)
}

// waiting says what is committed and not published yet.
func (s *store) waiting(ctx context.Context) (n int, more bool, oldest time.Time, err error) {
	j, err := s.ready()
	if err != nil {
		return 0, false, time.Time{}, err
	}
	return j.relay.Waiting(ctx)
}

// republished says how many events were published once more because the bus had lost them, and when last.
func (s *store) republished() (n int64, at time.Time) {
	j, err := s.ready()
	if err != nil {
		return 0, time.Time{}
	}
	return j.relay.Republished()
}

func (s *store) ready() (*journal, error) {
	if j := s.made.Load(); j != nil {
		return j, nil
	}
	return nil, chassis.Errorf(http.StatusServiceUnavailable, "its store has not answered yet")
}

// register keeps a new user and the event of it in one commit. Where the id is taken it returns the user that has it,
// and false.
func (s *store) register(ctx context.Context, u shop.User) (shop.User, bool, error) {
	j, err := s.ready()
	if err != nil {
		return u, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	var added bool
	err = s.inTx(ctx, func(v schema, tx pgx.Tx) (err error) {
		added, err = insert(ctx, v, tx, j.outbox, u)
		return err
	})
	if err != nil {
		return u, false, fmt.Errorf("register %s: %w", u.ID, err)
	}
	if added {
		j.relay.Wake()
		return u, true, nil
	}
	u, err = s.user(ctx, u.ID)
	return u, false, err
}

// inTx does something in one transaction, written for the schema that the table has; see at.
func (s *store) inTx(ctx context.Context, do func(v schema, tx pgx.Tx) error) error {
	return s.at(ctx, func(v schema) error {
		return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return do(v, tx) })
	})
}

// insert adds the user and the events of it to tx; false where the id is taken.
func insert(ctx context.Context, v schema, tx pgx.Tx, box *outbox.Postgres, u shop.User) (bool, error) {
	added, err := v.insert(ctx, tx, u)
	if err != nil || !added {
		return false, err
	}
	events, err := v.events(ctx, u)
	if err != nil {
		return false, err
	}
	return true, box.Add(ctx, tx, events...)
}

// user reads one user; a *chassis.Problem 404 where there is none.
func (s *store) user(ctx context.Context, id string) (shop.User, error) {
	var u shop.User
	if _, err := s.ready(); err != nil {
		return u, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := s.at(ctx, func(v schema) (err error) {
		u, err = v.read(ctx, s.pool, id)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return u, chassis.Errorf(http.StatusNotFound, "unknown user %q", id)
	}
	if err != nil {
		return u, fmt.Errorf("read user %s: %w", id, err)
	}
	return u, nil
}
