package viz

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/stillup/stillup/viz/workloads"
	"github.com/stillup/stillup/viz/world"
)

// workloadsAnswer is what the same work costs on the engines of this run.
type workloadsAnswer struct {
	Workloads []workloads.Workload `json:"workloads"`
	Choices   []world.Choice       `json:"choices"`
	Can       bool                 `json:"can"`
	Why       string               `json:"why"` // it cannot be run; else empty
	workloads.State
}

func (s *server) getWorkloads(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, s.workloadsNow())
}

func (s *server) workloadsNow() workloadsAnswer {
	a := workloadsAnswer{Workloads: workloads.All(), Choices: s.System.Chosen(), Can: true, State: s.workloads.State()}
	if err := s.possibleWorkloads(); err != nil {
		a.Can, a.Why = false, err.Detail
	}
	return a
}

// possibleWorkloads says what keeps the workloads from being run, nil for nothing.
func (s *server) possibleWorkloads() *problem {
	switch {
	case s.Demo != nil:
		return refuse(http.StatusConflict, "this is a demo: it has no stores that could be measured")
	case s.Runtime == nil:
		return look()
	case len(s.System.Workloads) == 0:
		return refuse(http.StatusConflict, "the system file names no stores for it")
	}
	return nil
}

// postWorkloads begins a run.
func (s *server) postWorkloads(w http.ResponseWriter, r *http.Request) error {
	err := s.startWorkloads()
	s.audit(r, "workloads", "", err)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	return answer(w, s.workloadsNow())
}

func (s *server) startWorkloads() error {
	if err := s.possibleWorkloads(); err != nil {
		return err
	}
	if err := s.workloads.Start(); errors.Is(err, workloads.ErrRunning) {
		return refuse(http.StatusConflict, "%s; wait for their end", err)
	} else if err != nil {
		return err
	}
	s.hub.Observe(world.ActionSeen{At: time.Now(), Verb: "workloads"})
	return nil
}

// targets are the stores to be measured, as they are now.
func (s *server) targets() []workloads.Target {
	var all []workloads.Target
	for engine, node := range s.System.Workloads {
		t := workloads.Target{Engine: engine, Node: node, URL: s.StoreURLs[node]}
		if n, ok := s.node(node); ok {
			t.Version, t.Embedded = n.Version, strings.Contains(n.Version, "embedded")
		}
		all = append(all, t)
	}
	return all
}
