package socketproxy

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
)

const maxKnown = 4096 // containers that a stream of events remembers

// event is what is read of one.
type event struct {
	Type  string
	Actor struct {
		ID         string
		Attributes map[string]string
	}
}

// events lets those events through that concern the project's containers. The caller's filters are the engine's business,
// so that they mean what they always do; one by label, then, leaves no events of networks.
func (p *proxy) events(w http.ResponseWriter, r *http.Request, c *call) error {
	project, f, err := p.narrowed(r.Context(), c)
	if err != nil {
		return err
	}
	types := []string{"container", "network"}
	if asked, ok := f["type"]; ok && len(asked) > 0 {
		types = slices.DeleteFunc(types, func(t string) bool { return !slices.Contains(asked, t) })
		if len(types) == 0 {
			return refuse("events of type %q are not allowed here; allowed are container and network", asked)
		}
	}
	f["type"] = types
	setFilters(c.query, f)
	res, err := p.ask(r.Context(), c.route.method, c.path(""), c.query, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		send(w, res)
		return nil
	}
	res.Header.Del("Content-Length") // some of it is dropped
	begin(w, res)
	s := sieve{p: p, project: project, known: map[string]bool{}}
	out := flushing{w, http.NewResponseController(w)}
	for d := json.NewDecoder(res.Body); ; {
		var raw json.RawMessage
		if d.Decode(&raw) != nil {
			return nil // the engine, or the caller, has ended it
		}
		passes, err := s.passes(r.Context(), raw)
		if err != nil { // not known whether it may be seen; the caller comes again and looks anew
			p.Log.Warn("a stream of events ends", "error", err)
			return nil
		}
		if !passes {
			continue
		}
		if _, err := out.Write(append(raw, '\n')); err != nil {
			return nil // the caller is gone
		}
	}
}

// sieve decides which events of a stream pass.
type sieve struct {
	p       *proxy
	project string
	known   map[string]bool // by full id, whether a container is ours; labels never change
}

func (s *sieve) passes(ctx context.Context, raw []byte) (bool, error) {
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		return false, err
	}
	switch e.Type {
	case "container": // its attributes hold its labels
		return e.Actor.Attributes[projectLabel] == s.project, nil
	case "network":
		return s.ours(ctx, e.Actor.Attributes["container"])
	}
	return false, nil
}

// ours says whether a container is a node of the project. One that is gone before it was asked for is not.
func (s *sieve) ours(ctx context.Context, id string) (bool, error) {
	if !fullID.MatchString(id) {
		return false, nil
	}
	if ours, ok := s.known[id]; ok {
		return ours, nil
	}
	t, err := s.p.inspect(ctx, "containers", id)
	if err != nil && !gone(err) {
		return false, err
	}
	if len(s.known) >= maxKnown {
		clear(s.known)
	}
	s.known[id] = err == nil && s.p.ours(t, s.project)
	return s.known[id], nil
}
