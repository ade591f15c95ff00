// Package outbox is the transactional outbox in three idioms (Postgres, MongoDB, Redis) and the one relay that moves
// events from an owner's store to the bus, at least once and in order per subject.
package outbox

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/stillup/stillup/streams"
)

// Record is one event in an owner's journal.
type Record struct {
	Key     string // the store's handle on it, opaque to the relay
	EntryID string // the bus's entry id once published, else empty
	Event   streams.Event
}

// Store is an owner's journal as the relay sees it. Three implementations, one conformance suite.
type Store interface {
	// Lead tries to become the one relay of this journal and reports whether it is. It holds until ctx ends or the store is lost.
	Lead(ctx context.Context) (bool, error)
	// Unsent returns up to limit events that are not published yet, in commit order per subject.
	Unsent(ctx context.Context, limit int) ([]Record, error)
	// Sent marks records as published under their EntryID. They stay in the journal.
	Sent(ctx context.Context, recs []Record) error
	// LastSent is the highest entry id ever marked, empty for none.
	LastSent(ctx context.Context) (string, error)
	// Rewind makes every record that was published under an id above after unsent again and returns how many.
	Rewind(ctx context.Context, after string) (int, error)
	// Prune drops published records beyond the newest keep.
	Prune(ctx context.Context, keep int) error
}

// Postgres: a table outbox in the owner's database; events are added in the caller's own transaction.
type Postgres struct{}

func NewPostgres(ctx context.Context, pool *pgxpool.Pool) (*Postgres, error)          { panic("stub") }
func (p *Postgres) Add(ctx context.Context, tx pgx.Tx, events ...streams.Event) error { panic("stub") }

// Mongo: each document of the collection carries its own unsent events in an array field "outbox", so that the change and
// its event are one write of one document; sent ones move to a journal collection beside it.
type Mongo struct{}

func NewMongo(ctx context.Context, db *mongo.Database, collection string) (*Mongo, error) {
	panic("stub")
}

// Pending is what a write $pushes to the document's "outbox" array for event e.
func (m *Mongo) Pending(e streams.Event) any { panic("stub") }

// Redis: a stream "outbox" in the owner's own Redis, written by the same Lua script that changes the data.
type Redis struct{}

func NewRedis(rdb *redis.Client) *Redis { panic("stub") }

// RedisKey is the key of the outbox stream that an owner's script XADDs to: field "ce" with the event's JSON.
const RedisKey = "outbox"

// Relay moves a journal's events to one stream of the bus.
type Relay struct {
	Store  Store
	BusURL string
	Stream string
	Log    *slog.Logger
}

// Wake tells the relay that something was committed; it never blocks.
func (r *Relay) Wake() { panic("stub") }

// Run relays until ctx ends and returns nil then. It outlives both the store and the bus.
func (r *Relay) Run(ctx context.Context) error { panic("stub") }
