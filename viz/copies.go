package viz

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/stillup/stillup/viz/copies"
	"github.com/stillup/stillup/viz/world"
)

const (
	foundDefault = 20
	foundMost    = 100
	idMost       = 300 // bytes of an id
)

// The API's forms of what stores hold.
type (
	kindHeldAnswer struct {
		Kind        string          `json:"kind"`
		Name        string          `json:"name"`
		OwnedBytes  int64           `json:"owned_bytes"`
		CopiedBytes int64           `json:"copied_bytes"`
		Factor      float64         `json:"factor"` // owned and copied by owned; 0: it is not known what is owned
		Holdings    []world.Holding `json:"holdings"`
	}
	thingAnswer struct {
		Kind    string          `json:"kind"`
		ID      string          `json:"id"`
		At      stamp           `json:"at"`
		Records []copies.Record `json:"records"`
	}
)

// getCopies answers how much every store holds of every kind.
func (s *server) getCopies(w http.ResponseWriter, r *http.Request) error {
	f := s.frame()
	a := struct {
		At    stamp            `json:"at"`
		Kinds []kindHeldAnswer `json:"kinds"`
	}{stamp(f.At), []kindHeldAnswer{}}
	for _, k := range s.System.Kinds {
		a.Kinds = append(a.Kinds, kindHeld(k, s.copies.Owner(k.ID), f.Copies))
	}
	return answer(w, a)
}

// kindHeld sums up one kind: what its owner's store needs for it, and what the copies do. A store that has its own of the
// kind beside the owner's is a system apart: it is listed, and not counted as either.
func kindHeld(k world.KindSpec, owner string, all []world.Holding) kindHeldAnswer {
	a := kindHeldAnswer{Kind: k.ID, Name: k.Name, Holdings: []world.Holding{}}
	for _, h := range all {
		if h.Kind != k.ID {
			continue
		}
		a.Holdings = append(a.Holdings, h)
		switch {
		case h.Bytes <= 0:
		case h.Copy:
			a.CopiedBytes += h.Bytes
		case h.Node == owner:
			a.OwnedBytes += h.Bytes
		}
	}
	if a.OwnedBytes > 0 {
		a.Factor = math.Round(float64(a.OwnedBytes+a.CopiedBytes)/float64(a.OwnedBytes)*1000) / 1000
	}
	return a
}

// getCopySearch looks in the owner's store for things of a kind.
func (s *server) getCopySearch(w http.ResponseWriter, r *http.Request) error {
	text, limit := "", foundDefault
	for name, values := range r.URL.Query() {
		var err error
		switch v := values[0]; name {
		case "q":
			text = v
		case "limit":
			if limit, err = strconv.Atoi(v); err != nil || limit < 1 || limit > foundMost {
				return refuse(http.StatusBadRequest, "limit is %q; give a number from 1 to %d", v, foundMost)
			}
		default:
			return refuse(http.StatusBadRequest, "unknown parameter %q; there are q and limit", name)
		}
	}
	if err := checkID("q", text); err != nil {
		return err
	}
	kind := r.PathValue("kind")
	found, more, err := s.copies.Search(r.Context(), kind, text, limit)
	switch {
	case errors.Is(err, copies.ErrUnknownKind):
		return s.noKind(kind)
	case err != nil:
		return refuse(http.StatusServiceUnavailable, "%s", err)
	}
	return answer(w, struct {
		Kind    string         `json:"kind"`
		Node    string         `json:"node"`
		Records []copies.Match `json:"records"`
		More    bool           `json:"more"`
	}{kind, s.copies.Owner(kind), found, more})
}

// getCopy answers one thing in every store that holds it.
func (s *server) getCopy(w http.ResponseWriter, r *http.Request) error {
	kind, id := r.PathValue("kind"), r.PathValue("id")
	if err := checkID("the id", id); err != nil {
		return err
	}
	thing, err := s.copies.Read(r.Context(), kind, id)
	switch {
	case errors.Is(err, copies.ErrUnknownKind):
		return s.noKind(kind)
	case err != nil: // whoever asked is gone
		return refuse(http.StatusServiceUnavailable, "the request was given up")
	}
	return answer(w, thingOf(thing))
}

func thingOf(t copies.Thing) thingAnswer { return thingAnswer{t.Kind, t.ID, stamp(t.At), t.Records} }

func (s *server) noKind(kind string) error {
	var known []string
	for _, k := range s.System.Kinds {
		if s.copies.Owner(k.ID) != "" {
			known = append(known, k.ID)
		}
	}
	if len(known) == 0 {
		return refuse(http.StatusNotFound, "no store is said to hold %q, nor anything else", kind)
	}
	return refuse(http.StatusNotFound, "no store is said to hold %q; there are %s", kind, strings.Join(known, ", "))
}

// checkID refuses what no id can be.
func checkID(what, id string) error {
	if len(id) > idMost || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
		return refuse(http.StatusBadRequest, "%s is longer than %d bytes, or holds what no id can", what, idMost)
	}
	return nil
}

// getCopyLive answers one thing again whenever it looks different in any store, as server-sent events, until the reader
// leaves or the dashboard ends.
func (s *server) getCopyLive(w http.ResponseWriter, r *http.Request) error {
	kind, id := r.PathValue("kind"), r.PathValue("id")
	if err := checkID("the id", id); err != nil {
		return err
	}
	reader, err := s.copies.Watch(kind, id)
	switch {
	case errors.Is(err, copies.ErrUnknownKind):
		return s.noKind(kind)
	case errors.Is(err, copies.ErrFull):
		return refuse(http.StatusServiceUnavailable, "%d are watching already; close one of them", copies.MaxReaders)
	case err != nil:
		return refuse(http.StatusServiceUnavailable, "%s", err)
	}
	defer reader.Close()
	s.sendEvents(w, r, "the records follow", func(ctx context.Context) ([]byte, error) {
		thing, err := reader.Next(ctx)
		if err != nil {
			return nil, err
		}
		return json.Marshal(thingOf(thing))
	})
	return nil
}
