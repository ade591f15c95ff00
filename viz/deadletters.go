package viz

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stillup/stillup/viz/tap"
	"github.com/stillup/stillup/viz/world"
)

// The default and the most dead letters of one answer.
const (
	lettersDefault = 100
	lettersMost    = 1000
)

type letterAnswer struct {
	Stream   string          `json:"stream"`
	Of       string          `json:"of"`
	EntryID  string          `json:"entry_id"`
	ID       string          `json:"id"` // of the event; empty where it is none
	Type     string          `json:"type"`
	Subject  string          `json:"subject"`
	Group    string          `json:"group"` // that gave up; empty where it is not said
	Reason   string          `json:"reason"`
	Attempts int             `json:"attempts"`
	At       stamp           `json:"at"`
	Raw      json.RawMessage `json:"raw"`
}

// getDeadLetters answers the newest dead letters, of all streams or of one, newest first, and how many there are.
func (s *server) getDeadLetters(w http.ResponseWriter, r *http.Request) error {
	stream, limit := "", lettersDefault
	for name, values := range r.URL.Query() {
		switch v := values[0]; name {
		case "stream":
			stream = v
		case "limit":
			n, err := strconv.Atoi(v)
			if err != nil || n < 1 || n > lettersMost {
				return refuse(http.StatusBadRequest, "limit is %q; give a number from 1 to %d", v, lettersMost)
			}
			limit = n
		default:
			return refuse(http.StatusBadRequest, "unknown parameter %q; there are stream and limit", name)
		}
	}
	dead := s.deadStreams()
	if stream != "" {
		one, err := s.deadOf(stream)
		if err != nil {
			return err
		}
		dead = []string{one}
	}
	ctx, cancel := context.WithTimeout(r.Context(), askWithin)
	defer cancel()
	if !s.busAnswers() {
		return s.noBus()
	}
	letters, total, err := s.bus.DeadLetters(ctx, int64(limit), dead...)
	if err != nil {
		return busProblem(err)
	}
	slices.SortStableFunc(letters, func(a, b tap.DeadLetter) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Stream, b.Stream)) })
	a := struct {
		Total int64          `json:"total"`
		Dead  []letterAnswer `json:"dead"`
	}{total, []letterAnswer{}}
	for _, l := range letters[:min(len(letters), limit)] {
		a.Dead = append(a.Dead, letterAnswer{l.Stream, l.Of, l.EntryID, l.ID, l.Type, l.Subject, l.Group, l.Reason, l.Attempts,
			stamp(l.At), l.Raw})
	}
	return answer(w, a)
}

// deadStreams are the streams of dead letters of all that are known.
func (s *server) deadStreams() []string {
	var all []string
	for _, l := range s.frame().Streams {
		if dead := strings.TrimSuffix(l.Name, tap.DeadSuffix) + tap.DeadSuffix; !slices.Contains(all, dead) {
			all = append(all, dead)
		}
	}
	return all
}

// deadOf is the stream of dead letters meant by its own name or by that of the stream that they come from.
func (s *server) deadOf(name string) (string, error) {
	dead := strings.TrimSuffix(name, tap.DeadSuffix) + tap.DeadSuffix
	if !slices.Contains(s.deadStreams(), dead) {
		return "", refuse(http.StatusNotFound, "no stream is called %q; /api/v1/world lists them", name)
	}
	return dead, nil
}

// postResend sends one dead letter, or all of a stream, again.
func (s *server) postResend(w http.ResponseWriter, r *http.Request) error {
	stream, entry := r.PathValue("stream"), r.PathValue("entry_id")
	n, err := s.resend(w, r, stream, entry)
	s.audit(r, "resend", stream, err)
	if err != nil {
		return err
	}
	return answer(w, struct {
		Sent int `json:"sent"`
	}{n})
}

var entryID = regexp.MustCompile(`^\d{1,20}-\d{1,20}$`)

func (s *server) resend(w http.ResponseWriter, r *http.Request, stream, entry string) (int, error) {
	if s.Runtime == nil {
		return 0, look()
	}
	dead, err := s.deadOf(stream)
	if err != nil {
		return 0, err
	}
	if err := readNothing(w, r, "resend"); err != nil {
		return 0, err
	}
	var ids []string
	if entry != "" {
		if !entryID.MatchString(entry) {
			return 0, refuse(http.StatusBadRequest, "%q is no entry id; /api/v1/deadletters lists them as entry_id", entry)
		}
		ids = []string{entry}
	}
	if !s.busAnswers() {
		return 0, s.noBus()
	}
	ctx, cancel := context.WithTimeout(s.ending, actWithin)
	defer cancel()
	n, err := s.bus.Resend(ctx, dead, ids...)
	if n > 0 { // also where the rest could not be
		s.hub.Observe(world.ActionSeen{At: time.Now(), Verb: "resend", Note: sentAgain(strings.TrimSuffix(dead, tap.DeadSuffix), n)})
	}
	switch {
	case errors.Is(err, tap.ErrNoEvent) && n > 0: // what is no event stays, and is listed on
	case errors.Is(err, tap.ErrNoEvent):
		return n, refuse(http.StatusUnprocessableEntity, "%s", err)
	case err != nil:
		return n, busProblem(err)
	case n == 0 && entry != "":
		return n, refuse(http.StatusNotFound, "%s has no entry %s (any more); it may have been sent already", dead, entry)
	}
	return n, nil
}

func sentAgain(stream string, n int) string {
	if n == 1 {
		return stream + ": 1 dead letter was sent again"
	}
	return fmt.Sprintf("%s: %d dead letters were sent again", stream, n)
}

// noBus is the refusal of what the bus has to be asked for, while it does not answer.
func (s *server) noBus() error {
	if f := s.frame(); f.Bus != nil && f.Bus.Reason != "" {
		return refuse(http.StatusServiceUnavailable, "the bus cannot be reached: %s; start it, then ask again", f.Bus.Reason)
	}
	return refuse(http.StatusServiceUnavailable, "the bus cannot be reached; start it, then ask again")
}

// busProblem says why the bus did not do as it was asked.
func busProblem(err error) error {
	if errors.Is(err, tap.ErrBusDown) {
		return refuse(http.StatusServiceUnavailable, "%s; start it, then ask again", err)
	}
	return refuse(http.StatusBadGateway, "the bus refused: %s", err)
}
