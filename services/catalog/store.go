package catalog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/shop"
)

const (
	collection = "products"

	maxConns       = 10
	connectTimeout = time.Second
	// operationTimeout bounds what has no deadline of its own: the relay's work, the journal's rewind included.
	operationTimeout = 10 * time.Second
	// storeTimeout bounds the store's part of a request, so that a database that is there and silent is told to the
	// caller within a second.
	storeTimeout = 900 * time.Millisecond
	closeTimeout = time.Second
)

// store is the service's own MongoDB. It need not be there: what is asked of it before its seed stands is a 503.
type store struct {
	client   *mongo.Client
	products *mongo.Collection
	schemas  *mongo.Collection
	busURL   string
	log      *slog.Logger
	made     atomic.Pointer[journal] // nil until the seed stands
}

// journal is the outbox and who empties it.
type journal struct {
	outbox *outbox.Mongo
	relay  *outbox.Relay
}

// open prepares a store without waiting for it. An error is a fault in the address.
func open(cfg chassis.Config, log *slog.Logger) (*store, error) {
	u, err := url.Parse(cfg.StoreURL)
	if err != nil {
		return nil, fmt.Errorf("address of its store: %w", err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	if name == "" {
		return nil, errors.New("address of its store: no database; write mongodb://host:port/database")
	}
	client, err := mongo.Connect(options.Client().ApplyURI(cfg.StoreURL).SetMaxPoolSize(maxConns).
		SetConnectTimeout(connectTimeout).SetServerSelectionTimeout(connectTimeout).SetTimeout(operationTimeout))
	if err != nil {
		return nil, fmt.Errorf("its store: %w", err)
	}
	db := client.Database(name)
	return &store{client: client, products: db.Collection(collection), schemas: db.Collection(schemaCollection),
		busURL: cfg.BusURL, log: log}, nil
}

func (s *store) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := s.client.Disconnect(ctx); err != nil {
		s.log.Debug("store not closed", "err", err)
	}
}

// run makes outbox and seed, again and again until the store lets it, and then relays events until ctx ends, and meanwhile
// finishes a migration that was cut off.
func (s *store) run(ctx context.Context) error {
	j, ok := chassis.UntilReady(ctx, s.log, s.prepare)
	if !ok {
		return nil
	}
	s.made.Store(j)
	var settled sync.WaitGroup
	settled.Go(func() { s.settle(ctx) })
	defer settled.Wait()
	return j.relay.Run(ctx)
}

func (s *store) prepare(ctx context.Context) (*journal, error) {
	box, err := outbox.NewMongo(ctx, s.products.Database(), collection)
	if err != nil {
		return nil, err
	}
	if err := s.seed(ctx, box); err != nil {
		return nil, fmt.Errorf("seed products: %w", err)
	}
	return &journal{box, &outbox.Relay{Store: box, BusURL: s.busURL, Stream: shop.Catalog, Log: s.log}}, nil
}

// healthy says whether the seed stands and the store answers.
func (s *store) healthy(ctx context.Context) error {
	if _, err := s.ready(); err != nil {
		return err
	}
	return s.client.Ping(ctx, nil)
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
