package viz

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// problem is an RFC 9457 problem document, and the error that handlers return to have it answered.
type problem struct {
	Type     string `json:"type"` // always about:blank: the title says what the status says
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance"`
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s", p.Status, p.Detail) }

// refuse makes a problem; the detail says what to do instead.
func refuse(status int, format string, args ...any) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...)}
}

// fail is the one place that answers and logs errors: a problem as it is, a body that was too large as 413, anything
// else as 500 without its text.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var p *problem
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		p = bodyTooLarge(tooLarge.Limit)
	} else if !errors.As(err, &p) {
		p = refuse(http.StatusInternalServerError, "the dashboard made a mistake; its log says which")
		s.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	answer := *p
	answer.Instance = r.URL.Path
	s.Log.Debug("request refused", "method", r.Method, "path", r.URL.Path, "remote", r.RemoteAddr, "status", p.Status, "detail", p.Detail)
	b, err := json.Marshal(answer)
	if err != nil {
		b = []byte("{}") // unreachable: strings always marshal
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(b) // whoever asked may be gone
}

func bodyTooLarge(limit int64) *problem {
	return refuse(http.StatusRequestEntityTooLarge, "the body may have %d bytes", limit)
}
