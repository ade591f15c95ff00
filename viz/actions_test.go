package viz

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

// acting is the small shop with things to do, and a service that comes later.
func acting() world.System {
	s := system
	s.Nodes = append(slices.Clone(system.Nodes),
		world.NodeSpec{ID: "tips", Kind: world.Service, Takes: []string{"orders"}, Later: true},
		world.NodeSpec{ID: "tips-db", Kind: world.Store, Engine: "redis", Owner: "tips", Later: true})
	s.Actions = []world.ActionSpec{
		{ID: "reprice", Group: world.ChangeAction, Name: "Reprice", Kind: "orders", Node: "orders", Method: "PUT", Path: "/things/{id}/price",
			Body:   map[string]any{"id": "{id}", "cents": "{cents}", "why": "{why}", "note": "{not a field}", "deep": []any{"{cents}"}},
			Fields: []world.FieldSpec{{Name: "cents", Label: "Price", Type: "number"}, {Name: "why", Label: "Why", Type: "text"}}},
		{ID: "rebuild", Group: world.RebuildAction, Name: "Rebuild", Node: "purchases", Path: "/jobs/rebuild", Job: true},
		{ID: "join-tips", Group: world.JoinAction, Name: "Let tips join", Node: "tips", Joins: []string{"tips-db", "tips"}},
		{ID: "rebuild-tips", Group: world.RebuildAction, Name: "Rebuild tips", Node: "tips", Path: "/jobs/rebuild", Job: true},
	}
	return s
}

// asked is what a node was asked.
type asked struct {
	mu   sync.Mutex
	list []string
}

func (a *asked) all() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.list)
}

