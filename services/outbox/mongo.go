package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/stillup/stillup/streams"
)

// Mongo: each document of the collection carries its own unsent events in an array field "outbox", so that the change and
// its event are one write of one document; sent ones move to a journal collection beside it, "<collection>_journal".
//
// Finding documents with unsent events reads the whole collection, which suits thousands of documents, not millions.
type Mongo struct {
	docs, journal, leads *mongo.Collection
	me                   string

	busy  chan struct{} // holds one while what follows is in use, which lasts as long as the store takes
	lease lease
	// again holds events of the journal that are to be published anew, oldest first; more says that the journal may hold
	// others. It spares a search of the journal, which may have no index, on every round.
	again []Record
	more  bool
}

// NewMongo returns the journal of the collection and makes its index. Collections come to be with their first document.
func NewMongo(ctx context.Context, db *mongo.Database, collection string) (*Mongo, error) {
	journal := db.Collection(collection + "_journal")
	_, err := journal.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "ms", Value: -1}, {Key: "seq", Value: -1}}})
	if err != nil {
		return nil, fmt.Errorf("outbox: make index of %s: %w", journal.Name(), err)
	}
	return &Mongo{docs: db.Collection(collection), journal: journal, leads: db.Collection(collection + "_lead"),
		me: uuid.NewString(), busy: make(chan struct{}, 1), more: true}, nil
}

