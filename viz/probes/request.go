package probes

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/stillup/stillup/viz/world"
)

// blank is a "{name}" to be filled.
var blank = regexp.MustCompile(`\{([a-z0-9_]+)\}`)

// ids are the trace of a request and the span that it names as its parent.
type ids struct{ trace, span string }

// request makes the request of a spec, its blanks filled, in a trace of its own. It fails on a blank that has no values.
func request(ctx context.Context, base string, spec world.RequestSpec, vars map[string][]string) (*http.Request, ids, error) {
	f := filler{vars: vars}
	path := f.fill(spec.Path, url.PathEscape)
	var body io.Reader
	if spec.Body != nil {
		b, err := json.Marshal(f.walk(spec.Body))
		if err != nil {
			return nil, ids{}, fmt.Errorf("body of %s %s: %w", spec.Method, spec.Path, err)
		}
		body = bytes.NewReader(b)
	}
	if f.missing != "" {
		return nil, ids{}, fmt.Errorf("%s %s: the system file's vars have no values for %q", spec.Method, spec.Path, f.missing)
	}
	req, err := http.NewRequestWithContext(ctx, spec.Method, strings.TrimSuffix(base, "/")+path, body)
	if err != nil {
		return nil, ids{}, fmt.Errorf("%s %s: %w", spec.Method, spec.Path, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "stillup-probe")
	id := ids{fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()|1), fmt.Sprintf("%016x", rand.Uint64()|1)}
	req.Header.Set("Traceparent", fmt.Sprintf("00-%s-%s-01", id.trace, id.span))
	return req, id, nil
}

// filler fills blanks; each has one value throughout a request.
type filler struct {
	vars    map[string][]string
	chosen  map[string]string
	missing string // a name without values
}

func (f *filler) fill(s string, escape func(string) string) string {
	return blank.ReplaceAllStringFunc(s, func(hole string) string { return escape(f.value(hole[1 : len(hole)-1])) })
}

func (f *filler) value(name string) string {
	if v, ok := f.chosen[name]; ok {
		return v
	}
	v := ""
	switch values := f.vars[name]; {
	case name == "uuid":
		v = uuid.NewString()
	case len(values) > 0:
		v = values[rand.IntN(len(values))]
	default:
		f.missing = name
	}
	if f.chosen == nil {
		f.chosen = map[string]string{}
	}
	f.chosen[name] = v
	return v
}

// walk is v, a JSON value, with the blanks in its strings filled.
func (f *filler) walk(v any) any {
	switch v := v.(type) {
	case string:
		return f.fill(v, func(s string) string { return s })
	case []any:
		filled := make([]any, len(v))
		for i, e := range v {
			filled[i] = f.walk(e)
		}
		return filled
	case map[string]any:
		filled := make(map[string]any, len(v))
		for k, e := range v {
			filled[k] = f.walk(e)
		}
		return filled
	}
	return v
}
