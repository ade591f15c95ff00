package viz

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

const (
	actWithin  = 30 * time.Second      // how long one action on a node may take
	seenWithin = time.Second           // how long the world may take to show what an action did
	lookEvery  = 20 * time.Millisecond // how often it is looked at meanwhile
	bodyWithin = 10 * time.Second      // how long a body may take to arrive
)

// replicaName is what the id of a replica looks like.
var replicaName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// look is the refusal of every action where there is no runtime.
func look() *problem {
	return refuse(http.StatusConflict, "this dashboard watches a system that somebody else runs: it can look but not touch")
}

// untouchable says what keeps every node from being acted on, nil for nothing.
func (s *server) untouchable(f world.Frame) *problem {
	if s.Runtime == nil {
		return look()
	}
	if c := f.Control; c != nil && !c.Can {
		return refuse(http.StatusServiceUnavailable, "%s", c.Why)
	}
	return nil
}

// audit writes the one line that every action leaves.
func (s *server) audit(r *http.Request, verb, node string, err error) {
	outcome := "done"
	if err != nil {
		outcome = err.Error()
	}
	s.Log.Info("action", "verb", verb, "node", node, "remote", r.RemoteAddr, "outcome", outcome)
	s.metrics.acted(verb, err == nil)
}

// postVerb acts on a node and answers once it is done.
func (s *server) postVerb(w http.ResponseWriter, r *http.Request) error {
	id, verb, replica := r.PathValue("id"), r.PathValue("verb"), r.URL.Query().Get("replica")
	err := s.act(w, r, id, verb, replica)
	s.audit(r, verb, strings.TrimSpace(id+" "+replica), err)
	if err != nil {
		return err
	}
	n, _ := s.node(id)
	n = replicaOf(n, replica)
	return answer(w, struct {
		Node    string        `json:"node"`
		Replica string        `json:"replica,omitempty"`
		Verb    string        `json:"verb"`
		State   world.State   `json:"state"`
		Faults  []world.Fault `json:"faults"`
	}{id, replica, verb, n.State, n.Faults})
}

func (s *server) act(w http.ResponseWriter, r *http.Request, id, verb, replica string) error {
	known, ok := s.node(id)
	if !ok {
		return refuse(http.StatusNotFound, "no node is called %q; /api/v1/world lists them", id)
	}
	if r.URL.Query().Has("replica") && !replicaName.MatchString(replica) {
		return refuse(http.StatusBadRequest, "replica is %q; give the id of one, as in the node's replicas", replica)
	}
	if s.Runtime == nil {
		return look()
	}
	a := control.Action{Verb: verb}
	if slices.Contains(known.Verbs, verb) { // else the runtime says better what is wrong
		var err error
		if a, err = readAction(w, r, verb); err != nil {
			return err
		}
	}
	a.Replica = replica
	return s.actOn(known, a)
}

// actOn does an action to a node that is known to be so, and returns once the world shows it.
func (s *server) actOn(known world.Node, a control.Action) error {
	id := known.ID
	ctx, cancel := context.WithTimeout(s.ending, actWithin)
	defer cancel()
	if possible(replicaOf(known, a.Replica), a.Verb) { // said before it is done, so that the news stand in that order
		s.hub.Observe(world.ActionSeen{At: time.Now(), Node: id, Verb: a.Verb, Note: amount(a), Replica: a.Replica})
	}
	if err := s.Runtime.Do(ctx, id, a); err != nil {
		return s.refusal(id, a, err)
	}
	s.await(ctx, seenWithin, func(f world.Frame) bool {
		return slices.ContainsFunc(f.Nodes, func(n world.Node) bool { return n.ID == id && shows(replicaOf(n, a.Replica), a) })
	})
	return nil
}

// refusal says why a runtime did not do as it was told.
func (s *server) refusal(id string, a control.Action, err error) error {
	n, _ := s.node(id)
	switch {
	case errors.Is(err, control.ErrUnknownNode):
		return refuse(http.StatusNotFound, "nothing can be done to %s: it is not run from here", id)
	case errors.Is(err, control.ErrUnknownVerb):
		return refuse(http.StatusNotFound, "%q is nothing that can be done to %s; there is %s", a.Verb, id, verbs(n))
	case errors.Is(err, control.ErrBadAction):
		return refuse(http.StatusBadRequest, "%s", err)
	case errors.Is(err, control.ErrConflict):
		return refuse(http.StatusConflict, "%s cannot be done: %s", a.Verb, already(replicaOf(n, a.Replica), a.Verb))
	case errors.Is(err, control.ErrUnreachable):
		return refuse(http.StatusServiceUnavailable, "%s", err)
	case errors.Is(err, context.DeadlineExceeded):
		return refuse(http.StatusGatewayTimeout, "%s", err)
	case errors.Is(err, context.Canceled):
		return refuse(http.StatusServiceUnavailable, "the dashboard ends")
	}
	return refuse(http.StatusBadGateway, "%s", err)
}

// await waits until the world shows what is wanted, for so long at most: news from the runtime comes a moment after the
// action that it tells of.
func (s *server) await(ctx context.Context, within time.Duration, shows func(world.Frame) bool) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for !shows(s.frame()) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// readJSON decodes the whole body into v; unknown fields and anything after the value are problems.
func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	// Not every writer has deadlines (a test's has none); the size is bounded in any case.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyWithin))
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something stands after the JSON value")
		}
	}
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return err
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("it is empty")
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "the body is not what is wanted here: %s", err)
	}
	return nil
}
