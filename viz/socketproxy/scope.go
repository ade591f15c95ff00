package socketproxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"
)

const (
	projectLabel  = "com.docker.compose.project"
	lookUpWithin  = 5 * time.Second
	maxInspection = 4 << 20 // bytes of what the engine tells of one container or network
)

// scope is the compose project. It is learned from the proxy's own container the first time that this can be asked.
func (p *proxy) scope(ctx context.Context) (string, error) {
	if known := p.learned.Load(); known != nil {
		return *known, nil
	}
	const advice = "give the compose project with --project"
	if !idShape.MatchString(p.Self) {
		return "", fmt.Errorf("the proxy does not know its project, nor its own container by the host name %q; %s", p.Self, advice)
	}
	own, err := p.inspect(ctx, "containers", p.Self)
	if gone(err) {
		return "", fmt.Errorf("the proxy does not know its project: the engine knows no container by its host name %q; %s, "+
			"or leave the host name of its container as the engine sets it", p.Self, advice)
	}
	if err != nil {
		return "", err
	}
	project := own.labels()[projectLabel]
	switch {
	case own.Config.Hostname != p.Self:
		return "", fmt.Errorf("the proxy does not know its project: the container that answers to its host name %q is another; %s", p.Self, advice)
	case project == "":
		return "", fmt.Errorf("the proxy does not know its project: its own container has no label %s; %s", projectLabel, advice)
	}
	p.learned.Store(&project)
	return project, nil
}

// thing is what is asked of a container or network.
type thing struct {
	ID     string            `json:"Id"`
	Labels map[string]string // of a network
	Config struct {          // of a container
		Hostname string
		Labels   map[string]string
	}
}

func (t thing) labels() map[string]string {
	if t.Config.Labels != nil {
		return t.Config.Labels
	}
	return t.Labels
}

var fullID = regexp.MustCompile(`^[0-9a-z]{12,64}$`)

// inspect asks the engine for a container or a network. What the engine refuses is a refusal with its own status.
func (p *proxy) inspect(ctx context.Context, kind, id string) (thing, error) {
	ctx, cancel := context.WithTimeout(ctx, lookUpWithin)
	defer cancel()
	path := "/" + kind + "/" + id
	if kind == "containers" {
		path += "/json"
	}
	var t thing
	res, err := p.ask(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return t, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxInspection))
	if err != nil {
		return t, p.unreachable(err)
	}
	if res.StatusCode != http.StatusOK {
		var said struct{ Message string }
		if json.Unmarshal(b, &said) != nil || said.Message == "" {
			said.Message = "the engine answers " + res.Status
		}
		return t, &refusal{res.StatusCode, said.Message}
	}
	if err := json.Unmarshal(b, &t); err != nil || !fullID.MatchString(t.ID) {
		return t, fmt.Errorf("what the engine tells of %s %q cannot be read (%v)", kind, id, err)
	}
	return t, nil
}

// gone says whether the engine does not know what was asked for.
func gone(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.status == http.StatusNotFound
}

// node is the full id of a container that may be read and acted on.
func (p *proxy) node(ctx context.Context, id string) (string, error) {
	project, err := p.scope(ctx)
	if err != nil {
		return "", err
	}
	t, err := p.inspect(ctx, "containers", id)
	if err != nil {
		return "", err
	}
	if !p.ours(t, project) {
		return "", refuse("container %s is not allowed here; allowed are those of the compose project %s with the label %s", id, project, p.Label)
	}
	return t.ID, nil
}

// ours says whether a container is of the project and a node.
func (p *proxy) ours(t thing, project string) bool {
	_, labelled := t.Config.Labels[p.Label]
	return labelled && t.Config.Labels[projectLabel] == project
}

// net is the full id of a network of the project.
func (p *proxy) net(ctx context.Context, id string) (string, error) {
	project, err := p.scope(ctx)
	if err != nil {
		return "", err
	}
	t, err := p.inspect(ctx, "networks", id)
	if err != nil {
		return "", err
	}
	if t.Labels[projectLabel] != project {
		return "", refuse("network %s is not allowed here; allowed are those of the compose project %s", id, project)
	}
	return t.ID, nil
}

// filters are a caller's, by term, in the two forms that the engine takes: a list of values, or a map from them.
func filters(sent string) (map[string][]string, error) {
	parsed := map[string][]string{}
	if sent == "" {
		return parsed, nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(sent), &raw); err != nil {
		return nil, &refusal{http.StatusBadRequest, "the filters cannot be read: " + err.Error()}
	}
	for term, values := range raw {
		var list []string
		var set map[string]bool
		if json.Unmarshal(values, &list) != nil {
			if err := json.Unmarshal(values, &set); err != nil {
				return nil, &refusal{http.StatusBadRequest, "the filter " + term + " cannot be read: " + err.Error()}
			}
			for v := range set {
				list = append(list, v)
			}
		}
		parsed[term] = list
	}
	return parsed, nil
}

// setFilters puts filters into a query, in the form that every engine takes.
func setFilters(q url.Values, f map[string][]string) {
	sets := map[string]map[string]bool{}
	for term, values := range f {
		sets[term] = map[string]bool{}
		for _, v := range values {
			sets[term][v] = true
		}
	}
	b, err := json.Marshal(sets)
	if err != nil {
		b = []byte("{}") // unreachable: strings always marshal
	}
	q.Set("filters", string(b))
}
