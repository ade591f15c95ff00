package viz

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

const (
	answerWithin   = 3 * time.Second        // how long a node may take to do what an action asks of it
	progressWithin = 500 * time.Millisecond // how long one may take to tell how far a job is
	joinedWithin   = 5 * time.Second        // how long the world may take to show what has joined
)

// actionAnswer is an action of the system file, and whether it can be done now.
type actionAnswer struct {
	world.ActionSpec
	Can bool   `json:"can"`
	Why string `json:"why"` // it cannot, or of a job that its progress is not known; else empty
	// Progress is that of a job; null of what is none, and where it is not known.
	Progress *progress `json:"progress"`
}

// actedAnswer is what came of an action.
type actedAnswer struct {
	Action string          `json:"action"`
	Status int             `json:"status"` // of the node's answer
	Answer json.RawMessage `json:"answer"` // the node's; null where it is no JSON, or empty
	TookMS float64         `json:"took_ms"`
}

func (s *server) getActions(w http.ResponseWriter, r *http.Request) error {
	a := struct {
		Actions []actionAnswer `json:"actions"`
	}{make([]actionAnswer, len(s.System.Actions))}
	var wg sync.WaitGroup
	for i, spec := range s.System.Actions { // as many as the system file may have
		wg.Go(func() { a.Actions[i] = s.actionNow(r.Context(), spec) })
	}
	wg.Wait()
	return answer(w, a)
}

func (s *server) getAction(w http.ResponseWriter, r *http.Request) error {
	spec, err := s.action(r.PathValue("id"))
	if err != nil {
		return err
	}
	return answer(w, s.actionNow(r.Context(), spec))
}

// action is the action of that id.
func (s *server) action(id string) (world.ActionSpec, error) {
	i := slices.IndexFunc(s.System.Actions, func(a world.ActionSpec) bool { return a.ID == id })
	if i < 0 {
		return world.ActionSpec{}, refuse(http.StatusNotFound, "no action is called %q; /api/v1/actions lists them", id)
	}
	return s.System.Actions[i], nil
}

// actionNow is an action as it stands; of a job its node is asked.
func (s *server) actionNow(ctx context.Context, spec world.ActionSpec) actionAnswer {
	a := actionAnswer{ActionSpec: spec, Can: true}
	if err := s.possibleAction(spec); err != nil {
		a.Can, a.Why = false, err.Detail
	}
	if n, ok := s.node(spec.Node); !spec.Job || !ok || n.State != world.Up || s.Demo != nil {
		return a
	}
	p, err := s.progressOf(ctx, spec)
	switch {
	case err != nil:
		if a.Can {
			a.Why = err.Error()
		}
	case p.State == jobRunning:
		a.Progress = p
		if a.Can {
			a.Can, a.Why = false, "it is running"
		}
	default:
		a.Progress = p
	}
	return a
}

// possibleAction says what keeps an action from being done, nil for nothing. A job that runs already is not looked for.
func (s *server) possibleAction(spec world.ActionSpec) *problem {
	if s.Demo != nil {
		return refuse(http.StatusConflict, "this is a demo: nothing of it exists, so there is nobody to ask")
	}
	if p := s.untouchable(s.frame()); p != nil {
		return p
	}
	if len(spec.Joins) > 0 {
		return s.possibleJoin(spec)
	}
	n, ok := s.node(spec.Node)
	switch {
	case !ok:
		return refuse(http.StatusConflict, "%s has not joined yet", spec.Node)
	case n.State == world.Down:
		return refuse(http.StatusConflict, "%s is down; start it first", spec.Node)
	case n.State == world.Paused:
		return refuse(http.StatusConflict, "%s is paused; resume it first", spec.Node)
	case n.State == world.Starting:
		return refuse(http.StatusConflict, "%s is starting; wait until it is up", spec.Node)
	case s.url(spec.Node) == "":
		return refuse(http.StatusConflict, "no address of %s is known", spec.Node)
	}
	return nil
}

// possibleJoin says what keeps nodes from joining, nil for nothing.
func (s *server) possibleJoin(spec world.ActionSpec) *problem {
	var missing []string // nodes that no runtime knows
	here := 0
	for _, id := range spec.Joins {
		if n, shown := s.node(id); shown && n.State != world.Unknown {
			here++
			continue
		}
		told := false
		s.hub.View(func(w *world.World) { told = w.Told(id) })
		if !told {
			missing = append(missing, id)
		}
	}
	switch {
	case here == len(spec.Joins):
		return refuse(http.StatusConflict, "%s joined already", strings.Join(spec.Joins, " and "))
	case len(missing) == 0:
		return nil
	}
	why := strings.Join(missing, " and ")
	if len(missing) == 1 {
		why += " is not there."
	} else {
		why += " are not there."
	}
	if how, ok := s.Runtime.(control.CannotMake); ok {
		why += " " + how.HowToMake()
	}
	return refuse(http.StatusConflict, "%s", why)
}

