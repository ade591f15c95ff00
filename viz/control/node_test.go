package control_test

import (
	"context"
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

// node is a process that answers on ADDR, and that asks PEER many times a second where that is given. GET /faults makes
// it slow and failing, GET /heard says how often another has asked it.
func node() {
	type faults struct {
		latency time.Duration
		share   float64
	}
	var (
		now   atomic.Pointer[faults]
		heard atomic.Int64
	)
	now.Store(&faults{})
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
	mux.HandleFunc("/faults", func(_ http.ResponseWriter, r *http.Request) {
		var f faults
		f.latency, _ = time.ParseDuration(r.FormValue("latency"))
		_, _ = fmt.Sscan(r.FormValue("share"), &f.share)
		now.Store(&f)
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		f := now.Load()
		<-time.After(f.latency)
		if rand.Float64() < f.share {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	fmt.Println(http.ListenAndServe(os.Getenv("ADDR"), mux))
	os.Exit(1)
}

// get asks once on a connection of its own; an answer other than 200 is an error.
func get(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
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
		err = fmt.Errorf("GET %s: %s", url, resp.Status)
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
