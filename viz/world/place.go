package world

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Place says where a store keeps a kind of data, so that it can be looked at with the store's own protocol. One of Table,
// Collection, Key, Hash, Set and Sorted is given, as the store's engine has it.
type Place struct {
	Table      string `json:"table,omitempty"`      // postgres: a row each
	Collection string `json:"collection,omitempty"` // mongodb: a document each
	Key        string `json:"key,omitempty"`        // redis: a hash each, under "product:{id}"
	Hash       string `json:"hash,omitempty"`       // redis: a field of this hash each
	Set        string `json:"set,omitempty"`        // redis: a member of this set each
	Sorted     string `json:"sorted,omitempty"`     // redis: a member of this sorted set each
	ID         string `json:"id,omitempty"`         // column or field of the id; default "id", "_id" of a document
	Version    string `json:"version,omitempty"`    // column or field of the version; empty: it keeps none
	// Versions is the field of a document that holds it once for each version, by number; the highest counts.
	Versions string `json:"versions,omitempty"`
	Label    string `json:"label,omitempty"` // column or field by which a person finds it
	// Keys are further keys of redis that hold a part of it, with {id}: shown beside it.
	Keys []string `json:"keys,omitempty"`
	// With are further tables, collections or keys without {id} that are needed to keep the kind: what they need of the store
	// counts with it.
	With []string `json:"with,omitempty"`
	// Fields says what a column or field is to be compared as, where its name differs from the owner's first one: {"title":
	// "name"}. Hidden are those that are no part of the thing.
	Fields map[string]string `json:"fields,omitempty"`
	Hidden []string          `json:"hidden,omitempty"`
	// Made are fields that were split in two, as they were: {"price_cents": {"sum": ["net_cents", "vat_cents"]}}. One of
	// which a part is not there is not made.
	Made map[string]Made `json:"made,omitempty"`
}

// Made is how a field is put together from others, in one of two ways.
type Made struct {
	Sum  []string `json:"sum,omitempty"`  // of numbers
	Join []string `json:"join,omitempty"` // of texts, a space between
}

// idPart stands in keys for the id.
const idPart = "{id}"

// check says what is wrong with a place in a store of that engine.
func (p *Place) check(engine string) error {
	given := map[string]string{}
	for name, of := range map[string]string{"table": p.Table, "collection": p.Collection, "key": p.Key, "hash": p.Hash, "set": p.Set, "sorted": p.Sorted} {
		if of != "" {
			given[name] = of
		}
	}
	if len(given) != 1 {
		return fmt.Errorf("one of table, collection, key, hash, set and sorted has to be given, not %d of them", len(given))
	}
	name := slices.Collect(maps.Keys(given))[0]
	fits := map[string][]string{"postgres": {"table"}, "mongodb": {"collection"}, "redis": {"key", "hash", "set", "sorted"}}
	switch {
	case !slices.Contains(fits[engine], name):
		return fmt.Errorf("a store of engine %q has no %s", engine, name)
	case p.Key != "" && strings.Count(p.Key, idPart) != 1:
		return fmt.Errorf("key %q does not hold %s once", p.Key, idPart)
	case p.Versions != "" && p.Collection == "":
		return fmt.Errorf("versions are for collections")
	case len(p.Keys) > 0 && engine != "redis":
		return fmt.Errorf("keys are for redis")
	case len(p.Keys)+len(p.With)+len(p.Fields)+len(p.Hidden)+len(p.Made) > maxList:
		return fmt.Errorf("more than %d of keys, with, fields, hidden and made", maxList)
	}
	for _, field := range slices.Sorted(maps.Keys(p.Made)) {
		if m := p.Made[field]; (len(m.Sum) > 0) == (len(m.Join) > 0) {
			return fmt.Errorf("made %q: one of sum and join has to be given", field)
		}
	}
	return nil
}
