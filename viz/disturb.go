package viz

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stillup/stillup/viz/tap"
	"github.com/stillup/stillup/viz/world"
)

// loseMost is the longest time that the bus can be made to forget, in seconds.
const loseMost = 3600

// busAct is the frame of everything that a person does to the bus: it is refused where the dashboard may only look, and
// audited. What do returns as said goes into the news, also where the rest failed.
func (s *server) busAct(r *http.Request, verb, on string, do func(ctx context.Context) (said string, err error)) error {
	err := func() error {
		if s.Runtime == nil {
			return look()
		}
		if !s.busAnswers() {
			return s.noBus()
		}
		ctx, cancel := context.WithTimeout(s.ending, actWithin)
		defer cancel()
		said, err := do(ctx)
		if said != "" {
			s.hub.Observe(world.ActionSeen{At: time.Now(), Verb: verb, Note: said})
		}
		return err
	}()
	s.audit(r, verb, on, err)
	return err
}

type lostAnswer struct {
	Name string `json:"name"`
	Lost int64  `json:"lost"`
}

// postLose makes the bus forget everything, or its last seconds.
func (s *server) postLose(w http.ResponseWriter, r *http.Request) error {
	a := struct {
		Streams []lostAnswer `json:"streams"`
	}{[]lostAnswer{}}
	err := s.busAct(r, "lose", "bus", func(ctx context.Context) (string, error) {
		d, err := readLose(w, r)
		if err != nil {
			return "", err
		}
		var names []string
		for _, l := range s.frame().Streams {
			names = append(names, l.Name)
		}
		lost, err := s.bus.Lose(ctx, d, names...)
		var parts []string
		for _, l := range lost {
			a.Streams = append(a.Streams, lostAnswer{l.Stream, l.N})
			if l.N > 0 {
				parts = append(parts, fmt.Sprintf("%s %d", l.Stream, l.N))
			}
		}
		if err != nil {
			err = busProblem(err)
		}
		if len(lost) == 0 {
			return "", err
		}
		what := "all that it held"
		if d > 0 {
			what = fmt.Sprintf("its last %v s", d.Seconds())
		}
		if len(parts) == 0 {
			return "the bus lost " + what + ": nothing had come", err
		}
		return "the bus lost " + what + ", entries: " + strings.Join(parts, ", "), err
	})
	if err != nil {
		return err
	}
	return answer(w, a)
}

// readLose is how long back the bus is to forget, 0 for all.
func readLose(w http.ResponseWriter, r *http.Request) (time.Duration, error) {
	var body struct {
		Seconds *float64 `json:"seconds"`
		All     *bool    `json:"all"`
	}
	wanted := fmt.Sprintf(`send {"seconds": n}, above 0 and at most %d, or {"all": true}`, loseMost)
	if err := readJSON(w, r, &body); err != nil {
		return 0, hinted(err, wanted)
	}
	switch {
	case body.All != nil && *body.All && body.Seconds == nil:
		return 0, nil
	case body.All == nil && body.Seconds != nil && *body.Seconds >= 0.001 && *body.Seconds <= loseMost:
		return time.Duration(*body.Seconds * float64(time.Second)), nil
	}
	return 0, refuse(http.StatusBadRequest, "%s", wanted)
}

// stream is the lane of that name.
func (s *server) stream(name string) (world.Lane, error) {
	lanes := s.frame().Streams
	i := slices.IndexFunc(lanes, func(l world.Lane) bool { return l.Name == name })
	if i < 0 {
		return world.Lane{}, refuse(http.StatusNotFound, "no stream is called %q; /api/v1/world lists them", name)
	}
	return lanes[i], nil
}

// postTrim trims a stream, whoever has read what goes.
func (s *server) postTrim(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	a := struct {
		Name    string `json:"name"`
		Trimmed int64  `json:"trimmed"`
	}{Name: name}
	err := s.busAct(r, "trim", name, func(ctx context.Context) (string, error) {
		if _, err := s.stream(name); err != nil {
			return "", err
		}
		var body struct {
			Keep *int64 `json:"keep"`
		}
		const wanted = `send {"keep": n}, how many of the newest entries stay, 0 or more`
		if err := readJSON(w, r, &body); err != nil {
			return "", hinted(err, wanted)
		}
		if body.Keep == nil || *body.Keep < 0 {
			return "", refuse(http.StatusBadRequest, "%s", wanted)
		}
		n, err := s.bus.Trim(ctx, name, *body.Keep)
		if err != nil {
			return "", busProblem(err)
		}
		a.Trimmed = n
		return fmt.Sprintf("%s was trimmed to its newest %d: %d went", name, *body.Keep, n), nil
	})
	if err != nil {
		return err
	}
	return answer(w, a)
}

// postDisturb adds an entry to a stream that consumers have to bear with.
func (s *server) postDisturb(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	a := struct {
		Name    string `json:"name"`
		How     string `json:"how"`
		EntryID string `json:"entry_id"`
		Said    string `json:"said"`
	}{Name: name}
	err := s.busAct(r, "disturb", name, func(ctx context.Context) (string, error) {
		lane, err := s.stream(name)
		if err != nil {
			return "", err
		}
		var body struct {
			How string `json:"how"`
		}
		wanted := fmt.Sprintf(`send {"how": "..."}, one of %s`, strings.Join(tap.Disturbances(), ", "))
		if err := readJSON(w, r, &body); err != nil {
			return "", hinted(err, wanted)
		}
		switch {
		case !slices.Contains(tap.Disturbances(), body.How):
			return "", refuse(http.StatusBadRequest, "how is %q; %s", body.How, wanted)
		case lane.Dead:
			return "", refuse(http.StatusConflict, "nobody reads %s; disturb the stream that its letters come from", name)
		case s.transient(name):
			return "", refuse(http.StatusConflict, "%s carries requests or replies, which are of use for seconds: one that came again would be done again; disturb a stream of events", name)
		}
		id, said, err := s.bus.Disturb(ctx, name, body.How)
		switch {
		case errors.Is(err, tap.ErrNothingToDisturb):
			return "", refuse(http.StatusConflict, "%s", err)
		case err != nil:
			return "", busProblem(err)
		}
		a.How, a.EntryID, a.Said = body.How, id, said
		return fmt.Sprintf("%s was given %s", name, said), nil
	})
	if err != nil {
		return err
	}
	return answer(w, a)
}

// transient says whether the stream's entries are of use for seconds only.
func (s *server) transient(name string) bool {
	return slices.ContainsFunc(s.System.Streams, func(spec world.StreamSpec) bool { return spec.Name == name && spec.Transient })
}
