package chassis

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const (
	// CallTimeout is how long one call to a peer may take.
	CallTimeout = time.Second

	// budgetHeader carries how many milliseconds the callee has for its answer.
	budgetHeader = "Stillup-Budget-Ms"
	// budgetMargin is held back by a caller from the budget of its callee, so that the callee that waits in vain for
	// another can still say so.
	budgetMargin = 50 * time.Millisecond

	maxAnswer = 4 << 20 // bytes of an answer that are read at most
)

// Client calls peers. Every call has a time-out, carries the trace and the remaining budget, and is made once: no retries
// but the one that net/http makes by itself on a kept connection that turns out to be dead.
type Client struct {
	peers     map[string]string // base URLs without a slash at the end
	kept      *http.Transport
	transport http.RoundTripper // kept, with spans
}

func newClient(peers map[string]string) (*Client, error) {
	c := &Client{peers: map[string]string{}}
	for name, base := range peers {
		u, err := url.Parse(base)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("address of the peer %s is %q; write http://host:port", name, base)
		}
		c.peers[name] = strings.TrimRight(base, "/")
	}
	c.kept = &http.Transport{
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        time.Minute, // less than the server's, so that it is the client who closes
		MaxResponseHeaderBytes: 64 << 10,
	}
	return c, nil
}

// trace makes a CLIENT span of provider for each call.
func (c *Client) trace(provider trace.TracerProvider) {
	c.transport = otelhttp.NewTransport(wire{c.kept},
		otelhttp.WithTracerProvider(provider),
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
			if e, ok := r.Context().Value(exchangeKey{}).(*exchange); ok {
				return r.Method + " " + e.peer
			}
			return r.Method
		}))
}

// Caller asks peers, over whatever way. Client and BusClient are the two there are.
type Caller interface {
	// Call is as [Client.Call].
	Call(ctx context.Context, peer, method, path string, in, out any) error
}

// Under is c with the pattern put before each path: "/users/u-1" is asked for as "/sync/users/u-1".
func Under(pattern string, c Caller) Caller { return under{c, "/" + pattern} }

type under struct {
	Caller
	prefix string
}

func (u under) Call(ctx context.Context, peer, method, path string, in, out any) error {
	return u.Caller.Call(ctx, peer, method, u.prefix+path, in, out)
}

// Call sends in (nil for no body) as JSON to the peer and decodes the answer into out (nil to drop it). An answer of 400
// and more, or none, is a *CallError. It waits for CallTimeout at most, and no longer than ctx's deadline. Any other
// error is a fault in the call itself: a peer without an address, or an in without a JSON form.
func (c *Client) Call(ctx context.Context, peer, method, path string, in, out any) error {
	base, ok := c.peers[peer]
	if !ok {
		return fmt.Errorf("call %s: no address is configured for this peer", peer)
	}
	timeout := timeoutOf(ctx)
	ex := &exchange{peer: peer, timeout: timeout}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, exchangeKey{}, ex), timeout)
	defer cancel()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("call %s: encode the request: %w", peer, err)
		}
		ex.sent = b
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, body)
	if err != nil {
		return fmt.Errorf("call %s: %w", peer, err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set(budgetHeader, milliseconds(granted(timeout, budgetMargin)))
	// Every request of the shop can be made twice (orders, reservations and users carry their ids), so net/http may send
	// it again over a new connection where a kept one died before a byte of the answer came. An empty value is not sent.
	req.Header["Idempotency-Key"] = nil

	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return ex.noAnswer(ctx, err)
	}
	defer resp.Body.Close() // ends the span: what it shall say is set before
	span := trace.SpanFromContext(resp.Request.Context())
	if resp.StatusCode >= http.StatusBadRequest {
		e := &CallError{Peer: peer, Kind: kindStatus, Status: resp.StatusCode, Detail: problemDetail(ex.body)}
		span.SetStatus(codes.Error, e.reason())
		return e
	}
	if out == nil || resp.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.Unmarshal(ex.body, out); err != nil {
		e := &CallError{Peer: peer, Kind: kindMalformed, Status: resp.StatusCode, Detail: err.Error()}
		span.SetStatus(codes.Error, e.Error())
		return e
	}
	return nil
}

// timeoutOf is how long a call may take: CallTimeout, less where ctx ends sooner.
func timeoutOf(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(CallTimeout, time.Until(deadline))
	}
	return CallTimeout
}

// granted is how long the callee has for its answer where the caller waits for timeout and holds back margin.
func granted(timeout, margin time.Duration) time.Duration { return timeout - min(margin, timeout/4) }

// milliseconds writes a budget as its header does, 1 at least.
func milliseconds(d time.Duration) string { return strconv.FormatInt(max(1, d.Milliseconds()), 10) }

// close gives back the kept connections.
func (c *Client) close() { c.kept.CloseIdleConnections() }

// exchange is one call on its way through the transports.
type exchange struct {
	peer    string
	timeout time.Duration
	sent    []byte // body of the request
	body    []byte // of the answer
}

type exchangeKey struct{}

// wire is the transport below the spans. It reads the whole answer, because a span ends where its body is read to the end,
// and puts failures in words, because the span takes them from the error.
type wire struct{ next http.RoundTripper }

func (t wire) RoundTrip(r *http.Request) (*http.Response, error) {
	ex := r.Context().Value(exchangeKey{}).(*exchange)
	trace.SpanFromContext(r.Context()).SetAttributes(attribute.String("peer.service", ex.peer))
	if ex.sent != nil {
		// The body as plain memory goes out in one write with the header. The one that counts for the span would go out
		// in a second, which fails on a dead connection in a way that net/http does not mend.
		r.Body.Close()
		r = r.WithContext(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(ex.sent))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(ex.sent)), nil }
	}
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, ex.noAnswer(r.Context(), err)
	}
	ex.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	resp.Body.Close()
	if err != nil {
		return nil, ex.noAnswer(r.Context(), err)
	}
	if len(ex.body) > maxAnswer {
		return nil, &CallError{Peer: ex.peer, Kind: kindMalformed, Status: resp.StatusCode,
			Detail: fmt.Sprintf("it is longer than %d MiB", maxAnswer>>20)}
	}
	resp.Body = http.NoBody
	return resp, nil
}

// budgetOf is how long the request may take here: what its caller granted, at most requestTimeout.
func budgetOf(r *http.Request) time.Duration {
	ms, err := strconv.ParseInt(r.Header.Get(budgetHeader), 10, 32)
	if err != nil || ms <= 0 {
		return requestTimeout
	}
	return min(time.Duration(ms)*time.Millisecond, requestTimeout)
}
