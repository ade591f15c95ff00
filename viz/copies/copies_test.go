package copies_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/viz/copies"
	"github.com/stillup/stillup/viz/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shop is a system in which one kind stands in every engine: users own it, two copy it, a monolith has its own.
func shop() world.System {
	made := map[string]world.Made{"name": {Join: []string{"given", "family"}}, "cents": {Sum: []string{"net", "vat"}}}
	return world.System{Name: "shop", Kinds: []world.KindSpec{{ID: "users", Name: "users"}}, Nodes: []world.NodeSpec{
		{ID: "mono-db", Kind: world.Store, Engine: stores.Redis, Owner: "mono"},
		{ID: "users-db", Kind: world.Store, Engine: stores.Postgres, Owner: "users", Holds: []world.Hold{{Kind: "users",
			At: &world.Place{Table: "users", Version: "version", Label: "name", Fields: map[string]string{"mail": "email"}, Made: made}}}},
		{ID: "seen-db", Kind: world.Store, Engine: stores.MongoDB, Owner: "seen", Holds: []world.Hold{{Kind: "users", Copy: true,
			At: &world.Place{Collection: "users", Versions: "versions", Hidden: []string{"id", "version"}}}}},
		{ID: "rank-db", Kind: world.Store, Engine: stores.Redis, Owner: "rank", Holds: []world.Hold{{Kind: "users", Copy: true,
			At: &world.Place{Key: "user:{id}", Version: "version"}}}},
		{ID: "apart-db", Kind: world.Store, Engine: stores.Redis, Owner: "apart", Holds: []world.Hold{{Kind: "users",
			At: &world.Place{Key: "mono:{id}", Version: "version"}}}},
	}}
}

