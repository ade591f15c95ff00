package chassis

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stillup/stillup/streams/streamstest"
)

// TestBusConcurrency: twenty callers of a peer that takes 200 ms wait 200 ms, not twenty times that.
func TestBusConcurrency(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	onBus(t, rdb, Config{Name: "catalog"}, func(s *Service, _ *BusClient) {
		s.Handle("GET /bus/slow", func(w http.ResponseWriter, r *http.Request) error {
			<-time.After(200 * time.Millisecond) // the work
			return WriteJSON(w, http.StatusOK, 1)
		})
	})
	_, orders := onBus(t, rdb, Config{Name: "orders"}, nil)
	onTheBus(t, rdb, "catalog")
	begun := time.Now()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := orders.Call(t.Context(), "catalog", http.MethodGet, "/bus/slow", nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if took := time.Since(begun); took < 200*time.Millisecond || took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestBusCallerLeaves: work that takes longer than the caller waits ends when the caller leaves.
func TestBusCallerLeaves(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	ended := make(chan error, 1)
	onBus(t, rdb, Config{Name: "catalog"}, func(s *Service, _ *BusClient) {
		s.mux.HandleFunc("GET /bus/deaf", func(w http.ResponseWriter, r *http.Request) { // to its budget
			<-r.Context().Done()
			ended <- r.Context().Err()
		})
	})
	_, orders := onBus(t, rdb, Config{Name: "orders"}, nil)
	onTheBus(t, rdb, "catalog")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := orders.Call(ctx, "catalog", http.MethodGet, "/bus/deaf", nil, nil); err == nil || err.Error() != "catalog did not answer within 0.2 s" {
		t.Error(err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("it goes on")
	}
}

// TestBusAnswerBrokenOff: an answer that breaks off is none, and is known at once.
func TestBusAnswerBrokenOff(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	onBus(t, rdb, Config{Name: "catalog"}, func(s *Service, _ *BusClient) {
		s.Handle("GET /bus/half", func(w http.ResponseWriter, r *http.Request) error {
			if err := WriteJSON(w, 200, "half"); err != nil {
				return err
			}
			return errors.New("broken")
		})
		s.Handle("GET /bus/long", func(w http.ResponseWriter, r *http.Request) error {
			return WriteJSON(w, 200, strings.Repeat("x", maxAnswer))
		})
	})
	_, orders := onBus(t, rdb, Config{Name: "orders"}, nil)
	onTheBus(t, rdb, "catalog")
	for path, want := range map[string]string{
		"/bus/half": "no answer from catalog: it broke its answer off",
		"/bus/long": "catalog answered 500: its answer is longer than 4 MiB",
	} {
		err := orders.Call(t.Context(), "catalog", http.MethodGet, path, nil, new(any))
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestBusFaults: what is done to a service's requests is done to those over the bus too.
func TestBusFaults(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	catalog, _ := onBus(t, rdb, Config{Name: "catalog"}, func(s *Service, _ *BusClient) {
		s.Handle("GET /bus/x", func(w http.ResponseWriter, r *http.Request) error { return WriteJSON(w, 200, 1) })
	})
	_, orders := onBus(t, rdb, Config{Name: "orders"}, nil)
	onTheBus(t, rdb, "catalog")
	for _, tt := range []struct{ faults, want string }{
		{`{"error_share": 1}`, "catalog answered 500: catalog fails on purpose: 100 % of its requests"},
		{`{"latency_ms": 5000}`, "catalog answered 503: catalog is slow on purpose: each answer comes 5 s later"},
		{`{}`, "<nil>"},
	} {
		if status, _, body := get(t, "PUT", catalog.url+FaultsPath, tt.faults); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		if err := orders.Call(t.Context(), "catalog", http.MethodGet, "/bus/x", nil, nil); fmt.Sprint(err) != tt.want {
			t.Errorf("%s: %v", tt.faults, err)
		}
	}
}
