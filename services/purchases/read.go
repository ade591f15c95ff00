package purchases

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// named is a copy of a user or product: all that an answer needs of it.
type named struct {
	ID   string `bson:"_id"`
	Name string `bson:"name"`
}

// versioned is a document that holds its versions side by side.
type versioned struct {
	ID       string              `bson:"_id"`
	Versions map[string]bson.Raw `bson:"versions"`
}

// highest is the highest version that the document holds.
func (d versioned) highest() (version int64, raw bson.Raw, err error) {
	version = -1
	for key, r := range d.Versions {
		n, err := strconv.ParseInt(key, 10, 64)
		if err != nil {
			return 0, nil, fmt.Errorf("version %q: %w", key, err)
		}
		if n > version {
			raw, version = r, n
		}
	}
	return version, raw, nil
}

// highest reads the highest version of a document; mongo.ErrNoDocuments where there is none.
func highest[T any](ctx context.Context, c *mongo.Collection, id string) (v T, err error) {
	var doc versioned
	if err := c.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&doc); err != nil {
		return v, err
	}
	_, raw, err := doc.highest()
	if err != nil {
		return v, err
	}
	return v, bson.Unmarshal(raw, &v)
}

// userName is the user's name, and whether there is a copy of the user at all.
func (s *store) userName(ctx context.Context, id string) (name string, known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	u, err := highest[named](ctx, s.db.Collection(usersCollection), id)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read user %s: %w", id, err)
	}
	return u.Name, true, nil
}

// productNames are the names of those of the products that are known, by id.
func (s *store) productNames(ctx context.Context, ids []string) (map[string]string, error) {
	names := map[string]string{}
	if len(ids) == 0 {
		return names, nil
	}
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}
	found, err := find[named](ctx, s.db.Collection(productsCollection), filter, options.Find())
	if err != nil {
		return nil, fmt.Errorf("read the names of products: %w", err)
	}
	for _, p := range found {
		names[p.ID] = p.Name
	}
	return names, nil
}

func find[T any](ctx context.Context, c *mongo.Collection, filter bson.D, o *options.FindOptionsBuilder) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	cursor, err := c.Find(ctx, filter, o)
	if err != nil {
		return nil, err
	}
	var all []T
	err = cursor.All(ctx, &all) // closes the cursor
	return all, err
}