// answers runs a node that keeps what it is asked and answers as told.
func answers(t *testing.T, status int, body string) (url string, a *asked) {
	t.Helper()
	a = &asked{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		a.mu.Lock()
		a.list = append(a.list, fmt.Sprintf("%s %s %s", r.Method, r.URL.EscapedPath(), b))
		a.mu.Unlock()
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, a
}

// serveActing serves acting over a fake; orders is at url, where one is given.
func serveActing(t *testing.T, urls map[string]string) (*api, *fake) {
	t.Helper()
	f := newFake()
	of := acting()
	f.nodes = of.Nodes
	f.states["tips"], f.states["tips-db"] = world.Down, world.Down
	for node, url := range urls {
		f.urls[node] = url
	}
	return serveSystem(t, of, f, ""), f
}

func (a *api) actionsNow() map[string]actionAnswer {
	a.t.Helper()
	var got struct{ Actions []actionAnswer }
	if err := json.Unmarshal(a.expect(200, `"actions":[`, "GET", "/api/v1/actions", ""), &got); err != nil {
		a.t.Fatal(err)
	}
	by := map[string]actionAnswer{}
	for _, one := range got.Actions {
		by[one.ID] = one
	}
	return by
}

// TestActionAsks: the request is the one of the system file, its path escaped and its values typed; it is audited and told
// of; and the node's answer is handed on.
func TestActionAsks(t *testing.T) {
	url, asked := answers(t, http.StatusOK, `{"version":3}`)
	a, _ := serveActing(t, map[string]string{"orders": url})
	body := `{"id":"a/b c","values":{"cents":"3490","why":"it is {cents}"}}`
	var got actedAnswer
	if err := json.Unmarshal(a.expect(200, `"answer":{"version":3}`, "POST", "/api/v1/actions/reprice", body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Action != "reprice" || got.Status != 200 || got.TookMS <= 0 {
		t.Errorf("%+v", got)
	}
	want := `PUT /things/a%2Fb%20c/price {"cents":3490,"deep":[3490],"id":"a/b c","note":"{not a field}","why":"it is {cents}"}`
	if list := asked.all(); len(list) != 1 || list[0] != want {
		t.Errorf("it was asked\n%v\nwant\n%s", list, want)
	}
	a.await(t.Context(), 20*time.Second, func(f world.Frame) bool { return said(f, "asked for: Reprice a/b c") })
	if !said(a.frame(), "asked for: Reprice a/b c") {
		t.Errorf("the news are %+v", a.frame().Notes)
	}
	if log := a.log.String(); !strings.Contains(log, "verb=act node=reprice") || !strings.Contains(log, "outcome=done") {
		t.Errorf("the log has no line of it: %s", log)
	}
	a.expect(200, `"can":true`, "GET", "/api/v1/actions/reprice", "")
	a.expect(404, "no action is called", "GET", "/api/v1/actions/none", "")
	a.expect(404, "no action is called", "POST", "/api/v1/actions/none", "")
}

func said(f world.Frame, text string) bool {
	return slices.ContainsFunc(f.Notes, func(n world.Note) bool { return n.Text == text })
}

// TestActionRefuses: what is missing, unknown or of another type is named, and nothing is asked of the node.
func TestActionRefuses(t *testing.T) {
	url, asked := answers(t, http.StatusOK, "")
	a, _ := serveActing(t, map[string]string{"orders": url, "purchases": url})
	for _, tt := range []struct{ action, body, words string }{
		{"reprice", ``, "id is missing"},
		{"reprice", `{"id":"x"}`, "cents is missing"},
		{"reprice", `{"id":"x","values":{"cents":1}}`, "why is missing"},
		{"reprice", `{"id":"x","values":{"cents":1,"why":"w","size":2}}`, `\"size\" is no field of reprice; there are cents, why`},
		{"reprice", `{"id":"x","values":{"cents":"many","why":"w"}}`, "cents is no number"},
		{"reprice", `{"id":"x","values":{"cents":"0x10","why":"w"}}`, "cents is no number"},
		{"reprice", `{"id":"x","values":{"cents":null,"why":"w"}}`, "cents is no number"},
		{"reprice", `{"id":"x","values":{"cents":1,"why":7}}`, "why wants a text"},
		{"reprice", `{"id":"x","values":{"cents":1,"why":null}}`, "why wants a text"},
		{"reprice", `{"id":"x","values":{"cents":1,"why":"` + strings.Repeat("w", maxValue+1) + `"}}`, "why wants a text"},
		{"reprice", `{"id":"..","values":{"cents":1,"why":"w"}}`, "cannot be one"},
		{"reprice", `{"id":"a\u0000b","values":{"cents":1,"why":"w"}}`, "cannot be one"},
		{"reprice", `{"id":"x","values":[]}`, `send {\"id\"`},
		{"reprice", `{"of":"x"}`, "unknown field"},
		{"rebuild", `{"id":"x"}`, "send no id"},
		{"rebuild", `{"values":{"a":1}}`, "there are none"},
	} {
		a.expect(400, tt.words, "POST", "/api/v1/actions/"+tt.action, tt.body)
	}
	if list := asked.all(); len(list) != 0 {
		t.Errorf("the nodes were asked %v", list)
	}
	if n := len(a.frame().Notes); n != 0 {
		t.Errorf("what was refused is news: %+v", a.frame().Notes)
	}
}

// TestActionNodeSays: what a node refuses is told in its own words, and a node that is silent is named.
func TestActionNodeSays(t *testing.T) {
	const body = `{"id":"x","values":{"cents":1,"why":"w"}}`
	for _, tt := range []struct {
		status int
		said   string
		want   int
		words  string
	}{
		{404, `{"detail":"unknown thing"}`, 404, "orders: unknown thing"},
		{409, `not JSON`, 409, "orders: it answered 409"},
		{503, `{"detail":"its store does not answer"}`, 502, "orders: its store does not answer"},
		{302, ``, 502, "orders: it answered 302"},
		{204, ``, 200, `"status":204,"answer":null`},
		{200, `not JSON`, 200, `"answer":null`},
	} {
		url, _ := answers(t, tt.status, tt.said)
		a, _ := serveActing(t, map[string]string{"orders": url})
		a.expect(tt.want, tt.words, "POST", "/api/v1/actions/reprice", body)
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	a, f := serveActing(t, map[string]string{"orders": closed.URL})
	a.expect(502, "orders refused the connection", "POST", "/api/v1/actions/reprice", body)
	if err := f.Do(t.Context(), "orders", control.Action{Verb: control.Kill}); err != nil {
		t.Fatal(err)
	}
	a.await(t.Context(), 20*time.Second, func(f world.Frame) bool { return f.Nodes[0].State == world.Down })
	a.expect(409, "orders is down", "POST", "/api/v1/actions/reprice", body)
	if one := a.actionsNow()["reprice"]; one.Can || one.Why != "orders is down; start it first" {
		t.Errorf("%+v", one)
	}
	a, _ = serveActing(t, nil)
	a.expect(409, "no address of orders is known", "POST", "/api/v1/actions/reprice", body)
	look := serveSystem(t, acting(), nil, "")
	look.expect(409, "look but not touch", "POST", "/api/v1/actions/reprice", body)
	look.expect(200, "look but not touch", "GET", "/api/v1/actions/reprice", "")
}

// TestActionJob: a job's node is asked how far it is; one that runs cannot be started, and one that does not tell is null.
func TestActionJob(t *testing.T) {
	url, asked := answers(t, http.StatusAccepted, `{"state":"running","said":"reading","done":5,"total":10,"per_second":2.5,"left_ms":2000}`)
	a, _ := serveActing(t, map[string]string{"purchases": url})
	one := a.actionsNow()["rebuild"]
	if one.Can || one.Why != "it is running" || one.Progress == nil || one.Progress.Done != 5 || one.Progress.LeftMS != 2000 {
		t.Errorf("%+v", one)
	}
	a.expect(200, `"status":202,"answer":{"state":"running"`, "POST", "/api/v1/actions/rebuild", "")
	if list := asked.all(); !slices.Equal(list, []string{"GET /jobs/rebuild ", "POST /jobs/rebuild "}) {
		t.Errorf("it was asked %v", list)
	}

	stuck := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stuck:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(stuck); slow.Close() })
	a, _ = serveActing(t, map[string]string{"purchases": slow.URL})
	begun := time.Now()
	one = a.actionsNow()["rebuild"]
	if one.Progress != nil || one.Why != "purchases did not answer in time" {
		t.Errorf("%+v", one)
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	url, _ = answers(t, http.StatusOK, `{"hello":1}`)
	a, _ = serveActing(t, map[string]string{"purchases": url})
	if one = a.actionsNow()["rebuild"]; one.Progress != nil || one.Why != "purchases does not tell how far it is" {
		t.Errorf("%+v", one)
	}
}

// TestActionJoins: nodes are started in order, and nothing tells of them before they are up.
func TestActionJoins(t *testing.T) {
	a, f := serveActing(t, nil)
	names := func() (all []string) {
		for _, n := range a.frame().Nodes {
			all = append(all, n.ID)
		}
		return all
	}
	if got := names(); !slices.Equal(got, []string{"orders", "purchases", "bus", "shoppers"}) {
		t.Errorf("before it joined there are %v", got)
	}
	if b := a.expect(200, "orders", "GET", "/api/v1/world", ""); strings.Contains(string(b), "tips") {
		t.Errorf("the world tells of it: %s", b)
	}
	a.expect(404, "no node is called", "POST", "/api/v1/nodes/tips/start", "")
	if now := a.actionsNow(); !now["join-tips"].Can || now["rebuild-tips"].Why != "tips has not joined yet" {
		t.Errorf("%+v", now)
	}
	f.mu.Lock()
	f.fail = control.ErrUnreachable
	f.mu.Unlock()
	a.expect(503, "what runs the nodes does not answer", "POST", "/api/v1/actions/join-tips", "")
	a.expect(200, `"status":200,"answer":null`, "POST", "/api/v1/actions/join-tips", "{}")
	if got := names(); !slices.Equal(got, []string{"orders", "purchases", "bus", "shoppers", "tips", "tips-db"}) {
		t.Errorf("after it joined there are %v", got)
	}
	f.mu.Lock()
	done := slices.Clone(f.done)
	f.mu.Unlock()
	if !slices.Equal(done, []string{"start tips-db", "start tips"}) {
		t.Errorf("done was %v", done)
	}
	if !said(a.frame(), "asked for: Let tips join") || !said(a.frame(), "tips joined") {
		t.Errorf("the news are %+v", a.frame().Notes)
	}
	a.expect(409, "tips-db and tips joined already", "POST", "/api/v1/actions/join-tips", "")
}

// maker is a runtime that lacks nodes and cannot make them.
type maker struct{ *fake }

func (maker) HowToMake() string { return "Type this." }

// TestActionJoinsWhatIsNotThere: of nodes that the runtime lacks, the action says what to type.
func TestActionJoinsWhatIsNotThere(t *testing.T) {
	f := newFake() // which has the small shop alone
	a := serveSystem(t, acting(), maker{f}, "")
	a.expect(409, "tips-db and tips are not there. Type this.", "POST", "/api/v1/actions/join-tips", "")
	if one := a.actionsNow()["join-tips"]; one.Can || one.Why != "tips-db and tips are not there. Type this." {
		t.Errorf("%+v", one)
	}
}
