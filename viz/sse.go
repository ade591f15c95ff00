package viz

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

const (
	aliveEvery  = 15 * time.Second // how often a quiet stream says that it is still there
	writeWithin = 5 * time.Second  // how long a reader may take to take something in
)

// sendEvents answers with server-sent events: hello as a comment, then what next gives, each as one event, until next fails,
// the reader leaves or the dashboard ends. While next waits for longer than aliveEvery its ctx ends, a comment says that
// the connection lives, and it is called again; so it has to return ctx's error then, and its data are one line. A reader
// that is slow holds up nobody else, and misses whatever next leaves out meanwhile.
func (s *server) sendEvents(w http.ResponseWriter, r *http.Request, hello string, next func(ctx context.Context) (data []byte, err error)) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.ending, cancel)()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // for what stands between
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	out := http.NewResponseController(w)
	write := func(before string, data []byte) error {
		_ = out.SetWriteDeadline(time.Now().Add(writeWithin)) // a test's writer has none
		if _, err := fmt.Fprintf(w, "%s%s\n\n", before, data); err != nil {
			return err
		}
		return out.Flush()
	}
	err := write(": "+hello, nil)
	for err == nil {
		waiting, done := context.WithTimeout(ctx, aliveEvery)
		data, failed := next(waiting)
		late := waiting.Err() != nil
		done()
		switch {
		case failed == nil:
			err = write("data: ", data)
		case late && ctx.Err() == nil:
			err = write(": nothing changed", nil)
		default:
			return
		}
	}
}
