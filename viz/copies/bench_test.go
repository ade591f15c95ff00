package copies_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/viz/copies"
)

// BenchmarkRead reads one thing of one store, as the panel does, beside the bare call of its driver in the same run.
func BenchmarkRead(b *testing.B) {
	for _, p := range places {
		if p.name != "rows" && p.name != "documents" && p.name != "hashes" {
			continue
		}
		url := empty(b, p.engine)
		p.put(b, url, things[0])
		at := p.at
		at.Keys = nil
		c := look(b, copies.Options{System: one(p.engine, &at), URLs: map[string]string{"shop-db": url}})
		b.Run(p.name, func(b *testing.B) {
			for b.Loop() {
				if r := record(b, c, "p-1"); !r.Found {
					b.Fatalf("read %+v", r)
				}
			}
		})
		b.Run(p.name+", bare", func(b *testing.B) {
			call := bare(b, p.engine, url)
			for b.Loop() {
				if err := call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// bare is the least that the driver of an engine can do to read product p-1.
func bare(b *testing.B, engine, url string) func() error {
	b.Helper()
	switch engine {
	case stores.Postgres:
		pool, err := pgxpool.New(b.Context(), url)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(pool.Close)
		return func() error {
			var id, name string
			var cents, version int64
			return pool.QueryRow(b.Context(), "select id, name, price_cents, version from products where id = $1", "p-1").Scan(&id, &name, &cents, &version)
		}
	case stores.MongoDB:
		products := storestest.Database(b, url).Collection("products")
		return func() error {
			_, err := products.FindOne(b.Context(), bson.D{{Key: "_id", Value: "p-1"}}).Raw()
			return err
		}
	}
	rdb := redisAt(b, url)
	return func() error { return rdb.HGetAll(b.Context(), "product:p-1").Err() }
}
