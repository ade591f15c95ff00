package chassis

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// Marks keeps one short text in a service's own store, where it outlives the service. Three engines, one test.
type Marks interface {
	// Mark is the text, empty for none.
	Mark(ctx context.Context) (string, error)
	// SwapMark sets the text to new (empty: none) if it is old now, and reports whether it was.
	SwapMark(ctx context.Context, old, new string) (bool, error)
}

// RedisMark keeps it in the key "mark".
type RedisMark struct{ *redis.Client }

const redisMarkKey = "mark"

var swapMark = redis.NewScript(`-- Sets the mark to ARGV[2], or deletes it, if it is ARGV[1] now.
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2])
end
return 1`)

// Mark implements [Marks].
func (m RedisMark) Mark(ctx context.Context) (string, error) {
	mark, err := m.Get(ctx, redisMarkKey).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return mark, err
}

// SwapMark implements [Marks].
func (m RedisMark) SwapMark(ctx context.Context, old, new string) (bool, error) {
	return swapMark.Run(ctx, m.Client, []string{redisMarkKey}, old, new).Bool()
}

// MongoMark keeps it in the one document of the collection.
type MongoMark struct{ *mongo.Collection }

const mongoMarkID = "mark"

// Mark implements [Marks].
func (m MongoMark) Mark(ctx context.Context) (string, error) {
	var doc struct {
		Mark string `bson:"mark"`
	}
	err := m.FindOne(ctx, bson.D{{Key: "_id", Value: mongoMarkID}}).Decode(&doc)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return "", nil
	}
	return doc.Mark, err
}

// SwapMark implements [Marks].
func (m MongoMark) SwapMark(ctx context.Context, old, new string) (bool, error) {
	is := bson.D{{Key: "_id", Value: mongoMarkID}, {Key: "mark", Value: old}}
	switch {
	case old == "" && new == "":
		now, err := m.Mark(ctx)
		return now == "", err
	case old == "":
		_, err := m.InsertOne(ctx, bson.D{{Key: "_id", Value: mongoMarkID}, {Key: "mark", Value: new}})
		if mongo.IsDuplicateKeyError(err) {
			return false, nil
		}
		return err == nil, err
	case new == "":
		gone, err := m.DeleteOne(ctx, is)
		return err == nil && gone.DeletedCount == 1, err
	}
	set, err := m.UpdateOne(ctx, is, bson.D{{Key: "$set", Value: bson.D{{Key: "mark", Value: new}}}})
	return err == nil && set.MatchedCount == 1, err
}

// PostgresMark keeps it in the one row of the table mark, which MarkTable makes.
type PostgresMark struct{ *pgxpool.Pool }

// MarkTable makes the table of PostgresMark where it is missing.
const MarkTable = "create table if not exists mark (id int primary key check (id = 1), mark text not null)"

// Mark implements [Marks].
func (m PostgresMark) Mark(ctx context.Context) (mark string, err error) {
	err = m.QueryRow(ctx, "select mark from mark").Scan(&mark)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return mark, err
}

// SwapMark implements [Marks].
func (m PostgresMark) SwapMark(ctx context.Context, old, new string) (bool, error) {
	var sql string
	args := []any{old, new}
	switch {
	case old == "" && new == "":
		now, err := m.Mark(ctx)
		return now == "", err
	case old == "":
		sql, args = "insert into mark values (1, $1) on conflict do nothing", args[1:]
	case new == "":
		sql, args = "delete from mark where mark = $1", args[:1]
	default:
		sql = "update mark set mark = $2 where mark = $1"
	}
	tag, err := m.Exec(ctx, sql, args...)
	return err == nil && tag.RowsAffected() == 1, err
}
