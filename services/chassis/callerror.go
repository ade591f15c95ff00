package chassis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// Kinds of a CallError.
const (
	kindRefused   = "refused"
	kindTimeout   = "timeout"
	kindStatus    = "status"
	kindNetwork   = "network"
	kindMalformed = "malformed"
	kindStore     = "store"
	kindField     = "field"
)

// CallError says in a newcomer's words why a call to a peer failed, or the use of another service's store.
type CallError struct {
	Peer   string // a service's name, or a store's node id
	Kind   string // refused | timeout | status | network | malformed | store, which answered with an error | field, see NoField
	Status int    // of the peer's answer, 0 for none
	Detail string // the peer's problem detail, or the error's text

	waited time.Duration // of a timeout; zero: CallTimeout
}

// Error reads like "catalog refused the connection", "catalog did not answer within 1 s", "catalog answered 503: its
// store does not answer". Where the peer itself was let down by another, the culprit comes first: "catalog refused the
// connection, so orders answered 502".
func (e *CallError) Error() string {
	switch e.Kind {
	case kindRefused:
		return e.Peer + " refused the connection"
	case kindTimeout:
		waited := e.waited
		switch {
		case waited == 0:
			waited = CallTimeout
		case waited < time.Millisecond: // whoever was asked before took it all
			return "there was no time left to ask " + e.Peer
		}
		return e.Peer + " did not answer within " + words(waited)
	case kindStatus:
		switch {
		case e.Detail == "":
			return fmt.Sprintf("%s answered %d", e.Peer, e.Status)
		case e.passedOn():
			return fmt.Sprintf("%s, so %s answered %d", e.Detail, e.Peer, e.Status)
		}
		return fmt.Sprintf("%s answered %d: %s", e.Peer, e.Status, e.Detail)
	case kindMalformed:
		return e.Peer + " sent an answer that cannot be read: " + e.Detail
	case kindStore:
		return e.Peer + " refused the request: " + e.Detail
	case kindField:
		return e.Peer + ": " + e.Detail
	}
	return "no answer from " + e.Peer + ": " + e.Detail
}

// NoField is the error of whoever reads what is another service's own, in the store node, and does not find a field where it
// was: the owner has changed its schema. It reads `catalog-db: product p-01 has no field "name"`.
func NoField(node, what, field string) *CallError {
	return &CallError{Peer: node, Kind: kindField, Detail: fmt.Sprintf("%s has no field %q", what, field)}
}

// passedOn says whether the detail names a culprit behind the peer.
func (e *CallError) passedOn() bool {
	return e.Status == http.StatusBadGateway || e.Status == http.StatusGatewayTimeout
}

// reason is what the call's span says: a sentence that stands alone. Where the peer was let down by another, the peer's
// own words are one.
func (e *CallError) reason() string {
	if e.Kind == kindStatus && e.passedOn() && e.Detail != "" {
		return e.Detail
	}
	return e.Error()
}

// words writes a time as "1 s" or "0.95 s".
func words(d time.Duration) string {
	return strconv.FormatFloat(d.Round(10*time.Millisecond).Seconds(), 'g', -1, 64) + " s"
}

// noAnswer puts into words why no answer came. ctx is the call's.
func (x *exchange) noAnswer(ctx context.Context, err error) *CallError {
	return noAnswer(ctx, x.peer, x.timeout, err)
}

// noAnswer puts into words why no answer came from peer within timeout. ctx is the call's.
func noAnswer(ctx context.Context, peer string, timeout time.Duration, err error) *CallError {
	var known *CallError
	if errors.As(err, &known) {
		return known
	}
	e := &CallError{Peer: peer, Kind: kindNetwork, Detail: err.Error()}
	var dns *net.DNSError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		e.Detail = "the caller gave up"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Kind, e.Detail = kindRefused, "connection refused"
	case ctx.Err() != nil, isTimeout(err):
		e.Kind, e.Detail, e.waited = kindTimeout, "no answer in time", max(timeout, 1)
	case errors.As(err, &dns):
		e.Detail = "its name " + dns.Name + " is not known"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		e.Detail = "it closed the connection"
	}
	return e
}

// problemDetail is what an answer says went wrong; empty where it is no problem document.
func problemDetail(body []byte) string {
	var p Problem
	if json.Unmarshal(body, &p) != nil {
		return ""
	}
	if p.Detail == "" {
		return p.Title
	}
	return p.Detail
}
