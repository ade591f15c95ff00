package viz

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"syscall"
)

// answerLimit is how many bytes of a node's answer are read.
const answerLimit = 256 << 10

// asker makes the requests of actions. It follows no redirect: an answer is the node's own.
var asker = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// request makes an action's request to a node and returns its answer: JSON, null for anything else. What the node refuses is
// a problem in its own words, with its status where that is one of 400 to 499.
func (s *server) request(ctx context.Context, node string, f filled) (status int, body json.RawMessage, err error) {
	base := s.url(node)
	if base == "" {
		return 0, nil, refuse(http.StatusConflict, "no address of %s is known", node)
	}
	var sent io.Reader
	if f.body != nil {
		sent = bytes.NewReader(f.body)
	}
	req, err := http.NewRequestWithContext(ctx, f.method, strings.TrimSuffix(base, "/")+f.path, sent)
	if err != nil {
		return 0, nil, fmt.Errorf("%s %s: %w", f.method, f.path, err)
	}
	if sent != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "stillup")
	// A trace of its own, so that what follows from it is found by the events' chains.
	req.Header.Set("Traceparent", fmt.Sprintf("00-%016x%016x-%016x-01", rand.Uint64(), rand.Uint64()|1, rand.Uint64()|1))
	resp, err := asker.Do(req)
	if err != nil {
		return 0, nil, silent(node, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit+1))
	switch {
	case err != nil:
		return 0, nil, silent(node, err)
	case len(b) > answerLimit:
		return 0, nil, refuse(http.StatusBadGateway, "%s answered more than %d bytes", node, answerLimit)
	case resp.StatusCode >= 300:
		return 0, nil, refused(node, resp.StatusCode, b)
	case !json.Valid(b):
		b = []byte("null")
	}
	return resp.StatusCode, b, nil
}

// silent is the problem of a node that gave no answer.
func silent(node string, err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return refuse(http.StatusGatewayTimeout, "%s did not answer in time", node)
	case errors.Is(err, context.Canceled):
		return refuse(http.StatusServiceUnavailable, "nobody waits for %s's answer any more", node)
	case errors.Is(err, syscall.ECONNREFUSED):
		return refuse(http.StatusBadGateway, "%s refused the connection", node)
	}
	return refuse(http.StatusBadGateway, "%s gave no answer: the connection broke", node)
}

// refused is the problem of a node that said no: its own words, where it has any.
func refused(node string, status int, body []byte) error {
	var said struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &said) != nil || said.Detail == "" {
		said.Detail = fmt.Sprintf("it answered %d", status)
	}
	if status < 400 || status >= 500 {
		status = http.StatusBadGateway
	}
	return refuse(status, "%s: %s", node, said.Detail)
}
