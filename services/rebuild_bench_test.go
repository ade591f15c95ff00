package services

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// BenchmarkRebuild rebuilds each copy, digest and all, and reads the same log without doing anything with it.
func BenchmarkRebuild(b *testing.B) {
	for _, of := range []struct {
		service, engine, job string
		store                func(testing.TB) string
		orders, users        int
		streams              []string
	}{
		{"purchases", stores.MongoDB, "rebuild", storestest.Mongo, 1000, 1000, []string{shop.Users, shop.Catalog, shop.Orders}},
		{"trending", stores.Redis, "rebuild", storestest.Redis, 10_000, 1, []string{shop.Catalog, shop.Orders}},
		{"orders", stores.Postgres, "rebuild-users", storestest.Postgres, 1, 20_000, []string{shop.Users}},
	} {
		b.Run(of.service+" in "+of.engine, func(b *testing.B) {
			server := streamstest.Start(b)
			bus := server.Client()
			fill(b, bus, of.orders, of.users)
			url := chassistest.Start(b, chassis.Config{Name: of.service, StoreURL: of.store(b), BusURL: server.URL()}, Run)
			applied(b, bus, of.service, of.streams)
			for b.Loop() {
				if status := chassistest.Call(url, http.MethodPost, "/jobs/"+of.job, nil, nil); status != http.StatusAccepted {
					b.Fatal(status)
				}
				var p chassis.Progress
				awaitWithin(b, 10*time.Minute, "it is done", func() bool {
					if chassistest.Get(url+"/jobs/"+of.job, &p); p.State == chassis.JobFailed {
						b.Fatal(p.Said)
					}
					return p.State == chassis.JobDone
				})
				b.ReportMetric(p.PerSecond, "entries/s")
			}
			began, read := time.Now(), 0
			for _, stream := range of.streams {
				for from := "-"; ; {
					entries, err := bus.XRangeN(context.Background(), stream, from, "+", 512).Result()
					if err != nil {
						b.Fatal(err)
					}
					if len(entries) == 0 {
						break
					}
					read += len(entries)
					from = "(" + entries[len(entries)-1].ID
				}
			}
			b.ReportMetric(float64(read)/time.Since(began).Seconds(), "bare-entries/s")
		})
	}
}

// fill puts users, products, and orders that are placed and confirmed on the bus.
func fill(b testing.TB, bus *redis.Client, orders, users int) {
	b.Helper()
	var events []streams.Event
	add := func(stream, typ, subject string, version int64, payload any) {
		data, err := json.Marshal(payload)
		if err != nil {
			b.Fatal(err)
		}
		events = append(events, streams.Event{ID: uuid.NewString(), Source: stream, Type: typ, Subject: subject, Version: version, Time: time.Now(), Data: data})
	}
	flush := func(stream string) {
		if _, err := streams.Publish(context.Background(), bus, stream, events...); err != nil {
			b.Fatal(err)
		}
		events = nil
	}
	for i := range users {
		u := shop.User{ID: fmt.Sprintf("u-%03d", i), Name: "Ada Ito", Email: "ada.ito@example.com", Version: 1}
		add(shop.Users, shop.UserRegistered, u.ID, 1, u)
	}
	flush(shop.Users)
	for _, p := range shop.Products() {
		add(shop.Catalog, shop.ProductListed, p.ID, 1, p)
	}
	flush(shop.Catalog)
	for i := range orders {
		o := shop.Order{ID: "o-" + uuid.NewString(), UserID: fmt.Sprintf("u-%03d", i%200), ProductID: fmt.Sprintf("p-%02d", i%24+1), ProductName: "Moka pot, 6 cups",
			PriceCents: 3490, Quantity: 1, Status: shop.Placed, PlacedAt: time.Now().UTC().Truncate(time.Millisecond), Version: 1}
		add(shop.Orders, shop.OrderPlaced, o.ID, 1, o)
		o.Status, o.Version = shop.Confirmed, 2
		add(shop.Orders, shop.OrderConfirmed, o.ID, 2, o)
	}
	flush(shop.Orders)
	if _, err := streams.Publish(context.Background(), bus, shop.Stock, streams.Event{ID: "s", Source: shop.Stock, Type: "stock.counted.v1"}); err != nil {
		b.Fatal(err)
	}
}

// applied waits until the service's group has read all.
func applied(b testing.TB, bus *redis.Client, group string, names []string) {
	b.Helper()
	awaitWithin(b, 2*time.Minute, group+" has applied all", func() bool {
		found, err := streams.Inspect(context.Background(), bus, names)
		n := 0
		for _, s := range found {
			for _, g := range s.Groups {
				if g.Name == group && g.Applied == s.LastID {
					n++
				}
			}
		}
		return err == nil && n == len(names)
	})
}
