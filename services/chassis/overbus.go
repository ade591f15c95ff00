package chassis

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// busPath is what the paths begin with that are answered over the bus.
const busPath = "/" + Bus + "/"

// AnswerOverBus answers the requests to this service that come over the bus, while the service runs, by the same
// handlers and in the same way as over HTTP: budget, problem documents, spans, faults. Only paths under /bus/ are
// answered so. It is called once at most, before Run; who opened bus closes it after Run.
func (s *Service) AnswerOverBus(bus *redis.Client) {
	h := s.handler()
	answerer := &streams.Answerer{Redis: bus, Requests: shop.Requests, Replies: shop.Replies,
		Group: s.Name, Name: s.Instance, Log: s.Log,
		Answer: func(ctx context.Context, e streams.Event) (streams.Event, error) { return s.answerEvent(ctx, h, e) }}
	s.Go("requests", answerer.Run)
}

// answerEvent makes the reply to a request event. An error says that it is no request that could be replied to.
func (s *Service) answerEvent(ctx context.Context, h http.Handler, e streams.Event) (streams.Event, error) {
	var asked request
	if err := json.Unmarshal(e.Data, &asked); err != nil {
		return streams.Event{}, fmt.Errorf("payload of %s: %w", e.Type, err)
	}
	traceparent := e.TraceParent
	answered := s.serveOverBus(ctx, h, asked, &traceparent)
	data, err := json.Marshal(answered)
	if err != nil {
		return streams.Event{}, fmt.Errorf("encode the reply: %w", err)
	}
	return streams.Event{
		ID:          uuid.NewString(),
		Source:      s.Name,
		Type:        s.Name + ".answered.v1",
		Time:        time.Now().UTC(),
		TraceParent: traceparent,
		Data:        data,
	}, nil
}

// serveOverBus dispatches the request in memory. The span that it goes on from stands in traceparent, and that of its
// handling afterwards.
func (s *Service) serveOverBus(ctx context.Context, h http.Handler, asked request, traceparent *string) reply {
	if !strings.HasPrefix(asked.Path, busPath) {
		return problemReply(Errorf(http.StatusNotFound, "%s answers over the bus what begins with %s, not %s", s.Name, busPath, withoutQuery(asked.Path)))
	}
	// As over HTTP, what is still at work when the caller has left is told so.
	left := time.Now().Add(requestTimeout)
	if !asked.Deadline.IsZero() {
		left = asked.Deadline
	}
	ctx, cancel := context.WithDeadline(ctx, left.Add(busMargin))
	defer cancel()
	r, err := http.NewRequestWithContext(context.WithValue(ctx, spanKey{}, traceparent), asked.Method, asked.Path, bytes.NewReader(asked.Body))
	if err != nil {
		return problemReply(Errorf(http.StatusBadRequest, "the request cannot be read: %v", err))
	}
	r.RequestURI, r.Host = asked.Path, s.Name
	r.Header.Set("Traceparent", *traceparent)
	if !asked.Deadline.IsZero() {
		r.Header.Set(budgetHeader, milliseconds(budgetLeft(asked.Deadline)))
	}
	if asked.Body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	var w memory
	if !w.serve(h, r) {
		return reply{}
	}
	return w.reply()
}

func problemReply(p *Problem) reply {
	var w memory
	_ = writeProblem(&w, p) // memory takes it
	return w.reply()
}

// budgetStep is much less than busMargin: rounding up by it leaves time for the reply.
const budgetStep = 25 * time.Millisecond

// budgetLeft is the time until the deadline in whole steps, rounded up, so that the few milliseconds that a request was
// on its way do not make the words of each failure new ones ("did not answer within 0.9 s").
func budgetLeft(deadline time.Time) time.Duration {
	return (time.Until(deadline) + budgetStep - 1).Truncate(budgetStep)
}

// spanKey finds in a request's context where its span is to be noted.
type spanKey struct{}

// noteSpan tells who dispatched r in memory by which span it is handled.
func noteSpan(r *http.Request) {
	if traceparent, ok := r.Context().Value(spanKey{}).(*string); ok {
		*traceparent = TraceParent(r.Context())
	}
}

// memory is a response that stays here.
type memory struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (m *memory) Header() http.Header {
	if m.header == nil {
		m.header = http.Header{}
	}
	return m.header
}

func (m *memory) WriteHeader(status int) {
	if m.status == 0 {
		m.status = status
	}
}

// Write keeps what a caller would read, and a byte more that tells that there was more.
func (m *memory) Write(p []byte) (int, error) {
	m.WriteHeader(http.StatusOK)
	m.body.Write(p[:min(len(p), maxAnswer+1-m.body.Len())])
	return len(p), nil
}

// serve runs the handler and reports whether it has answered, rather than broken off.
func (m *memory) serve(h http.Handler, r *http.Request) (whole bool) {
	defer func() {
		if v := recover(); v != nil && v != http.ErrAbortHandler {
			panic(v)
		}
	}()
	h.ServeHTTP(m, r)
	m.WriteHeader(http.StatusOK)
	return true
}

// reply is what was answered. A body that is no JSON becomes a string.
func (m *memory) reply() reply {
	if m.body.Len() > maxAnswer {
		return problemReply(Errorf(http.StatusInternalServerError, "its answer is longer than %d MiB", maxAnswer>>20))
	}
	body := bytes.TrimSpace(m.body.Bytes())
	switch {
	case len(body) == 0:
		body = nil
	case !json.Valid(body):
		body, _ = json.Marshal(string(body)) // strings always marshal
	}
	return reply{Status: m.status, Body: body}
}

func withoutQuery(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}
