package purchases

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/stillup/stillup/services/shop"
)

// archived is up to when orders are archived, as this process knows it: what it was told itself, and what stood in the store
// when it first asked. Replicas are told by the same events.
type archived struct {
	mu    sync.Mutex
	known bool
	upTo  time.Time // zero: none is
}

const archivedID = "archived"

// isArchived says whether an order that was placed then is archived, so that what is told of it late does not bring it back.
func (s *store) isArchived(ctx context.Context, placed time.Time) (bool, error) {
	s.archived.mu.Lock()
	defer s.archived.mu.Unlock()
	if !s.archived.known {
		ctx, cancel := context.WithTimeout(ctx, applyTimeout)
		defer cancel()
		var doc struct {
			UpTo time.Time `bson:"up_to"`
		}
		err := s.db.Collection(marksCollection).FindOne(ctx, bson.D{{Key: "_id", Value: archivedID}}).Decode(&doc)
		if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
			return false, fmt.Errorf("read up to when orders are archived: %w", err)
		}
		s.archived.known, s.archived.upTo = true, doc.UpTo
	}
	return !s.archived.upTo.IsZero() && !placed.After(s.archived.upTo), nil
}

// forgetArchived is for when the store is wiped.
func (s *store) forgetArchived() {
	s.archived.mu.Lock()
	defer s.archived.mu.Unlock()
	s.archived.known, s.archived.upTo = false, time.Time{}
}

// archive drops an order that its owner has dropped. It is first noted that it and all before it are gone, so that nobody
// who is told of it late puts it back.
func (s *store) archive(ctx context.Context, o shop.Archived) error {
	before, err := s.isArchived(ctx, o.PlacedAt)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	if !before {
		s.archived.mu.Lock()
		defer s.archived.mu.Unlock()
		if o.PlacedAt.After(s.archived.upTo) {
			_, err := s.db.Collection(marksCollection).UpdateOne(ctx, bson.D{{Key: "_id", Value: archivedID}},
				bson.D{{Key: "$set", Value: bson.D{{Key: "up_to", Value: o.PlacedAt}}}}, options.UpdateOne().SetUpsert(true))
			if err != nil {
				return fmt.Errorf("archive order %s: %w", o.ID, err)
			}
			s.archived.upTo = o.PlacedAt
		}
	}
	if _, err := s.db.Collection(ordersCollection).DeleteOne(ctx, bson.D{{Key: "_id", Value: o.ID}}); err != nil {
		return fmt.Errorf("archive order %s: %w", o.ID, err)
	}
	c, user := s.db.Collection(pagesCollection), bson.D{{Key: "_id", Value: o.UserID}}
	_, err = c.UpdateOne(ctx, user, bson.D{{Key: "$unset", Value: bson.D{{Key: "orders." + field.Replace(o.ID), Value: ""}}}})
	if err != nil {
		return fmt.Errorf("take order %s off its page: %w", o.ID, err)
	}
	// A page without an order goes: users come and go, and pages with them.
	if _, err := c.DeleteOne(ctx, append(user, bson.E{Key: "orders", Value: bson.D{}})); err != nil {
		return fmt.Errorf("drop the empty page of %s: %w", o.UserID, err)
	}
	return nil
}

// removeUser drops the copy of a user whom the owner has dropped. The page of the orders goes with these.
func (s *store) removeUser(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	if _, err := s.db.Collection(usersCollection).DeleteOne(ctx, bson.D{{Key: "_id", Value: id}}); err != nil {
		return fmt.Errorf("drop the copy of user %s: %w", id, err)
	}
	return nil
}
