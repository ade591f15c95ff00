package viz

import (
	"context"
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

// restoreWithin is how long all nodes together may take to come up.
const restoreWithin = 60 * time.Second

// restored is what was done to bring everything back: ids of nodes, in order.
type restored struct {
	Started []string `json:"started"`
	Resumed []string `json:"resumed"`
	Healed  []string `json:"healed"`
}

// postRestore starts, resumes and heals everything, all at once, and answers once all is up and healthy.
func (s *server) postRestore(w http.ResponseWriter, r *http.Request) error {
	done, err := s.restore()
	s.audit(r, "restore", "", err)
	if err != nil {
		return err
	}
	return answer(w, done)
}

func (s *server) restore() (*restored, error) {
	if p := s.untouchable(s.frame()); p != nil {
		return nil, p
	}
	ctx, cancel := context.WithTimeout(s.ending, restoreWithin)
	defer cancel()
	s.hub.Observe(world.ActionSeen{At: time.Now(), Verb: "restore"})
	var (
		mu     sync.Mutex
		failed []string
		status = http.StatusBadGateway
		wg     sync.WaitGroup
	)
	all := &restored{[]string{}, []string{}, []string{}}
	// do reports whether it failed; done is the list for those to which it was done.
	do := func(p part, verb string, done *[]string) (ok bool) {
		err := s.Runtime.Do(ctx, p.node, control.Action{Verb: verb, Replica: p.replica})
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			*done = append(*done, p.node)
		case errors.Is(err, control.ErrConflict): // somebody else was quicker; what the world shows decides
		default:
			failed = append(failed, err.Error())
			if errors.Is(err, control.ErrUnreachable) {
				status = http.StatusServiceUnavailable
			}
			return false
		}
		return true
	}
	for _, p := range ownedParts(s.frame()) {
		wg.Go(func() {
			if p.State == world.Down {
				do(p, control.Start, &all.Started) // what is started is healthy
				return
			}
			if p.State == world.Paused && !do(p, control.Resume, &all.Resumed) {
				return
			}
			if len(p.Faults) > 0 {
				do(p, control.Heal, &all.Healed)
			}
		})
	}
	wg.Wait()
	for _, ids := range []*[]string{&all.Started, &all.Resumed, &all.Healed} {
		slices.Sort(*ids)
		*ids = slices.Compact(*ids) // several replicas of one node
	}
	slices.Sort(failed)
	if len(failed) > 0 {
		return nil, refuse(status, "not everything is back: %s", strings.Join(failed, "; "))
	}
	var missing []string
	s.await(ctx, restoreWithin, func(f world.Frame) bool {
		missing = nil
		for _, p := range ownedParts(f) {
			switch {
			case p.State != world.Up:
				missing = append(missing, fmt.Sprintf("%s is %s", p.ID, p.State))
			case len(p.Faults) > 0:
				missing = append(missing, p.ID+" is not healed")
			}
		}
		return len(missing) == 0
	})
	if len(missing) > 0 {
		return nil, refuse(http.StatusGatewayTimeout, "not everything is back: %s", strings.Join(missing, "; "))
	}
	return all, nil
}

// part is a node that runs once, or one replica of a node that runs more than once.
type part struct {
	world.Node
	node, replica string
}

// ownedParts are all that the runtime owns.
func ownedParts(f world.Frame) []part {
	var all []part
	for _, n := range f.Nodes {
		switch {
		case !owned(n):
		case len(n.Replicas) == 0:
			all = append(all, part{n, n.ID, ""})
		default:
			for i, r := range replicasOf(n) {
				all = append(all, part{r, n.ID, n.Replicas[i].ID})
			}
		}
	}
	return all
}

// owned says whether the runtime owns the node: it said what can be done to it.
func owned(n world.Node) bool { return slices.Contains(n.Verbs, control.Start) }
