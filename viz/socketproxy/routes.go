package socketproxy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// route is a request that is let through.
type route struct {
	method string
	path   string   // after the version; {id} stands for one name
	params []string // those that are passed on; others are not
	do     func(p *proxy, w http.ResponseWriter, r *http.Request, c *call) error
}

// routes are all that is let through.
var routes = []route{
	{"GET", "_ping", nil, (*proxy).pass},
	{"HEAD", "_ping", nil, (*proxy).pass},
	{"GET", "version", nil, (*proxy).pass},
	{"GET", "events", []string{"since", "until", "filters"}, (*proxy).events},
	{"GET", "containers/json", []string{"all", "limit", "filters"}, (*proxy).list},
	{"GET", "containers/{id}/json", nil, (*proxy).container},
	{"GET", "containers/{id}/logs", []string{"stdout", "stderr", "since", "until", "timestamps", "follow", "tail", "details"}, (*proxy).container},
	{"GET", "containers/{id}/stats", []string{"stream", "one-shot"}, (*proxy).container},
	{"POST", "containers/{id}/kill", []string{"signal"}, (*proxy).container},
	{"POST", "containers/{id}/stop", []string{"t", "signal"}, (*proxy).container},
	{"POST", "containers/{id}/start", nil, (*proxy).container},
	{"POST", "containers/{id}/pause", nil, (*proxy).container},
	{"POST", "containers/{id}/unpause", nil, (*proxy).container},
	{"GET", "networks", []string{"filters"}, (*proxy).list},
	{"GET", "networks/{id}", nil, (*proxy).network},
	{"POST", "networks/{id}/connect", nil, (*proxy).attach},
	{"POST", "networks/{id}/disconnect", nil, (*proxy).attach},
}

// call is a request as it goes on to the engine.
type call struct {
	route   *route
	version string // "v1.41", or empty
	id      string // what stands for {id}
	query   url.Values
}

// path is that of the engine's request, with id in the place of {id}.
func (c *call) path(id string) string {
	path := "/" + strings.Replace(c.route.path, "{id}", id, 1)
	if c.version != "" {
		path = "/" + c.version + path
	}
	return path
}

var (
	versionShape = regexp.MustCompile(`^v1\.[0-9]{1,3}$`)
	idShape      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$`)
)

// route finds the route of a request. The path is taken as it was sent: an encoded letter fits no route.
func (p *proxy) route(r *http.Request) (*call, error) {
	if r.Header.Get("Upgrade") != "" {
		return nil, refuse("no connection can be upgraded here; %s", allowed())
	}
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/")
	if !ok {
		return nil, refuse("%s %q is not allowed here; %s", r.Method, r.URL.Path, allowed())
	}
	segments := strings.Split(path, "/")
	c := &call{}
	if len(segments) > 1 && versionShape.MatchString(segments[0]) {
		c.version, segments = segments[0], segments[1:]
	}
	for i := range routes {
		if id, fits := fit(routes[i].path, segments); fits && routes[i].method == r.Method {
			c.route, c.id = &routes[i], id
			c.query = keep(r.URL.Query(), routes[i].params)
			return c, nil
		}
	}
	return nil, refuse("%s %s is not allowed here; %s", r.Method, r.URL.EscapedPath(), allowed())
}

// fit says whether the segments are those of the path, and which stands for {id}.
func fit(path string, segments []string) (id string, fits bool) {
	want := strings.Split(path, "/")
	if len(want) != len(segments) {
		return "", false
	}
	for i, s := range segments {
		switch {
		case want[i] == "{id}" && idShape.MatchString(s):
			id = s
		case want[i] != s:
			return "", false
		}
	}
	return id, true
}

// keep are the values of the parameters that are known.
func keep(all url.Values, known []string) url.Values {
	kept := url.Values{}
	for _, name := range known {
		if v, ok := all[name]; ok {
			kept.Set(name, v[0])
		}
	}
	return kept
}

// allowed is the list of routes in words.
func allowed() string {
	var said []string
	for _, r := range routes {
		said = append(said, r.method+" "+r.path)
	}
	return "allowed are " + strings.Join(said, ", ")
}

// refusal is an error that is answered as it is.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

// refuse makes a refusal with 403.
func refuse(format string, args ...any) *refusal {
	return &refusal{http.StatusForbidden, fmt.Sprintf(format, args...)}
}

// write answers as the engine answers its errors.
func (r *refusal) write(w http.ResponseWriter) {
	b, err := json.Marshal(map[string]string{"message": r.message})
	if err != nil {
		b = []byte("{}") // unreachable: strings always marshal
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_, _ = w.Write(b) // whoever asked may be gone
}
