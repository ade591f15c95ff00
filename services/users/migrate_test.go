package users

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams/streamstest"
)

// begin starts a job.
func begin(t *testing.T, url, job string) {
	t.Helper()
	if status := chassistest.Call(url, http.MethodPost, chassis.JobsPath+job, nil, nil); status != http.StatusAccepted {
		t.Fatalf("%s: %d, want 202", job, status)
	}
}

// ended waits for the end of a job, for as long as it gets on.
func ended(t *testing.T, url, job string) chassis.Progress {
	t.Helper()
	p := chassis.Progress{State: chassis.JobRunning, Done: -1}
	for p.State == chassis.JobRunning {
		last := p.Done
		chassistest.Eventually(t, job+" gets on", func() bool {
			return chassistest.Get(url+chassis.JobsPath+job, &p) == http.StatusOK && (p.State != chassis.JobRunning || p.Done > last)
		})
	}
	return p
}

// migrated runs a job and wants it to be done.
func migrated(t *testing.T, url string, to schema) chassis.Progress {
	t.Helper()
	job := fmt.Sprintf("schema-%d", to)
	begin(t, url, job)
	p := ended(t, url, job)
	if p.State != chassis.JobDone || p.Said != say[to] || p.Done != p.Total {
		t.Fatalf("%s: %+v", job, p)
	}
	return p
}

// conn is a connection to a store, until the test ends.
func conn(t *testing.T, storeURL string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), storeURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

