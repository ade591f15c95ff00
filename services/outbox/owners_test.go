package outbox_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
)

// owners makes an empty store of each engine.
var owners = []struct {
	name string
	make func(t testing.TB) owner
}{
	{"postgres", postgresOwner}, {"mongodb", mongoOwner}, {"redis", redisOwner},
}

// owner is a service's store as the suite needs it.
type owner struct {
	open   func(t testing.TB) outbox.Store // one process's view of the journal; each call is another process
	commit func(t testing.TB, events ...streams.Event)
}

func postgresOwner(t testing.TB) owner {
	url := storestest.Postgres(t)
	ctx := t.Context()
	connect := func(t testing.TB) *pgxpool.Pool {
		pool, err := pgxpool.New(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		return pool
	}
	open := func(t testing.TB) outbox.Store {
		store, err := outbox.NewPostgres(ctx, connect(t))
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	pool := connect(t)
	writer, err := outbox.NewPostgres(ctx, pool)
	if err != nil {
		t.Fatal(err)
	}
	return owner{open, func(t testing.TB, events ...streams.Event) {
		t.Helper()
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return writer.Add(ctx, tx, events...) })
		if err != nil {
			t.Fatal(err)
		}
	}}
}

func mongoOwner(t testing.TB) owner {
	url := storestest.Mongo(t)
	open := func(t testing.TB) outbox.Store {
		store, err := outbox.NewMongo(t.Context(), storestest.Database(t, url), "things")
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	writer := open(t).(*outbox.Mongo)
	things := storestest.Database(t, url).Collection("things")
	return owner{open, func(t testing.TB, events ...streams.Event) {
		t.Helper()
		for _, e := range events {
			_, err := things.UpdateOne(t.Context(), bson.D{{Key: "_id", Value: e.Subject}}, bson.D{
				{Key: "$set", Value: bson.D{{Key: "version", Value: e.Version}}},
				{Key: "$push", Value: bson.D{{Key: "outbox", Value: writer.Pending(e)}}},
			}, options.UpdateOne().SetUpsert(true))
			if err != nil {
				t.Fatal(err)
			}
		}
	}}
}

func redisOwner(t testing.TB) owner {
	url := storestest.Redis(t)
	connect := func(t testing.TB) *redis.Client {
		rdb, err := streams.Open(url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { rdb.Close() })
		return rdb
	}
	rdb := connect(t)
	change := redis.NewScript(`redis.call('SET', KEYS[1], ARGV[1]) redis.call('XADD', KEYS[2], '*', 'ce', ARGV[2])`)
	return owner{
		func(t testing.TB) outbox.Store { return outbox.NewRedis(connect(t)) },
		func(t testing.TB, events ...streams.Event) {
			t.Helper()
			for _, e := range events {
				keys := []string{"thing:" + e.Subject, outbox.RedisKey}
				err := change.Run(t.Context(), rdb, keys, e.Version, e.AppendJSON(nil)).Err()
				if err != nil && err != redis.Nil {
					t.Fatal(err)
				}
			}
		},
	}
}
