package viz

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

const (
	actWithin     = 30 * time.Second      // how long one action on a node may take
	restoreWithin = 60 * time.Second      // how long all nodes together may take to come up
	seenWithin    = time.Second           // how long the world may take to show what an action did
	lookEvery     = 20 * time.Millisecond // how often it is looked at meanwhile
	bodyWithin    = 10 * time.Second      // how long a body may take to arrive
)

// look is the refusal of every action where there is no runtime.
func look() *problem {
	return refuse(http.StatusConflict, "this dashboard watches a system that somebody else runs: it can look but not touch")
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
	id, verb := r.PathValue("id"), r.PathValue("verb")
	err := s.act(id, verb)
	s.audit(r, verb, id, err)
	if err != nil {
		return err
	}
	n, _ := s.node(id)
	return answer(w, struct {
		Node  string      `json:"node"`
		Verb  string      `json:"verb"`
		State world.State `json:"state"`
	}{id, verb, n.State})
}

func (s *server) act(id, verb string) error {
	known, ok := s.node(id)
	if !ok {
		return refuse(http.StatusNotFound, "no node is called %q; /api/v1/world lists them", id)
	}
	if s.Runtime == nil {
		return look()
	}
	ctx, cancel := context.WithTimeout(s.ending, actWithin)
	defer cancel()
	if possible(known, verb) { // said before it is done, so that the news stand in that order
		s.hub.Observe(world.ActionSeen{At: time.Now(), Node: id, Verb: verb})
	}
	if err := s.Runtime.Do(ctx, id, control.Action{Verb: verb}); err != nil {
		return s.refusal(known, verb, err)
	}
	s.await(ctx, seenWithin, func(f world.Frame) bool {
		return slices.ContainsFunc(f.Nodes, func(n world.Node) bool { return n.ID == id && isAfter(verb, n.State) })
	})
	return nil
}

// possible says whether the verb would do something to the node as it is known now; the runtime has the last word.
func possible(n world.Node, verb string) bool {
	return slices.Contains(n.Verbs, verb) && (verb == control.Start) == (n.State == world.Down)
}

// isAfter says whether a node in that state shows that the verb was done to it.
func isAfter(verb string, s world.State) bool {
	switch verb {
	case control.Kill, control.Stop:
		return s == world.Down
	case control.Start:
		return s == world.Up
	}
	return true
}

// refusal says why a runtime did not do as it was told.
func (s *server) refusal(n world.Node, verb string, err error) error {
	switch {
	case errors.Is(err, control.ErrUnknownNode):
		return refuse(http.StatusNotFound, "nothing can be done to %s: it is not run from here", n.ID)
	case errors.Is(err, control.ErrUnknownVerb):
		return refuse(http.StatusNotFound, "%q is nothing that can be done to %s; there is %s", verb, n.ID, verbs(n))
	case errors.Is(err, control.ErrConflict):
		return refuse(http.StatusConflict, "%s cannot be done: %s", verb, already(n, verb))
	case errors.Is(err, context.DeadlineExceeded):
		return refuse(http.StatusGatewayTimeout, "%s", err)
	case errors.Is(err, context.Canceled):
		return refuse(http.StatusServiceUnavailable, "the dashboard ends")
	}
	return refuse(http.StatusBadGateway, "%s", err)
}

func already(n world.Node, verb string) string {
	if verb == control.Start {
		return n.ID + " is running already"
	}
	return n.ID + " is down already"
}

// postRestore starts everything that is down, all at once, and answers once all is up.
func (s *server) postRestore(w http.ResponseWriter, r *http.Request) error {
	started, err := s.restore()
	s.audit(r, "restore", "", err)
	if err != nil {
		return err
	}
	return answer(w, struct {
		Started []string `json:"started"`
	}{started})
}

func (s *server) restore() (started []string, err error) {
	if s.Runtime == nil {
		return nil, look()
	}
	ctx, cancel := context.WithTimeout(s.ending, restoreWithin)
	defer cancel()
	s.hub.Observe(world.ActionSeen{At: time.Now(), Verb: "restore"})
	var (
		mu     sync.Mutex
		failed []string
		wg     sync.WaitGroup
	)
	started = []string{}
	for _, n := range s.frame().Nodes {
		if !ownedDown(n) {
			continue
		}
		wg.Go(func() {
			err := s.Runtime.Do(ctx, n.ID, control.Action{Verb: control.Start})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				started = append(started, n.ID)
			case errors.Is(err, control.ErrConflict): // somebody else was quicker
			default:
				failed = append(failed, err.Error())
			}
		})
	}
	wg.Wait()
	slices.Sort(started)
	if len(failed) > 0 {
		slices.Sort(failed)
		return nil, refuse(http.StatusBadGateway, "not everything is back: %s", strings.Join(failed, "; "))
	}
	var missing []string
	s.await(ctx, restoreWithin, func(f world.Frame) bool {
		missing = nil
		for _, n := range f.Nodes {
			if owned(n) && n.State != world.Up {
				missing = append(missing, fmt.Sprintf("%s is %s", n.ID, n.State))
			}
		}
		return len(missing) == 0
	})
	if len(missing) > 0 {
		return nil, refuse(http.StatusGatewayTimeout, "not everything is back: %s", strings.Join(missing, "; "))
	}
	return started, nil
}

// owned says whether the runtime owns the node: it said what can be done to it.
func owned(n world.Node) bool { return slices.Contains(n.Verbs, control.Start) }

func ownedDown(n world.Node) bool { return owned(n) && n.State == world.Down }

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
	if err != nil {
		return refuse(http.StatusBadRequest, "the body is not what is wanted here: %s", err)
	}
	return nil
}
