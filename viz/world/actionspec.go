package world

import (
	"fmt"
	"slices"
	"strings"
)

// ActionSpec is something that a person can have the system do, by a request to one of its nodes or by starting nodes.
type ActionSpec struct {
	ID    string      `json:"id"`
	Group ActionGroup `json:"group"`
	Name  string      `json:"name"`           // on its button: "Rename"
	Say   string      `json:"say,omitempty"`  // what it does and what to look at, in a sentence or two
	Kind  string      `json:"kind,omitempty"` // of the data that it changes; "{id}" in path and body is the id of one
	Node  string      `json:"node"`           // that is asked
	// Method and Path are the request. Of a Job, the node answers POST of Path at once, and GET of it with {"state":
	// "idle|running|done|failed", "said", "done", "total", "per_second", "left_ms", "before", "after", "began", "ended"}.
	Method string      `json:"method,omitempty"` // default POST
	Path   string      `json:"path,omitempty"`
	Body   any         `json:"body,omitempty"` // JSON; a text that is "{name}" is replaced by the value of that field
	Fields []FieldSpec `json:"fields,omitempty"`
	Job    bool        `json:"job,omitempty"`
	Joins  []string    `json:"joins,omitempty"` // nodes to start, in this order; in place of a request
	// Heals names the stream whose lost entries it publishes again.
	Heals string `json:"heals,omitempty"`
}

// ActionGroup is where an action is offered.
type ActionGroup string

// The groups of actions.
const (
	ChangeAction  ActionGroup = "change"  // changes one thing that its owner owns
	SchemaAction  ActionGroup = "schema"  // changes the shape in which an owner keeps its data
	RebuildAction ActionGroup = "rebuild" // wipes a copy and builds it again
	PublishAction ActionGroup = "publish" // the owner publishes what it has once more
	JoinAction    ActionGroup = "join"    // a further service joins
)

// FieldSpec is a value that a person gives.
type FieldSpec struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	From  string `json:"from,omitempty"` // the owner's field that it has at first
	Type  string `json:"type"`           // text | number
}

func (s *System) checkActions(d declared) error {
	if _, err := named("actions", s.Actions, func(a ActionSpec) (string, string) { return a.ID, a.Name }); err != nil {
		return err
	}
	groups := []ActionGroup{ChangeAction, SchemaAction, RebuildAction, PublishAction, JoinAction}
	for _, a := range s.Actions {
		wrong := func(format string, args ...any) error {
			return fmt.Errorf("action %q: %w", a.ID, fmt.Errorf(format, args...))
		}
		switch {
		case !slices.Contains(groups, a.Group):
			return wrong("group %q is none of change, schema, rebuild, publish, join", a.Group)
		case !d.nodes[a.Node]:
			return wrong("node %q is not among the nodes", a.Node)
		case a.Kind != "" && !d.kinds[a.Kind]:
			return wrong("kind %q is not among the kinds", a.Kind)
		case a.Heals != "" && !d.streams[a.Heals]:
			return wrong("heals %q, which is not among the streams", a.Heals)
		case (len(a.Joins) > 0) == (a.Path != ""):
			return wrong("one of path and joins has to be given")
		case a.Path != "" && !strings.HasPrefix(a.Path, "/"):
			return wrong("path %q does not begin with /", a.Path)
		case a.Method != strings.ToUpper(a.Method):
			return wrong("method %q is no HTTP method in capitals", a.Method)
		}
		if err := listed(a.Joins, d.nodes, "node", "nodes"); err != nil {
			return wrong("joins: %w", err)
		}
		for _, f := range a.Fields {
			if f.Name == "" || f.Label == "" || f.Type != "text" && f.Type != "number" {
				return wrong("field %q needs a name, a label, and a type that is text or number", f.Name)
			}
		}
	}
	return nil
}
