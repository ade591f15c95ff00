package viz

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stillup/stillup/viz/world"
)

const (
	maxValue = 1000 // bytes of a value that a person gives
	maxID    = 200  // bytes of the id of what an action is about
)

var (
	hole   = regexp.MustCompile(`\{([A-Za-z0-9_]+)\}`) // a "{name}" to be filled
	number = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?$`)
)

// subject is what is asked for: the thing that an action is about, and the values of its fields.
type subject struct {
	ID     string                     `json:"id"`
	Values map[string]json.RawMessage `json:"values"`
}

// readSubject reads the body of an action, which may be empty.
func readSubject(w http.ResponseWriter, r *http.Request) (in subject, err error) {
	return in, readMaybe(w, r, &in, `send {"id": "...", "values": {"field": value}}, of which both may be left out`)
}

// readMaybe is readJSON for a body that may be empty, which leaves v as it is; wanted says what else is.
func readMaybe(w http.ResponseWriter, r *http.Request, v any, wanted string) error {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyWithin)) // as in readJSON
	b, err := io.ReadAll(r.Body)
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return err
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "the body could not be read: %s", err)
	}
	if len(bytes.TrimSpace(b)) == 0 {
		return nil
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	return hinted(readJSON(w, r, v), wanted)
}

// filled is an action's request, ready to be made.
type filled struct {
	method, path string
	body         []byte // nil: none
}

// fill puts id and values into the request of an action. What is missing, what is unknown and what is of another type is a
// problem that names it.
func fill(spec world.ActionSpec, in subject) (f filled, err error) {
	values := map[string]any{}
	switch {
	case spec.Kind == "" && in.ID != "":
		return f, refuse(http.StatusBadRequest, "%s is about no single thing; send no id", spec.ID)
	case spec.Kind != "" && in.ID == "":
		return f, refuse(http.StatusBadRequest, "id is missing; give that of one of the %s", spec.Kind)
	case spec.Kind != "":
		if len(in.ID) > maxID || !plainText(in.ID) || in.ID == "." || in.ID == ".." {
			return f, refuse(http.StatusBadRequest, "id %q cannot be one: at most %d bytes, without control characters", clipped(in.ID), maxID)
		}
		values["id"] = in.ID
	}
	declared := map[string]bool{}
	for _, field := range spec.Fields {
		declared[field.Name] = true
		raw, ok := in.Values[field.Name]
		if !ok {
			return f, refuse(http.StatusBadRequest, "values: %s is missing", field.Name)
		}
		if values[field.Name], err = typed(field, raw); err != nil {
			return f, err
		}
	}
	for name := range in.Values {
		if !declared[name] {
			return f, refuse(http.StatusBadRequest, "values: %q is no field of %s; there are %s", clipped(name), spec.ID, fieldNames(spec.Fields))
		}
	}
	if len(spec.Joins) > 0 {
		return f, nil
	}
	missing := ""
	f.method = spec.Method
	if f.method == "" {
		f.method = http.MethodPost
	}
	f.path = hole.ReplaceAllStringFunc(spec.Path, func(h string) string {
		v, ok := values[h[1:len(h)-1]]
		if !ok {
			missing = h
		}
		return url.PathEscape(fmt.Sprint(v))
	})
	if spec.Body != nil {
		if f.body, err = json.Marshal(put(spec.Body, values, &missing)); err != nil {
			return f, fmt.Errorf("body of %s: %w", spec.ID, err)
		}
	}
	if missing != "" {
		return f, refuse(http.StatusBadRequest, "the system file gives no value for %s in %s", missing, spec.ID)
	}
	return f, nil
}

// typed is a value as its field wants it: a text, or a number, which may come as a text.
func typed(field world.FieldSpec, raw json.RawMessage) (any, error) {
	var text string
	isText := json.Unmarshal(raw, &text) == nil && bytes.HasPrefix(bytes.TrimSpace(raw), []byte(`"`))
	if field.Type == "number" {
		if !isText {
			text = string(raw)
		}
		if text = strings.TrimSpace(text); !number.MatchString(text) {
			return nil, refuse(http.StatusBadRequest, "values: %s is no number such as 12 or 0.5", field.Name)
		}
		return json.Number(text), nil
	}
	if !isText || len(text) > maxValue || !plainText(text) {
		return nil, refuse(http.StatusBadRequest, "values: %s wants a text of at most %d bytes, without control characters", field.Name, maxValue)
	}
	return text, nil
}

// put is v, a JSON value, in which each text that is a "{name}" is replaced by that value; missing is one without.
func put(v any, values map[string]any, missing *string) any {
	switch v := v.(type) {
	case string:
		m := hole.FindStringSubmatch(v)
		if m == nil || m[0] != v {
			return v
		}
		of, ok := values[m[1]]
		if !ok {
			*missing = v
		}
		return of
	case []any:
		all := make([]any, len(v))
		for i, e := range v {
			all[i] = put(e, values, missing)
		}
		return all
	case map[string]any:
		all := make(map[string]any, len(v))
		for k, e := range v {
			all[k] = put(e, values, missing)
		}
		return all
	}
	return v
}

func fieldNames(fields []world.FieldSpec) string {
	var names []string
	for _, f := range fields {
		names = append(names, f.Name)
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func plainText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// clipped is what a stranger sent, short enough to be sent back.
func clipped(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
