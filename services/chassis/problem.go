package chassis

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxBody is how many bytes of a request's body are read at most.
const maxBody = 64 << 10

// Problem is an RFC 9457 problem document.
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
}

// Error is the title and, where there is one, the detail.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// Errorf makes a Problem whose title is the status text.
func Errorf(status int, format string, args ...any) *Problem {
	return &Problem{Status: status, Title: http.StatusText(status), Detail: fmt.Sprintf(format, args...)}
}

// Invalid makes a Problem 400 of what is wrong with a request, in its words; nil of nil.
func Invalid(err error) error {
	if err == nil {
		return nil
	}
	return Errorf(http.StatusBadRequest, "%s", err)
}

// ReadJSON decodes the request's body, at most 64 KiB, into v; unknown fields and trailing data are errors (*Problem
// 400), and so is a longer body (*Problem 413).
func ReadJSON(r *http.Request, v any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		var more json.RawMessage
		switch err = d.Decode(&more); {
		case err == io.EOF:
			return nil
		case err == nil:
			return Errorf(http.StatusBadRequest, "the body holds more than one JSON value")
		}
	}
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return Errorf(http.StatusRequestEntityTooLarge, "the body is longer than %d bytes", maxBody)
	case errors.Is(err, io.EOF):
		return Errorf(http.StatusBadRequest, "the body is empty; send JSON")
	default:
		return Errorf(http.StatusBadRequest, "the body cannot be read: %v", err)
	}
}

// errGone is wrapped where an answer could not be sent.
var errGone = errors.New("send the answer")

// WriteJSON answers with v as JSON. An error says that v has no JSON form, and then nothing was sent, or that the caller
// is gone.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	return write(w, status, "application/json", v)
}

func writeProblem(w http.ResponseWriter, p *Problem) error {
	return write(w, p.Status, "application/problem+json", p)
}

func write(w http.ResponseWriter, status int, contentType string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if _, err := w.Write(append(body, '\n')); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}
