package socketproxy

import (
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const label = "io.stillup.node"

// end is sent last on a stream.
const end = "\n"

// Ids of what the fake engine knows. It finds them by name too, as the real one does.
var (
	ownID     = strings.Repeat("a", 64) // a node of the project shop: "users"
	plainID   = strings.Repeat("b", 64) // of the project, without the label: "viz"
	foreignID = strings.Repeat("c", 64) // of another project, with the label: "foreign"
	selfID    = strings.Repeat("d", 64) // the proxy's own: "dddddddddddd"
	netID     = strings.Repeat("1", 64) // of the project: "peers"
	otherID   = strings.Repeat("2", 64) // of another: "other"
)

// seen is a request that reached the engine.
type seen struct{ method, uri, body string }

// engine is a fake one on a socket.
type engine struct {
	socket string
	server *httptest.Server

	mu      sync.Mutex
	reached []seen        // look-ups aside
	all     []seen        // with those
	stream  chan string   // what events and logs?follow=1 send
	left    chan struct{} // their caller is gone
}

func newEngine(t testing.TB) *engine {
	t.Helper()
	dir, err := os.MkdirTemp("", "engine") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	e := &engine{socket: filepath.Join(dir, "docker.sock"), stream: make(chan string, 10), left: make(chan struct{}, 1)}
	e.listen(t)
	return e
}

func (e *engine) listen(t testing.TB) {
	t.Helper()
	ln, err := net.Listen("unix", e.socket)
	if err != nil {
		t.Fatal(err)
	}
	e.server = httptest.NewUnstartedServer(e)
	e.server.Listener.Close()
	e.server.Listener = ln
	e.server.Start()
	t.Cleanup(e.server.Close)
}

func container(id, hostname string, labels map[string]string) any {
	return map[string]any{"Id": id, "Config": map[string]any{"Hostname": hostname, "Labels": labels}}
}

var known = map[string]any{
	"/containers/users/json":        container(ownID, "users", map[string]string{projectLabel: "shop", label: "users"}),
	"/containers/viz/json":          container(plainID, "viz", map[string]string{projectLabel: "shop"}),
	"/containers/foreign/json":      container(foreignID, "foreign", map[string]string{projectLabel: "another", label: "users"}),
	"/containers/dddddddddddd/json": container(selfID, "dddddddddddd", map[string]string{projectLabel: "shop"}),
	"/networks/peers":               map[string]any{"Id": netID, "Labels": map[string]string{projectLabel: "shop"}},
	"/networks/other":               map[string]any{"Id": otherID, "Labels": map[string]string{projectLabel: "another"}},
}

func init() {
	for id, name := range map[string]string{ownID: "users", plainID: "viz", foreignID: "foreign", selfID: "dddddddddddd"} {
		known["/containers/"+id+"/json"] = known["/containers/"+name+"/json"]
	}
	known["/networks/"+netID], known["/networks/"+otherID] = known["/networks/peers"], known["/networks/other"]
}

func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	s := seen{r.Method, r.RequestURI, string(b)}
	_, found := known[r.RequestURI] // a call has a version, look-ups have none
	lookUp := r.Method == "GET" && (found || strings.HasPrefix(r.RequestURI, "/containers/") && strings.HasSuffix(r.RequestURI, "/json") || strings.HasPrefix(r.RequestURI, "/networks/"))
	e.mu.Lock()
	e.all = append(e.all, s)
	if !lookUp {
		e.reached = append(e.reached, s)
	}
	e.mu.Unlock()
	w.Header().Set("Api-Version", "1.41")
	switch {
	case found:
		_ = json.NewEncoder(w).Encode(known[r.RequestURI])
	case lookUp:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"message":"No such thing"}`)
	case strings.Contains(r.URL.Path, "/events"), r.URL.Query().Get("follow") == "1":
		_ = http.NewResponseController(w).Flush()
		for {
			select {
			case s := <-e.stream:
				_, _ = io.WriteString(w, s)
				_ = http.NewResponseController(w).Flush()
				if s == end {
					return
				}
			case <-r.Context().Done():
				select {
				case e.left <- struct{}{}:
				default: // one is known of already
				}
				return
			}
		}
	default:
		_, _ = io.WriteString(w, "done")
	}
}

// takeReached gives what reached the engine since the last time, look-ups aside.
func (e *engine) takeReached() []seen {
	e.mu.Lock()
	defer e.mu.Unlock()
	got := e.reached
	e.reached, e.all = nil, nil
	return got
}

// takeAll is takeReached with the look-ups.
func (e *engine) takeAll() []seen {
	e.mu.Lock()
	defer e.mu.Unlock()
	got := e.all
	e.reached, e.all = nil, nil
	return got
}

func (e *engine) proxy(t testing.TB, project string) *proxy {
	p := newProxy(Options{Socket: e.socket, Project: project, Self: "dddddddddddd", Label: label, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(p.engine.CloseIdleConnections)
	return p
}
