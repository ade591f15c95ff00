package users

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams/streamstest"
)

// migrated has the service change its schema.
func migrated(t *testing.T, url string, to schema) chassis.Progress {
	t.Helper()
	return chassistest.Finished(t, url, fmt.Sprintf("schema-%d", to), say[to])
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
				list = append(list, chassistest.Body(t, at+"/"+pattern+"/users/u-001"), chassistest.Body(t, at+"/"+pattern+"/v2/users/u-001"))
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

// TestRepublishAtSchema2: every user is told of again in both versions; then comes the marker.
func TestRepublishAtSchema2(t *testing.T) {
	bus := streamstest.Start(t)
	url := start(t, storestest.Postgres(t), bus.URL())
	seed := len(shop.SeedUsers())
	chassistest.AwaitTold(t, bus.Client(), shop.Users, seed)
	migrated(t, url, schema2)
	chassistest.Begin(t, url, chassis.RepublishJob)
	if p := chassistest.Ended(t, url, chassis.RepublishJob); p.State != chassis.JobDone || p.Done != int64(seed) {
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
