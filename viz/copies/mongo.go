package copies

import (
	"context"
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"github.com/stillup/stillup/viz/world"
)

const (
	// mongoSelects is how long the driver waits for a server that is not there; it keeps to itself that one refused.
	mongoSelects = 400 * time.Millisecond
	mongoCloses  = 500 * time.Millisecond
)

// mongoDB reads a MongoDB, or what speaks like one.
type mongoDB struct {
	last   lastTotals
	client *mongo.Client
	db     *mongo.Database
	counts atomic.Pointer[bool] // see counted
}

// openMongo prepares without waiting for the server. An error is a fault in the address.
func openMongo(url string) (store, error) {
	address, err := connstring.ParseAndValidate(url)
	if err != nil {
		return nil, err
	}
	if address.Database == "" {
		return nil, errors.New("no database")
	}
	client, err := mongo.Connect(options.Client().ApplyURI(url).SetMaxPoolSize(storeConns).SetRetryReads(false).SetRetryWrites(false).
		SetConnectTimeout(mongoSelects).SetServerSelectionTimeout(mongoSelects))
	if err != nil {
		return nil, err
	}
	return &mongoDB{client: client, db: client.Database(address.Database)}, nil
}

func (m *mongoDB) close() {
	ctx, cancel := context.WithTimeout(context.Background(), mongoCloses)
	defer cancel()
	_ = m.client.Disconnect(ctx) // what is not closed in that time ends with the process
}

func (m *mongoDB) read(ctx context.Context, at *world.Place, id string) (kept, error) {
	doc, err := m.find(ctx, at, id)
	if err != nil || doc == nil {
		return kept{}, err
	}
	raw, err := bson.MarshalExtJSONIndent(doc, false, false, "", "  ")
	if err != nil {
		return kept{}, err
	}
	k := kept{found: true, raw: string(raw), bytes: int64(len(doc))}
	k.pairs, k.version, err = pairsOf(at, doc)
	return k, err
}

// find is the document of that id; nil where there is none. What is no text may be meant by it too.
func (m *mongoDB) find(ctx context.Context, at *world.Place, id string) (bson.Raw, error) {
	ids := []any{id}
	if n, err := strconv.ParseInt(id, 10, 64); err == nil {
		ids = append(ids, n)
	}
	if oid, err := bson.ObjectIDFromHex(id); err == nil {
		ids = append(ids, oid)
	}
	for _, id := range ids {
		doc, err := m.db.Collection(at.Collection).FindOne(ctx, bson.D{{Key: idOf(at), Value: id}}).Raw()
		if !errors.Is(err, mongo.ErrNoDocuments) {
			return doc, err
		}
	}
	return nil, nil
}

// pairsOf are the fields of a document; where it holds its versions side by side, those of the highest, and its number.
func pairsOf(at *world.Place, doc bson.Raw) (pairs []pair, version int64, err error) {
	if at.Versions != "" {
		versions, ok := doc.Lookup(at.Versions).DocumentOK()
		if !ok {
			return nil, 0, nil
		}
		elements, err := versions.Elements()
		if err != nil {
			return nil, 0, err
		}
		doc = nil
		for _, e := range elements {
			n, err := strconv.ParseInt(e.Key(), 10, 64)
			if of, ok := e.Value().DocumentOK(); ok && err == nil && n > version {
				doc, version = of, n
			}
		}
		if doc == nil {
			return nil, 0, nil
		}
	}
	elements, err := doc.Elements()
	if err != nil {
		return nil, 0, err
	}
	for _, e := range elements {
		if text, ok := plainBSON(e.Value()); ok {
			pairs = append(pairs, pair{e.Key(), text})
		}
	}
	return pairs, version, nil
}

// plainBSON is a value as it compares between engines; false for none.
func plainBSON(v bson.RawValue) (string, bool) {
	switch v.Type {
	case bson.TypeNull, bson.TypeUndefined:
		return "", false
	case bson.TypeString:
		return v.StringValue(), true
	case bson.TypeInt32, bson.TypeInt64:
		return strconv.FormatInt(v.AsInt64(), 10), true
	case bson.TypeDouble:
		if f := v.Double(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return number(f), true
		}
	case bson.TypeBoolean:
		return strconv.FormatBool(v.Boolean()), true
	case bson.TypeDateTime:
		return moment(time.UnixMilli(v.DateTime())), true
	case bson.TypeObjectID:
		return v.ObjectID().Hex(), true
	}
	return v.String(), true
}

// search takes an exact id first, which is one look-up, and then goes through the collection.
func (m *mongoDB) search(ctx context.Context, at *world.Place, text string, limit int) (found []Match, more bool, err error) {
	var docs []bson.Raw
	filter := bson.D{}
	if text != "" {
		doc, err := m.find(ctx, at, text)
		if err != nil {
			return nil, false, err
		}
		if doc != nil {
			docs = append(docs, doc)
		}
		holds := func(name, pattern string) bson.D {
			return bson.D{{Key: name, Value: bson.D{{Key: "$regex", Value: pattern}, {Key: "$options", Value: "i"}}}}
		}
		quoted := regexp.QuoteMeta(text)
		any := bson.A{holds(idOf(at), "^"+quoted)}
		if at.Versions == "" { // else it stands under a number that is not known
			for _, name := range slices.Concat(labelSources(at)...) {
				any = append(any, holds(name, quoted))
			}
		}
		filter = bson.D{{Key: "$or", Value: any}}
	}
	cursor, err := m.db.Collection(at.Collection).Find(ctx, filter, options.Find().
		SetSort(bson.D{{Key: idOf(at), Value: 1}}).SetLimit(int64(limit)+1))
	if err != nil {
		return nil, false, err
	}
	var walked []bson.Raw
	if err := cursor.All(ctx, &walked); err != nil {
		return nil, false, err
	}
	for _, doc := range slices.Concat(docs, walked) {
		var match Match
		match.ID, _ = plainBSON(doc.Lookup(idOf(at)))
		if slices.ContainsFunc(found, func(had Match) bool { return had.ID == match.ID }) {
			continue
		}
		if len(found) == limit {
			return found, true, nil
		}
		pairs, version, err := pairsOf(at, doc)
		if err != nil {
			return nil, false, err
		}
		if _, match.Version = logical(at, pairs); version > 0 {
			match.Version = version
		}
		match.Label = labelled(at, pairs)
		found = append(found, match)
	}
	return found, false, nil
}
