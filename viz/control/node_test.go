package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// nodeFaults is what PUT /faults of a test node takes, and GET tells.
type nodeFaults struct {
	LatencyMS  int64   `json:"latency_ms"`
	ErrorShare float64 `json:"error_share"`
}

// node is a process that answers on ADDR, and that asks PEER many times a second where that is given. PUT /faults makes
// it slow and failing, GET /heard says how often another has asked it.
func node() {
	var (
		now   atomic.Pointer[nodeFaults]
		heard atomic.Int64
	)
	now.Store(&nodeFaults{})
	if peer := os.Getenv("PEER"); peer != "" {
		go func() {
			for range time.Tick(5 * time.Millisecond) {
				ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
				_, _ = get(ctx, "http://"+peer+"/hello") // the peer may be down
				cancel()
			}
		}()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(http.ResponseWriter, *http.Request) { heard.Add(1) })
	mux.HandleFunc("/heard", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, heard.Load()) })
	mux.HandleFunc("/faults", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			var f nodeFaults
			if err := json.NewDecoder(r.Body).Decode(&f); err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			now.Store(&f)
		}
		_ = json.NewEncoder(w).Encode(now.Load()) // whoever asked may be gone
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		f := now.Load()
		<-time.After(time.Duration(f.LatencyMS) * time.Millisecond)
		if rand.Float64() < f.ErrorShare {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	fmt.Println(http.ListenAndServe(os.Getenv("ADDR"), mux))
	os.Exit(1)
}

// get asks once on a connection of its own; an answer other than 200 is an error.
func get(ctx context.Context, url string) (string, error) { return send(ctx, http.MethodGet, url, nil) }

// putFaults has the test node at addr misbehave.
func putFaults(ctx context.Context, addr string, latency time.Duration, share float64) error {
	b, err := json.Marshal(nodeFaults{latency.Milliseconds(), share})
	if err == nil {
		_, err = send(ctx, http.MethodPut, "http://"+addr+"/faults", b)
	}
	return err
}

func send(ctx context.Context, method, url string, body []byte) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Close = true
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", method, url, resp.Status)
	}
	return string(b), err
}

// freePorts are loopback addresses that nothing listens on, below those that the system gives to outgoing connections.
func freePorts(t testing.TB, n int) []string {
	t.Helper()
	var addrs []string
	for range 1000 {
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(22_000)))
		if err != nil {
			continue // taken
		}
		defer ln.Close() // all held until all are picked
		if addrs = append(addrs, ln.Addr().String()); len(addrs) == n {
			return addrs
		}
	}
	t.Fatal("found no free ports on 127.0.0.1")
	return nil
}
