package chassis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestProblems(t *testing.T) {
	s := start(t, Config{Name: "catalog"}, func(s *Service) {
		fail := func(path string, err error) {
			s.Handle("GET "+path, func(http.ResponseWriter, *http.Request) error { return err })
		}
		fail("/problem", fmt.Errorf("find p-99: %w", Errorf(404, "unknown product %s", "p-99")))
		fail("/refused", fmt.Errorf("price of p-01: %w", &CallError{Peer: "catalog", Kind: kindRefused}))
		fail("/timeout", &CallError{Peer: "catalog", Kind: kindTimeout})
		fail("/passed-on", &CallError{Peer: "orders", Kind: kindStatus, Status: 502, Detail: "catalog refused the connection"})
		fail("/slow-store", fmt.Errorf("find: %w", context.DeadlineExceeded))
		fail("/other", errors.New("secret words"))
		s.Handle("GET /panic", func(http.ResponseWriter, *http.Request) error { panic("at the disco") })
		s.Handle("GET /no-json", func(w http.ResponseWriter, _ *http.Request) error { return WriteJSON(w, 200, func() {}) })
		s.Handle("POST /read", func(w http.ResponseWriter, r *http.Request) error {
			var v struct {
				N int `json:"n"`
			}
			if err := ReadJSON(r, &v); err != nil {
				return err
			}
			return WriteJSON(w, 200, v)
		})
	})
	tests := []struct {
		method, path, body string
		down               error
		status             int
		detail             string
	}{
		{"GET", "/problem", "", nil, 404, "unknown product p-99"},
		{"GET", "/refused", "", nil, 502, "catalog refused the connection"},
		{"GET", "/timeout", "", nil, 504, "catalog did not answer within 1 s"},
		{"GET", "/passed-on", "", nil, 502, "catalog refused the connection, so orders answered 502"},
		{"GET", "/slow-store", "", nil, 503, "its store does not answer"},
		{"GET", "/other", "", nil, 500, "catalog failed; its log says why"},
		{"GET", "/other", "", errors.New("no"), 503, "its store does not answer"},
		{"GET", "/panic", "", nil, 500, "catalog failed; its log says why"},
		{"GET", "/no-json", "", nil, 500, "catalog failed; its log says why"},
		{"GET", "/nowhere", "", nil, 404, "catalog has no /nowhere"},
		{"DELETE", "/problem", "", nil, 405, "catalog does not take DELETE at /problem"},
		{"GET", "/readyz", "", errors.New("no"), 503, "its store does not answer: no"},
		{"POST", "/read", "", nil, 400, "the body is empty; send JSON"},
		{"POST", "/read", "{", nil, 400, "the body cannot be read: unexpected EOF"},
		{"POST", "/read", `{"m":1}`, nil, 400, `the body cannot be read: json: unknown field "m"`},
		{"POST", "/read", `{"n":1}{}`, nil, 400, "the body holds more than one JSON value"},
		{"POST", "/read", `{"n":1}x`, nil, 400, "the body cannot be read: invalid character 'x' looking for beginning of value"},
		{"POST", "/read", `{"n":1` + strings.Repeat(" ", maxBody) + "}", nil, 413, "the body is longer than 65536 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.method+tt.path, func(t *testing.T) {
			s.Ready(func(context.Context) error { return tt.down })
			p := problemOf(t, tt.method, s.url+tt.path, tt.body)
			if p.Status != tt.status || p.Detail != tt.detail || p.Title != http.StatusText(tt.status) {
				t.Errorf("got %+v, want %d %q", p, tt.status, tt.detail)
			}
		})
	}
	t.Run("good", func(t *testing.T) {
		s.Ready(func(context.Context) error { return nil })
		for _, path := range []string{"/healthz", "/readyz"} {
			if status, _, body := get(t, "GET", s.url+path, ""); status != 200 {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
		if status, _, body := get(t, "POST", s.url+"/read", ` {"n":7} `); status != 200 || body != `{"n":7}`+"\n" {
			t.Errorf("%d %s", status, body)
		}
		if _, header, _ := get(t, "DELETE", s.url+"/problem", ""); header.Get("Allow") != "GET, HEAD" {
			t.Errorf("Allow: %q", header.Get("Allow"))
		}
	})
}

// TestFailuresAreLoggedOnce: the same failure is one line, the caller's own faults are none at the usual level.
func TestFailuresAreLoggedOnce(t *testing.T) {
	s := start(t, Config{Name: "catalog"}, func(s *Service) {
		s.Handle("GET /x", func(http.ResponseWriter, *http.Request) error { return errors.New("broken") })
		s.Handle("GET /y", func(http.ResponseWriter, *http.Request) error { return Errorf(404, "unknown") })
	})
	for range 5 {
		problemOf(t, "GET", s.url+"/x", "")
		problemOf(t, "GET", s.url+"/y", "")
	}
	if e, d := s.log.count("level=ERROR"), s.log.count("level=DEBUG"); e != 1 || d != 5 {
		t.Errorf("%d errors and %d details logged, want 1 and 5", e, d)
	}
}

func TestRepeats(t *testing.T) {
	var r repeats
	t0 := time.Unix(0, 0)
	for i, tt := range []struct {
		key      string
		after    time.Duration
		unlogged int
		due      bool
	}{
		{"a", 0, 0, true},
		{"a", time.Second, 0, false},
		{"b", time.Second, 0, true},
		{"a", 9 * time.Second, 0, false},
		{"a", 10 * time.Second, 2, true},
		{"a", 11 * time.Second, 0, false},
		{"a", 20 * time.Second, 1, true},
	} {
		if n, due := r.due(tt.key, t0.Add(tt.after)); n != tt.unlogged || due != tt.due {
			t.Errorf("%d: %d %v, want %d %v", i, n, due, tt.unlogged, tt.due)
		}
	}
	for i := range 10 * maxRepeats {
		r.due(fmt.Sprint(i), t0)
	}
	if len(r.last) > maxRepeats {
		t.Errorf("%d failures are remembered", len(r.last))
	}
}

// TestStop: a request in flight ends with its answer, then the work is told to stop and waited for.
func TestStop(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	var workEnded bool
	s := start(t, Config{Name: "catalog"}, func(s *Service) {
		s.Handle("GET /slow", func(w http.ResponseWriter, r *http.Request) error {
			close(begun)
			<-release
			return WriteJSON(w, 200, "done")
		})
		s.Go("work", func(ctx context.Context) error {
			<-ctx.Done()
			workEnded = true
			return ctx.Err()
		})
	})
	answered := make(chan int, 1)
	go func() {
		status, _, _ := get(t, "GET", s.url+"/slow", "")
		answered <- status
	}()
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	eventually(t, "new connections are refused", func() bool {
		resp, err := http.Get(s.url + healthPath)
		if err == nil {
			resp.Body.Close()
			http.DefaultClient.CloseIdleConnections()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	close(release)
	if status := <-answered; status != 200 {
		t.Errorf("request in flight: %d", status)
	}
	if err := <-stopped; err != nil || !workEnded {
		t.Errorf("stopped with %v, work ended: %v", err, workEnded)
	}
}

func TestRunFails(t *testing.T) {
	busy := start(t, Config{Name: "catalog"}, func(*Service) {})
	addr := strings.TrimPrefix(busy.url, "http://")
	s, err := New(Config{Name: "stock", Addr: addr})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), addr) {
		t.Errorf("on a busy address: %v", err)
	}

	broken := errors.New("broken")
	s, err = New(Config{Name: "stock", Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	s.Go("relay", func(context.Context) error { return broken })
	s.Go("rest", func(ctx context.Context) error { <-ctx.Done(); return nil })
	if err := s.Run(t.Context()); !errors.Is(err, broken) || !strings.Contains(err.Error(), "relay") {
		t.Errorf("with broken work: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, cfg := range []Config{
		{},
		{Name: "stock", Peers: map[string]string{"catalog": "127.0.0.1:80"}},
		{Name: "stock", OTLPEndpoint: "127.0.0.1:4318"},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}

// TestAnswerBrokenOff: a handler that fails in the middle of its answer cuts it off, so that it is not taken for whole.
func TestAnswerBrokenOff(t *testing.T) {
	s := start(t, Config{Name: "catalog"}, func(s *Service) {
		s.Handle("GET /x", func(w http.ResponseWriter, r *http.Request) error {
			if err := WriteJSON(w, 200, "half"); err != nil {
				return err
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				return err
			}
			return errors.New("broken")
		})
	})
	resp, err := http.Get(s.url + "/x")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read %q, %v", b, err)
	}
	eventually(t, "it is logged", func() bool { return s.log.count("answer broken off") == 1 })
}
