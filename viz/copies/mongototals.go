package copies

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/stillup/stillup/viz/world"
)

// noNamespace is MongoDB's code for a collection that is not there.
const noNamespace = 26

// collection is what an engine keeps itself of one.
type collection struct {
	count int64
	data  int64 // bytes of its documents
	bytes int64 // that it needs, with its indexes
}

// busyFrom and lastFor: an engine that takes so long to answer a ping is left alone where its last totals are not older than
// that. FerretDB has SQLite analyze the table for them, which holds up who writes.
const (
	busyFrom = 10 * time.Millisecond
	lastFor  = time.Minute
)

// lastTotals are what a store said last. They are asked for by one goroutine.
type lastTotals struct {
	at  time.Time
	all []world.HeldSeen
}

func (m *mongoDB) totals(ctx context.Context, holds []world.Hold) ([]world.HeldSeen, error) {
	begun := time.Now()
	if err := m.db.Client().Ping(ctx, nil); err != nil {
		return nil, err
	}
	if time.Since(begun) > busyFrom && begun.Sub(m.last.at) < lastFor {
		return m.last.all, nil
	}
	all, err := m.measure(ctx, holds)
	if err == nil {
		m.last = lastTotals{begun, all}
	}
	return all, err
}

// measure asks for the totals.
func (m *mongoDB) measure(ctx context.Context, holds []world.Hold) ([]world.HeldSeen, error) {
	var all []world.HeldSeen
	for _, h := range holds {
		c, err := m.size(ctx, h.At.Collection)
		if err != nil {
			return nil, err
		}
		held := world.HeldSeen{Kind: h.Kind, Bytes: c.bytes}
		if held.Count, held.Estimated, err = m.count(ctx, h.At.Collection, c); err != nil {
			return nil, err
		}
		for _, name := range h.At.With {
			more, err := m.size(ctx, name)
			if err != nil {
				return nil, err
			}
			held.Bytes += more.bytes
		}
		all = append(all, held)
	}
	return all, nil
}

// size asks the engine; one that is not there is empty.
func (m *mongoDB) size(ctx context.Context, name string) (c collection, err error) {
	doc, err := m.db.RunCommand(ctx, bson.D{{Key: "collStats", Value: name}}).Raw()
	if said := (mongo.CommandError{}); errors.As(err, &said) && said.Code == noNamespace {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("size of %s: %w", name, err)
	}
	number := func(field string) int64 {
		n, _ := doc.Lookup(field).AsInt64OK()
		return n
	}
	c = collection{count: number("count"), data: number("size"), bytes: number("totalSize")}
	if c.bytes == 0 { // an engine that does not add it up
		c.bytes = number("storageSize") + number("totalIndexSize")
	}
	return c, nil
}

// count is how many documents there are. What MongoDB keeps of it may be wrong for good after the server was killed, so it
// counts those of a small collection one by one, and of a large one that number is an estimate.
func (m *mongoDB) count(ctx context.Context, name string, c collection) (n int64, estimated bool, err error) {
	switch counted, err := m.counted(ctx); {
	case err != nil:
		return 0, false, err
	case counted:
		return c.count, false, nil
	case c.data > countBelow:
		return c.count, true, nil
	}
	n, err = m.db.Collection(name).CountDocuments(ctx, bson.D{})
	return n, false, err
}

// counted says whether the engine's number is that of the documents themselves: FerretDB reads it off its tables.
func (m *mongoDB) counted(ctx context.Context) (bool, error) {
	if known := m.counts.Load(); known != nil {
		return *known, nil
	}
	doc, err := m.db.RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Raw()
	if err != nil {
		return false, fmt.Errorf("which engine: %w", err)
	}
	_, err = doc.LookupErr("ferretdbVersion")
	counted := err == nil
	m.counts.Store(&counted)
	return counted, nil
}
