package copies_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/viz/copies"
	"github.com/stillup/stillup/viz/world"
)

// thing is what tests put into stores.
type thing struct {
	id, name string
	cents    int
	version  int
}

var things = []thing{{"p-1", "Moka pot", 3490, 2}, {"p-2", "Paring knife", 1890, 1}, {"P-3", "50 %_\\ off", 5, 7}}

// placed is one way in which an engine keeps things.
type placed struct {
	name, engine string
	at           world.Place
	form, place  string
	put          func(t testing.TB, url string, th thing)
	remove       func(t testing.TB, url, id string)
	raw          string // of p-1
	versionless  bool
	fieldless    bool
	label        bool
}

func redisAt(t testing.TB, url string) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	rdb := redis.NewClient(o)
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// redisDo runs one command.
func redisDo(t testing.TB, url string, args ...any) {
	t.Helper()
	if err := redisAt(t, url).Do(context.Background(), args...).Err(); err != nil {
		t.Fatal(err)
	}
}

func mongoPut(t testing.TB, url string, id string, doc bson.D) {
	t.Helper()
	c := storestest.Database(t, url).Collection("products")
	if _, err := c.DeleteOne(t.Context(), bson.D{{Key: "_id", Value: id}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.InsertOne(t.Context(), append(bson.D{{Key: "_id", Value: id}}, doc...)); err != nil {
		t.Fatal(err)
	}
}

func mongoRemove(t testing.TB, url, id string) {
	t.Helper()
	if _, err := storestest.Database(t, url).Collection("products").DeleteOne(t.Context(), bson.D{{Key: "_id", Value: id}}); err != nil {
		t.Fatal(err)
	}
}

const table = `create table if not exists products (id text primary key, name text not null, price_cents bigint not null, version bigint not null, gone text)`

// places are all ways in which things are kept.
var places = []placed{
	{name: "rows", engine: stores.Postgres, at: world.Place{Table: "products", Version: "version", Label: "name"}, form: "row", place: "table products",
		put: func(t testing.TB, url string, th thing) {
			storestest.Exec(t, url, table)
			storestest.Exec(t, url, "insert into products values ($1, $2, $3, $4) on conflict (id) do update set name = excluded.name, "+
				"price_cents = excluded.price_cents, version = excluded.version", th.id, th.name, th.cents, th.version)
		},
		remove: func(t testing.TB, url, id string) { storestest.Exec(t, url, "delete from products where id = $1", id) },
		raw:    "id:          p-1\nname:        Moka pot\nprice_cents: 3490\nversion:     2\ngone:        NULL", label: true},
	{name: "documents", engine: stores.MongoDB, at: world.Place{Collection: "products", Version: "version", Label: "name", Hidden: []string{"outbox"}},
		form: "document", place: "collection products",
		put: func(t testing.TB, url string, th thing) {
			mongoPut(t, url, th.id, bson.D{{Key: "name", Value: th.name}, {Key: "price_cents", Value: int64(th.cents)},
				{Key: "version", Value: int64(th.version)}, {Key: "outbox", Value: bson.A{"x"}}, {Key: "gone", Value: nil}})
		}, remove: mongoRemove,
		raw: "{\n  \"_id\": \"p-1\",\n  \"name\": \"Moka pot\",\n  \"price_cents\": 3490,\n  \"version\": 2,\n  \"outbox\": [\n    \"x\"\n  ],\n  \"gone\": null\n}", label: true},
	{name: "versions side by side", engine: stores.MongoDB, at: world.Place{Collection: "products", Versions: "versions", Label: "name"},
		form: "document", place: "collection products",
		put: func(t testing.TB, url string, th thing) {
			mongoPut(t, url, th.id, bson.D{{Key: "versions", Value: bson.D{
				{Key: fmt.Sprint(th.version), Value: bson.D{{Key: "name", Value: th.name}, {Key: "price_cents", Value: float64(th.cents)}}},
				{Key: "0", Value: bson.D{{Key: "name", Value: "old"}}}}}})
		}, remove: mongoRemove, raw: "\"versions\": {\n    \"2\": {\n      \"name\": \"Moka pot\",\n      \"price_cents\": 3490.0"},
	{name: "hashes", engine: stores.Redis, at: world.Place{Key: "product:{id}", Version: "version", Label: "name", Keys: []string{"level:{id}"}},
		form: "hash", place: "key product:p-1",
		put: func(t testing.TB, url string, th thing) {
			redisDo(t, url, "HSET", "product:"+th.id, "name", th.name, "price_cents", th.cents, "version", th.version)
			redisDo(t, url, "SET", "level:"+th.id, "12")
		},
		remove: func(t testing.TB, url, id string) { redisDo(t, url, "DEL", "product:"+id, "level:"+id) },
		raw:    "name: Moka pot\nprice_cents: 3490\nversion: 2", label: true},
	{name: "fields of a hash", engine: stores.Redis, at: world.Place{Hash: "names"}, form: "field", place: "hash names",
		put:    func(t testing.TB, url string, th thing) { redisDo(t, url, "HSET", "names", th.id, th.name) },
		remove: func(t testing.TB, url, id string) { redisDo(t, url, "HDEL", "names", id) },
		raw:    "p-1: Moka pot", versionless: true, fieldless: true},
	{name: "members of a set", engine: stores.Redis, at: world.Place{Set: "listed"}, form: "member", place: "set listed",
		put:    func(t testing.TB, url string, th thing) { redisDo(t, url, "SADD", "listed", th.id) },
		remove: func(t testing.TB, url, id string) { redisDo(t, url, "SREM", "listed", id) },
		raw:    "p-1", versionless: true, fieldless: true},
	{name: "members of a sorted set", engine: stores.Redis, at: world.Place{Sorted: "ranked"}, form: "member", place: "sorted set ranked",
		put:    func(t testing.TB, url string, th thing) { redisDo(t, url, "ZADD", "ranked", th.cents, th.id) },
		remove: func(t testing.TB, url, id string) { redisDo(t, url, "ZREM", "ranked", id) },
		raw:    "p-1  score 3490", versionless: true, fieldless: true},
}

// empty is an empty store of an engine.
func empty(t testing.TB, engine string) string {
	t.Helper()
	switch engine {
	case stores.Postgres:
		return storestest.Postgres(t)
	case stores.MongoDB:
		return storestest.Mongo(t)
	}
	return storestest.Redis(t)
}

// one is a system of one store that owns products.
func one(engine string, at *world.Place) world.System {
	return world.System{Name: "one", Kinds: []world.KindSpec{{ID: "products", Name: "products"}},
		Nodes: []world.NodeSpec{{ID: "shop", Kind: world.Service},
			{ID: "shop-db", Kind: world.Store, Engine: engine, Owner: "shop", Holds: []world.Hold{{Kind: "products", At: at}}}}}
}

func look(t testing.TB, o copies.Options) *copies.Copies {
	t.Helper()
	c := copies.New(o)
	t.Cleanup(c.Close)
	return c
}

// TestEngines: every way of keeping things is read, searched and counted alike.
func TestEngines(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			url := empty(t, p.engine)
			c := look(t, copies.Options{System: one(p.engine, &p.at), URLs: map[string]string{"shop-db": url}})
			for _, th := range things {
				p.put(t, url, th)
			}
			r := record(t, c, "p-1")
			if !r.Found || r.Why != "" || r.Form != p.form || r.Place != p.place || r.Copy || r.Node != "shop-db" || r.Service != "shop" || r.Engine != p.engine {
				t.Errorf("read %+v", r)
			}
			if !strings.Contains(r.Raw, p.raw) {
				t.Errorf("raw is\n%s\nwant\n%s", r.Raw, p.raw)
			}
			if r.Bytes < int64(len("p-1")) || r.Bytes > 1000 {
				t.Errorf("%d bytes", r.Bytes)
			}
			if want := int64(2); !p.versionless && r.Version != want || p.versionless && r.Version != 0 {
				t.Errorf("version %d", r.Version)
			}
			if got := fields(r); !p.fieldless && got != "name=Moka pot same, price_cents=3490 same" {
				t.Errorf("fields %s", got)
			}
			if len(p.at.Keys) > 0 && (len(r.Keys) != 1 || r.Keys[0] != copies.Key{Key: "level:p-1", Value: "12"}) {
				t.Errorf("keys %v", r.Keys)
			}
			if r := record(t, c, "p-9"); r.Found || r.Why != "" || r.Raw != "" || r.Fields == nil || r.Keys == nil {
				t.Errorf("what is not there is %+v", r)
			}
			for id := range map[string]bool{"": true, "'": true, "%": true, "p-1 ": true, "{id}": true, "p*": true, strings.Repeat("x", 300): true} {
				if r := record(t, c, id); r.Found || r.Why != "" {
					t.Errorf("%q finds %+v", id, r)
				}
			}
			searches(t, c, p)
			counts(t, c, 3)
			p.remove(t, url, "p-1")
			if r := record(t, c, "p-1"); r.Found {
				t.Errorf("removed, and read %+v", r)
			}
			counts(t, c, 2)
		})
	}
}

