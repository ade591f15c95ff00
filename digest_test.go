package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/streams"
)

// records is one kind of data as one store keeps it: by id, what is to be compared, as text.
type records map[string]string

// digest is one text for all of it.
func (r records) digest() string {
	h := sha256.New()
	for _, id := range slices.Sorted(maps.Keys(r)) {
		fmt.Fprintf(h, "%q %q\n", id, r[id])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// differ says what differs in a copy; nil where the digests are the same.
func (r records) differ(what string, kept records) error {
	if r.digest() == kept.digest() {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(r)) {
		if v, ok := kept[id]; !ok {
			return fmt.Errorf("%s: %s is missing (%d of %d are there)", what, id, len(kept), len(r))
		} else if v != r[id] {
			return fmt.Errorf("%s: %s is %q, with its owner %q", what, id, v, r[id])
		}
	}
	return fmt.Errorf("%s: %d are there, with the owner %d", what, len(kept), len(r))
}

// TestDigests: a copy that lacks a record, has one too many, or another text, does not have its owner's digest.
func TestDigests(t *testing.T) {
	owner := records{"a": "1", "b": "2"}
	for want, kept := range map[string]records{
		"":                               {"a": "1", "b": "2"},
		"x: b is missing (1 of 2":        {"a": "1"},
		"x: 3 are there":                 {"a": "1", "b": "2", "c": "3"},
		`x: a is "2", with its owner "1`: {"a": "2", "b": "2"},
	} {
		err := owner.differ("x", kept)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%v: %v, want %q", kept, err, want)
		}
	}
}

// settled ends the traffic and waits until every copy in every store has the digest of what its owner holds.
func (l *lab) settled() {
	l.t.Helper()
	if _, err := l.call(http.MethodPost, "/api/v1/load", map[string]any{"per_second": 0}, nil); err != nil {
		l.t.Fatal(err)
	}
	l.eventually(60*time.Second, "every copy has its owner's digest", l.sameDigests)
}

// sameDigests compares every copy in the shop with what its owner holds.
func (l *lab) sameDigests() error {
	ctx, cancel := context.WithTimeout(l.t.Context(), 20*time.Second)
	defer cancel()
	var failed error
	read := func(from func(context.Context, string, string) (records, error), service, what string) records {
		r, err := from(ctx, l.env(service, "STILLUP_STORE"), what)
		failed = errors.Join(failed, err)
		return r
	}
	users := read(rows, "users", "select id, name from users")
	named := read(documents, "catalog", "products: name")
	priced := read(documents, "catalog", "products: name price_cents")
	orders := read(rows, "orders", "select id, concat_ws('|', user_id, product_id, product_name, price_cents, quantity, status, reason, version) from orders")
	confirmed := read(rows, "orders", "select id, '' from orders where status = '"+shop.Confirmed+"'")
	sold := read(rows, "orders", "select product_id, count(*)::text from orders where status = '"+shop.Confirmed+"' group by product_id")
	placed := read(rows, "orders", "select id, '' from orders where status = '"+shop.Placed+"'")
	if failed != nil {
		return failed
	}
	if len(placed) > 0 {
		return fmt.Errorf("%d orders are still only placed", len(placed))
	}
	err := errors.Join(
		users.differ("users in orders-db", read(rows, "orders", "select id, name from users")),
		users.differ("users in purchases-db", read(documents, "purchases", "users: name")),
		priced.differ("products in orders-db", read(rows, "orders", "select id, concat_ws('|', name, price_cents) from products")),
		priced.differ("products in stock-db", read(hashes, "stock", "product:")),
		priced.differ("products in trending-db", read(hashes, "trending", "product:")),
		named.differ("products in purchases-db", read(documents, "purchases", "products: name")),
		orders.differ("orders in purchases-db", read(documents, "purchases",
			"orders: user_id product_id product_name price_cents quantity status reason version")),
		confirmed.differ("orders in trending-db", read(members, "trending", "orders:counted")),
		sold.differ("sellers in trending-db", read(scores, "trending", "sellers")),
	)
	return errors.Join(failed, err)
}

// rows reads two columns, an id and a text.
func rows(ctx context.Context, url, query string) (records, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	found, err := conn.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	r := records{}
	var id, text string
	_, err = pgx.ForEachRow(found, []any{&id, &text}, func() error { r[id] = text; return nil })
	return r, err
}

// documents reads fields of all documents of a collection, "collection: field field"; of documents that hold versions, of
// the highest.
func documents(ctx context.Context, url, what string) (records, error) {
	client, err := mongo.Connect(options.Client().ApplyURI(url))
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Disconnect(ctx) }()
	collection, fields := cutFields(what)
	found, err := client.Database(stores.MongoDatabase).Collection(collection).Find(ctx, bson.D{})
	if err != nil {
		return nil, err
	}
	var all []bson.M
	if err := found.All(ctx, &all); err != nil {
		return nil, err
	}
	r := records{}
	for _, doc := range all {
		id := fmt.Sprint(doc["_id"])
		if _, twice := r[id]; twice {
			return nil, fmt.Errorf("%s: %s is there twice", what, id)
		}
		if versions, ok := doc["versions"].(bson.D); ok {
			best := int64(-1)
			for _, v := range versions {
				n, err := strconv.ParseInt(v.Key, 10, 64)
				if err != nil {
					return nil, fmt.Errorf("%s: %s has version %q", what, id, v.Key)
				}
				if n <= best {
					continue
				}
				best, doc = n, bson.M{}
				for _, e := range v.Value.(bson.D) {
					doc[e.Key] = e.Value
				}
			}
		}
		text := ""
		for i, f := range fields {
			if i > 0 {
				text += "|"
			}
			text += fmt.Sprint(doc[f])
		}
		r[id] = text
	}
	return r, nil
}

// cutFields splits "collection: field field".
func cutFields(what string) (collection string, fields []string) {
	collection, list, _ := strings.Cut(what, ":")
	return collection, strings.Fields(list)
}

// hashes reads name and price of all hashes whose key begins so.
func hashes(ctx context.Context, url, prefix string) (records, error) {
	rdb, err := streams.Open(url)
	if err != nil {
		return nil, err
	}
	defer rdb.Close()
	keys, err := rdb.Keys(ctx, prefix+"*").Result()
	if err != nil {
		return nil, err
	}
	r := records{}
	for _, key := range keys {
		h, err := rdb.HGetAll(ctx, key).Result()
		if err != nil {
			return nil, err
		}
		r[key[len(prefix):]] = h["name"] + "|" + h["price_cents"]
	}
	return r, nil
}

// members reads the members of a sorted set.
func members(ctx context.Context, url, key string) (records, error) {
	r, err := scores(ctx, url, key)
	for id := range r {
		r[id] = ""
	}
	return r, err
}

// scores reads the members of a sorted set and their scores.
func scores(ctx context.Context, url, key string) (records, error) {
	rdb, err := streams.Open(url)
	if err != nil {
		return nil, err
	}
	defer rdb.Close()
	all, err := rdb.ZRangeWithScores(ctx, key, 0, -1).Result()
	if err != nil {
		return nil, err
	}
	r := records{}
	for _, z := range all {
		if z.Score != 0 { // a product of which all counted orders are gone
			r[fmt.Sprint(z.Member)] = strconv.FormatInt(int64(z.Score), 10)
		}
	}
	return r, nil
}
