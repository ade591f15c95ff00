package orders

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

const (
	maxConns       = 10
	connectTimeout = time.Second
	// storeTimeout bounds one use of the store, so that a database that is there and silent is told to the caller
	// within a second.
	storeTimeout = 900 * time.Millisecond
)

//go:embed schema.sql
var schema string

// errUnsure is wrapped where a commit was sent and not answered: the change may stand.
var errUnsure = errors.New("the commit was not answered")

// store is the service's own Postgres. It need not be there: what is asked of it before its tables stand is a 503.
type store struct {
	pool   *pgxpool.Pool
	busURL string
	keep   int64 // how many orders are kept, the newest
	log    *slog.Logger
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
	return &store{pool: pool, busURL: cfg.BusURL, keep: shop.KeptOrders, log: log}, nil
}

// run makes the tables, again and again until the store lets it, and then relays events until ctx ends.
func (s *store) run(ctx context.Context) error {
	j, ok := chassis.UntilReady(ctx, s.log, s.prepare)
	if !ok {
		return nil
	}
	s.made.Store(j)
	return j.relay.Run(ctx)
}

func (s *store) prepare(ctx context.Context) (*journal, error) {
	if _, err := s.pool.Exec(ctx, schema+chassis.MarkTable); err != nil {
		return nil, fmt.Errorf("make tables: %w", err)
	}
	box, err := outbox.NewPostgres(ctx, s.pool)
	if err != nil {
		return nil, fmt.Errorf("make the outbox: %w", err)
	}
	return &journal{box, &outbox.Relay{Store: box, BusURL: s.busURL, Stream: shop.Orders, Log: s.log}}, nil
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

// change runs do in one transaction and wakes the relay after its commit. Errors wrap errUnsure where they leave open
// whether it was committed; otherwise nothing was.
func (s *store) change(ctx context.Context, do func(ctx context.Context, tx pgx.Tx, box *outbox.Postgres) error) error {
	j, err := s.ready()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }() // after a commit it does nothing; a broken connection rolls back by itself
	if err := do(ctx, tx, j.outbox); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("%w: %w", errUnsure, err)
	}
	j.relay.Wake()
	return nil
}

// emit adds to tx the events that tell of the orders' states.
func emit(ctx context.Context, tx pgx.Tx, box *outbox.Postgres, orders ...shop.Order) error {
	events := make([]streams.Event, len(orders))
	for i, o := range orders {
		data, err := json.Marshal(o)
		if err != nil {
			return err
		}
		events[i] = streams.Event{
			ID:          uuid.NewString(),
			Source:      shop.Orders,
			Type:        eventOf[o.Status],
			Subject:     o.ID,
			Time:        time.Now().UTC(),
			TraceParent: chassis.TraceParent(ctx),
			Version:     o.Version,
			Data:        data,
		}
	}
	return box.Add(ctx, tx, events...)
}

// eventOf is the event that tells that an order came into a state.
var eventOf = map[string]string{
	shop.Placed:    shop.OrderPlaced,
	shop.Confirmed: shop.OrderConfirmed,
	shop.Refused:   shop.OrderRefused,
}
