package world

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// listed checks a list of names: each is declared and stands once; what says what a name is, among whose it must be.
func listed(names []string, declared map[string]bool, what, among string) error {
	if len(names) > maxList {
		return fmt.Errorf("more than %d %s", maxList, among)
	}
	for i, name := range names {
		switch {
		case !declared[name]:
			return fmt.Errorf("%s %q is not among the %s", what, name, among)
		case slices.Contains(names[:i], name):
			return fmt.Errorf("%s %q stands twice", what, name)
		}
	}
	return nil
}

func (s *System) checkNodes(d declared) error {
	services, others := map[string]bool{}, map[string]string{} // the latter: owners of stores
	later := map[string]bool{}
	for _, n := range s.Nodes {
		services[n.ID], later[n.ID] = n.Kind == Service, n.Later
		if n.Kind == Store {
			others[n.ID] = n.Owner
		}
	}
	groups, sources, buses := map[string]string{}, map[string]string{}, 0
	for i := range s.Nodes {
		n := &s.Nodes[i]
		wrong := func(format string, args ...any) error {
			return fmt.Errorf("node %q: %s", n.ID, fmt.Sprintf(format, args...))
		}
		switch n.Kind {
		case Service, Client:
		case Bus:
			if buses++; buses > 1 {
				return wrong("a second bus; one is shown")
			}
		case Store:
			if !services[n.Owner] {
				return wrong("owner %q is not a service among the nodes", n.Owner)
			}
		default:
			return wrong("kind %q is none of service, store, bus, client", n.Kind)
		}
		if n.Kind == Store && later[n.Owner] && !n.Later {
			return wrong("owner %q joins later, so its store has to be declared later too", n.Owner)
		}
		if n.Kind != Store && n.Owner != "" {
			return wrong("only a store has an owner")
		}
		if u, err := url.Parse(n.URL); n.URL != "" && (err != nil || u.Host == "") {
			return wrong("url %q is no address with a host", n.URL)
		}
		if len(n.Holds)+len(n.Takes)+len(n.Emits)+len(n.Reaches) > maxList {
			return wrong("more than %d of holds, takes, emits and reaches", maxList)
		}
		for _, h := range n.Holds {
			if !d.kinds[h.Kind] {
				return wrong("holds kind %q, which is not among the kinds", h.Kind)
			}
			if h.At == nil {
				continue
			}
			if err := h.At.check(n.Engine); err != nil {
				return wrong("place of %s: %s", h.Kind, err)
			}
		}
		for _, name := range slices.Concat(n.Takes, n.Emits) {
			if !d.streams[name] {
				return wrong("stream %q is not among the streams", name)
			}
		}
		if n.Kind != Service && (len(n.Reaches) > 0 || n.Outbox != "") {
			return wrong("only a service reaches into stores or has an outbox")
		}
		if n.Outbox != "" && !strings.HasPrefix(n.Outbox, "/") {
			return wrong("outbox %q does not begin with /", n.Outbox)
		}
		for j, id := range n.Reaches {
			owner, store := others[id]
			switch {
			case !store:
				return wrong("reaches %q, which is not a store among the nodes", id)
			case owner == n.ID:
				return wrong("reaches %q, which is its own store", id)
			case slices.Contains(n.Reaches[:j], id):
				return wrong("reaches %q twice", id)
			}
		}
		of := &node{spec: *n}
		if other := groups[of.group()]; other != "" {
			return wrong("reads with the group %q, as %q does", of.group(), other)
		}
		if other := sources[of.source()]; other != "" {
			return wrong("emits as %q, as %q does", of.source(), other)
		}
		groups[of.group()], sources[of.source()] = n.ID, n.ID
	}
	return nil
}

func (s *System) checkFeatures(d declared) error {
	for _, f := range s.Features {
		for _, pattern := range slices.Sorted(maps.Keys(f.Requests)) {
			r := f.Requests[pattern]
			wrong := func(format string, args ...any) error {
				return fmt.Errorf("feature %q, pattern %q: %w", f.ID, pattern, fmt.Errorf(format, args...))
			}
			switch {
			case !d.patterns[pattern]:
				return wrong("that pattern is not among the patterns")
			case !d.nodes[r.Node]:
				return wrong("node %q is not among the nodes", r.Node)
			case r.Method == "" || r.Method != strings.ToUpper(r.Method):
				return wrong("method %q is no HTTP method in capitals", r.Method)
			case !strings.HasPrefix(r.Path, "/"):
				return wrong("path %q does not begin with /", r.Path)
			case len(r.OK) > maxList || len(r.Reads) > maxList:
				return wrong("more than %d of ok or reads", maxList)
			}
			if err := listed(r.Needs, d.nodes, "need", "nodes"); err != nil {
				return wrong("%w", err)
			}
			if len(r.Needs) > 0 && !slices.Contains(r.Needs, r.Node) {
				return wrong("needs lack its own node %q", r.Node)
			}
			for _, status := range r.OK {
				if status < 100 || status > 599 {
					return wrong("ok %d is no HTTP status", status)
				}
			}
			for _, name := range r.Reads {
				if !d.streams[name] {
					return wrong("reads stream %q, which is not among the streams", name)
				}
			}
		}
	}
	return nil
}
