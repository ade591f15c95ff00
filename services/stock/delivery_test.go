package stock

import (
	"context"
	"log/slog"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
)

// TestAnyDelivery: however the events come, each order holds its units once and is answered once, and the products' names are
// the newest.
func TestAnyDelivery(t *testing.T) {
	rdb, err := streams.Open(storestest.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	levels := func(ctx context.Context) error { // of p-3 there is none
		for _, id := range []string{"p-0", "p-1", "p-2"} {
			if err := rdb.HSet(ctx, levelKey+id, "level", seeded, "reserved", 0, "delivered", seeded, "version", 1).Err(); err != nil {
				return err
			}
		}
		return nil
	}
	chassistest.Reader{
		Start: func(testing.TB) chassis.Takes {
			s := &stock{shelf: shelf{rdb}, log: slog.New(slog.DiscardHandler), relay: &outbox.Relay{}}
			s.seeded.Store(true)
			return s.takes()
		},
		Digest: func(ctx context.Context) (*chassis.Digest, error) {
			d := &chassis.Digest{}
			keys, err := rdb.Keys(ctx, "*").Result()
			if err != nil {
				return nil, err
			}
			for _, key := range keys {
				if key == outbox.RedisKey || key == ordersKey {
					continue
				}
				fields, err := rdb.HGetAll(ctx, key).Result()
				if err != nil {
					return nil, err
				}
				if err := d.Add(key, fields); err != nil {
					return nil, err
				}
			}
			order, err := rdb.LRange(ctx, ordersKey, 0, -1).Result()
			if err != nil {
				return nil, err
			}
			slices.Sort(order) // by age, which depends on how they came
			if err := d.Add("orders", order); err != nil {
				return nil, err
			}
			return d, told(ctx, rdb, d)
		},
		Wipe: func(ctx context.Context) error {
			if err := rdb.FlushDB(ctx).Err(); err != nil {
				return err
			}
			return levels(ctx)
		},
	}.AnyDelivery(t, 100, chassistest.Orders(t, 40, 25), chassistest.Products(t))
}

// told adds what stock said, but when.
func told(ctx context.Context, rdb *redis.Client, d *chassis.Digest) error {
	entries, err := rdb.XRange(ctx, outbox.RedisKey, "-", "+").Result()
	if err != nil {
		return err
	}
	for _, entry := range entries {
		e, err := streams.ParseEvent([]byte(entry.Values[streams.Field].(string)))
		if err != nil {
			return err
		}
		if err := d.Add(e.Type, e.Subject, e.Version, e.Data); err != nil {
			return err
		}
	}
	return nil
}
