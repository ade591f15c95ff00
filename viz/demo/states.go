package demo

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stillup/stillup/viz/world"
)

// State is one state of a system to be looked at.
type State struct {
	Name string
	Say  string // what is seen, in words

	// Lost: the dashboard itself goes away and comes back, again and again; see [Flaky].
	Lost bool

	plan func(shop world.System) plan
}

// States are all there are.
func States() []State {
	return []State{
		{Name: "calm", Say: "the shop under light traffic", plan: shopPlan},
		{Name: "idle", Say: "the shop without traffic: only the dashboard's own probes", plan: func(s world.System) plan {
			p := shopPlan(s)
			p.probed, p.requests, p.journeys = true, 8, 0 // 30 cells that nobody uses, each tried every 3.5 s
			p.flows = nil
			return p
		}},
		{Name: "brisk", Say: "1,000 events a second", plan: rush(1000)},
		{Name: "busy", Say: "10,000 events a second", plan: rush(10_000)},
		{Name: "one-dead", Say: "catalog dies", plan: without("catalog")},
		{Name: "three-dead", Say: "catalog, stock and purchases die", plan: without("catalog", "stock", "purchases")},
		{Name: "bus-dead", Say: "the bus dies", plan: without("bus")},
		{Name: "scaled", Say: "purchases runs three times; one of these dies, and the others claim what it held", plan: func(s world.System) plan {
			p := shopPlan(s)
			p.replicas, p.dead, p.uses = map[string]int{"purchases": 3}, []string{"purchases 2"}, true
			return p
		}},
		{Name: "joined", Say: "a seventh service joins the running shop, and reads what happened before", plan: func(s world.System) plan {
			p := shopPlan(s)
			p.joins = true
			return p
		}},
		{Name: "services-60", Say: "a system of 60 services", plan: func(world.System) plan {
			p := manyPlan(60, 40)
			p.uses = true
			return p
		}},
		{Name: "services-200", Say: "a system of 200 services and 100 streams", plan: func(world.System) plan { return manyPlan(200, 100) }},
		{Name: "empty", Say: "nothing was seen yet", plan: func(s world.System) plan {
			p := shopPlan(s)
			p.nothing = true
			return p
		}},
		{Name: "disconnected", Say: "the dashboard's server goes away and comes back, again and again", Lost: true, plan: shopPlan},
	}
}

func stateOf(name string) (State, error) {
	var names []string
	for _, s := range States() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return State{}, fmt.Errorf("there is no state %q to show; there are %s", name, strings.Join(names, ", "))
}

func without(nodes ...string) func(world.System) plan {
	return func(s world.System) plan {
		p := shopPlan(s)
		p.dead = nodes
		return p
	}
}

// What the shop does beyond what its system file says.
const (
	placed, reserved, confirmed = "order.placed.v1", "stock.reserved.v1", "order.confirmed.v1"
	// calmRequests are so many that each of the 30 cells is used more often than a probe would.
	calmRequests = 40.0
)

// shopPlan is the shop in calm. The names are those of its system file.
func shopPlan(s world.System) plan {
	p := plan{system: s, keep: 20_000, requests: calmRequests, journeys: 5, requestsOn: "requests", repliesOn: "replies",
		base: map[string]int64{"users": 200, "catalog": 24, "stock": 24},
		peers: map[string][]string{"orders": {"users", "catalog", "stock"}, "purchases": {"users", "orders", "catalog"},
			"trending": {"orders"}},
		reacts: map[cause]fact{
			{"stock", placed}:    {stream: "stock", kind: reserved},
			{"orders", reserved}: {stream: "orders", kind: confirmed},
		},
		flows: []flow{
			{"catalog", fact{stream: "catalog", kind: "product.changed.v1", subject: "{product}"}, 0.3, false},
			{"stock", fact{stream: "stock", kind: "stock.delivered.v1", subject: "{product}"}, 0.5, false},
		}}
	said := map[string]*fact{
		"buy":     {stream: "orders", kind: placed, subject: "order-#"},
		"sign-up": {stream: "users", kind: "user.registered.v1", subject: "u-#"},
	}
	transient := map[string]bool{}
	for _, st := range s.Streams {
		transient[st.Name] = st.Transient
	}
	client := ""
	for _, n := range s.Nodes {
		if n.Kind == world.Client {
			client = n.ID
		}
	}
	for _, f := range s.Features {
		for _, pattern := range s.Patterns {
			spec, ok := f.Requests[pattern.ID]
			if !ok {
				continue
			}
			j := job{feature: f.ID, pattern: pattern.ID, caller: client, spec: spec, reaches: pattern.Reaches}
			overBus := slices.ContainsFunc(pattern.Streams, func(name string) bool { return transient[name] })
			if j.asks = pattern.Calls || overBus; overBus {
				j.via = world.ViaBus
			}
			if f := said[f.ID]; f != nil && spec.Method == http.MethodPost && pattern.ID != "monolith" {
				j.emits = f
			}
			p.jobs = append(p.jobs, j)
		}
	}
	return p
}

// rush is the shop with so many events a second, nearly: each order makes three.
func rush(events float64) func(world.System) plan {
	return func(s world.System) plan {
		p := shopPlan(s)
		p.requests, p.journeys = 2*calmRequests, events/20
		const others = 110 // events a second, of those requests
		order := fact{stream: "orders", kind: placed, subject: "order-#"}
		p.flows = append(p.flows, flow{"orders", order, (events - others) / 3, true})
		return p
	}
}