// postAction does an action and answers once it is done, or once a job has begun.
func (s *server) postAction(w http.ResponseWriter, r *http.Request) error {
	begun := time.Now()
	a, err := s.doAction(w, r)
	s.audit(r, world.ActVerb, r.PathValue("id"), err)
	if err != nil {
		return err
	}
	a.TookMS = float64(time.Since(begun).Microseconds()) / 1000
	return answer(w, a)
}

func (s *server) doAction(w http.ResponseWriter, r *http.Request) (*actedAnswer, error) {
	spec, err := s.action(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	in, err := readSubject(w, r)
	if err != nil {
		return nil, err
	}
	return s.perform(spec, in)
}

// ready is an action's request, where the action can be done now.
func (s *server) ready(spec world.ActionSpec, in subject) (filled, error) {
	if p := s.possibleAction(spec); p != nil {
		return filled{}, p
	}
	return fill(spec, in)
}

// perform does an action to what is asked for, and returns once it is done, or once a job has begun.
func (s *server) perform(spec world.ActionSpec, in subject) (*actedAnswer, error) {
	f, err := s.ready(spec, in)
	if err != nil {
		return nil, err
	}
	done := &actedAnswer{Action: spec.ID, Status: http.StatusOK, Answer: json.RawMessage("null")}
	seen := world.ActionSeen{At: time.Now(), Verb: world.ActVerb, Node: spec.Node, Note: strings.TrimSpace(spec.Name + " " + in.ID)}
	if len(spec.Joins) > 0 {
		seen.Node = "" // there is none yet
		s.hub.Observe(seen)
		return done, s.join(spec.Joins)
	}
	s.hub.Observe(seen)
	ctx, cancel := context.WithTimeout(s.ending, answerWithin)
	defer cancel()
	done.Status, done.Answer, err = s.request(ctx, spec.Node, f)
	return done, err
}

// join starts nodes, each once those before it answer, and waits until all are shown to be up. What is up already stays so.
func (s *server) join(nodes []string) error {
	ctx, cancel := context.WithTimeout(s.ending, actWithin)
	defer cancel()
	for _, id := range nodes {
		a := control.Action{Verb: control.Start}
		if err := s.Runtime.Do(ctx, id, a); err != nil && !errors.Is(err, control.ErrConflict) {
			return s.refusal(id, a, err)
		}
	}
	var missing []string
	s.await(ctx, joinedWithin, func(f world.Frame) bool {
		missing = slices.DeleteFunc(slices.Clone(nodes), func(id string) bool {
			return slices.ContainsFunc(f.Nodes, func(n world.Node) bool { return n.ID == id && n.State == world.Up })
		})
		return len(missing) == 0
	})
	if len(missing) > 0 {
		return refuse(http.StatusGatewayTimeout, "%s was started and is not up after %g s", strings.Join(missing, " and "), joinedWithin.Seconds())
	}
	return nil
}

// progress is how far a job is, as its node tells.
type progress struct {
	State     string    `json:"state"` // idle | running | done | failed
	Said      string    `json:"said"`
	Done      int64     `json:"done"`
	Total     int64     `json:"total"` // 0: not known yet
	PerSecond float64   `json:"per_second"`
	LeftMS    int64     `json:"left_ms"` // -1: not known
	Before    string    `json:"before"`
	After     string    `json:"after"` // digests of the data; both, or none
	Began     time.Time `json:"began,omitzero"`
	Ended     time.Time `json:"ended,omitzero"`
}

const jobRunning = "running"

// progressOf asks a node how far a job is.
func (s *server) progressOf(ctx context.Context, spec world.ActionSpec) (*progress, error) {
	ctx, cancel := context.WithTimeout(ctx, progressWithin)
	defer cancel()
	_, b, err := s.request(ctx, spec.Node, filled{method: http.MethodGet, path: spec.Path})
	if err != nil {
		if p := (*problem)(nil); errors.As(err, &p) {
			return nil, errors.New(p.Detail)
		}
		return nil, err
	}
	p := &progress{}
	if err := json.Unmarshal(b, p); err != nil || p.State == "" {
		return nil, fmt.Errorf("%s does not tell how far it is", spec.Node)
	}
	return p, nil
}