// stocked is the shop with its stores, and what is in them.
func stocked(t testing.TB) map[string]string {
	t.Helper()
	urls := map[string]string{"users-db": storestest.Postgres(t), "seen-db": storestest.Mongo(t), "rank-db": storestest.Redis(t), "apart-db": storestest.Redis(t)}
	storestest.Exec(t, urls["users-db"], "create table users (id text primary key, name text, email text, cents bigint, since timestamptz, ok boolean, version bigint);"+
		"insert into users values ('u-1', 'Ada Kim', 'ada@example.com', 100, '2026-03-01 12:00:00.5+01', true, 3)")
	at := time.Date(2026, 3, 1, 11, 0, 0, 5e8, time.UTC)
	_, err := storestest.Database(t, urls["seen-db"]).Collection("users").InsertOne(t.Context(), bson.D{{Key: "_id", Value: "u-1"}, {Key: "versions", Value: bson.D{
		{Key: "10", Value: bson.D{{Key: "id", Value: "u-1"}, {Key: "name", Value: "Ada Kim"}, {Key: "since", Value: at}, {Key: "ok", Value: true}, {Key: "version", Value: 10}}},
		{Key: "9", Value: bson.D{{Key: "name", Value: "Old"}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	redisDo(t, urls["rank-db"], "HSET", "user:u-1", "name", "Ada", "cents", "100", "version", 2, "seen", 5)
	redisDo(t, urls["apart-db"], "HSET", "mono:u-1", "name", "Another", "version", 1)
	return urls
}

func read(t testing.TB, c *copies.Copies, id string) copies.Thing {
	t.Helper()
	thing, err := c.Read(t.Context(), "users", id)
	if err != nil {
		t.Fatal(err)
	}
	return thing
}

// TestSideBySide: the owner first, then the copies, compared with it, then what stands apart.
func TestSideBySide(t *testing.T) {
	urls := stocked(t)
	since := time.Now().Add(-3 * time.Second)
	var asked []string
	var mu sync.Mutex
	c := look(t, copies.Options{System: shop(), URLs: urls, Missing: func(store, kind, id string, have, owner int64) world.Missing {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, store)
		if store != "rank-db" || kind != "users" || id != "u-1" || have != 2 || owner != 3 {
			return world.Missing{}
		}
		return world.Missing{Events: 1, Oldest: since}
	}})
	check := func(thing copies.Thing) {
		t.Helper()
		var nodes []string
		for _, r := range thing.Records {
			nodes = append(nodes, r.Node)
		}
		if got := strings.Join(nodes, " "); got != "users-db seen-db rank-db apart-db" || thing.At.IsZero() {
			t.Fatalf("order %s", got)
		}
		for node, want := range map[string]string{
			"users-db": "name=Ada Kim same, email=ada@example.com same, cents=100 same, since=2026-03-01T11:00:00.500Z same, ok=true same",
			"seen-db":  "name=Ada Kim same, since=2026-03-01T11:00:00.500Z same, ok=true same",
			"rank-db":  "name=Ada differs, cents=100 same, seen=5 own",
			"apart-db": "name=Another own"} {
			if got := fields(of(thing, node)); got != want {
				t.Errorf("%s has %s\nwant %s", node, got, want)
			}
		}
		if r := of(thing, "rank-db"); r.VersionsBehind != 1 || r.EventsBehind != 1 || r.BehindMS < 3000 || r.BehindMS > 60_000 || r.Version != 2 {
			t.Errorf("behind: %+v", r)
		}
		for _, node := range []string{"users-db", "seen-db", "apart-db"} {
			if r := of(thing, node); r.VersionsBehind != 0 || r.EventsBehind != 0 || r.BehindMS != 0 {
				t.Errorf("not behind: %+v", r)
			}
		}
	}
	check(read(t, c, "u-1"))
	if slices.Contains(asked, "users-db") || slices.Contains(asked, "apart-db") {
		t.Errorf("what is no copy cannot be behind: %v", asked)
	}
	// The owner splits one column in two and names another one anew: nothing differs by that.
	storestest.Exec(t, urls["users-db"], "alter table users add given text, add family text, add net bigint, add vat bigint; "+
		"update users set given = 'Ada', family = 'Kim', net = 81, vat = 19; alter table users drop name, drop cents; alter table users rename email to mail")
	thing := read(t, c, "u-1")
	if got := fields(thing.Records[0]); got != "email=ada@example.com same, since=2026-03-01T11:00:00.500Z same, ok=true same, name=Ada Kim same, cents=100 same" {
		t.Errorf("after the change of the schema the owner has %s", got)
	}
	if got := fields(of(thing, "rank-db")); got != "name=Ada differs, cents=100 same, seen=5 own" {
		t.Errorf("and the copy %s", got)
	}
	if found, _, err := c.Search(t.Context(), "users", "da ki", 3); err != nil || len(found) != 1 || found[0].Label != "Ada Kim" || found[0].Version != 3 {
		t.Errorf("by its label: %+v, %v", found, err)
	}
	// What only copies have, or only the owner.
	redisDo(t, urls["rank-db"], "HSET", "user:u-2", "name", "Ghost", "version", 1)
	if thing := read(t, c, "u-2"); of(thing, "users-db").Found || !of(thing, "rank-db").Found || fields(of(thing, "rank-db")) != "name=Ghost own" {
		t.Errorf("a ghost: %+v", thing)
	}
	redisDo(t, urls["rank-db"], "DEL", "user:u-1")
	if r := of(read(t, c, "u-1"), "rank-db"); r.Found || r.VersionsBehind != 3 {
		t.Errorf("a copy that is missing: %+v", r)
	}
	if _, err := c.Read(t.Context(), "cars", "c-1"); !errors.Is(err, copies.ErrUnknownKind) {
		t.Errorf("of no kind: %v", err)
	}
	if c.Owner("users") != "users-db" || c.Owner("cars") != "" {
		t.Errorf("owner %q", c.Owner("users"))
	}
}

func of(thing copies.Thing, node string) copies.Record {
	for _, r := range thing.Records {
		if r.Node == node {
			return r
		}
	}
	return copies.Record{}
}

// TestAddressOfTheSystemFile: a store whose address nobody else tells is asked at the one that stands there.
func TestAddressOfTheSystemFile(t *testing.T) {
	system := one(stores.Redis, &world.Place{Key: "product:{id}"})
	system.Nodes[1].URL = storestest.Redis(t)
	redisDo(t, system.Nodes[1].URL, "HSET", "product:p-1", "name", "x")
	if r := record(t, look(t, copies.Options{System: system}), "p-1"); !r.Found {
		t.Errorf("read %+v", r)
	}
}

// madeUp is a source of one thing in two stores, of which one is behind and another does not answer.
type madeUp struct{}

func (madeUp) Things(string) []string { return []string{"a-0", "u-1"} }

func (madeUp) Thing(store, kind, id string) ([][2]string, int64, string) {
	switch {
	case store == "apart-db":
		return nil, 0, "apart-db refused the connection"
	case id != "u-1" || kind != "users":
		return nil, 0, ""
	case store == "rank-db":
		return [][2]string{{"name", "Ada"}}, 1, ""
	}
	return [][2]string{{"name", "Ada Kim"}, {"cents", "100"}}, 2, ""
}

// TestInvented: what is made up looks as what the engines keep.
func TestInvented(t *testing.T) {
	c := look(t, copies.Options{System: shop(), Invented: madeUp{}})
	thing := read(t, c, "u-1")
	for node, want := range map[string][3]string{
		"users-db": {"row", "id: u-1\nname: Ada Kim\ncents: 100\nversion: 2", "name=Ada Kim same, cents=100 same"},
		"seen-db": {"document", "{\n  \"_id\": \"u-1\",\n  \"versions\": {\n    \"2\": {\n      \"name\": \"Ada Kim\",\n      \"cents\": 100\n    }\n  }\n}",
			"name=Ada Kim same, cents=100 same"},
		"rank-db": {"hash", "name: Ada\nversion: 1", "name=Ada differs"},
	} {
		if r := of(thing, node); !r.Found || r.Form != want[0] || r.Raw != want[1] || fields(r) != want[2] || r.Bytes <= 0 {
			t.Errorf("%s: %+v", node, r)
		}
	}
	if r := of(thing, "rank-db"); r.VersionsBehind != 1 {
		t.Errorf("behind: %+v", r)
	}
	if r := of(thing, "apart-db"); r.Why != "apart-db refused the connection" || r.Found {
		t.Errorf("dead: %+v", r)
	}
	found, more, err := c.Search(t.Context(), "users", "kim", 5)
	if err != nil || more || len(found) != 1 || found[0] != (copies.Match{ID: "u-1", Label: "Ada Kim", Version: 2}) {
		t.Errorf("search: %+v, %v, %v", found, more, err)
	}
}
