package chassis

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what has to happen.
const patience = 20 * time.Second

// running is a service that a test runs.
type running struct {
	*Service
	url  string
	log  *journal
	stop func() error // ends it and returns what Run returned
}

// start runs a service that setup gives its routes, until the test ends.
func start(t *testing.T, cfg Config, setup func(*Service)) running {
	t.Helper()
	log := &journal{}
	cfg.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	setup(s)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		defer s.telemetry.close(s.Log)
		defer s.Client.close()
		defer s.closeReaches()
		ended <- s.serve(ctx, l)
	}()
	stop := sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(2 * patience):
			t.Fatal("the service does not stop")
			return nil
		}
	})
	t.Cleanup(func() { stop() })
	return running{s, "http://" + l.Addr().String(), log, stop}
}

// journal is a log that a test can read while it is written.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) count(text string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.b.String(), text)
}

// get asks without keeping the connection and returns the status, the header and the body.
func get(t *testing.T, method, url, body string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

// problemOf asks and wants a problem document.
func problemOf(t *testing.T, method, url, body string) Problem {
	t.Helper()
	status, header, answer := get(t, method, url, body)
	if got := header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%s %s: content type %q, body %s", method, url, got, answer)
	}
	var p Problem
	if err := json.Unmarshal([]byte(answer), &p); err != nil {
		t.Fatalf("%s %s: %v in %s", method, url, err, answer)
	}
	if p.Status != status {
		t.Errorf("%s %s: status %d in the document, %d in the answer", method, url, p.Status, status)
	}
	return p
}

// eventually polls until cond holds.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// collector takes traces as a visualizer does.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	away  bool
	token string
	spans map[string]*tracepb.Span // by service and name; the last of each
}

func newCollector(t *testing.T) *collector {
	c := &collector{spans: map[string]*tracepb.Span{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.away {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		c.token = r.Header.Get("Authorization")
		b, err := io.ReadAll(r.Body)
		var data tracepb.TracesData
		if err == nil {
			err = proto.Unmarshal(b, &data)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		for _, rs := range data.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, span := range ss.Spans {
					c.spans[rs.Resource.Attributes[0].Value.GetStringValue()+" "+span.Name] = span
				}
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) setAway(away bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = away
}

// span waits for the span called "service name".
func (c *collector) span(t *testing.T, name string) *tracepb.Span {
	t.Helper()
	var s *tracepb.Span
	eventually(t, "span "+name, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		s = c.spans[name]
		return s != nil
	})
	return s
}

func attr(s *tracepb.Span, key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			if n := a.Value.GetIntValue(); n != 0 {
				return strconv.FormatInt(n, 10)
			}
			return a.Value.GetStringValue()
		}
	}
	return ""
}
