package viz

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
)

// sent is what a stream of server-sent events sends until the test ends or leave is called; headers are pairs.
func sent[T any](t *testing.T, url string, read func(data string) (T, error), headers ...string) (resp *http.Response, all <-chan T, leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err = http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	came, done := make(chan T, 1000), make(chan struct{})
	go func() {
		defer close(done)
		defer close(came)
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue
			}
			v, err := read(data)
			if err != nil {
				t.Errorf("%v: %s", err, data)
			}
			came <- v
		}
	}()
	leave = func() {
		cancel()
		resp.Body.Close()
		<-done
	}
	t.Cleanup(leave)
	return resp, came, leave
}
