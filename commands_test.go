package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealth(t *testing.T) {
	hang := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/ill", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) })
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	defer close(hang)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	for url, says := range map[string]string{
		s.URL + "/ok":                      "",
		s.URL + "/ill":                     "answers 503",
		s.URL + "/away":                    "answers 302",
		s.URL + "/hang":                    "does not answer within 2s",
		"http://" + nobody.Addr().String(): "connection refused",
		"127.0.0.1:8001/readyz":            "write a URL",
	} {
		err := run(t, "health", url)
		if says == "" && err == nil {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want %q", url, err, says)
		}
	}
}

// TestContainerCommandsRefuse: what is wrong with the flags is said before anything is begun.
func TestContainerCommandsRefuse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"gates"}, "there is no gate"},
		{[]string{"gates", "--gate", "users"}, "NODE=LISTEN=UPSTREAM"},
		{[]string{"gates", "--gate", "a=:1=a:1", "--gate", "a=:2=a:1"}, "two gates"},
		{[]string{"gates", "--gate", "a=:1=a:1", "--admin", addr}, "--admin"},
		{[]string{"socket-proxy", "--project", "p", "--listen", addr}, "--listen"},
		{[]string{"health"}, "accepts 1 arg"},
	} {
		if err := run(t, c.args...); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v; want %q", c.args, err, c.says)
		}
	}
}

// run runs the command line.
func run(t *testing.T, args ...string) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := command()
	c.SetOut(io.Discard)
	c.SetArgs(args)
	return c.ExecuteContext(ctx)
}
