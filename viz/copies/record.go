package copies

import (
	"context"
	"sync"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// maxRawText is how much of a thing's raw form is told, in bytes; longer ones are cut.
const maxRawText = 64 << 10

// Thing is one thing in every store that holds it, its owner first.
type Thing struct {
	Kind    string
	ID      string
	At      time.Time
	Records []Record
}

// Record is one thing as one store has it.
type Record struct {
	Node    string `json:"node"`
	Service string `json:"service"`
	Engine  string `json:"engine"`
	Copy    bool   `json:"copy"`
	Form    string `json:"form"`  // row | document | hash | field | member
	Place   string `json:"place"` // "table products"
	Found   bool   `json:"found"`
	Why     string `json:"why"`     // the store could not be asked, in a sentence; else empty
	Version int64  `json:"version"` // 0: it keeps none
	// Bytes are those of the row, document or key as the store counts them; of what it does not count, of the raw text.
	Bytes          int64   `json:"bytes"`
	Raw            string  `json:"raw"` // as the store keeps it, for people
	Fields         []Field `json:"fields"`
	Keys           []Key   `json:"keys"`
	VersionsBehind int64   `json:"versions_behind"`
	EventsBehind   int64   `json:"events_behind"`
	BehindMS       int64   `json:"behind_ms"` // age of the oldest event that is not applied
}

// Field is one field by the name that it has for the owner.
type Field struct {
	Name  string   `json:"name"`
	Value string   `json:"value"`
	Same  Sameness `json:"same"`
}

// Sameness is how a field compares with the owner's.
type Sameness string

// How fields compare.
const (
	Same    Sameness = "same"
	Differs Sameness = "differs"
	Own     Sameness = "own" // the owner has no such field, or is not there to be compared with
)

// Key is a further key of Redis that holds a part of a thing.
type Key struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Read reads one thing in every store that holds it, in all at once, each for 0.7 s at most.
func (c *Copies) Read(ctx context.Context, kind, id string) (Thing, error) {
	of := c.of(kind)
	if len(of) == 0 {
		return Thing{}, ErrUnknownKind
	}
	records := make([]Record, len(of))
	var asked sync.WaitGroup
	for i, h := range of {
		asked.Go(func() { records[i] = h.read(ctx, id) })
	}
	asked.Wait()
	if ahead(records) { // a change came between the two looks; the owner has it too
		records[0] = of[0].read(ctx, id)
	}
	return c.judge(of, id, records), ctx.Err()
}

// ahead says whether a copy is newer than what the owner has, which was there first.
func ahead(records []Record) bool {
	owner := &records[0]
	for i := range records[1:] {
		if r := &records[1+i]; !owner.Copy && owner.Why == "" && r.Copy && r.Version > owner.Version {
			return true
		}
	}
	return false
}

// blank is a record of which nothing is known.
func (h *holder) blank(id string) Record {
	r := Record{Node: h.spec.ID, Service: h.spec.Owner, Engine: h.spec.Engine, Copy: h.hold.Copy, Fields: []Field{}, Keys: []Key{}}
	if h.hold.At != nil {
		r.Form, r.Place = form(h.hold.At, id)
	}
	return r
}

// read asks one store.
func (h *holder) read(ctx context.Context, id string) Record {
	r := h.blank(id)
	if r.Why = h.cannot(); r.Why != "" {
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	k, err := h.store.read(ctx, h.hold.At, id)
	if err != nil {
		r.Why = reason(h.spec.ID, err)
		return r
	}
	if k.keys != nil {
		r.Keys = k.keys
	}
	if !k.found {
		return r
	}
	r.Found, r.Bytes, r.Raw = true, k.bytes, cut(k.raw)
	var fields []pair
	if fields, r.Version = logical(h.hold.At, k.pairs); k.version > 0 {
		r.Version = k.version
	}
	for _, f := range fields {
		r.Fields = append(r.Fields, Field{f.name, cut(f.value), Own})
	}
	return r
}

// judge compares what the stores have with what the owner has. The records stay as they are.
func (c *Copies) judge(of []*holder, id string, records []Record) Thing {
	t := Thing{Kind: of[0].hold.Kind, ID: id, At: time.Now(), Records: make([]Record, len(records))}
	copy(t.Records, records)
	owned := map[string]string{}
	var version int64
	if of[0].owner && records[0].Found {
		version = records[0].Version
		for _, f := range records[0].Fields {
			owned[f.Name] = f.Value
		}
	}
	for i := range t.Records {
		r := &t.Records[i]
		if of[i].apart || len(owned) == 0 && version == 0 {
			continue
		}
		fields := make([]Field, len(r.Fields))
		for j, f := range r.Fields {
			fields[j] = compared(f, owned)
		}
		r.Fields = fields
	}
	for i := range t.Records {
		r := &t.Records[i]
		if !r.Copy || r.Why != "" {
			continue
		}
		if keeps := of[i].hold.At.Version != "" || of[i].hold.At.Versions != ""; keeps && version > r.Version {
			r.VersionsBehind = version - r.Version
		}
		have, owner := r.Version, version
		if r.VersionsBehind == 0 {
			owner = have // what it keeps no version of is behind by events alone
		}
		m := c.missing(r.Node, t.Kind, id, have, owner)
		r.EventsBehind = m.Events
		if !m.Oldest.IsZero() {
			r.BehindMS = max(0, t.At.Sub(m.Oldest).Milliseconds())
		}
	}
	return t
}

// compared is a field with how it compares.
func compared(f Field, owned map[string]string) Field {
	switch value, has := owned[f.Name]; {
	case !has:
		f.Same = Own
	case value == f.Value:
		f.Same = Same
	default:
		f.Same = Differs
	}
	return f
}

// form says how a place keeps a thing, and where, in words.
func form(at *world.Place, id string) (form, place string) {
	switch {
	case at.Table != "":
		return "row", "table " + at.Table
	case at.Collection != "":
		return "document", "collection " + at.Collection
	case at.Key != "":
		return "hash", "key " + keyOf(at.Key, id)
	case at.Hash != "":
		return "field", "hash " + at.Hash
	case at.Set != "":
		return "member", "set " + at.Set
	}
	return "member", "sorted set " + at.Sorted
}
