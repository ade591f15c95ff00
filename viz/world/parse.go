package world

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
)

// The most that a system file may hold.
const (
	maxFile     = 1 << 20 // bytes
	maxNodes    = 500
	maxDeclared = 500 // streams
	maxKinds    = 50
	maxPatterns = 10
	maxFeatures = 100
	maxList     = 500 // entries of any other list
)

// ParseSystem reads and checks a system file; the error names what is wrong and where. A file that it takes has no field
// that is not known, no name twice, and no name of what the file does not declare; it holds at most 500 nodes and 500
// streams.
func ParseSystem(b []byte) (System, error) {
	var s System
	if len(b) > maxFile {
		return s, fmt.Errorf("system file: %d bytes are more than the %d allowed", len(b), maxFile)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return System{}, fmt.Errorf("system file: %s%w", lineOf(b, err), err)
	}
	if _, err := d.Token(); err != io.EOF {
		return System{}, errors.New("system file: something follows the closing brace of the system")
	}
	if err := s.check(); err != nil {
		return System{}, fmt.Errorf("system file: %w", err)
	}
	return s, nil
}

// lineOf says in which line the JSON is wrong, where that is known.
func lineOf(b []byte, err error) string {
	var (
		syntax *json.SyntaxError
		wrong  *json.UnmarshalTypeError
		at     int64
	)
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &wrong):
		at = wrong.Offset
	default:
		return ""
	}
	at = min(max(at, 0), int64(len(b)))
	return fmt.Sprintf("line %d: ", 1+bytes.Count(b[:at], []byte("\n")))
}

// declared are the names that a file declares, by what they name.
type declared struct{ nodes, streams, kinds, patterns map[string]bool }

func (s *System) check() error {
	if s.Name == "" {
		return errors.New("name is missing")
	}
	for _, c := range []struct {
		what    string
		n, most int
	}{{"nodes", len(s.Nodes), maxNodes}, {"streams", len(s.Streams), maxDeclared}, {"kinds", len(s.Kinds), maxKinds},
		{"actions", len(s.Actions), maxFeatures}, {"patterns", len(s.Patterns), maxPatterns}, {"features", len(s.Features), maxFeatures}, {"vars", len(s.Vars), maxList}} {
		if c.n > c.most {
			return fmt.Errorf("%s: %d are more than the %d allowed", c.what, c.n, c.most)
		}
	}
	if len(s.Nodes) == 0 {
		return errors.New("nodes: there are none")
	}
	var (
		d   declared
		err error
	)
	if d.kinds, err = named("kinds", s.Kinds, func(k KindSpec) (string, string) { return k.ID, k.Name }); err != nil {
		return err
	}
	if d.patterns, err = named("patterns", s.Patterns, func(p PatternSpec) (string, string) { return p.ID, p.Name }); err != nil {
		return err
	}
	if d.streams, err = named("streams", s.Streams, func(t StreamSpec) (string, string) { return t.Name, t.Name }); err != nil {
		return err
	}
	if d.nodes, err = named("nodes", s.Nodes, func(n NodeSpec) (string, string) { return n.ID, n.ID }); err != nil {
		return err
	}
	if _, err = named("features", s.Features, func(f FeatureSpec) (string, string) { return f.ID, f.Name }); err != nil {
		return err
	}
	for _, t := range s.Streams {
		if t.Kind != "" && !d.kinds[t.Kind] {
			return fmt.Errorf("stream %q: kind %q is not among the kinds", t.Name, t.Kind)
		}
	}
	for _, p := range s.Patterns {
		if err := listed(p.Streams, d.streams, "stream", "streams"); err != nil {
			return fmt.Errorf("pattern %q: %w", p.ID, err)
		}
	}
	if err := s.checkNodes(d); err != nil {
		return err
	}
	if err := s.checkFeatures(d); err != nil {
		return err
	}
	if err := s.checkActions(d); err != nil {
		return err
	}
	if err := s.checkWorkloads(); err != nil {
		return err
	}
	if l := s.Load; l != nil {
		switch {
		case !d.nodes[l.Node]:
			return fmt.Errorf("load: node %q is not among the nodes", l.Node)
		case !strings.HasPrefix(l.Path, "/"):
			return fmt.Errorf("load: path %q does not begin with /", l.Path)
		case !(l.Max > 0) || math.IsInf(l.Max, 0):
			return fmt.Errorf("load: max %v is not above 0", l.Max)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Vars)) {
		values := s.Vars[name]
		if len(values) == 0 || len(values) > maxList {
			return fmt.Errorf("vars: %q has %d values; 1 to %d are allowed", name, len(values), maxList)
		}
	}
	return nil
}

// named collects the ids of a list, which are all there, no longer than maxID and not twice; each has a name.
func named[T any](what string, list []T, of func(T) (id, name string)) (map[string]bool, error) {
	const maxID = 100
	ids := make(map[string]bool, len(list))
	for i, x := range list {
		id, name := of(x)
		switch {
		case id == "":
			return nil, fmt.Errorf("%s: number %d has no id or name", what, i+1)
		case len(id) > maxID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r == '>' || r == 0x7f }):
			return nil, fmt.Errorf("%s: %q is too long (over %d bytes) or holds a space, a control character or >", what, id, maxID)
		case ids[id]:
			return nil, fmt.Errorf("%s: %q stands twice", what, id)
		case name == "":
			return nil, fmt.Errorf("%s: %q has no name", what, id)
		}
		ids[id] = true
	}
	return ids, nil
}
