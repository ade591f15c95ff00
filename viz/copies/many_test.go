package copies_test

import (
	"context"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/viz/copies"
	"github.com/stillup/stillup/viz/world"
)

// cheap is what one round of counting may take on a store that holds many: the median of five.
func cheap(t *testing.T, c *copies.Copies, most time.Duration) world.HeldSeen {
	t.Helper()
	var (
		took [5]time.Duration
		last world.CopiesSeen
	)
	for i := range took {
		begun := time.Now()
		last = totals(t, c)
		took[i] = time.Since(begun)
		if last.Down != "" || len(last.Kinds) != 1 {
			t.Fatalf("seen %+v", last)
		}
	}
	for i := range took { // the five are few enough to be sorted by hand
		for j := range i {
			if took[i] < took[j] {
				took[i], took[j] = took[j], took[i]
			}
		}
	}
	t.Logf("a round takes %v: %+v", took[2], last.Kinds[0])
	if took[2] > most {
		t.Errorf("a round takes %v, more than %v", took[2], most)
	}
	return last.Kinds[0]
}

// about says whether n is within a tenth of want.
func about(n, want int64) bool { return n > want*9/10 && n < want*11/10 }

// TestManyRows: a large table's rows are estimated, whether they were counted by the database before or not.
func TestManyRows(t *testing.T) {
	url := storestest.Postgres(t)
	const rows = 200_000
	storestest.Exec(t, url, "create table products (id text primary key, name text, version bigint)")
	storestest.Exec(t, url, "insert into products select 'p-' || n, 'product number ' || n, 1 from generate_series(1, 200000) n")
	c := look(t, copies.Options{System: one(stores.Postgres, &world.Place{Table: "products", Version: "version", Label: "name"}), URLs: map[string]string{"shop-db": url}})
	if k := cheap(t, c, 300*time.Millisecond); !k.Estimated || k.Count < rows/4 || k.Count > rows*4 || k.Bytes < rows*40 {
		t.Errorf("before it was analyzed: %+v", k)
	}
	storestest.Exec(t, url, "analyze products")
	if k := cheap(t, c, 300*time.Millisecond); !k.Estimated || !about(k.Count, rows) {
		t.Errorf("after: %+v", k)
	}
	begun := time.Now()
	if r := record(t, c, "p-199999"); !r.Found || time.Since(begun) > time.Second {
		t.Errorf("one of many took %v: %+v", time.Since(begun), r)
	}
	if found, more, err := c.Search(t.Context(), "products", "p-199999", 5); err != nil || len(found) == 0 || found[0].ID != "p-199999" || found[0].Label != "product number 199999" {
		t.Errorf("search finds %+v, more %v, %v", found, more, err)
	}
}

// TestManyKeys: of many keys a round looks at some, so that the count is an estimate, which gets better with the rounds.
func TestManyKeys(t *testing.T) {
	url := storestest.Redis(t)
	redisDo(t, url, "EVAL", `for i = 1, 100000 do redis.call('HSET', 'product:p-' .. i, 'name', 'product number ' .. i, 'version', 1) end
		for i = 1, 50000 do redis.call('SET', 'other:' .. i, 'x') end return 1`, 0)
	c := look(t, copies.Options{System: one(stores.Redis, &world.Place{Key: "product:{id}", Version: "version", Label: "name"}), URLs: map[string]string{"shop-db": url}})
	k := cheap(t, c, 300*time.Millisecond)
	if !k.Estimated || !about(k.Count, 100_000) || k.Bytes < k.Count*50 || k.Bytes > k.Count*500 {
		t.Errorf("counted %+v", k)
	}
	for range 20 { // through the end of all keys and on
		if k = totals(t, c).Kinds[0]; !k.Estimated || !about(k.Count, 100_000) {
			t.Fatalf("later counted %+v", k)
		}
	}
	found, more, err := c.Search(t.Context(), "products", "p-99999", 5)
	if err != nil || len(found) == 0 || found[0].ID != "p-99999" || !more {
		t.Errorf("search finds %+v, more %v, %v", found, more, err)
	}
}

// TestManyMembers: what Redis counts itself is exact, however many there are.
func TestManyMembers(t *testing.T) {
	url := storestest.Redis(t)
	redisDo(t, url, "EVAL", `for i = 1, 100000 do redis.call('ZADD', 'ranked', i, 'p-' .. i) end return 1`, 0)
	c := look(t, copies.Options{System: one(stores.Redis, &world.Place{Sorted: "ranked"}), URLs: map[string]string{"shop-db": url}})
	if k := cheap(t, c, 300*time.Millisecond); k.Estimated || k.Count != 100_000 || k.Bytes < 100_000*10 {
		t.Errorf("counted %+v", k)
	}
	if r := record(t, c, "p-77"); !r.Found || r.Raw != "p-77  score 77" {
		t.Errorf("read %+v", r)
	}
}

// TestManyDocuments: what the engine keeps of a collection is told, however many there are.
func TestManyDocuments(t *testing.T) {
	url := storestest.Mongo(t)
	products := storestest.Database(t, url).Collection("products")
	const documents = 5000
	for from := 0; from < documents; from += 100 {
		var batch []bson.D
		for i := range 100 {
			batch = append(batch, bson.D{{Key: "_id", Value: from + i}, {Key: "name", Value: "product"}})
		}
		if _, err := products.InsertMany(context.Background(), batch); err != nil {
			t.Fatal(err)
		}
	}
	c := look(t, copies.Options{System: one(stores.MongoDB, &world.Place{Collection: "products"}), URLs: map[string]string{"shop-db": url}})
	if k := cheap(t, c, 600*time.Millisecond); k.Count != documents || k.Bytes < documents*20 {
		t.Errorf("counted %+v", k)
	}
	if r := record(t, c, "4711"); !r.Found {
		t.Errorf("an id that is a number: %+v", r)
	}
}