func record(t testing.TB, c *copies.Copies, id string) copies.Record {
	t.Helper()
	thing, err := c.Read(t.Context(), "products", id)
	if err != nil {
		t.Fatal(err)
	}
	return thing.Records[0]
}

// fields are a record's, in words.
func fields(r copies.Record) string {
	var all []string
	for _, f := range r.Fields {
		all = append(all, fmt.Sprintf("%s=%s %s", f.Name, f.Value, f.Same))
	}
	return strings.Join(all, ", ")
}

func searches(t *testing.T, c *copies.Copies, p placed) {
	for _, s := range []struct {
		text  string
		limit int
		label bool // it is found by its label alone
		want  string
		more  bool
	}{
		{"p-1", 5, false, "p-1", false}, {"P-", 5, false, "P-3 p-1 p-2", false}, {"p-", 2, false, "", true}, {"knife", 5, true, "p-2", false},
		{"MOKA", 5, true, "p-1", false}, {"%_\\", 5, true, "P-3", false}, {"zzz", 5, false, "", false}, {".", 5, false, "", false},
		{"p-1", 1, false, "p-1", false}, {"", 5, false, "P-3 p-1 p-2", false},
	} {
		found, more, err := c.Search(t.Context(), "products", s.text, s.limit)
		if err != nil {
			t.Errorf("search %q: %v", s.text, err)
			continue
		}
		if s.label && !p.label {
			continue
		}
		ids := map[string]bool{}
		for _, m := range found {
			ids[m.ID] = true
			if p.label && m.ID == "p-2" && (m.Label != "Paring knife" || m.Version != 1) {
				t.Errorf("search %q: %+v", s.text, m)
			}
		}
		got := 0
		for _, id := range strings.Fields(s.want) {
			if ids[id] {
				got++
			}
		}
		if more != s.more || s.want != "" && (got != len(ids) || got != len(strings.Fields(s.want))) || s.want == "" && !s.more && len(ids) > 0 || len(found) > s.limit {
			t.Errorf("search %q finds %v, more %v; want %q, %v", s.text, found, more, s.want, s.more)
		}
	}
}

