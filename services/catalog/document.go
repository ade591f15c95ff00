package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// schema is a shape in which a product is stored.
type schema int

// In schema 2 the name is called title, and the price is split into what is net and what is VAT.
const (
	schema1 schema = 1
	schema2 schema = 2
)

// document is a product as it is stored, in one of the schemas, with its unsent events, which no reader is shown. While
// the collection is being migrated some documents have one schema and some the other.
type document struct {
	ID          string  `bson:"_id"`
	Name        *string `bson:"name,omitempty"`        // schema 1
	PriceCents  *int64  `bson:"price_cents,omitempty"` // schema 1
	Title       *string `bson:"title,omitempty"`       // schema 2
	NetCents    *int64  `bson:"net_cents,omitempty"`   // schema 2
	VATCents    *int64  `bson:"vat_cents,omitempty"`   // schema 2
	Category    string  `bson:"category"`
	Description string  `bson:"description"`
	Version     int64   `bson:"version"`
	Outbox      []any   `bson:"outbox,omitempty"`
}

// record is a product and the schema in which it stands in its document.
type record struct {
	shop.Product
	schema schema
}

// record reads the document, whichever schema it has; an error where it has neither.
func (d document) record() (record, error) {
	switch {
	case d.Title != nil && d.NetCents != nil && d.VATCents != nil:
		p := shop.ProductV2{ID: d.ID, Title: *d.Title, Category: d.Category, Description: d.Description, NetCents: *d.NetCents,
			VATCents: *d.VATCents, Version: d.Version}
		return record{p.V1(), schema2}, nil
	case d.Name != nil && d.PriceCents != nil:
		return record{shop.Product{ID: d.ID, Name: *d.Name, Category: d.Category, Description: d.Description,
			PriceCents: *d.PriceCents, Version: d.Version}, schema1}, nil
	}
	return record{}, fmt.Errorf("product %s is stored in neither schema", d.ID)
}

// document is the record as it is stored, with events to send.
func (r record) document(unsent []any) document {
	d := document{ID: r.ID, Category: r.Category, Description: r.Description, Version: r.Version, Outbox: unsent}
	if r.schema == schema2 {
		v2 := r.V2()
		d.Title, d.NetCents, d.VATCents = &v2.Title, &v2.NetCents, &v2.VATCents
	} else {
		d.Name, d.PriceCents = &r.Name, &r.PriceCents
	}
	return d
}

// is selects the record's document while it has that version and that schema.
func (r record) is() bson.D {
	return append(bson.D{{Key: "_id", Value: r.ID}, {Key: "version", Value: r.Version}}, in(r.schema)...)
}

// in selects the documents that have a schema.
func in(s schema) bson.D {
	return bson.D{{Key: "title", Value: bson.D{{Key: "$exists", Value: s == schema2}}}}
}

// values are what is written of the record, its id apart, where it has the schema already.
func (r record) values() bson.D {
	values := bson.D{{Key: "version", Value: r.Version}}
	if r.schema == schema2 {
		v2 := r.V2()
		return append(values, bson.E{Key: "title", Value: v2.Title}, bson.E{Key: "net_cents", Value: v2.NetCents},
			bson.E{Key: "vat_cents", Value: v2.VATCents})
	}
	return append(values, bson.E{Key: "name", Value: r.Name}, bson.E{Key: "price_cents", Value: r.PriceCents})
}

// without are the fields that the other schema has in their place.
func (r record) without() bson.D {
	if r.schema == schema2 {
		return bson.D{{Key: "name", Value: ""}, {Key: "price_cents", Value: ""}}
	}
	return bson.D{{Key: "title", Value: ""}, {Key: "net_cents", Value: ""}, {Key: "vat_cents", Value: ""}}
}

// The types of the events of a product, in version 1 and 2.
var (
	listed  = [2]string{shop.ProductListed, shop.ProductListedV2}
	changed = [2]string{shop.ProductChanged, shop.ProductChangedV2}
)

// events tell of the record's whole state: one event where it has schema 1; where it has schema 2 another beside it, for
// those who know version 2, and before it, so that they take that one.
func (r record) events(ctx context.Context, types [2]string) ([]streams.Event, error) {
	now := time.Now().UTC()
	event := func(typ string, payload any) (streams.Event, error) {
		data, err := json.Marshal(payload)
		if err != nil {
			return streams.Event{}, fmt.Errorf("event of product %s: %w", r.ID, err)
		}
		return streams.Event{ID: uuid.NewString(), Source: shop.Catalog, Type: typ, Subject: r.ID, Time: now,
			TraceParent: chassis.TraceParent(ctx), Version: r.Version, Data: data}, nil
	}
	v1, err := event(types[0], r.Product)
	if err != nil || r.schema == schema1 {
		return []streams.Event{v1}, err
	}
	v2, err := event(types[1], r.V2())
	return []streams.Event{v2, v1}, err
}
