package probes_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/probes"
	"github.com/stillup/stillup/viz/world"
)

// outboxes watches one node's outbox at url until the test ends.
func outboxes(t *testing.T, url string) <-chan world.OutboxSeen {
	t.Helper()
	o := probes.Outboxes{URL: func(string) string { return url },
		System: world.System{Nodes: []world.NodeSpec{{ID: "orders", Outbox: "/box"}, {ID: "history"}}}}
	ctx, cancel := context.WithCancel(context.Background())
	seen, done := make(chan world.OutboxSeen), make(chan error, 1)
	go func() {
		done <- o.Run(ctx, func(obs ...world.Observation) {
			select {
			case seen <- obs[0].(world.OutboxSeen):
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return seen
}

func TestOutboxes(t *testing.T) {
	oldest := time.Date(2026, 3, 1, 12, 0, 0, 5e6, time.UTC)
	for _, tc := range []struct {
		name, answer string
		status       int
		waiting      int64
		oldest       time.Time
	}{
		{"some", `{"waiting":3,"oldest":"2026-03-01T12:00:00.005Z"}`, 200, 3, oldest},
		{"none, and some again", `{"waiting":0,"oldest":null,"republished":412,"republished_at":"2026-03-01T12:00:00.005Z"}`, 200, 0, time.Time{}},
		{"none", `{"waiting":0,"oldest":null}`, 200, 0, time.Time{}},
		{"its store is dead", `{"title":"Service Unavailable"}`, 503, -1, time.Time{}},
		{"not JSON", `waiting: 3`, 200, -1, time.Time{}},
		{"without a count", `{"oldest":null}`, 200, -1, time.Time{}},
		{"a count below none", `{"waiting":-3}`, 200, -1, time.Time{}},
		{"not a time", `{"waiting":3,"oldest":"yesterday"}`, 200, -1, time.Time{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/box" || r.Method != http.MethodGet {
					t.Errorf("asked %s %s", r.Method, r.URL)
				}
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.answer)
			}))
			defer srv.Close()
			got := await(t, outboxes(t, srv.URL+"/"))
			if got.Node != "orders" || got.Waiting != tc.waiting || !got.Oldest.Equal(tc.oldest) || got.At.IsZero() {
				t.Errorf("seen %+v, want %d since %v", got, tc.waiting, tc.oldest)
			}
			if again := strings.Contains(tc.answer, "412"); again != (got.Republished == 412) || again != got.RepublishedAt.Equal(oldest) {
				t.Errorf("seen %d published again, at %v", got.Republished, got.RepublishedAt)
			}
		})
	}
}

// TestSilentOutbox: a node that does not answer is asked once at a time, and said not to say.
func TestSilentOutbox(t *testing.T) {
	url, _, most := silent(t)
	seen := outboxes(t, url)
	for range 3 {
		if got := await(t, seen); got.Waiting != -1 {
			t.Errorf("seen %+v", got)
		}
	}
	if most() != 1 {
		t.Errorf("%d asked at once, want 1", most())
	}
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	if got := await(t, outboxes(t, srv.URL)); got.Waiting != -1 {
		t.Errorf("seen %+v of a dead node", got)
	}
}
