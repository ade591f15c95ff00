package streams

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// entryOf makes an Entry of a message as go-redis returns it.
func entryOf(stream string, m redis.XMessage) Entry {
	e := Entry{Stream: stream, ID: m.ID}
	for name, v := range m.Values {
		text, ok := v.(string)
		switch {
		case !ok:
		case name == Field:
			e.Raw, e.Size = []byte(text), len(text)
		default:
			e.Fields = append(e.Fields, [2]string{name, text})
		}
	}
	slices.SortFunc(e.Fields, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
	decode(&e, plain{})
	return e
}

// decode fills e.Event or e.Err from e.Raw, else from the fields of a foreign entry.
func decode[T texts](e *Entry, t T) {
	switch {
	case e.Size > MaxEvent: // a tap has decoded it already
		if e.Raw != nil {
			decodeLarge(e, e.Raw)
		}
		return
	case e.Raw != nil:
		e.Size = len(e.Raw)
		e.Event, _, e.Err = parseEvent(e.Raw, t)
		return
	}
	e.Event, e.Err = eventOfFields(e.Fields)
}

// decodeLarge fills in what is kept of an entry whose envelope is larger than an event may be. It keeps nothing of raw.
func decodeLarge(e *Entry, raw []byte) {
	e.Size, e.Raw = len(raw), nil
	event, _, err := parseEvent(raw, plain{})
	event.Data = nil
	if err != nil || !event.small() {
		event = Event{}
	}
	e.Event, e.Err = event, tooLarge(len(raw))
}

// small says whether the event without its data is of a size to be kept.
func (e *Event) small() bool {
	return len(e.ID)+len(e.Source)+len(e.Type)+len(e.Subject)+len(e.DataSchema)+len(e.TraceParent) <= 16<<10
}

// decodeAll decodes entries in place.
func decodeAll[T texts](entries []Entry, t T) {
	for i := range entries {
		decode(&entries[i], t)
	}
}

// eventOfFields reads an event that stands in an entry as one field per attribute, bare or with the prefix ce_. What
// its emitter wrote into optional attributes in another form than ours is left out, not an error.
func eventOfFields(fields [][2]string) (Event, error) {
	var e Event
	version := "1.0"
	for _, f := range fields {
		switch strings.TrimPrefix(f[0], "ce_") {
		case "specversion":
			version = f[1]
		case "id":
			e.ID = f[1]
		case "source":
			e.Source = f[1]
		case "type":
			e.Type = f[1]
		case "subject":
			e.Subject = f[1]
		case "time":
			if t, err := parseTime([]byte(f[1])); err == nil {
				e.Time = t
			}
		case "dataschema":
			e.DataSchema = f[1]
		case "traceparent":
			e.TraceParent = f[1]
		case "version":
			if n, err := strconv.ParseInt(f[1], 10, 64); err == nil && n >= 0 {
				e.Version = n
			}
		case "data":
			e.Data = jsonOf(f[1])
		}
	}
	if version != "1.0" {
		return Event{}, fmt.Errorf("%w: specversion is %q", ErrNotEvent, version)
	}
	if err := e.required(); err != nil {
		return Event{}, fmt.Errorf("%w and there is no field %q", err, Field)
	}
	return e, nil
}

// jsonOf is a foreign payload as JSON: itself where it is, else a string that holds it.
func jsonOf(text string) json.RawMessage {
	s := scanner{b: []byte(text)}
	if s.document() == nil {
		return s.b
	}
	return appendString(nil, text)
}

// entryID is a parsed entry id, to compare.
type entryID struct{ ms, seq uint64 }

// parseID reads "ms-seq", or "ms" alone; ok is false for anything else.
func parseID(id string) (p entryID, ok bool) {
	ms, seq, both := strings.Cut(id, "-")
	var err error
	if p.ms, err = strconv.ParseUint(ms, 10, 64); err != nil {
		return entryID{}, false
	}
	if both {
		if p.seq, err = strconv.ParseUint(seq, 10, 64); err != nil {
			return entryID{}, false
		}
	}
	return p, true
}

func (p entryID) compare(q entryID) int {
	if c := cmp.Compare(p.ms, q.ms); c != 0 {
		return c
	}
	return cmp.Compare(p.seq, q.seq)
}

// before is the id next below p.
func (p entryID) before() entryID {
	switch {
	case p.seq > 0:
		p.seq--
	case p.ms > 0:
		p.ms, p.seq = p.ms-1, ^uint64(0)
	}
	return p
}

// time is when the server took the entry in.
func (p entryID) time() time.Time { return time.UnixMilli(int64(p.ms)).UTC() }

func (p entryID) String() string {
	return strconv.FormatUint(p.ms, 10) + "-" + strconv.FormatUint(p.seq, 10)
}
