package chassis

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// request asks the service in memory, with the budget in ms that a caller grants; none where it is empty.
func serveDirect(ctx context.Context, s *Service, method, path, body, budget string) (status int, answer string) {
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	if budget != "" {
		r.Header.Set(budgetHeader, budget)
	}
	s.route(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}

// catalogOf is a catalog whose one route answers at once.
func catalogOf(t *testing.T) *Service {
	t.Helper()
	s, err := New(Config{Name: "catalog"})
	if err != nil {
		t.Fatal(err)
	}
	s.Handle("GET /sync/products", func(w http.ResponseWriter, _ *http.Request) error { return WriteJSON(w, 200, "all") })
	s.Outbox(func(context.Context) (int, bool, time.Time, error) { return 0, false, time.Time{}, nil })
	return s
}

func TestFaultsAreSet(t *testing.T) {
	s := catalogOf(t)
	for _, tt := range []struct {
		method, body string
		status       int
		answer       string // what is in force, or the problem's detail
	}{
		{"GET", "", 200, `{"latency_ms":0,"error_share":0}`},
		{"PUT", `{"latency_ms":300,"error_share":0.2}`, 200, `{"latency_ms":300,"error_share":0.2}`},
		{"PUT", `{"latency_ms":10001}`, 400, "latency_ms is 10001; it can be 0 to 10000"},
		{"PUT", `{"latency_ms":-1}`, 400, "latency_ms is -1; it can be 0 to 10000"},
		{"PUT", `{"error_share":1.5}`, 400, "error_share is 1.5; it can be 0 to 1"},
		{"PUT", `{"error_share":-0.1}`, 400, "error_share is -0.1; it can be 0 to 1"},
		{"PUT", `{"latency":1}`, 400, `the body cannot be read: json: unknown field "latency"`},
		{"GET", "", 200, `{"latency_ms":300,"error_share":0.2}`},
		{"PUT", `{"error_share":1}`, 200, `{"latency_ms":0,"error_share":1}`},
		{"PUT", `{}`, 200, `{"latency_ms":0,"error_share":0}`},
		{"DELETE", "", 405, "catalog does not take DELETE at /faults"},
	} {
		status, answer := serveDirect(t.Context(), s, tt.method, FaultsPath, tt.body, "")
		if status >= 400 {
			var p Problem
			if err := json.Unmarshal([]byte(answer), &p); err != nil {
				t.Errorf("%s %s: %v in %s", tt.method, tt.body, err, answer)
			}
			answer = p.Detail
		}
		if status != tt.status || answer != tt.answer {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.body, status, answer, tt.status, tt.answer)
		}
	}
}

// TestSlow: the wait is as long as was set, counts against the budget, ends with the caller, and spares the admin routes.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := catalogOf(t)
		serveDirect(t.Context(), s, "PUT", FaultsPath, `{"latency_ms":700}`, "")
		for _, tt := range []struct {
			name, path, budget string
			took               time.Duration
			status             int
			answer             string
		}{
			{"in time", "/sync/products", "", 700 * time.Millisecond, 200, `"all"`},
			{"too late", "/sync/products", "500", 500 * time.Millisecond, 503,
				`{"status":503,"title":"Service Unavailable","detail":"catalog is slow on purpose: each answer comes 0.7 s later"}`},
			{"caller left", "/sync/products", "", 100 * time.Millisecond, 503, ""},
			{"health", healthPath, "", 0, 200, `{"status":"ok"}`},
			{"ready", readyPath, "", 0, 200, `{"status":"ok"}`},
			{"outbox", OutboxPath, "", 0, 200, `{"waiting":0,"more":false,"oldest":null,"republished":0,"republished_at":null}`},
			{"faults", FaultsPath, "", 0, 200, `{"latency_ms":700,"error_share":0}`},
		} {
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			if tt.name == "caller left" {
				time.AfterFunc(100*time.Millisecond, leave)
			}
			began := time.Now()
			status, answer := serveDirect(ctx, s, "GET", tt.path, "", tt.budget)
			if took := time.Since(began); status != tt.status || answer != tt.answer || took != tt.took {
				t.Errorf("%s: %d %s after %v, want %d %s after %v", tt.name, status, answer, took, tt.status, tt.answer, tt.took)
			}
		}
	})
}

// TestErrorShare: about the share that was set fails, in words, and the handler has no part in it.
func TestErrorShare(t *testing.T) {
	s := catalogOf(t)
	for body, want := range map[string]struct {
		least, most int // of 1000
		detail      string
	}{
		`{}`:                   {0, 0, ""},
		`{"error_share":0.29}`: {200, 400, "catalog fails on purpose: 29 % of its requests"}, // six deviations
		`{"error_share":1}`:    {1000, 1000, "catalog fails on purpose: 100 % of its requests"},
	} {
		serveDirect(t.Context(), s, "PUT", FaultsPath, body, "")
		failed := 0
		for range 1000 {
			status, answer := serveDirect(t.Context(), s, "GET", "/sync/products", "", "")
			if status == 200 && answer == `"all"` {
				continue
			}
			failed++
			var p Problem
			if err := json.Unmarshal([]byte(answer), &p); err != nil || status != 500 || p.Detail != want.detail {
				t.Fatalf("%s: %d %s", body, status, answer)
			}
		}
		if failed < want.least || failed > want.most {
			t.Errorf("%s: %d of 1000 failed", body, failed)
		}
		if status, _ := serveDirect(t.Context(), s, "GET", healthPath, "", ""); status != 200 {
			t.Errorf("%s: healthz is %d", body, status)
		}
	}
}

func TestOutbox(t *testing.T) {
	s, err := New(Config{Name: "catalog"})
	if err != nil {
		t.Fatal(err)
	}
	var n int
	var oldest time.Time
	s.Outbox(func(context.Context) (int, bool, time.Time, error) { return n, false, oldest, err })
	var again int64
	var when time.Time
	s.Republished(func() (int64, time.Time) { return again, when })
	ask := func() string {
		status, answer := serveDirect(t.Context(), s, "GET", OutboxPath, "", "")
		if (status == 503) != (err != nil) {
			t.Errorf("%d %s", status, answer)
		}
		return answer
	}
	if got, want := ask(), `{"waiting":0,"more":false,"oldest":null,"republished":0,"republished_at":null}`; got != want {
		t.Errorf("nothing: %s, want %s", got, want)
	}
	again, when = 412, time.Date(2026, 5, 4, 12, 0, 1, 7_300_000, time.UTC)
	n, oldest = 7, time.Date(2026, 5, 4, 14, 0, 0, 123_456_789, time.FixedZone("", 7200))
	if got, want := ask(), `{"waiting":7,"more":false,"oldest":"2026-05-04T12:00:00.123Z","republished":412,"republished_at":"2026-05-04T12:00:01.007Z"}`; got != want {
		t.Errorf("seven: %s, want %s", got, want)
	}
	err = errors.New("secret words")
	if got, want := ask(), `{"status":503,"title":"Service Unavailable","detail":"its store does not answer"}`; got != want {
		t.Errorf("no store: %s, want %s", got, want)
	}
}
