package users

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestMigrationUnderTraffic: while the table is migrated there and back every request is answered, at each replica, and
// everybody who signed up is there and was told of.
func TestMigrationUnderTraffic(t *testing.T) {
	bus, storeURL := streamstest.Start(t), storestest.Postgres(t)
	urls := []string{start(t, storeURL, bus.URL()), start(t, storeURL, bus.URL())}
	var (
		wg     sync.WaitGroup
		signed [2]atomic.Int64
	)
	ctx, stop := context.WithCancel(t.Context())
	defer func() {
		stop()
		wg.Wait()
	}()
	for i, url := range urls {
		chassistest.Ready(t, url)
		wg.Go(func() {
			for n := range chassistest.Paced(ctx, 10*time.Millisecond) {
				want := shop.User{ID: fmt.Sprintf("w-%d-%d", i, n), Name: fmt.Sprintf("Ada %d", n), Email: "a@example.com", Version: 1}
				var got shop.User
				if status := chassistest.Call(url, http.MethodPost, "/sync/users", want, &got); status != http.StatusCreated || got != want {
					t.Errorf("sign up %s: %d %+v", want.ID, status, got)
					return
				}
				signed[i].Store(int64(n + 1))
			}
		})
		wg.Go(func() {
			for range chassistest.Paced(ctx, 10*time.Millisecond) {
				var u shop.User
				if status := chassistest.Get(url+"/sync/users/u-001", &u); status != http.StatusOK || u != shop.SeedUsers()[0] {
					t.Errorf("%d %+v", status, u)
					return
				}
				var v2 shop.UserV2
				if status := chassistest.Get(url+"/sync/v2/users/u-002", &v2); status != http.StatusOK || v2 != shop.SeedUsers()[1].V2() {
					t.Errorf("version 2: %d %+v", status, v2)
					return
				}
			}
		})
	}
	for i, to := range []schema{schema2, schema1, schema2, schema1} {
		migrated(t, urls[i/2], to)
		for i := range signed {
			n := signed[i].Load()
			chassistest.Eventually(t, "they go on signing up", func() bool { return t.Failed() || signed[i].Load() > n+2 })
		}
	}
	stop()
	wg.Wait()
	n := len(shop.SeedUsers())
	for i := range signed {
		n += int(signed[i].Load())
		for k := range signed[i].Load() {
			id := fmt.Sprintf("w-%d-%d", i, k)
			var got shop.User
			if status := chassistest.Get(urls[1-i]+"/sync/users/"+id, &got); status != http.StatusOK || got.Name != fmt.Sprintf("Ada %d", k) {
				t.Errorf("%s: %d %+v", id, status, got)
			}
		}
	}
	chassistest.NoneWaiting(t, urls[0])
	v1 := map[string]bool{}
	for _, e := range chassistest.AwaitTold(t, bus.Client(), shop.Users, n) {
		if e.Type == shop.UserRegistered {
			v1[e.Subject] = true
		}
	}
	if len(v1) != n {
		t.Errorf("%d users were told of, want %d", len(v1), n)
	}
}

// TestBusyTable: a migration does not queue for a table that somebody uses at length, for everybody else would queue behind
// it; it tries again until it is free.
func TestBusyTable(t *testing.T) {
	bus, storeURL := streamstest.Start(t), storestest.Postgres(t)
	url := start(t, storeURL, bus.URL())
	chassistest.Ready(t, url)
	tx, err := conn(t, storeURL).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "select from users limit 1"); err != nil {
		t.Fatal(err)
	}
	chassistest.Begin(t, url, "schema-2")
	var p chassis.Progress
	chassistest.Eventually(t, "it tells that it waits", func() bool {
		return chassistest.Get(url+chassis.JobsPath+"schema-2", &p) == http.StatusOK && strings.Contains(p.Said, "in use")
	})
	for i := range 5 {
		if status := chassistest.Call(url, http.MethodPost, "/sync/users", shop.User{ID: fmt.Sprint("b-", i), Name: "Ada", Email: "a@example.com"}, nil); status != http.StatusCreated {
			t.Errorf("sign up meanwhile: %d", status)
		}
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := chassistest.Ended(t, url, "schema-2"); p.State != chassis.JobDone {
		t.Errorf("%+v", p)
	}
}

// TestStoreDiesInMigration: the table has one schema or the other, the service answers, and another run gets there.
func TestStoreDiesInMigration(t *testing.T) {
	store, bus := storestest.Start(t, stores.Postgres), streamstest.Start(t)
	url := start(t, store.URL, bus.URL())
	chassistest.Ready(t, url)
	storestest.Exec(t, store.URL, "insert into users (id, name, email, version) select 'x-' || n, 'Ada ' || n, '', 1 from generate_series(1, 50000) n")
	chassistest.Begin(t, url, "schema-2")
	store.Kill()
	chassistest.Ended(t, url, "schema-2")
	store.Start(t)
	chassistest.Eventually(t, "it answers", func() bool { return chassistest.Get(url+"/sync/users/x-7", nil) == http.StatusOK })
	if got := columns(t, conn(t, store.URL)); got != columns1 && got != columns2 { // the commit may have been before
		t.Errorf("the columns are %s", got)
	}
	migrated(t, url, schema2)
	var u shop.UserV2
	if status := chassistest.Get(url+"/sync/v2/users/x-50000", &u); status != http.StatusOK || u.GivenName != "Ada" || u.FamilyName != "50000" {
		t.Errorf("%d %+v", status, u)
	}
}
