package streams

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample is an event of the size that the shop emits, 400 bytes in the envelope.
var sample = Event{
	ID:          "01926f3e-7b7a-7c1d-9e4f-2f6a1c0b9d3e",
	Source:      "orders",
	Type:        "order.placed.v1",
	Subject:     "01926f3e-7b7a-7c1d-9e4f-2f6a1c0b9d3e",
	Time:        time.Date(2026, 11, 23, 22, 14, 7, 123_000_000, time.UTC),
	TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	Version:     3,
	Data:        json.RawMessage(`{"id":"01926f3e","user_id":"u-17","product_id":"p-4","quantity":2,"price_cents":1299}`),
}

func TestEnvelopeGolden(t *testing.T) {
	events := []Event{
		sample,
		{ID: "1", Source: "users", Type: "user.registered.v1"},
		{ID: "é\"\\\n\r\t\x01\u2028", Source: "s", Type: "t", Subject: "<b>&", DataSchema: "https://example.org/s/1",
			Time: time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.FixedZone("", 3600)), Data: json.RawMessage("null")},
	}
	var got []byte
	for _, e := range events {
		got = append(e.AppendJSON(got), '\n')
	}
	file := filepath.Join("testdata", "envelope.golden")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("envelopes:\n%s\nwant:\n%s", got, want)
	}
}

// genEvent draws events that Validate accepts.
func genEvent() *rapid.Generator[Event] {
	return rapid.Custom(func(t *rapid.T) Event {
		e := Event{
			ID:          rapid.StringN(1, 40, -1).Draw(t, "id"),
			Source:      rapid.StringN(1, 20, -1).Draw(t, "source"),
			Type:        rapid.StringN(1, 20, -1).Draw(t, "type"),
			Subject:     rapid.String().Draw(t, "subject"),
			DataSchema:  rapid.String().Draw(t, "dataschema"),
			TraceParent: rapid.String().Draw(t, "traceparent"),
			Version:     rapid.Int64Min(0).Draw(t, "version"),
		}
		if rapid.Bool().Draw(t, "timed") {
			const span = 200 * 365 * 24 * 3600 * 1000
			e.Time = time.UnixMilli(rapid.Int64Range(-span, span).Draw(t, "time")).UTC()
		}
		if rapid.Bool().Draw(t, "with data") {
			v := map[string]any{rapid.String().Draw(t, "key"): rapid.SliceOf(rapid.String()).Draw(t, "list"), "n": rapid.Float64().Draw(t, "n")}
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			e.Data = b
		}
		return e
	})
}

func TestEnvelopeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := genEvent().Draw(t, "event")
		if err := e.Validate(); err != nil {
			t.Skip("not valid UTF-8")
		}
		b := e.AppendJSON(nil)
		got, err := ParseEvent(b)
		if err != nil {
			t.Fatalf("ParseEvent(%s): %v", b, err)
		}
		if !reflect.DeepEqual(got, e) {
			t.Fatalf("ParseEvent(%s) = %+v, want %+v", b, got, e)
		}
		if !json.Valid(b) {
			t.Fatalf("not JSON: %s", b)
		}
	})
}

