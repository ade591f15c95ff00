package main

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/stillup/stillup/services/stores/storestest"
)

// TestAtomic: single-document updates from many connections are all kept, as MongoDB keeps them.
func TestAtomic(t *testing.T) {
	c := storestest.Database(t, storestest.Mongo(t)).Collection("counters")
	if _, err := c.InsertOne(t.Context(), bson.M{"_id": "a", "n": 0, "list": bson.A{}}); err != nil {
		t.Fatal(err)
	}
	const writers, each = 8, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				change := bson.M{"$inc": bson.M{"n": 1}, "$push": bson.M{"list": fmt.Sprint(w, "-", i)}}
				if _, err := c.UpdateOne(t.Context(), bson.M{"_id": "a"}, change); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var got struct {
		N    int
		List []string
	}
	if err := c.FindOne(t.Context(), bson.M{"_id": "a"}).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.N != writers*each || len(got.List) != writers*each {
		t.Errorf("n is %d and the list has %d, want %d of both", got.N, len(got.List), writers*each)
	}
}

// TestIndex: what FerretDB asks for by _id is searched by an index.
func TestIndex(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "shop.sqlite")
	db, err := sql.Open("sqlite", sqliteURL(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{`CREATE TABLE _ferretdb_collections (name TEXT, table_name TEXT, settings TEXT)`,
		`CREATE TABLE products_1 (_ferretdb_sjson TEXT NOT NULL) STRICT`,
		`INSERT INTO _ferretdb_collections VALUES ('products', 'products_1', '{}')`} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	x := indexer{dir: dir, done: map[[2]string]bool{}}
	key := [2]string{"shop", "products"}
	for range 2 {
		x.written(t.Context(), "insert", "shop", "products")
		if !x.done[key] {
			t.Error("the index was not made")
		}
	}
	x.written(t.Context(), "update", "nothing", "here")
	for _, drop := range []string{"drop", "dropDatabase"} {
		if x.written(t.Context(), drop, "shop", "products"); x.done[key] {
			t.Errorf("after %s a new collection would have no index", drop)
		}
		x.written(t.Context(), "insert", "shop", "products")
	}
	// Opened anew, since EXPLAIN goes by the schema that its connection knows.
	if db, err = sql.Open("sqlite", sqliteURL(path)); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var id, parent, unused int
	var plan string
	q := `EXPLAIN QUERY PLAN SELECT _ferretdb_sjson FROM products_1 WHERE _ferretdb_sjson->'$._id' = ?`
	if err := db.QueryRowContext(t.Context(), q, `"a"`).Scan(&id, &parent, &unused, &plan); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan, "USING INDEX products_1_by_id") {
		t.Errorf("the plan is %q", plan)
	}
}

// TestDropUnborn: a file that a killed FerretDB had only begun goes, one with its table of collections stays.
func TestDropUnborn(t *testing.T) {
	dir := t.TempDir()
	for name, q := range map[string]string{"begun": `PRAGMA user_version = 1`,
		"whole": `CREATE TABLE _ferretdb_collections (name TEXT, table_name TEXT, settings TEXT); CREATE TABLE a_1 (x TEXT);
			CREATE TABLE b_2 (x TEXT); INSERT INTO _ferretdb_collections VALUES ('a', 'a_1', '{}')`} {
		db, err := sql.Open("sqlite", sqliteURL(filepath.Join(dir, name+".sqlite")))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
	if err := dropUnborn(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.sqlite"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "whole.sqlite" {
		t.Errorf("left are %v, %v", left, err)
	}
	db, err := sql.Open("sqlite", sqliteURL(left[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var tables string
	q := `SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name)`
	if err := db.QueryRowContext(t.Context(), q).Scan(&tables); err != nil || tables != "_ferretdb_collections,a_1" {
		t.Errorf("tables are %s, %v", tables, err)
	}
}

func TestCommand(t *testing.T) {
	doc := func(d bson.D) []byte {
		b, err := bson.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	message := func(opcode, flags uint32, sections ...[]byte) []byte {
		msg := make([]byte, headerSize)
		binary.LittleEndian.PutUint32(msg[12:], opcode)
		msg = binary.LittleEndian.AppendUint32(msg, flags)
		for _, s := range sections {
			msg = append(msg, s...)
		}
		return msg
	}
	body := append([]byte{0}, doc(bson.D{{Key: "insert", Value: "products"}, {Key: "$db", Value: "shop"}})...)
	documents := append([]byte{1, 14, 0, 0, 0}, "documents\x00"...)
	for _, tt := range []struct {
		name     string
		msg      []byte
		want     [3]string
		answered bool
	}{
		{"command", message(opMsg, 0, body), [3]string{"insert", "shop", "products"}, true},
		{"documents first", message(opMsg, 0, documents, body), [3]string{"insert", "shop", "products"}, true},
		{"no answer wanted", message(opMsg, moreToCome, body), [3]string{"insert", "shop", "products"}, false},
		{"old query", message(2004, 0, body), [3]string{}, true},
		{"cut off", message(opMsg, 0, body[:9]), [3]string{}, true},
		{"empty", nil, [3]string{}, true},
	} {
		name, db, collection, answered := command(tt.msg)
		if got := [3]string{name, db, collection}; got != tt.want || answered != tt.answered {
			t.Errorf("%s: got %q, answered %v", tt.name, got, answered)
		}
	}
}
