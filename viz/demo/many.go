package demo

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"

	"github.com/stillup/stillup/viz/world"
)

// manyPlan is a system of so many services, the first of them with a stream each, and every third with a store of its own.
// Who takes and asks what is random, and always the same.
func manyPlan(services, streams int) plan {
	const system = 7
	rng := rand.New(rand.NewPCG(system, uint64(services)))
	kinds := []string{"orders", "users", "payments", "shipments", "prices", "clicks"}
	engines := []string{"postgres", "mongodb", "redis"}
	s := world.System{Name: fmt.Sprintf("%d services", services), Patterns: []world.PatternSpec{}, Features: []world.FeatureSpec{}}
	p := plan{keep: 2000, requests: float64(services), base: map[string]int64{}, peers: map[string][]string{}}
	for _, kind := range kinds {
		s.Kinds = append(s.Kinds, world.KindSpec{ID: kind, Name: kind})
	}
	name := func(i int) string { return fmt.Sprintf("svc-%d", i+1) }
	stream := func(i int) string { return fmt.Sprintf("%s-%d", kinds[i%len(kinds)], i+1) }
	var stores []world.NodeSpec
	for i := range services {
		n := world.NodeSpec{ID: name(i), Kind: world.Service}
		if i < streams {
			kind := kinds[i%len(kinds)]
			n.Emits = []string{stream(i)}
			s.Streams = append(s.Streams, world.StreamSpec{Name: stream(i), Kind: kind})
			p.base[stream(i)] = int64(rng.IntN(10_000))
			p.flows = append(p.flows, flow{n.ID, fact{stream: stream(i), kind: kind + ".changed.v1", subject: "#"}, 0.2 + 3*rng.Float64()*rng.Float64(), false})
		}
		for range rng.IntN(4) {
			if taken := rng.IntN(streams); taken != i && !slices.Contains(n.Takes, stream(taken)) {
				n.Takes = append(n.Takes, stream(taken))
			}
		}
		for range rng.IntN(3) { // later ones only, so that nobody asks in a ring
			if peer := i + 1 + rng.IntN(services); peer < services && !slices.Contains(p.peers[n.ID], name(peer)) {
				p.peers[n.ID] = append(p.peers[n.ID], name(peer))
			}
		}
		if i%3 == 0 {
			stores = append(stores, world.NodeSpec{ID: n.ID + "-db", Kind: world.Store, Engine: engines[rng.IntN(3)], Owner: n.ID,
				Holds: []world.Hold{{Kind: kinds[i%len(kinds)]}}})
		}
		s.Nodes = append(s.Nodes, n)
	}
	s.Nodes = append(s.Nodes, stores...)
	s.Nodes = append(s.Nodes, world.NodeSpec{ID: "bus", Kind: world.Bus, Engine: "redis"},
		world.NodeSpec{ID: "users", Kind: world.Client, Label: "the traffic"})
	for i := range services {
		id, caller := name(i), "users"
		if len(p.peers[id]) == 0 && i%10 != 0 {
			continue
		}
		p.jobs = append(p.jobs, job{caller: caller, asks: true, spec: world.RequestSpec{Node: id, Method: http.MethodGet, Path: "/" + id,
			Needs: append([]string{id}, p.peers[id]...)}})
	}
	p.system = s
	return p
}
