package services

import (
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestRebuildOutlivesItsStore: a store that is killed in the middle of the rebuild of the copy in it keeps it waiting, and
// nothing is missing in the end.
func TestRebuildOutlivesItsStore(t *testing.T) {
	for _, tt := range []struct {
		service, engine, job string
		orders, users        int
		streams              []string
	}{
		{"purchases", stores.MongoDB, "rebuild", 150, 200, []string{shop.Users, shop.Catalog, shop.Orders}},
		{"trending", stores.Redis, "rebuild", 6000, 1, []string{shop.Catalog, shop.Orders}},
		{"orders", stores.Postgres, "rebuild-users", 1, 12000, []string{shop.Users}},
	} {
		t.Run(tt.service, func(t *testing.T) {
			bus := streamstest.Start(t)
			fill(t, bus.Client(), tt.orders, tt.users)
			store := storestest.Start(t, tt.engine)
			url := chassistest.Start(t, chassis.Config{Name: tt.service, StoreURL: store.URL, BusURL: bus.URL()}, Run)
			applied(t, bus.Client(), tt.service, tt.streams)
			chassistest.Begin(t, url, tt.job)
			path := url + chassis.JobsPath + tt.job
			var p chassis.Progress
			awaitThat(t, "it is in the middle", func() bool {
				for chassistest.Get(path, &p); p.State == chassis.JobRunning && p.Done == 0 && p.Before != ""; {
					chassistest.Get(path, &p)
				}
				return p.Done > 0
			})
			store.Kill()
			chassistest.NotReady(t, url)
			chassistest.Get(path, &p)
			if p.State == chassis.JobDone {
				t.Fatalf("it was not killed in the middle: %+v", p)
			}
			store.Start(t)
			awaitWithin(t, time.Minute, "it is done", func() bool {
				chassistest.Get(path, &p)
				return p.State == chassis.JobDone
			})
			if p.Before == "" || p.Before != p.After {
				t.Errorf("%+v", p)
			}
		})
	}
}
