package chassistest

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Outcomes takes a service's traces, at URL, and knows how it did with the events that it was given.
type Outcomes struct {
	URL string
	mu  sync.Mutex
	of  map[string][]string // by event id: "applied", or why it was skipped
}

// TakeOutcomes starts to take traces; it ends with the test.
func TakeOutcomes(t testing.TB) *Outcomes {
	t.Helper()
	o := &Outcomes{of: map[string][]string{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		b, err := io.ReadAll(body)
		var data tracepb.TracesData
		if err == nil {
			err = proto.Unmarshal(b, &data)
		}
		if err != nil {
			t.Error(err)
			return
		}
		o.take(&data)
	}))
	t.Cleanup(srv.Close)
	o.URL = srv.URL
	return o
}

func (o *Outcomes) take(data *tracepb.TracesData) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range data.GetResourceSpans() {
		for _, s := range r.GetScopeSpans() {
			for _, span := range s.GetSpans() {
				if span.GetKind() != tracepb.Span_SPAN_KIND_CONSUMER {
					continue
				}
				id, how := "", "applied"
				for _, a := range span.GetAttributes() {
					switch a.GetKey() {
					case "cloudevents.event_id":
						id = a.GetValue().GetStringValue()
					case "stillup.skip.reason":
						how = a.GetValue().GetStringValue()
					}
				}
				o.of[id] = append(o.of[id], how)
			}
		}
	}
}

// Are waits until the service has told of as many handlings of the event as there are wanted outcomes, and compares them
// in any order.
func (o *Outcomes) Are(t testing.TB, event string, want ...string) {
	t.Helper()
	var got []string
	Eventually(t, "the outcomes of "+event+" are told", func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		got = slices.Clone(o.of[event])
		return len(got) >= len(want)
	})
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", event, got, want)
	}
}
