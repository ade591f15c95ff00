package copies

import (
	"reflect"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/viz/world"
)

// TestCannotWrite: the sessions with a Postgres are such that whatever is sent cannot change anything.
func TestCannotWrite(t *testing.T) {
	url := storestest.Postgres(t)
	storestest.Exec(t, url, "create table products (id text)")
	s, err := openPostgres(url)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for _, sql := range []string{"insert into products values ('p-1')", "create table more (id text)", "drop table products", "delete from products"} {
		const readOnly = "25006"
		if _, err := s.(*postgres).pool.Exec(t.Context(), sql); code(err) != readOnly {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// TestOtherIDs: an id of another type than text is found, and a text that is none of that type finds nothing.
func TestOtherIDs(t *testing.T) {
	url := storestest.Postgres(t)
	storestest.Exec(t, url, `create schema "my schema"; create table "my schema"."odd "" name" ("no" bigint primary key, "a label" text, at timestamp, n numeric);
		insert into "my schema"."odd "" name" values (7, 'seven', '2026-03-01 12:00:00.25', 1.50)`)
	s, err := openPostgres(url)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	at := &world.Place{Table: `my schema.odd " name`, ID: "no", Label: "a label"}
	k, err := s.read(t.Context(), at, "7")
	if want := []pair{{"no", "7"}, {"a label", "seven"}, {"at", "2026-03-01T12:00:00.250Z"}, {"n", "1.5"}}; err != nil || !reflect.DeepEqual(k.pairs, want) {
		t.Errorf("read %+v, %v", k, err)
	}
	for _, id := range []string{"seven", "7.5", "", "99999999999999999999"} {
		if k, err := s.read(t.Context(), at, id); err != nil || k.found {
			t.Errorf("%q: %+v, %v", id, k, err)
		}
	}
	found, more, err := s.search(t.Context(), at, "EVE", 5)
	if err != nil || more || len(found) != 1 || found[0] != (Match{ID: "7", Label: "seven"}) {
		t.Errorf("search: %+v, %v, %v", found, more, err)
	}
}

// TestMongoCounts: an engine whose own number may be wrong is made to count what is small, and its number is an estimate of
// what is large.
func TestMongoCounts(t *testing.T) {
	url := storestest.Mongo(t)
	small, large := storestest.Database(t, url).Collection("small"), storestest.Database(t, url).Collection("large")
	for i := range 120 {
		if _, err := small.InsertOne(t.Context(), bson.D{{Key: "_id", Value: i}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := large.InsertOne(t.Context(), bson.D{{Key: "_id", Value: 1}, {Key: "text", Value: strings.Repeat("x", countBelow+1)}}); err != nil {
		t.Fatal(err)
	}
	s, err := openMongo(url)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	holds := []world.Hold{{Kind: "small", At: &world.Place{Collection: "small"}}, {Kind: "large", At: &world.Place{Collection: "large"}},
		{Kind: "none", At: &world.Place{Collection: "none"}}}
	for _, counted := range []bool{false, true} {
		s.(*mongoDB).counts.Store(&counted)
		held, err := s.totals(t.Context(), holds)
		if err != nil || len(held) != 3 || held[0].Count != 120 || held[0].Estimated || held[1].Count != 1 || held[1].Estimated == counted ||
			held[1].Bytes < countBelow || held[2].Count != 0 || held[2].Estimated {
			t.Errorf("counted %v: %+v, %v", counted, held, err)
		}
	}
}

func TestLogical(t *testing.T) {
	split := map[string]world.Made{"name": {Join: []string{"given", "family"}}, "cents": {Sum: []string{"net", "vat"}}}
	for _, c := range []struct {
		name    string
		at      world.Place
		pairs   []pair
		fields  []pair
		version int64
	}{
		{"id and version are no fields", world.Place{Table: "t", Version: "v"}, []pair{{"id", "1"}, {"v", "7"}, {"x", "2"}}, []pair{{"x", "2"}}, 7},
		{"another id", world.Place{Table: "t", ID: "no"}, []pair{{"id", "1"}, {"no", "7"}}, []pair{{"id", "1"}}, 0},
		{"a document's id", world.Place{Collection: "c"}, []pair{{"_id", "1"}, {"id", "7"}}, []pair{{"id", "7"}}, 0},
		{"hidden and renamed", world.Place{Table: "t", Hidden: []string{"h"}, Fields: map[string]string{"title": "name"}}, []pair{{"h", "1"}, {"title", "7"}}, []pair{{"name", "7"}}, 0},
		{"a version that is none", world.Place{Table: "t", Version: "v"}, []pair{{"v", "new"}}, nil, 0},
		{"made of two", world.Place{Table: "t", Made: split}, []pair{{"vat", "19"}, {"given", "A"}, {"net", "81"}, {"family", "B"}}, []pair{{"name", "A B"}, {"cents", "100"}}, 0},
		{"before it was split", world.Place{Table: "t", Made: split}, []pair{{"name", "A B"}, {"cents", "100"}}, []pair{{"name", "A B"}, {"cents", "100"}}, 0},
		{"both forms at once", world.Place{Table: "t", Made: split}, []pair{{"name", "A B"}, {"given", "A"}, {"family", "C"}}, []pair{{"name", "A B"}, {"given", "A"}, {"family", "C"}}, 0},
		{"a part is missing", world.Place{Table: "t", Made: split}, []pair{{"given", "A"}, {"net", "81"}}, []pair{{"given", "A"}, {"net", "81"}}, 0},
		{"a part is no number", world.Place{Table: "t", Made: split}, []pair{{"net", "81"}, {"vat", "x"}}, []pair{{"net", "81"}, {"vat", "x"}}, 0},
		{"fractions", world.Place{Table: "t", Made: split}, []pair{{"net", "0.5"}, {"vat", "0.25"}}, []pair{{"cents", "0.75"}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			fields, version := logical(&c.at, c.pairs)
			if version != c.version || !reflect.DeepEqual(fields, c.fields) {
				t.Errorf("got %v version %d, want %v version %d", fields, version, c.fields, c.version)
			}
		})
	}
}
