package copies

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/stillup/stillup/viz/world"
)

// Source makes up what stores hold, for a demo in which there are none. It is called from many goroutines.
type Source interface {
	// Thing are the fields of a thing as a store would have it, and its version; 0: it would not have it. why is not empty where
	// the store would not answer, in a sentence.
	Thing(store, kind, id string) (fields [][2]string, version int64, why string)
	// Things are the ids of a kind that there are, in order.
	Things(kind string) []string
}

// invented is a store that is made up.
type invented struct {
	Source
	spec world.NodeSpec
}

// plainly is an error that is a sentence already.
type plainly string

func (p plainly) Error() string { return string(p) }

func (v *invented) close() {}

func (v *invented) kind(at *world.Place) string {
	for _, h := range v.spec.Holds {
		if h.At == at {
			return h.Kind
		}
	}
	return ""
}

func (v *invented) read(_ context.Context, at *world.Place, id string) (kept, error) {
	fields, version, why := v.Thing(v.spec.ID, v.kind(at), id)
	if why != "" {
		return kept{}, plainly(why)
	}
	if version == 0 {
		return kept{}, nil
	}
	k := kept{found: true, pairs: []pair{{idOf(at), id}}}
	if at.Hash+at.Set+at.Sorted != "" { // no more than the id stands there
		k.pairs, k.raw, k.bytes = nil, id, int64(len(id))
		return k, nil
	}
	for _, f := range fields {
		k.pairs = append(k.pairs, pair{f[0], f[1]})
	}
	if at.Version != "" {
		k.pairs = append(k.pairs, pair{at.Version, strconv.FormatInt(version, 10)})
	}
	if at.Versions != "" {
		k.version = version
	}
	k.raw = written(at, k)
	k.bytes = int64(len(k.raw))
	return k, nil
}

// written is a thing as the engine of its place writes it for people.
func written(at *world.Place, k kept) string {
	if at.Collection == "" {
		var lines []string
		for _, p := range k.pairs {
			if at.Key == "" || p.name != idOf(at) { // which stands in the key
				lines = append(lines, p.name+": "+p.value)
			}
		}
		return strings.Join(lines, "\n")
	}
	var members []string
	for _, p := range k.pairs {
		value, _ := json.Marshal(p.value) // a string always marshals
		if _, err := strconv.ParseInt(p.value, 10, 64); err == nil {
			value = []byte(p.value)
		}
		members = append(members, fmt.Sprintf("%q:%s", p.name, value))
	}
	text := "{" + strings.Join(members, ",") + "}"
	if at.Versions != "" {
		text = fmt.Sprintf("{%s,%q:{\"%d\":{%s}}}", members[0], at.Versions, k.version, strings.Join(members[1:], ","))
	}
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") != nil {
		return text // unreachable: it was written here
	}
	return out.String()
}

func (v *invented) search(ctx context.Context, at *world.Place, text string, limit int) (found []Match, more bool, err error) {
	text = strings.ToLower(text)
	for _, id := range v.Things(v.kind(at)) {
		k, err := v.read(ctx, at, id)
		if err != nil {
			return nil, false, err
		}
		m := Match{ID: id, Label: labelled(at, k.pairs)}
		_, m.Version = logical(at, k.pairs)
		if !k.found || !strings.HasPrefix(strings.ToLower(id), text) && !strings.Contains(strings.ToLower(m.Label), text) {
			continue
		}
		if len(found) == limit {
			return found, true, nil
		}
		found = append(found, m)
	}
	return found, false, nil
}

// totals are told by who makes the stores up.
func (v *invented) totals(context.Context, []world.Hold) ([]world.HeldSeen, error) {
	return nil, errors.ErrUnsupported
}