func TestParseEvent(t *testing.T) {
	const must = `"specversion":"1.0","id":"1","source":"s","type":"t"`
	base := Event{ID: "1", Source: "s", Type: "t"}
	with := func(f func(*Event)) Event { e := base; f(&e); return e }
	for _, tt := range []struct {
		in   string
		want Event
	}{
		{`{` + must + `}`, base},
		{" {\n" + must + "\t}\r\n", base},
		{`{` + must + `,"subject":null,"data":null}`, with(func(e *Event) { e.Data = json.RawMessage("null") })},
		{`{` + must + `,"ext":{"a":[1,{}]},"data_base64":"AAA="}`, base},
		{`{` + must + `,"version":7}`, with(func(e *Event) { e.Version = 7 })},
		{`{` + must + `,"version":"7"}`, with(func(e *Event) { e.Version = 7 })},
		{`{` + must + `,"time":"2024-02-29T12:00:00.5+02:00"}`, with(func(e *Event) { e.Time = time.Date(2024, 2, 29, 10, 0, 0, 5e8, time.UTC) })},
		{`{` + must + `,"time":"2026-11-23T22:14:07.123Z"}`, with(func(e *Event) { e.Time = time.Date(2026, 11, 23, 22, 14, 7, 123e6, time.UTC) })},
		{`{` + must + `,"sub\u006aect":"\ud83d\ude00\ud83d\"\/"}`, with(func(e *Event) { e.Subject = "😀\uFFFD\"/" })},
	} {
		got, err := ParseEvent([]byte(tt.in))
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("ParseEvent(%s) = %+v, %v", tt.in, got, err)
		}
	}
	for _, tt := range []struct{ in, why string }{
		{``, "ends early"},
		{`[]`, "an object"},
		{`{`, "ends early"},
		{`{}`, "specversion is missing"},
		{`{"specversion":"1.0","id":"1","source":"s"}`, "type is missing"},
		{`{"specversion":"1.0","id":"","source":"s","type":"t"}`, "id is missing"},
		{`{"specversion":"0.3","id":"1","source":"s","type":"t"}`, `specversion is "0.3"`},
		{`{` + must + `,"id":"2"}`, "id stands twice"},
		{`{` + must + `,"i\u0064":"2"}`, "id stands twice"},
		{`{` + must + `,"subject":4}`, "a string"},
		{`{` + must + `,"version":1.5}`, "version is not a count"},
		{`{` + must + `,"version":-1}`, "version is not a count"},
		{`{` + must + `,"version":99999999999999999999}`, "version is not a count"},
		{`{` + must + `,"time":"yesterday"}`, "time is not RFC 3339"},
		{`{` + must + `,"time":"2026-02-30T00:00:00.000Z"}`, "time is not RFC 3339"},
		{`{` + must + `,"data":{"a":01}}`, "comma"},
		{`{` + must + `}x`, "the end"},
		{`{` + must + `,}`, "a name"},
		{`{` + must + ",\"subject\":\"a\nb\"}", "control"},
		{`{` + must + ",\"subject\":\"a\xff\"}", "UTF-8"},
		{`{` + must + `,"data":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`, "nests deeper"},
	} {
		_, err := ParseEvent([]byte(tt.in))
		if !errors.Is(err, ErrNotEvent) || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("ParseEvent(%s): %v, want %q", tt.in, err, tt.why)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, e := range []Event{
		{},
		{ID: "1", Source: "s"},
		{ID: "1", Source: "s", Type: "t\xff"},
		{ID: "1", Source: "s", Type: "t", Version: -1},
		{ID: "1", Source: "s", Type: "t", Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{ID: "1", Source: "s", Type: "t", Data: json.RawMessage("{}}")},
		{ID: "1", Source: "s", Type: "t", Data: json.RawMessage{}},
		{ID: "1", Source: "s", Type: "t", Data: json.RawMessage("\"\xff\"")},
	} {
		if err := e.Validate(); !errors.Is(err, ErrNotEvent) {
			t.Errorf("Validate(%+v) = %v", e, err)
		}
	}
	if err := sample.Validate(); err != nil {
		t.Error(err)
	}
}

// FuzzParseEvent holds the scanner against encoding/json: it accepts nothing that is not JSON, and what it accepts
// survives a round trip.
func FuzzParseEvent(f *testing.F) {
	f.Add(sample.AppendJSON(nil))
	f.Add([]byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","x":[1e5,-0.1,true,null,"\u00e9"]}`))
	f.Add([]byte(`[{}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			t.Skip()
		}
		s := scanner{b: b}
		if err := s.document(); (err == nil) != json.Valid(b) && !errors.Is(err, errDepth) {
			t.Fatalf("document(%q): %v, json.Valid: %v", b, err, json.Valid(b))
		}
		e, err := ParseEvent(b)
		if err != nil {
			return
		}
		if !json.Valid(b) {
			t.Fatalf("accepted %q", b)
		}
		e.Time = e.Time.Truncate(time.Millisecond)
		again, err := ParseEvent(e.AppendJSON(nil))
		if err != nil || !reflect.DeepEqual(again, e) {
			t.Fatalf("round trip of %q: %+v, %v", b, again, err)
		}
	})
}

func TestAppendJSONAllocates(t *testing.T) {
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { buf = sample.AppendJSON(buf[:0]) }); n != 0 {
		t.Errorf("AppendJSON allocates %v times", n)
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	b.Run("own", func(b *testing.B) {
		buf := make([]byte, 0, 1024)
		b.ReportAllocs()
		for b.Loop() {
			buf = sample.AppendJSON(buf[:0])
		}
		b.SetBytes(int64(len(buf)))
	})
	b.Run("encoding-json", func(b *testing.B) {
		v := newStdEvent(sample)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkParseEvent(b *testing.B) {
	doc := sample.AppendJSON(nil)
	b.Run("own", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(doc)))
		for b.Loop() {
			if _, err := ParseEvent(doc); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(doc)))
		for b.Loop() {
			var v stdEvent
			if err := json.Unmarshal(doc, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// stdEvent is the envelope as encoding/json would have it, to compare with.
type stdEvent struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	Subject     string          `json:"subject,omitempty"`
	Time        time.Time       `json:"time"`
	DataSchema  string          `json:"dataschema,omitempty"`
	TraceParent string          `json:"traceparent,omitempty"`
	Version     int64           `json:"version,omitempty"`
	ContentType string          `json:"datacontenttype,omitempty"`
	Data        json.RawMessage `json:"data,omitempty"`
}

func newStdEvent(e Event) stdEvent {
	return stdEvent{"1.0", e.ID, e.Source, e.Type, e.Subject, e.Time, e.DataSchema, e.TraceParent, e.Version, "application/json", e.Data}
}