// text is the one value of a query.
func text(t *testing.T, c *pgx.Conn, sql string, args ...any) (value string) {
	t.Helper()
	if err := c.QueryRow(t.Context(), sql, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// columns are those of the table users, sorted.
func columns(t *testing.T, c *pgx.Conn) string {
	t.Helper()
	return text(t, c, "select string_agg(attname, ' ' order by attname) from pg_attribute "+
		"where attrelid = 'users'::regclass and attnum > 0 and not attisdropped and attname in "+
		"('id', 'version', 'name', 'email', 'given_name', 'family_name', 'email_address')")
}

const (
	columns1 = "email id name version"
	columns2 = "email_address family_name given_name id version"
)

// body is an answer as it is.
func body(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", url, resp.StatusCode, err)
	}
	return string(b)
}

// TestSchemas: both versions of the API answer the same at both schemas, also at a replica that was not asked to migrate; a
// sign-up is told in version 1, and at schema 2 in version 2 too.
func TestSchemas(t *testing.T) {
	bus, storeURL := streamstest.Start(t), storestest.Postgres(t)
	url, other := start(t, storeURL, bus.URL()), start(t, storeURL, bus.URL())
	chassistest.Ready(t, url)
	chassistest.Ready(t, other)
	db := conn(t, storeURL)
	answers := func() (list []string) {
		for _, at := range []string{url, other} {
			for _, pattern := range chassis.ServicePatterns() {
				list = append(list, body(t, at+"/"+pattern+"/users/u-001"), body(t, at+"/"+pattern+"/v2/users/u-001"))
			}
		}
		return list
	}
	signUp := func(at, id, name string) {
		t.Helper()
		want := shop.User{ID: id, Name: name, Email: "a@example.com", Version: 1}
		var got shop.User
		for _, status := range []int{http.StatusCreated, http.StatusOK} {
			if is := chassistest.Call(at, http.MethodPost, "/sync/users", want, &got); is != status || got != want {
				t.Errorf("sign up %q: %d %+v, want %d", name, is, got, status)
			}
		}
		var v2 shop.UserV2
		if is := chassistest.Get(url+"/copies/v2/users/"+id, &v2); is != http.StatusOK || v2 != want.V2() {
			t.Errorf("version 2 of %q: %d %+v", name, is, v2)
		}
	}
	before := answers()
	var v2 shop.UserV2
	first := shop.SeedUsers()[0]
	if err := json.Unmarshal([]byte(before[1]), &v2); err != nil || v2 != first.V2() || strings.Contains(before[1], `"name"`) {
		t.Errorf("version 2: %v %s", err, before[1])
	}
	for _, id := range []string{"nobody", "%00"} {
		if status := chassistest.Get(url+"/sync/v2/users/"+id, nil); status != http.StatusNotFound {
			t.Errorf("version 2 of %s: %d", id, status)
		}
	}
	if p := migrated(t, url, schema2); p.Done != int64(len(shop.SeedUsers())) {
		t.Errorf("%+v", p)
	}
	if got := columns(t, db); got != columns2 {
		t.Errorf("after the migration: %s", got)
	}
	signUp(other, "ada", "Ada Lovelace King")
	if now := answers(); !slices.Equal(now, before) {
		t.Errorf("answers at schema 2:\n%s\nbefore:\n%s", now, before)
	}
	if p := migrated(t, other, schema2); p.Done != 0 {
		t.Errorf("migrated again: %+v", p)
	}
	signUp(url, "plato", "Plato")
	migrated(t, other, schema1)
	if got := columns(t, db); got != columns1 {
		t.Errorf("rolled back: %s", got)
	}
	if now := answers(); !slices.Equal(now, before) {
		t.Errorf("answers once rolled back:\n%s\nbefore:\n%s", now, before)
	}
	if got := text(t, db, "select string_agg(name, ', ' order by id) from users where id in ('ada', 'plato')"); got != "Ada Lovelace King, Plato" {
		t.Errorf("rolled back: %s", got)
	}
	signUp(url, "bo", "Bo Ek")

	seeded := len(shop.SeedUsers())
	var got []string
	for _, e := range chassistest.AwaitTold(t, bus.Client(), shop.Users, seeded+5)[seeded:] {
		var u shop.User
		if e.Type == shop.UserRegisteredV2 {
			var v2 shop.UserV2
			if err := json.Unmarshal(e.Data, &v2); err != nil {
				t.Fatal(err)
			}
			u = v2.V1()
		} else if err := json.Unmarshal(e.Data, &u); err != nil {
			t.Fatal(err)
		}
		if e.Version != 1 || e.Subject != u.ID {
			t.Errorf("event %+v", e)
		}
		got = append(got, e.Type+" "+u.Name)
	}
	if want := []string{"user.registered.v2 Ada Lovelace King", "user.registered.v1 Ada Lovelace King", "user.registered.v2 Plato",
		"user.registered.v1 Plato", "user.registered.v1 Bo Ek"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// TestAdopted: a store that was made before there were migrations is taken as it is, and can be migrated.
func TestAdopted(t *testing.T) {
	bus, storeURL := streamstest.Start(t), storestest.Postgres(t)
	storestest.Exec(t, storeURL, `create table users (id text primary key, name text not null, email text not null, version bigint not null);
		insert into users values ('old', 'Old Hand', 'old@example.com', 1)`)
	url := start(t, storeURL, bus.URL())
	chassistest.Ready(t, url)
	want := shop.User{ID: "old", Name: "Old Hand", Email: "old@example.com", Version: 1}
	for _, to := range []schema{0, schema2, schema1} {
		if to != 0 {
			migrated(t, url, to)
		}
		var got shop.User
		if status := chassistest.Get(url+"/sync/users/old", &got); status != http.StatusOK || got != want {
			t.Errorf("schema %d: %d %+v", to, status, got)
		}
	}
	if n := text(t, conn(t, storeURL), "select count(*)::text from users"); n != "1" {
		t.Errorf("%s users, want the one that was there", n)
	}
}

// TestStartAtSchema2: a store of schema 2 stays so when the service starts.
func TestStartAtSchema2(t *testing.T) {
	bus, storeURL := streamstest.Start(t), storestest.Postgres(t)
	t.Run("it is migrated", func(t *testing.T) {
		url := start(t, storeURL, bus.URL())
		chassistest.Ready(t, url)
		migrated(t, url, schema2)
	})
	url := start(t, storeURL, bus.URL())
	chassistest.Ready(t, url)
	if got := columns(t, conn(t, storeURL)); got != columns2 {
		t.Errorf("after a start: %s", got)
	}
	var got shop.User
	if status := chassistest.Get(url+"/sync/users/u-001", &got); status != http.StatusOK || got != shop.SeedUsers()[0] {
		t.Errorf("%d %+v", status, got)
	}
}

// TestNames: the database splits and joins names as the API does, whatever spaces they have.
func TestNames(t *testing.T) {
	bus, storeURL := streamstest.Start(t), storestest.Postgres(t)
	url := start(t, storeURL, bus.URL())
	chassistest.Ready(t, url)
	db := conn(t, storeURL)
	names := []string{"Ada", "Ada Ito", "Ana de la Cruz", "Ada ", " Ada", "Ada  Ito", " ", "  ", "", "Zoë Ñandú", "a\u00a0b c", "x  "}
	for i, name := range names {
		storestest.Exec(t, storeURL, "insert into users (id, name, email, version) values ($1, $2, '', 1)", fmt.Sprint("n-", i), name)
	}
	migrated(t, url, schema2)
	for i, name := range names {
		given, family := shop.SplitName(name)
		id := fmt.Sprint("n-", i)
		if got := text(t, db, "select given_name || '|' || family_name from users where id = $1", id); got != given+"|"+family {
			t.Errorf("%q is split into %q, want %q", name, got, given+"|"+family)
		}
	}
	migrated(t, url, schema1)
	for i, name := range names {
		if got := text(t, db, "select name from users where id = $1", fmt.Sprint("n-", i)); got != name {
			t.Errorf("%q came back as %q", name, got)
		}
	}
}

// TestMigrationUnderTraffic: while the table is migrated there and back every request is answered, at each replica, and
// everybody who signed up is there and was told of.
func TestMigrationUnderTraffic(t *testing.T) {
	bus, storeURL := streamstest.Start(t), storestest.Postgres(t)
	urls := []string{start(t, storeURL, bus.URL()), start(t, storeURL, bus.URL())}
	var (
		stop   atomic.Bool
		wg     sync.WaitGroup
		signed [2]atomic.Int64
	)
	defer func() {
		stop.Store(true)
		wg.Wait()
	}()
	// pause leaves the machine time for others between two requests; false at the end.
	pause := func() bool {
		time.Sleep(10 * time.Millisecond)
		return !stop.Load()
	}
	for i, url := range urls {
		chassistest.Ready(t, url)
		wg.Go(func() {
			for n := 0; pause(); n++ {
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
			for pause() {
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
	stop.Store(true)
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
	begin(t, url, "schema-2")
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
	if p := ended(t, url, "schema-2"); p.State != chassis.JobDone {
		t.Errorf("%+v", p)
	}
}

// TestStoreDiesInMigration: the table has one schema or the other, the service answers, and another run gets there.
func TestStoreDiesInMigration(t *testing.T) {
	store, bus := storestest.Start(t, stores.Postgres), streamstest.Start(t)
	url := start(t, store.URL, bus.URL())
	chassistest.Ready(t, url)
	storestest.Exec(t, store.URL, "insert into users (id, name, email, version) select 'x-' || n, 'Ada ' || n, '', 1 from generate_series(1, 50000) n")
	begin(t, url, "schema-2")
	store.Kill()
	ended(t, url, "schema-2")
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

// TestRepublishAtSchema2: every user is told of again in both versions; then comes the marker.
func TestRepublishAtSchema2(t *testing.T) {
	bus := streamstest.Start(t)
	url := start(t, storestest.Postgres(t), bus.URL())
	seed := len(shop.SeedUsers())
	chassistest.AwaitTold(t, bus.Client(), shop.Users, seed)
	migrated(t, url, schema2)
	begin(t, url, chassis.RepublishJob)
	if p := ended(t, url, chassis.RepublishJob); p.State != chassis.JobDone || p.Done != int64(seed) {
		t.Errorf("%+v", p)
	}
	told := chassistest.AwaitTold(t, bus.Client(), shop.Users, 3*seed+1)
	versions := map[string]int{}
	for _, e := range told[seed : 3*seed] {
		versions[e.Type]++
	}
	if versions[shop.UserRegistered] != seed || versions[shop.UserRegisteredV2] != seed || told[3*seed].Type != "users.republished.v1" {
		t.Errorf("%v, then %s", versions, told[3*seed].Type)
	}
}
