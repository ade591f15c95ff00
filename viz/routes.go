package viz

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// bodyLimit is how many bytes the body of any request but an export of traces may have.
const bodyLimit = 64 << 10

//go:embed openapi.yaml
var openAPI []byte

// route is one way to ask. Nothing changes on GET.
type route struct {
	method, path string
	serve        func(w http.ResponseWriter, r *http.Request) error
}

// routes is the whole table; openapi.yaml lists the same ones.
func (s *server) routes() []route {
	all := []route{
		{http.MethodGet, "/", plain(s.page)},
		{http.MethodGet, "/static/{file...}", files(s.page)},
		{http.MethodGet, "/ws", s.socket},
		{http.MethodGet, "/api/v1/world", s.getWorld},
		{http.MethodGet, "/api/v1/features", s.getFeatures},
		{http.MethodGet, "/api/v1/features/{feature}/{pattern}", s.getFeature},
		{http.MethodGet, "/api/v1/events", s.getEvents},
		{http.MethodGet, "/api/v1/events/{id}", s.getEvent},
		{http.MethodGet, "/api/v1/nodes/{id}", s.getNode},
		{http.MethodGet, "/api/v1/nodes/{id}/logs", s.getLogs},
		{http.MethodGet, "/api/v1/streams/{name}", s.getStream},
		{http.MethodGet, "/api/v1/edges/{id}", s.getEdge},
		{http.MethodGet, "/api/v1/copies", s.getCopies},
		{http.MethodGet, "/api/v1/copies/{kind}", s.getCopySearch},
		{http.MethodGet, "/api/v1/copies/{kind}/{id}", s.getCopy},
		{http.MethodGet, "/api/v1/copies/{kind}/{id}/live", s.getCopyLive},
		{http.MethodGet, "/api/v1/deadletters", s.getDeadLetters},
		{http.MethodPost, "/api/v1/deadletters/{stream}/resend", s.postResend},
		{http.MethodPost, "/api/v1/deadletters/{stream}/{entry_id}/resend", s.postResend},
		{http.MethodPost, "/api/v1/bus/lose", s.postLose},
		{http.MethodPost, "/api/v1/streams/{name}/trim", s.postTrim},
		{http.MethodPost, "/api/v1/streams/{name}/disturb", s.postDisturb},
		{http.MethodPost, "/api/v1/nodes/{id}/{verb}", s.postVerb},
		{http.MethodGet, "/api/v1/workloads", s.getWorkloads},
		{http.MethodPost, "/api/v1/workloads", s.postWorkloads},
		{http.MethodPost, "/api/v1/restore", s.postRestore},
		{http.MethodPost, "/api/v1/load", s.postLoad},
		{http.MethodGet, "/api/v1/actions", s.getActions},
		{http.MethodGet, "/api/v1/actions/{id}", s.getAction},
		{http.MethodPost, "/api/v1/actions/{id}", s.postAction},
		{http.MethodPost, "/v1/traces", plain(s.traces)},
		{http.MethodGet, "/healthz", s.getHealth},
		{http.MethodGet, "/readyz", s.getReady},
		{http.MethodGet, "/metrics", plain(s.metrics.handler)},
		{http.MethodGet, "/api/openapi.yaml", getOpenAPI},
	}
	return append(append(all, s.tourRoutes()...), s.classRoutes()...)
}

func plain(h http.Handler) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error { h.ServeHTTP(w, r); return nil }
}

// files serves the page's files; one that is missing is a problem as everywhere else.
func files(page http.Handler) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		found := &foundWriter{ResponseWriter: w}
		page.ServeHTTP(found, r)
		if found.missing {
			w.Header().Del("Content-Length")
			return refuse(http.StatusNotFound, "the page has no file %s", r.URL.Path)
		}
		return nil
	}
}

// foundWriter holds back a plain answer of 404.
type foundWriter struct {
	http.ResponseWriter
	missing bool
}

// WriteHeader is [http.ResponseWriter.WriteHeader].
func (w *foundWriter) WriteHeader(status int) {
	if w.missing = status == http.StatusNotFound; !w.missing {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write is [http.ResponseWriter.Write].
func (w *foundWriter) Write(b []byte) (int, error) {
	if w.missing {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// handler is the whole HTTP side: guard, table, and problems for everything else.
func (s *server) handler() http.Handler {
	methods := map[string]map[string]route{}
	for _, rt := range s.routes() {
		if methods[rt.path] == nil {
			methods[rt.path] = map[string]route{}
		}
		methods[rt.path][rt.method] = rt
	}
	mux := http.NewServeMux()
	for path, of := range methods {
		pattern := path
		if pattern == "/" {
			pattern = "/{$}"
		}
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.dispatch(w, r, of) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, refuse(http.StatusNotFound, "there is nothing at %s; /api/openapi.yaml lists what there is", r.URL.Path))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header(), r.URL.Path)
		if done, err := s.guard.check(w, r); err != nil {
			s.fail(w, r, err)
		} else if !done {
			mux.ServeHTTP(w, r)
		}
	})
}

// dispatch serves the route of the request's method, HEAD as GET.
func (s *server) dispatch(w http.ResponseWriter, r *http.Request, of map[string]route) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	rt, ok := of[method]
	if !ok {
		allowed := make([]string, 0, len(of))
		for m := range of {
			allowed = append(allowed, m)
		}
		slices.Sort(allowed)
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		s.fail(w, r, refuse(http.StatusMethodNotAllowed, "%s does not go here; use %s", r.Method, strings.Join(allowed, " or ")))
		return
	}
	if rt.path != "/v1/traces" { // which has its own, higher limit
		if r.ContentLength > bodyLimit {
			s.fail(w, r, bodyTooLarge(bodyLimit))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
	}
	if err := rt.serve(w, r); err != nil {
		s.fail(w, r, err)
	}
}

// socket hands over to the hub, which answers by itself.
func (s *server) socket(w http.ResponseWriter, r *http.Request) error {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		w.Header().Set("Upgrade", "websocket")
		return refuse(http.StatusUpgradeRequired, "this is a WebSocket; open it with ws://%s/ws", r.Host)
	}
	if !s.guard.sameOrigin(r) {
		return refuse(http.StatusForbidden, "a page from %s may not listen here", r.Header.Get("Origin"))
	}
	s.hub.ServeHTTP(w, r)
	return nil
}

func (s *server) getHealth(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, map[string]string{"status": "up"})
}

// getReady is ready once the bus was looked at, whether it is up or down: showing a dead bus is the dashboard's work.
func (s *server) getReady(w http.ResponseWriter, _ *http.Request) error {
	if !s.looked.Load() {
		return refuse(http.StatusServiceUnavailable, "the bus was not looked at yet")
	}
	return answer(w, map[string]string{"status": "ready"})
}

func getOpenAPI(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openAPI) // whoever asked may be gone
	return nil
}

// answer writes v as JSON.
func answer(w http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // whoever asked may be gone
	return nil
}
