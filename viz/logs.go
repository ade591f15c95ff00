package viz

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/stillup/stillup/viz/control"
)

const (
	linesDefault = 200
	linesMost    = 1000
	logsWithin   = 5 * time.Second // how long a runtime may take to read them
)

// logLineAnswer is one line that a node wrote.
type logLineAnswer struct {
	At      stamp  `json:"at"`      // null where it is not known
	Replica string `json:"replica"` // of a node that runs more than once; else empty
	Text    string `json:"text"`
}

// getLogs answers the newest lines that a node wrote, oldest first.
func (s *server) getLogs(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if _, ok := s.node(id); !ok {
		return refuse(http.StatusNotFound, "no node is called %q; /api/v1/world lists them", id)
	}
	n := linesDefault
	for name, values := range r.URL.Query() {
		var err error
		if name != "lines" {
			return refuse(http.StatusBadRequest, "unknown parameter %q; there is lines", name)
		}
		if n, err = strconv.Atoi(values[0]); err != nil || n < 1 || n > linesMost {
			return refuse(http.StatusBadRequest, "lines is %q; give a number from 1 to %d", values[0], linesMost)
		}
	}
	unknown := refuse(http.StatusNotFound, "nothing is known of what %s writes: it is not run from here", id)
	logged, ok := s.Runtime.(control.Logged)
	if !ok {
		return unknown
	}
	ctx, cancel := context.WithTimeout(r.Context(), logsWithin)
	defer cancel()
	lines, err := logged.Logs(ctx, id, n)
	switch {
	case errors.Is(err, control.ErrUnknownNode):
		return unknown
	case errors.Is(err, control.ErrUnreachable), errors.Is(err, context.Canceled):
		return refuse(http.StatusServiceUnavailable, "%s", err)
	case errors.Is(err, context.DeadlineExceeded):
		return refuse(http.StatusGatewayTimeout, "%s", err)
	case err != nil:
		return refuse(http.StatusBadGateway, "%s", err)
	}
	a := struct {
		Lines []logLineAnswer `json:"lines"`
	}{[]logLineAnswer{}}
	for _, l := range lines {
		a.Lines = append(a.Lines, logLineAnswer{stamp(l.At), l.Replica, l.Text})
	}
	return answer(w, a)
}
