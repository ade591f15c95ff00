package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// lease is what this process knows of the lead's document. Its holder counts Beat up; who sees it stand still for
// leaseFor by its own clock takes over, so that no two clocks are ever compared.
type lease struct {
	Holder string `bson:"holder"` // empty: given up
	Beat   int64  `bson:"beat"`

	held bool
	seen time.Time // when Beat was first seen, or last renewed
}

const leaseID = "lead"

// Lead implements [Store].
func (m *Mongo) Lead(ctx context.Context) (bool, error) {
	if err := m.lock(ctx); err != nil {
		return false, fmt.Errorf("outbox: lead: %w", err)
	}
	defer m.unlock()
	now := time.Now()
	if m.lease.held && now.Sub(m.lease.seen) < leaseRenew {
		return true, nil
	}
	ok, err := m.takeLead(ctx, now)
	if err != nil {
		return false, fmt.Errorf("outbox: lead: %w", err)
	}
	if ok && !m.lease.held {
		m.again, m.more = nil, true // another may have led meanwhile
	}
	m.lease.held = ok
	return ok, nil
}

func (m *Mongo) takeLead(ctx context.Context, now time.Time) (bool, error) {
	var is lease
	err := m.leads.FindOne(ctx, bson.D{{Key: "_id", Value: leaseID}}).Decode(&is)
	if errors.Is(err, mongo.ErrNoDocuments) {
		_, err := m.leads.InsertOne(ctx, bson.D{{Key: "_id", Value: leaseID}, {Key: "holder", Value: m.me}, {Key: "beat", Value: int64(1)}})
		if mongo.IsDuplicateKeyError(err) {
			return false, nil // another was faster
		}
		m.lease = lease{Holder: m.me, Beat: 1, held: m.lease.held, seen: now}
		return err == nil, err
	}
	if err != nil {
		return false, err
	}
	if is.Holder != m.lease.Holder || is.Beat != m.lease.Beat {
		m.lease = lease{Holder: is.Holder, Beat: is.Beat, held: m.lease.held, seen: now}
	}
	if is.Holder != m.me && is.Holder != "" && now.Sub(m.lease.seen) < leaseFor {
		return false, nil
	}
	won, err := m.leads.UpdateOne(ctx,
		bson.D{{Key: "_id", Value: leaseID}, {Key: "holder", Value: is.Holder}, {Key: "beat", Value: is.Beat}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "holder", Value: m.me}, {Key: "beat", Value: is.Beat + 1}}}})
	if err != nil || won.MatchedCount == 0 {
		return false, err
	}
	m.lease = lease{Holder: m.me, Beat: is.Beat + 1, held: m.lease.held, seen: now}
	return true, nil
}

// Resign implements [Store].
func (m *Mongo) Resign(ctx context.Context) error {
	if err := m.lock(ctx); err != nil {
		return fmt.Errorf("outbox: resign: %w", err)
	}
	defer m.unlock()
	m.lease = lease{}
	_, err := m.leads.UpdateOne(ctx, bson.D{{Key: "_id", Value: leaseID}, {Key: "holder", Value: m.me}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "holder", Value: ""}}}})
	if err != nil {
		return fmt.Errorf("outbox: resign: %w", err)
	}
	return nil
}