// totals is what the watcher sees first of the only store.
func totals(t testing.TB, c *copies.Copies) world.CopiesSeen {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	seen := make(chan world.CopiesSeen, 1)
	done := make(chan error, 1)
	go func() {
		done <- c.Run(ctx, func(obs ...world.Observation) {
			select {
			case seen <- obs[0].(world.CopiesSeen):
			default:
			}
		})
	}()
	o := <-seen
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	return o
}

func counts(t *testing.T, c *copies.Copies, want int64) {
	t.Helper()
	o := totals(t, c)
	if o.Down != "" || len(o.Kinds) != 1 {
		t.Fatalf("seen %+v", o)
	}
	if k := o.Kinds[0]; o.Node != "shop-db" || o.At.IsZero() || k.Kind != "products" || k.Count != want || k.Estimated || k.Bytes <= 0 || k.Why != "" {
		t.Errorf("counted %+v, want %d", k, want)
	}
}

// TestEmptyEngines: a place that is not there yet holds nothing, and says so where the engine does.
func TestEmptyEngines(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			c := look(t, copies.Options{System: one(p.engine, &p.at), URLs: map[string]string{"shop-db": empty(t, p.engine)}})
			why := ""
			if p.engine == stores.Postgres {
				why = "there is no table products yet"
			}
			if o := totals(t, c); o.Down != "" || len(o.Kinds) != 1 || o.Kinds[0].Count != 0 || o.Kinds[0].Why != why {
				t.Errorf("seen %+v", o)
			}
			r := record(t, c, "p-1")
			if why != "" {
				why = `shop-db said: relation "products" does not exist`
			}
			if r.Found || r.Why != why {
				t.Errorf("read %+v", r)
			}
		})
	}
}
