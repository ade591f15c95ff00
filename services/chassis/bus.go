package chassis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// busName is what the bus is called where it is the one that failed: its node id.
const busName = "bus"

// busMargin is budgetMargin over the bus, where request and reply each wait for a disk and for a reader.
const busMargin = 2 * budgetMargin

// request is the payload of a request event: an HTTP request on its way over the bus.
type request struct {
	Method   string          `json:"method"`
	Path     string          `json:"path"` // with the query
	Deadline time.Time       `json:"deadline"`
	Body     json.RawMessage `json:"body,omitempty"`
}

// reply is the payload of a reply event.
type reply struct {
	Status int             `json:"status"` // 0: the answer was broken off
	Body   json.RawMessage `json:"body,omitempty"`
}

// BusClient calls peers over the bus: a request event, and the event that replies to it. Like Client it makes each call
// once, with a time-out, the trace and the remaining budget.
type BusClient struct {
	asker  *streams.Asker
	source string
	tracer trace.Tracer
}

// AskOverBus makes the service's client for its peers over the bus and reads the replies while the service runs. It is
// called once at most, before Run; who opened bus closes it after Run.
func (s *Service) AskOverBus(bus *redis.Client) *BusClient {
	asker := &streams.Asker{Redis: bus, Requests: shop.Requests, Replies: shop.Replies, Group: s.Name, Log: s.Log}
	s.Go("replies", asker.Run)
	return &BusClient{asker: asker, source: s.Name, tracer: s.telemetry.provider.Tracer(scope)}
}

// Call is [Client.Call] over the bus, with the same errors. Where the bus itself fails, the error's peer is "bus". A
// peer's silence is all that is known of one that is dead: its time-out.
func (c *BusClient) Call(ctx context.Context, peer, method, path string, in, out any) error {
	timeout := timeoutOf(ctx)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ctx, span := c.tracer.Start(ctx, method+" "+peer, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("messaging.system", "redis"),
		attribute.String("messaging.destination.name", shop.Requests),
		attribute.String("peer.service", peer),
		attribute.String("http.request.method", method),
		attribute.String("url.path", withoutQuery(path)),
	))
	defer span.End()
	status, err := c.call(ctx, timeout, peer, method, path, in, out)
	if status != 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", status))
	}
	var failed *CallError
	switch {
	case errors.As(err, &failed):
		span.SetStatus(codes.Error, failed.reason())
	case err != nil:
		span.SetStatus(codes.Error, err.Error())
	}
	return err
}

// call asks and returns the status of the answer, 0 for none.
func (c *BusClient) call(ctx context.Context, timeout time.Duration, peer, method, path string, in, out any) (int, error) {
	ask := request{Method: method, Path: path, Deadline: time.Now().Add(granted(timeout, busMargin)).UTC()}
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return 0, fmt.Errorf("call %s: encode the request: %w", peer, err)
		}
		ask.Body = body
	}
	data, err := json.Marshal(ask)
	if err != nil {
		return 0, fmt.Errorf("call %s: encode the request: %w", peer, err)
	}
	event, err := c.asker.Ask(ctx, streams.Event{
		ID:          uuid.NewString(),
		Source:      c.source,
		Type:        peer + ".requested.v1",
		Subject:     peer,
		Time:        time.Now().UTC(),
		TraceParent: TraceParent(ctx),
		Data:        data,
	})
	switch {
	case errors.Is(err, streams.ErrBusDown):
		return 0, busFailure(ctx, timeout, err)
	case errors.Is(err, streams.ErrTooManyAsks):
		return 0, &CallError{Peer: peer, Kind: kindNetwork, Detail: c.source + " waits for too many already"}
	case errors.Is(err, streams.ErrNotEvent):
		return 0, fmt.Errorf("call %s: %w", peer, err)
	case err != nil:
		return 0, (&exchange{peer: peer, timeout: timeout}).noAnswer(ctx, err)
	}
	var answer reply
	if err := json.Unmarshal(event.Data, &answer); err != nil {
		return 0, &CallError{Peer: peer, Kind: kindMalformed, Detail: err.Error()}
	}
	return answer.Status, decodeReply(peer, answer, out)
}

// busFailure puts into words why the bus did not do its part.
func busFailure(ctx context.Context, timeout time.Duration, err error) error {
	var said redis.Error
	if errors.As(err, &said) { // it answers, but not with what was asked of it
		return &CallError{Peer: busName, Kind: kindNetwork, Detail: said.Error()}
	}
	return (&exchange{peer: busName, timeout: timeout}).noAnswer(ctx, err)
}

// decodeReply reads the answer into out, or says why it is none.
func decodeReply(peer string, answer reply, out any) error {
	switch {
	case answer.Status == 0:
		return &CallError{Peer: peer, Kind: kindNetwork, Detail: "it broke its answer off"}
	case answer.Status >= http.StatusBadRequest:
		return &CallError{Peer: peer, Kind: kindStatus, Status: answer.Status, Detail: problemDetail(answer.Body)}
	case out == nil || answer.Status == http.StatusNoContent:
		return nil
	}
	if err := json.Unmarshal(answer.Body, out); err != nil {
		return &CallError{Peer: peer, Kind: kindMalformed, Status: answer.Status, Detail: err.Error()}
	}
	return nil
}
