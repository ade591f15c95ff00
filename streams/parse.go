package streams

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// texts makes strings out of the bytes of an envelope; a tap's interner makes fewer of them than plain.
type texts interface {
	// shared is for values that many events have in common.
	shared(b []byte) string
	// own is for values of this event alone.
	own(b []byte) string
}

type plain struct{}

func (plain) shared(b []byte) string { return string(b) }
func (plain) own(b []byte) string    { return string(b) }

// Known attributes, as bits of those that a document has.
const (
	hasSpecVersion = 1 << iota
	hasID
	hasSource
	hasType
	hasSubject
	hasTime
	hasContentType
	hasSchema
	hasTrace
	hasVersion
	hasData
	hasData64
)

func attribute(name []byte) int {
	switch string(name) {
	case "specversion":
		return hasSpecVersion
	case "id":
		return hasID
	case "source":
		return hasSource
	case "type":
		return hasType
	case "subject":
		return hasSubject
	case "time":
		return hasTime
	case "datacontenttype":
		return hasContentType
	case "dataschema":
		return hasSchema
	case "traceparent":
		return hasTrace
	case "version":
		return hasVersion
	case "data":
		return hasData
	case "data_base64":
		return hasData64
	}
	return 0
}

// parseEvent is ParseEvent with a choice of how strings are made.
func parseEvent[T texts](b []byte, t T) (e Event, seen int, err error) {
	if !utf8.Valid(b) {
		return Event{}, 0, fmt.Errorf("%w: not UTF-8", ErrNotEvent)
	}
	s := scanner{b: b}
	if seen, err = parseAttributes(&s, &e, t); err == nil {
		err = s.end()
	}
	switch {
	case err != nil:
		return Event{}, 0, fmt.Errorf("%w: %w", ErrNotEvent, err)
	case seen&hasSpecVersion == 0:
		return Event{}, 0, fmt.Errorf("%w: specversion is missing", ErrNotEvent)
	}
	if err := e.required(); err != nil {
		return Event{}, 0, err
	}
	return e, seen, nil
}

func parseAttributes[T texts](s *scanner, e *Event, t T) (seen int, err error) {
	s.space()
	if !s.take('{') {
		return 0, s.unexpected("an object")
	}
	s.space()
	if s.take('}') {
		return 0, nil
	}
	for {
		if s.i >= len(s.b) || s.b[s.i] != '"' {
			return 0, s.unexpected("a name")
		}
		name, escaped, err := s.text()
		if err != nil {
			return 0, err
		}
		if escaped {
			name = unescape(name)
		}
		if err := s.colon(); err != nil {
			return 0, err
		}
		known := attribute(name)
		if seen&known != 0 {
			return 0, fmt.Errorf("%s stands twice", name)
		}
		seen |= known
		if err := parseAttribute(s, e, known, t); err != nil {
			return 0, err
		}
		s.space()
		if s.take('}') {
			return seen, nil
		}
		if !s.take(',') {
			return 0, s.unexpected("a comma or brace")
		}
		s.space()
	}
}

// parseAttribute walks over the value of one attribute and keeps it where it is known.
func parseAttribute[T texts](s *scanner, e *Event, known int, t T) error {
	from := s.i
	switch known {
	case 0, hasData64:
		return s.value(1)
	case hasData:
		if err := s.value(1); err != nil {
			return err
		}
		e.Data = s.b[from:s.i:s.i]
		return nil
	case hasVersion:
		return parseVersion(s, e)
	}
	if s.i < len(s.b) && s.b[s.i] == 'n' {
		return s.literal("null")
	}
	if s.i >= len(s.b) || s.b[s.i] != '"' {
		return s.unexpected("a string")
	}
	b, escaped, err := s.text()
	if err != nil {
		return err
	}
	if escaped {
		b = unescape(b)
	}
	switch known {
	case hasSpecVersion:
		if string(b) != "1.0" {
			return fmt.Errorf("specversion is %q", b)
		}
	case hasID:
		e.ID = t.own(b)
	case hasSource:
		e.Source = t.shared(b)
	case hasType:
		e.Type = t.shared(b)
	case hasSubject:
		e.Subject = t.own(b)
	case hasTime:
		e.Time, err = parseTime(b)
		return err
	case hasSchema:
		e.DataSchema = t.shared(b)
	case hasTrace:
		e.TraceParent = t.own(b)
	}
	return nil
}

// parseVersion reads an integer that is not negative, as a number or, as some emitters write extensions, as a string.
func parseVersion(s *scanner, e *Event) error {
	from := s.i
	if err := s.value(1); err != nil {
		return err
	}
	b := s.b[from:s.i]
	if string(b) == "null" {
		return nil
	}
	n, err := strconv.ParseInt(string(bytes.Trim(b, `"`)), 10, 64)
	if err != nil || n < 0 || len(b) > 21 {
		return fmt.Errorf("version is not a count: %.32s", b)
	}
	e.Version = n
	return nil
}

// parseTime reads RFC 3339, fast where it has the form that AppendJSON writes.
func parseTime(b []byte) (time.Time, error) {
	const form = "0000-00-00T00:00:00.000Z"
	if len(b) == len(form) {
		var n [len(form)]int
		ok := true
		for i, c := range b {
			if form[i] == '0' {
				n[i] = int(c - '0')
				ok = ok && c >= '0' && c <= '9'
			} else {
				ok = ok && c == form[i]
			}
		}
		year := n[0]*1000 + n[1]*100 + n[2]*10 + n[3]
		month, day := n[5]*10+n[6], n[8]*10+n[9]
		hour, minute, second := n[11]*10+n[12], n[14]*10+n[15], n[17]*10+n[18]
		ms := n[20]*100 + n[21]*10 + n[22]
		// Days past the 28th are left to time.Parse, which knows the months.
		if ok && month >= 1 && month <= 12 && day >= 1 && day <= 28 && hour < 24 && minute < 60 && second < 60 {
			return time.Date(year, time.Month(month), day, hour, minute, second, ms*int(time.Millisecond), time.UTC), nil
		}
	}
	t, err := time.Parse(time.RFC3339, string(b))
	t = t.UTC() // may leave the years that RFC 3339 knows
	if err != nil || t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}, fmt.Errorf("time is not RFC 3339: %q", b)
	}
	return t, nil
}
