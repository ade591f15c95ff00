package world

import (
	"fmt"
	"maps"
	"slices"
)

// ChoiceSpec says why a service keeps its data in the engine in which it does.
type ChoiceSpec struct {
	Service string `json:"service"`
	Why     string `json:"why"` // in a sentence
}

func (s *System) checkWorkloads() error {
	engines := map[string]string{} // by store
	for _, n := range s.Nodes {
		if n.Kind == Store {
			engines[n.ID] = n.Engine
		}
	}
	for _, engine := range slices.Sorted(maps.Keys(s.Workloads)) {
		node := s.Workloads[engine]
		switch of, store := engines[node]; {
		case !store:
			return fmt.Errorf("workloads: %q is not a store among the nodes", node)
		case of != engine:
			return fmt.Errorf("workloads: %q is a store of engine %q, not of %q", node, of, engine)
		}
	}
	if len(s.Choices) > maxList {
		return fmt.Errorf("choices: more than %d", maxList)
	}
	for _, c := range s.Choices {
		if s.storeOf(c.Service) == nil {
			return fmt.Errorf("choices: %q has no store among the nodes", c.Service)
		}
		if c.Why == "" {
			return fmt.Errorf("choices: %q says no why", c.Service)
		}
	}
	return nil
}

// storeOf is the first store that belongs to a service; nil for none.
func (s *System) storeOf(service string) *NodeSpec {
	for i := range s.Nodes {
		if n := &s.Nodes[i]; n.Kind == Store && n.Owner == service {
			return n
		}
	}
	return nil
}

// Choice is a service's engine, and why it has it.
type Choice struct {
	Service string `json:"service"`
	Store   string `json:"store"`
	Engine  string `json:"engine"`
	Why     string `json:"why"`
}

// Chosen are the choices that the file explains, with the engines of the services' stores.
func (s *System) Chosen() []Choice {
	all := []Choice{}
	for _, c := range s.Choices {
		if n := s.storeOf(c.Service); n != nil {
			all = append(all, Choice{c.Service, n.ID, n.Engine, c.Why})
		}
	}
	return all
}
