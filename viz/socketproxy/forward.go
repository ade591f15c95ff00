package socketproxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"time"
)

const (
	maxBody    = 64 << 10
	bodyWithin = 5 * time.Second
)

// ask makes a request of the engine; the body is JSON where there is one. The caller closes the answer's.
func (p *proxy) ask(ctx context.Context, method, path string, query url.Values, body []byte) (*http.Response, error) {
	u := url.URL{Scheme: "http", Host: "docker", Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("the request to the engine: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := p.engine.Do(req)
	if err != nil {
		return nil, p.unreachable(err)
	}
	if res.StatusCode == http.StatusSwitchingProtocols {
		res.Body.Close()
		return nil, errors.New("the engine wants to speak another protocol, which nobody asked for")
	}
	return res, nil
}

// unreachable says what to do where the engine cannot be asked.
func (p *proxy) unreachable(err error) error {
	advice := "see whether the engine runs"
	switch {
	case errors.Is(err, os.ErrNotExist):
		advice = "mount the engine's socket there, or say where it is with --socket"
	case errors.Is(err, os.ErrPermission):
		advice = "let the proxy run as a user, or in the group, that the socket belongs to"
	case errors.Is(err, syscall.ECONNREFUSED):
		advice = "start the engine; where it was started anew, start the proxy anew too, for it holds the old socket"
	}
	if inner := new(url.Error); errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("the engine cannot be reached at %s: %w; %s", p.Socket, err, advice)
}

// forward makes a call of the engine and sends the answer on as it comes.
func (p *proxy) forward(w http.ResponseWriter, r *http.Request, c *call, id string, body []byte) error {
	res, err := p.ask(r.Context(), c.route.method, c.path(id), c.query, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	send(w, res)
	return nil
}

// send sends an answer on as it comes. Where it breaks off, the caller's does too.
func send(w http.ResponseWriter, res *http.Response) {
	begin(w, res)
	if _, err := io.Copy(flushing{w, http.NewResponseController(w)}, res.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// begin sends an answer's status, and those of its headers that clients of the engine read.
func begin(w http.ResponseWriter, res *http.Response) {
	w.Header()["Content-Type"] = nil // else it is guessed
	for _, name := range []string{"Content-Type", "Content-Length", "Api-Version", "Builder-Version", "Docker-Experimental", "Ostype", "Server"} {
		if v := res.Header.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
	w.WriteHeader(res.StatusCode)
	_ = http.NewResponseController(w).Flush() // a stream begins before there is something in it; whoever asked may be gone
}

// flushing sends what is written at once.
type flushing struct {
	io.Writer
	control *http.ResponseController
}

func (f flushing) Write(b []byte) (int, error) {
	n, err := f.Writer.Write(b)
	if err == nil {
		err = f.control.Flush()
	}
	return n, err
}

// pass lets through what is nobody's.
func (p *proxy) pass(w http.ResponseWriter, r *http.Request, c *call) error {
	return p.forward(w, r, c, "", nil)
}

// narrowed is the project that an answer is narrowed to, and the filters that the caller asked with.
func (p *proxy) narrowed(ctx context.Context, c *call) (project string, f map[string][]string, err error) {
	if project, err = p.scope(ctx); err == nil {
		f, err = filters(c.query.Get("filters"))
	}
	return project, f, err
}

// list lets a list through that is narrowed to the project.
func (p *proxy) list(w http.ResponseWriter, r *http.Request, c *call) error {
	project, f, err := p.narrowed(r.Context(), c)
	if err != nil {
		return err
	}
	f["label"] = append(f["label"], projectLabel+"="+project) // all labels have to match
	setFilters(c.query, f)
	return p.forward(w, r, c, "", nil)
}

// container lets through what is asked of, or done to, a container.
func (p *proxy) container(w http.ResponseWriter, r *http.Request, c *call) error {
	id, err := p.node(r.Context(), c.id)
	if err != nil {
		return err
	}
	return p.forward(w, r, c, id, nil)
}

// network lets through what is asked of a network.
func (p *proxy) network(w http.ResponseWriter, r *http.Request, c *call) error {
	id, err := p.net(r.Context(), c.id)
	if err != nil {
		return err
	}
	return p.forward(w, r, c, id, nil)
}

// attachment is the body of connect and disconnect, as far as it is passed on.
type attachment struct {
	Container      string
	Force          bool `json:",omitempty"`
	EndpointConfig *struct {
		Aliases []string
	} `json:",omitempty"`
}

// attach lets a container through to a network, or off it.
func (p *proxy) attach(w http.ResponseWriter, r *http.Request, c *call) error {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyWithin)) // the reading fails where this cannot be set
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body may have %d bytes", tooLarge.Limit)}
	}
	if err != nil {
		return &refusal{http.StatusBadRequest, "the body cannot be read: " + err.Error()}
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	var a attachment
	if err := json.Unmarshal(b, &a); err != nil {
		return &refusal{http.StatusBadRequest, "the body cannot be read: " + err.Error()}
	}
	if !idShape.MatchString(a.Container) {
		return &refusal{http.StatusBadRequest, fmt.Sprintf("Container is %q; give the id or name of a container", a.Container)}
	}
	id, err := p.net(r.Context(), c.id)
	if err != nil {
		return err
	}
	if a.Container, err = p.node(r.Context(), a.Container); err != nil {
		return err
	}
	if b, err = json.Marshal(a); err != nil {
		return fmt.Errorf("the request to the engine: %w", err)
	}
	return p.forward(w, r, c, id, b)
}
