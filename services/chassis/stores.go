package chassis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"github.com/stillup/stillup/streams"
)

const (
	reachConns = 4 // a guest takes few of a store's connections
	// reachHeartbeat is how often the MongoDB driver looks whether the store is back; it takes no less.
	reachHeartbeat    = 500 * time.Millisecond
	reachCloseTimeout = 500 * time.Millisecond
)

// ReachPostgres prepares the use of the Postgres node of another service. An error is a fault in its address.
func (s *Service) ReachPostgres(node string) (*Reach[*pgxpool.Pool], error) {
	return newReach(s, node, "postgresql", func(url string) (func() (*pgxpool.Pool, error), error) {
		c, err := pgxpool.ParseConfig(url)
		if err != nil {
			return nil, err
		}
		c.MaxConns = reachConns
		c.ConnConfig.ConnectTimeout = ReachTimeout
		return func() (*pgxpool.Pool, error) { return pgxpool.NewWithConfig(context.Background(), c) }, nil
	}, (*pgxpool.Pool).Close)
}

// ReachMongo prepares the use of the MongoDB node of another service, of the database that its address names. An error
// is a fault in the address.
func (s *Service) ReachMongo(node string) (*Reach[*mongo.Database], error) {
	return newReach(s, node, "mongodb", func(url string) (func() (*mongo.Database, error), error) {
		address, err := connstring.ParseAndValidate(url)
		if err != nil {
			return nil, err
		}
		if address.Database == "" {
			return nil, errors.New("no database; write mongodb://host:port/database")
		}
		o := options.Client().ApplyURI(url).SetMaxPoolSize(reachConns).SetRetryReads(false).SetRetryWrites(false).
			SetConnectTimeout(ReachTimeout).SetServerSelectionTimeout(ReachTimeout).SetHeartbeatInterval(reachHeartbeat)
		return func() (*mongo.Database, error) {
			client, err := mongo.Connect(o)
			if err != nil {
				return nil, err
			}
			return client.Database(address.Database), nil
		}, nil
	}, func(db *mongo.Database) {
		ctx, cancel := context.WithTimeout(context.Background(), reachCloseTimeout)
		defer cancel()
		_ = db.Client().Disconnect(ctx) // what is not closed in that time ends with the process
	})
}

// ReachRedis prepares the use of the Redis node of another service. An error is a fault in its address.
func (s *Service) ReachRedis(node string) (*Reach[*redis.Client], error) {
	return newReach(s, node, "redis", func(url string) (func() (*redis.Client, error), error) {
		separator := "?"
		if strings.Contains(url, "?") {
			separator = "&"
		}
		client, err := streams.Open(fmt.Sprintf("%s%spool_size=%d", url, separator, reachConns))
		return func() (*redis.Client, error) { return client, nil }, err
	}, func(client *redis.Client) { _ = client.Close() })
}

// storeFailure puts into words why the use of the store node failed. ctx is that of the use, which had timeout.
func storeFailure(ctx context.Context, node string, timeout time.Duration, err error) *CallError {
	var (
		postgres *pgconn.PgError
		scan     pgx.ScanArgError
		rds      redis.Error
		mng      mongo.CommandError
		decode   *bson.DecodeError
		away     topology.ServerSelectionError
	)
	said := func(kind, detail string) *CallError { return &CallError{Peer: node, Kind: kind, Detail: detail} }
	switch {
	case errors.As(err, &postgres):
		return said(kindStore, postgres.Message)
	case errors.As(err, &rds):
		return said(kindStore, rds.Error())
	case errors.As(err, &mng) && !mongo.IsNetworkError(err) && !mongo.IsTimeout(err):
		return said(kindStore, mng.Message)
	case errors.As(err, &scan), errors.As(err, &decode):
		return said(kindMalformed, err.Error())
	case errors.As(err, &away):
		// The driver waits until a server is there, and keeps to itself why none is.
		for _, server := range away.Desc.Servers {
			if server.LastError != nil {
				err = server.LastError
			}
		}
	}
	return noAnswer(ctx, node, timeout, err)
}
