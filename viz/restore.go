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
	all := &restored{[]string{}, []string{}, []string{}}
	// do reports whether it failed; done is the list for those to which it was done.
	do := func(n world.Node, verb string, done *[]string) (ok bool) {
		err := s.Runtime.Do(ctx, n.ID, control.Action{Verb: verb})
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			*done = append(*done, n.ID)
		case errors.Is(err, control.ErrConflict): // somebody else was quicker; what the world shows decides
		default:
			failed = append(failed, err.Error())
			return false
		}
		return true
	}
	for _, n := range s.frame().Nodes {
		if !owned(n) {
			continue
		}
		wg.Go(func() {
			if n.State == world.Down {
				do(n, control.Start, &all.Started) // what is started is healthy
				return
			}
			if n.State == world.Paused && !do(n, control.Resume, &all.Resumed) {
				return
			}
			if len(n.Faults) > 0 {
				do(n, control.Heal, &all.Healed)
			}
		})
	}
	wg.Wait()
	for _, ids := range [][]string{all.Started, all.Resumed, all.Healed, failed} {
		slices.Sort(ids)
	}
	if len(failed) > 0 {
		return nil, refuse(http.StatusBadGateway, "not everything is back: %s", strings.Join(failed, "; "))
	}
	var missing []string
	s.await(ctx, restoreWithin, func(f world.Frame) bool {
		missing = nil
		for _, n := range f.Nodes {
			switch {
			case !owned(n):
			case n.State != world.Up:
				missing = append(missing, fmt.Sprintf("%s is %s", n.ID, n.State))
			case len(n.Faults) > 0:
				missing = append(missing, n.ID+" is not healed")
			}
		}
		return len(missing) == 0
	})
	if len(missing) > 0 {
		return nil, refuse(http.StatusGatewayTimeout, "not everything is back: %s", strings.Join(missing, "; "))
	}
	return all, nil
}

// owned says whether the runtime owns the node: it said what can be done to it.
func owned(n world.Node) bool { return slices.Contains(n.Verbs, control.Start) }
