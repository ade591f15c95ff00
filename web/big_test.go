package web

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
)

// domains, each with services and streams, of the invented systems.
var domains = strings.Fields("orders payments catalog users shipping stock pricing search reviews loyalty fraud billing returns email media ads tax geo audit risk")

// invented is a full frame of a system that nobody runs: so many services, most with a store, on so many streams, in which
// busy connections carry from a few to thousands of events a second, one service is dead and one far behind.
func invented(t testing.TB, services, streams int) []byte {
	t.Helper()
	var nodes, edges, lanes []map[string]any
	node := func(id, kind string, more map[string]any) map[string]any {
		n := map[string]any{"id": id, "kind": kind, "state": "up", "since": "2026-11-24T09:50:00.000Z", "rate": 0.0, "verbs": []string{"kill", "pause", "start", "resume", "stop"}}
		for k, v := range more {
			n[k] = v
		}
		nodes = append(nodes, n)
		return n
	}
	edge := func(kind, from, to string, rate float64, more map[string]any) {
		e := map[string]any{"id": kind + ":" + from + ">" + to, "kind": kind, "from": from, "to": to, "total": 1000.0, "rate": rate}
		for k, v := range more {
			e[k] = v
		}
		edges = append(edges, e)
	}
	name := func(i int) string {
		d := domains[i%len(domains)]
		return d + []string{"", "-worker", "-view", "-gateway", "-sync", "-api", "-batch", "-index", "-mail", "-log"}[i/len(domains)%10]
	}
	stream := func(i int) string {
		return domains[i%len(domains)] + "." + []string{"created", "changed", "closed", "failed", "paid"}[i/len(domains)%5]
	}
	busy := func(i int) float64 { return math.Round(math.Pow(10, float64(i*7%41)/10)) / 10 }
	node("shoppers", "client", map[string]any{"label": "the traffic"})
	node("bus", "bus", map[string]any{"engine": "redis", "version": "Redis 7.0.15"})
	sums := make([]float64, streams)
	for i := range services {
		id := name(i)
		n := node(id, "service", map[string]any{"label": "does its work", "rate": busy(i), "p50_ms": 1.8})
		if i%3 != 2 {
			node(id+"-db", "store", map[string]any{"owner": id, "engine": "postgres", "version": "PostgreSQL 15",
				"holds": []map[string]any{{"kind": domains[i%8]}, {"kind": domains[(i+3)%8], "copy": true}}})
		}
		switch i {
		case 2:
			n["state"], n["reason"] = "down", "killed by hand"
		case 5:
			n["state"] = "paused"
		}
		for k := i; k < streams && k < i+2*services; k += services {
			rate := busy(k)
			sums[k] = rate
			edge("emit", id, stream(k), rate, nil)
			for _, reader := range []int{i + 1, i + 4} {
				waits := map[string]any{}
				if reader%services == 5 {
					waits = map[string]any{"waiting": 184.0, "oldest_ms": 42000.0}
				}
				edge("take", stream(k), name(reader%services), rate, waits)
			}
		}
		if i%4 == 0 {
			edge("call", id, name((i+2)%services), busy(i), map[string]any{"p50_ms": 2.0})
		}
	}
	for k := range streams {
		lanes = append(lanes, map[string]any{"name": stream(k), "kind": domains[k%len(domains)%8], "length": 1200.0, "total": 5000.0, "rate": sums[k]})
	}
	var kinds []map[string]any
	for _, d := range domains[:8] {
		kinds = append(kinds, map[string]any{"id": d, "name": d})
	}
	b, err := json.Marshal(map[string]any{"rev": 100.0, "full": true, "at": "2026-11-24T10:00:00.000Z", "nodes": nodes, "edges": edges, "streams": lanes,
		"system": map[string]any{"name": fmt.Sprintf("invented-%d", services), "kinds": kinds, "patterns": []any{}, "features": []any{}},
		"bus":    map[string]any{"up": true, "rate": 4200.0, "to_hub_ms": 2.4},
		"notes":  []any{}, "events": []any{}, "cells": []any{}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
