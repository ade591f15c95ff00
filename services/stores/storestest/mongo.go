package storestest

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// RenameField renames a field of all documents of a collection, as its owner does that migrates it.
func RenameField(t testing.TB, c *mongo.Collection, from, to string) {
	t.Helper()
	_, err := c.UpdateMany(t.Context(), bson.D{}, bson.D{{Key: "$rename", Value: bson.D{{Key: from, Value: to}}}})
	if err != nil {
		t.Fatalf("storestest: rename %s of %s: %v", from, c.Name(), err)
	}
}
