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

// held is what an owner holds of one kind of data, read before its copies and once more after them: what nobody used for a
// while is tried all the time, so that orders and users come to be also without traffic.
type held struct{ before, after records }

// digest is one text for all of it.
func (r records) digest() string {
	h := sha256.New()
	for _, id := range slices.Sorted(maps.Keys(r)) {
		fmt.Fprintf(h, "%q %q\n", id, r[id])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// of is the text of a record; none where it is not there.
func (r records) of(id string) string {
	if text, ok := r[id]; ok {
		return strconv.Quote(text)
	}
	return "none"
}

// differ says what differs in a copy; nil where the digests are the same. Of what changed with its owner meanwhile, the copy
// may have the one or the other.
func (h held) differ(what string, kept records) error {
	now := maps.Clone(kept)
	for _, r := range []records{h.before, h.after} {
		for id := range r {
			if is := kept.of(id); is == h.before.of(id) || is == h.after.of(id) {
				if v, ok := h.after[id]; ok {
					now[id] = v
				} else {
					delete(now, id)
				}
			}
		}
	}
	if h.after.digest() == now.digest() {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(h.after)) {
		if v, ok := now[id]; !ok {
			return fmt.Errorf("%s: %s is missing (%d of %d are there)", what, id, len(now), len(h.after))
		} else if v != h.after[id] {
			return fmt.Errorf("%s: %s is %q, with its owner %q", what, id, v, h.after[id])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if _, ok := h.after[id]; !ok {
			return fmt.Errorf("%s: %s is not with its owner (%d are there, with the owner %d)", what, id, len(now), len(h.after))
		}
	}
	return nil
}

// TestDigests: a copy that lacks a record, has one too many, or another text, does not have its owner's digest; what came,
// went or changed with the owner while it was read may be there or not.
func TestDigests(t *testing.T) {
	owner := held{
		before: records{"a": "1", "b": "2", "changed": "1", "went": "1"},
		after:  records{"a": "1", "b": "2", "changed": "2", "came": "1"},
	}
	for _, try := range []struct {
		want string
		kept records
	}{
		{"", records{"a": "1", "b": "2", "changed": "1", "went": "1"}},
		{"", records{"a": "1", "b": "2", "changed": "2", "came": "1"}},
		{"", records{"a": "1", "b": "2", "changed": "2", "came": "1", "went": "1"}},
		{"x: b is missing (3 of 4", records{"a": "1", "changed": "2", "came": "1"}},
		{"x: changed is missing (3 of 4", records{"a": "1", "b": "2", "came": "1"}},
		{"x: c is not with its owner", records{"a": "1", "b": "2", "changed": "2", "c": "3"}},
		{`x: a is "2", with its owner "1`, records{"a": "2", "b": "2", "changed": "2"}},
		{`x: changed is "3", with its owner "2`, records{"a": "1", "b": "2", "changed": "3"}},
		{`x: came is "2", with its owner "1`, records{"a": "1", "b": "2", "changed": "2", "came": "2"}},
	} {
		err := owner.differ("x", try.kept)
		if try.want == "" && err != nil || try.want != "" && (err == nil || !strings.HasPrefix(err.Error(), try.want)) {
			t.Errorf("%v: %v, want %q", try.kept, err, try.want)
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
	owners := func() map[string]records {
		const confirmed = " from orders where status = '" + shop.Confirmed + "'"
		return map[string]records{
			"users":    read(rows, "users", "select id, name from users"),
			"names":    read(documents, "catalog", "products: name"),
			"products": read(documents, "catalog", "products: name price_cents"),
			"orders": read(rows, "orders",
				"select id, concat_ws('|', user_id, product_id, product_name, price_cents, quantity, status, reason, version) from orders"),
			"placed":    read(rows, "orders", "select id, '' from orders where status = '"+shop.Placed+"'"),
			"confirmed": read(rows, "orders", "select id, ''"+confirmed),
			"sold":      read(rows, "orders", "select product_id, count(*)::text"+confirmed+" group by product_id"),
		}
	}
	before := owners()
	copies := []struct {
		what, owner string
		kept        records
	}{
		{"users in orders-db", "users", read(rows, "orders", "select id, name from users")},
		{"users in purchases-db", "users", read(documents, "purchases", "users: name")},
		{"products in orders-db", "products", read(rows, "orders", "select id, concat_ws('|', name, price_cents) from products")},
		{"products in stock-db", "products", read(hashes, "stock", "product:")},
		{"products in trending-db", "products", read(hashes, "trending", "product:")},
		{"products in purchases-db", "names", read(documents, "purchases", "products: name")},
		{"orders in purchases-db", "orders", read(documents, "purchases",
			"orders: user_id product_id product_name price_cents quantity status reason version")},
		{"orders in trending-db", "confirmed", read(members, "trending", "orders:counted")},
		{"sellers in trending-db", "sold", read(scores, "trending", "sellers")},
	}
	after := owners()
	if failed != nil {
		return failed
	}
	for id := range before["placed"] {
		if _, still := after["placed"][id]; still {
			return fmt.Errorf("order %s is still only placed", id)
		}
	}
	for _, c := range copies {
		failed = errors.Join(failed, held{before[c.owner], after[c.owner]}.differ(c.what, c.kept))
	}
	return failed
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
