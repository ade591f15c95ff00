package storestest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// TestIsolation: two databases of one server do not see each other's data.
func TestIsolation(t *testing.T) {
	ctx := context.Background()
	t.Run("postgres", func(t *testing.T) {
		for range 2 {
			conn, err := pgx.Connect(ctx, Postgres(t))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(ctx)
			if _, err := conn.Exec(ctx, "CREATE TABLE users (id text)"); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("mongodb", func(t *testing.T) {
		for range 2 {
			db := Database(t, Mongo(t))
			if _, err := db.Collection("products").InsertOne(ctx, bson.M{"_id": "mug"}); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("redis", func(t *testing.T) {
		for range 2 {
			opt, err := redis.ParseURL(Redis(t))
			if err != nil {
				t.Fatal(err)
			}
			rdb := redis.NewClient(opt)
			defer rdb.Close()
			if ok, err := rdb.SetNX(ctx, "level", 1, 0).Result(); err != nil || !ok {
				t.Errorf("SetNX: %v, %v", ok, err)
			}
		}
	})
}