// lock takes what is m's own, until unlock. It waits no longer than ctx.
func (m *Mongo) lock(ctx context.Context) error {
	select {
	case m.busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *Mongo) unlock() { <-m.busy }

// pending is an event as it stands in a document's array.
type pending struct {
	ID    string `bson:"id"`
	Event string `bson:"event"`
}

// published is a document of the journal. MS and Seq are the entry id's numbers, zero while it is to be published again;
// first_ms and first_seq beside them keep the first ones it ever had, its place among those that come again.
type published struct {
	ID    string `bson:"_id"`
	Event string `bson:"event"`
	MS    int64  `bson:"ms"`
	Seq   int64  `bson:"seq"`
}

// handle is what a record's key holds: the document that carries the event, none where the journal does already.
type handle struct {
	Doc   bson.RawValue `bson:"doc,omitempty"`
	Event string        `bson:"event"`
}

// Pending is what a write $pushes to the document's "outbox" array for event e.
func (m *Mongo) Pending(e streams.Event) any {
	return pending{ID: e.ID, Event: string(e.AppendJSON(nil))}
}

// Unsent implements [Store]. What is published again comes first, for it is older.
func (m *Mongo) Unsent(ctx context.Context, limit int) ([]Record, error) {
	if err := m.lock(ctx); err != nil {
		return nil, fmt.Errorf("outbox: unsent: %w", err)
	}
	defer m.unlock()
	if !m.lease.held { // another may mark and rewind
		m.again, m.more = nil, true
	}
	if err := m.findAgain(ctx); err != nil {
		return nil, fmt.Errorf("outbox: unsent: %w", err)
	}
	if len(m.again) > 0 {
		return append([]Record(nil), m.again[:min(limit, len(m.again))]...), nil
	}
	recs, err := m.findPending(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("outbox: unsent: %w", err)
	}
	return recs, nil
}

func (m *Mongo) findPending(ctx context.Context, limit int) ([]Record, error) {
	found, err := m.docs.Find(ctx, bson.D{{Key: "outbox.0", Value: bson.D{{Key: "$exists", Value: true}}}},
		options.Find().SetProjection(bson.D{{Key: "outbox", Value: 1}}).SetLimit(int64(limit)))
	if err != nil {
		return nil, err
	}
	defer found.Close(ctx)
	var recs []Record
	for len(recs) < limit && found.Next(ctx) {
		var doc struct {
			ID     bson.RawValue `bson:"_id"`
			Outbox []pending     `bson:"outbox"`
		}
		if err := found.Decode(&doc); err != nil {
			return nil, err
		}
		for _, p := range doc.Outbox[:min(len(doc.Outbox), limit-len(recs))] {
			key, err := bson.Marshal(handle{Doc: doc.ID, Event: p.ID})
			if err != nil {
				return nil, err
			}
			rec, err := parseEvent(p.ID, p.Event)
			if err != nil {
				return nil, err
			}
			rec.Key = string(key)
			recs = append(recs, rec)
		}
	}
	return recs, found.Err()
}

// againMost bounds what one search of the journal loads.
const againMost = 5000

// findAgain fills m.again where it is empty and the journal may hold more.
func (m *Mongo) findAgain(ctx context.Context) error {
	if len(m.again) > 0 || !m.more {
		return nil
	}
	found, err := m.journal.Find(ctx, bson.D{{Key: "ms", Value: int64(0)}}, options.Find().SetLimit(againMost).
		SetSort(bson.D{{Key: "first_ms", Value: 1}, {Key: "first_seq", Value: 1}}))
	if err != nil {
		return err
	}
	var docs []published
	if err := found.All(ctx, &docs); err != nil {
		return err
	}
	for _, doc := range docs {
		key, err := bson.Marshal(handle{Event: doc.ID})
		if err != nil {
			return err
		}
		rec, err := parseEvent(doc.ID, doc.Event)
		if err != nil {
			return err
		}
		rec.Key = string(key)
		m.again = append(m.again, rec)
	}
	m.more = len(docs) > 0
	return nil
}

// Sent implements [Store]. It writes the journal first: what happens between that and taking the event out of its
// document, it is published again under the same id.
func (m *Mongo) Sent(ctx context.Context, recs []Record) error {
	if len(recs) == 0 {
		return nil
	}
	if err := m.lock(ctx); err != nil {
		return fmt.Errorf("outbox: mark %d events: %w", len(recs), err)
	}
	defer m.unlock()
	var journal, docs []mongo.WriteModel
	again := 0
	for _, rec := range recs {
		e, err := parseEntryID(rec.EntryID)
		if err != nil {
			return fmt.Errorf("outbox: mark event %s: %w", rec.Event.ID, err)
		}
		var h handle
		if err := bson.Unmarshal([]byte(rec.Key), &h); err != nil {
			return fmt.Errorf("outbox: mark event %s: %w", rec.Event.ID, err)
		}
		journal = append(journal, mongo.NewUpdateOneModel().SetUpsert(true).SetFilter(bson.D{{Key: "_id", Value: h.Event}}).
			SetUpdate(bson.D{
				{Key: "$set", Value: bson.D{{Key: "ms", Value: e.ms}, {Key: "seq", Value: e.seq}}},
				{Key: "$setOnInsert", Value: bson.D{{Key: "event", Value: string(rec.Event.AppendJSON(nil))},
					{Key: "first_ms", Value: e.ms}, {Key: "first_seq", Value: e.seq}}},
			}))
		if h.Doc.IsZero() {
			again++
			continue
		}
		// The first of its array and no other: guarded by its id, so that a second relay's late mark takes nothing.
		docs = append(docs, mongo.NewUpdateOneModel().
			SetFilter(bson.D{{Key: "_id", Value: h.Doc}, {Key: "outbox.0.id", Value: h.Event}}).
			SetUpdate(bson.D{{Key: "$pop", Value: bson.D{{Key: "outbox", Value: -1}}}}))
	}
	if err := bulk(ctx, m.journal, journal); err != nil {
		return fmt.Errorf("outbox: write %d events to the journal: %w", len(recs), err)
	}
	m.again = m.again[min(again, len(m.again)):]
	if err := bulk(ctx, m.docs, docs); err != nil {
		return fmt.Errorf("outbox: take %d published events out of their documents: %w", len(docs), err)
	}
	return nil
}

// bulkMost is how many updates go in one command. FerretDB 1.24 holds one of its 100 connections to SQLite for each update
// of a command until the command ends: more than that wait for ever.
const bulkMost = 50

func bulk(ctx context.Context, c *mongo.Collection, writes []mongo.WriteModel) error {
	for part := range slices.Chunk(writes, bulkMost) {
		if _, err := c.BulkWrite(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// newest sorts the journal by entry id, the highest first.
var newest = bson.D{{Key: "ms", Value: -1}, {Key: "seq", Value: -1}}

// nth returns the entry id after skip higher ones in the journal, zero for none.
func (m *Mongo) nth(ctx context.Context, skip int) (entryID, error) {
	var doc published
	err := m.journal.FindOne(ctx, bson.D{{Key: "ms", Value: bson.D{{Key: "$gt", Value: int64(0)}}}},
		options.FindOne().SetSort(newest).SetSkip(int64(skip))).Decode(&doc)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return entryID{}, nil
	}
	return entryID{doc.MS, doc.Seq}, err
}

// LastSent implements [Store].
func (m *Mongo) LastSent(ctx context.Context) (string, error) {
	last, err := m.nth(ctx, 0)
	if err != nil {
		return "", fmt.Errorf("outbox: last sent: %w", err)
	}
	if last == (entryID{}) {
		return "", nil
	}
	return last.String(), nil
}

// Rewind implements [Store].
func (m *Mongo) Rewind(ctx context.Context, after string) (int, error) {
	e, err := parseEntryID(after)
	if err != nil {
		return 0, fmt.Errorf("outbox: rewind: %w", err)
	}
	if err := m.lock(ctx); err != nil {
		return 0, fmt.Errorf("outbox: rewind to %s: %w", e, err)
	}
	defer m.unlock()
	m.again, m.more = nil, true
	done, err := m.journal.UpdateMany(ctx, beyond("$gt", "$gt", e),
		bson.D{{Key: "$set", Value: bson.D{{Key: "ms", Value: int64(0)}, {Key: "seq", Value: int64(0)}}}})
	if err != nil {
		return 0, fmt.Errorf("outbox: rewind to %s: %w", e, err)
	}
	return int(done.ModifiedCount), nil
}

// beyond selects published events whose entry id stands to e as the operators say: for the milliseconds, and for the
// sequence number where these are equal.
func beyond(ms, seq string, e entryID) bson.D {
	return bson.D{{Key: "ms", Value: bson.D{{Key: "$gt", Value: int64(0)}}}, {Key: "$or", Value: bson.A{
		bson.D{{Key: "ms", Value: bson.D{{Key: ms, Value: e.ms}}}},
		bson.D{{Key: "ms", Value: e.ms}, {Key: "seq", Value: bson.D{{Key: seq, Value: e.seq}}}},
	}}}
}

// Prune implements [Store].
func (m *Mongo) Prune(ctx context.Context, keep int) error {
	n, err := m.journal.EstimatedDocumentCount(ctx)
	if err != nil {
		return fmt.Errorf("outbox: prune: %w", err)
	}
	if n <= int64(keep) {
		return nil
	}
	e, err := m.nth(ctx, keep)
	if err != nil {
		return fmt.Errorf("outbox: prune: %w", err)
	}
	if _, err := m.journal.DeleteMany(ctx, beyond("$lt", "$lte", e)); err != nil {
		return fmt.Errorf("outbox: prune: %w", err)
	}
	return nil
}
