package shoppers

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
)

// TestRun: the traffic begins by itself, is set over /load, and ends with the service.
func TestRun(t *testing.T) {
	p := newPeers(t, func(*http.Request) int { return http.StatusOK })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, chassis.Config{Name: "shoppers", Addr: addr, Peers: p.addresses(), Log: slog.New(slog.DiscardHandler)})
	}()
	eventually(t, "the first requests", func() bool { return len(p.requests()) >= 4 })
	for _, tt := range []struct {
		method, body string
		status       int
		perSecond    float64
		detail       string
	}{
		{"GET", "", 200, initialRate, ""},
		{"POST", `{"per_second":501}`, 400, 0, "per_second is 501; it can be 0 to 500 journeys a second"},
		{"POST", `{"per_second":-0.5}`, 400, 0, "per_second is -0.5; it can be 0 to 500 journeys a second"},
		{"POST", `{}`, 400, 0, "per_second is missing; send 0 to 500 journeys a second"},
		{"GET", "", 200, initialRate, ""},
		{"POST", `{"per_second":0}`, 200, 0, ""},
		{"POST", `{"per_second":500}`, 200, 500, ""},
		{"GET", "", 200, 500, ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, "http://"+addr+"/load", strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Close = true
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		var got struct {
			load
			chassis.Problem
		}
		if err != nil || json.Unmarshal(b, &got) != nil || resp.StatusCode != tt.status ||
			got.PerSecond != tt.perSecond || got.Detail != tt.detail {
			t.Errorf("%s %s: %d %s %v", tt.method, tt.body, resp.StatusCode, b, err)
		}
	}
	n := len(p.requests())
	eventually(t, "the traffic grows at once", func() bool { return len(p.requests()) > n+200 })
	stop()
	if err := <-ended; err != nil {
		t.Errorf("stopped with %v", err)
	}
}

// eventually polls until cond holds.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
