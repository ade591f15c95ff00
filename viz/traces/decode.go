package traces

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// decodeJSON decodes OTLP/JSON. It is protobuf's JSON but for ids, which are hex: protojson would read them as base64
// and give wrong ones without an error.
func decodeJSON(b []byte, data *tracepb.TracesData) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil {
		return err
	}
	if err := hexIDs(doc); err != nil {
		return err
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(b, data)
}

// hexIDs turns the ids of spans and links below v from hex into base64. Attributes cannot be mistaken for them: their
// names stand as values of "key".
func hexIDs(v any) error {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if err := hexIDs(e); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, e := range v {
			text, isText := e.(string)
			switch {
			case isText && (name == "traceId" || name == "spanId" || name == "parentSpanId"):
				id, err := hex.DecodeString(text)
				if err != nil {
					return fmt.Errorf("%s %q is not hex: %w", name, text, err)
				}
				v[name] = base64.StdEncoding.EncodeToString(id)
			case !isText:
				if err := hexIDs(e); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// quote is s as a JSON string.
func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		return []byte(`""`) // unreachable: strings always marshal
	}
	return b
}
