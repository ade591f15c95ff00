package chassis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

const (
	healthPath = "/healthz"
	readyPath  = "/readyz"

	// requestTimeout is the budget of a request that came without one; none has more.
	requestTimeout = 2 * time.Second
	// diagnoseTimeout bounds the look at the own store after a request failed.
	diagnoseTimeout = 250 * time.Millisecond

	storeDown = "its store does not answer"
)

// Handle serves pattern ("GET /sync/users/{id}"). An error becomes a problem document: a *Problem as it is, a *CallError
// as 502 or 504, anything else as 500, or 503 where Ready's check fails or the handler ran out of time. It is logged
// once, here. The request's context ends with the caller's budget, or after 2 s. The faults in force come before h.
func (s *Service) Handle(pattern string, h func(w http.ResponseWriter, r *http.Request) error) {
	s.handle(pattern, func(w http.ResponseWriter, r *http.Request) error {
		if err := s.misbehave(r.Context()); err != nil {
			return err
		}
		return h(w, r)
	})
}

// HandleAdmin is Handle for a route that is there for whoever runs the service and is no part of what it serves: no fault
// touches it, it is not traced, and its failures are logged as details only, for it is asked again and again. No route
// of Handle may have the same path.
func (s *Service) HandleAdmin(pattern string, h func(w http.ResponseWriter, r *http.Request) error) {
	s.admin[pathOf(pattern)] = true
	s.handle(pattern, h)
}

// pathOf is the path of a route's pattern.
func pathOf(pattern string) string { return pattern[strings.IndexByte(pattern, '/'):] }

func (s *Service) handle(pattern string, h func(w http.ResponseWriter, r *http.Request) error) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), budgetOf(r))
		defer cancel()
		a := &answer{ResponseWriter: w}
		inner := r.WithContext(ctx)
		if err := guard(h, a, inner); err != nil {
			s.fail(a, r, pattern, err)
		}
	})
}

// guard runs h and makes an error of a panic, so that it is answered and logged like any other.
func guard(h func(http.ResponseWriter, *http.Request) error, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if v := recover(); v == http.ErrAbortHandler {
			panic(v)
		} else if v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return h(w, r)
}

// fail answers r with err, where no answer has begun, and logs it.
func (s *Service) fail(a *answer, r *http.Request, pattern string, err error) {
	switch {
	case r.Context().Err() != nil, errors.Is(err, errGone):
		s.Log.Debug("caller is gone", "route", pattern, "err", err)
		if !a.begun { // nobody reads it, but the span of this request shall not say 200
			a.WriteHeader(http.StatusServiceUnavailable)
		}
		return
	case a.begun: // no problem document can follow: the caller has to see that the answer is cut off
		s.Log.Error("answer broken off", "route", pattern, "err", err)
		panic(http.ErrAbortHandler)
	}
	p := s.problem(r.Context(), err)
	s.logFailure(r.Context(), pattern, p, err)
	if err := writeProblem(a, p); err != nil {
		s.Log.Debug("problem not delivered", "route", pattern, "err", err)
	}
}

// problem says what err means to the caller. The words of an error that is neither a Problem nor a CallError stay inside.
func (s *Service) problem(ctx context.Context, err error) *Problem {
	var p *Problem
	var call *CallError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &call) && call.Kind == kindTimeout:
		return Errorf(http.StatusGatewayTimeout, "%s", call.Error())
	case call != nil:
		return Errorf(http.StatusBadGateway, "%s", call.Error())
	case isTimeout(err): // peers are told apart above, so it waited for its own store
		return Errorf(http.StatusServiceUnavailable, storeDown)
	case s.healthy(ctx, diagnoseTimeout) != nil:
		return Errorf(http.StatusServiceUnavailable, storeDown)
	}
	return Errorf(http.StatusInternalServerError, "%s failed; its log says why", s.Name)
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
}

// logFailure logs what the caller is told and why. The same failure again is logged once in a while, with its count.
func (s *Service) logFailure(ctx context.Context, pattern string, p *Problem, err error) {
	level := slog.LevelDebug
	switch {
	case s.admin[pathOf(pattern)]:
	case p.Status == http.StatusInternalServerError:
		level = slog.LevelError
	case p.Status > http.StatusInternalServerError:
		level = slog.LevelWarn
	}
	args := []any{"route", pattern, "status", p.Status, "err", err}
	if level > slog.LevelDebug {
		n, due := s.repeats.due(pattern+" "+strconv.Itoa(p.Status)+" "+p.Detail, time.Now())
		if !due {
			return
		}
		if n > 0 {
			args = append(args, "unlogged_before", n)
		}
	}
	s.Log.Log(ctx, level, "request failed", args...)
}

func (s *Service) serveHealth(w http.ResponseWriter, r *http.Request) error {
	return WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (s *Service) serveReady(w http.ResponseWriter, r *http.Request) error {
	if err := s.Healthy(r.Context()); err != nil {
		return Errorf(http.StatusServiceUnavailable, "%s: %v", storeDown, err)
	}
	return s.serveHealth(w, r)
}

// route serves r; unknown paths and methods are problem documents too.
func (s *Service) route(w http.ResponseWriter, r *http.Request) {
	noteSpan(r)
	h, pattern := s.mux.Handler(r)
	if pattern != "" {
		s.mux.ServeHTTP(w, r)
		return
	}
	d := &discard{header: http.Header{}}
	h.ServeHTTP(d, r) // learns which of 404 and 405 it is, and what is allowed
	if allow := d.header.Values("Allow"); len(allow) > 0 {
		w.Header()["Allow"] = allow
	}
	detail := fmt.Sprintf("%s has no %s", s.Name, r.URL.Path)
	if d.status == http.StatusMethodNotAllowed {
		detail = fmt.Sprintf("%s does not take %s at %s", s.Name, r.Method, r.URL.Path)
	}
	_ = writeProblem(w, Errorf(d.status, "%s", detail)) // a caller that left needs no answer
}

// answer remembers whether an answer has begun, after which no problem document can be sent.
type answer struct {
	http.ResponseWriter
	begun bool
}

func (a *answer) WriteHeader(status int) {
	a.begun = true
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// discard takes an answer and keeps its status and header only.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }
