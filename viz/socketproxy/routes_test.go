package socketproxy

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// do has a request answered as it stands on the wire; nil where no server would take it.
func do(t testing.TB, p *proxy, method, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: proxy\r\n\r\n")))
	if err != nil {
		return nil
	}
	r.Body = io.NopCloser(strings.NewReader(body))
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r.WithContext(t.Context()))
	return w
}

// narrowed is a query whose filters are these.
func narrowed(filters, rest string) string {
	return "?" + url.Values{"filters": {filters}}.Encode() + rest
}

// TestLetThrough: what the engine is asked in the place of what the caller asked for.
func TestLetThrough(t *testing.T) {
	e := newEngine(t)
	p := e.proxy(t, "")
	own, net := "/v1.41/containers/"+ownID, "/v1.41/networks/"+netID
	for _, c := range []struct{ method, target, body, uri, sent string }{
		{"GET", "/_ping", "", "/_ping", ""},
		{"HEAD", "/_ping", "", "/_ping", ""},
		{"GET", "/v1.41/version?x=1", "", "/v1.41/version", ""},
		{"GET", "/v1.41/containers/json", "", "/v1.41/containers/json" + narrowed(`{"label":{"com.docker.compose.project=shop":true}}`, ""), ""},
		{"GET", "/v1.41/containers/json?all=1&size=1&limit=5&filters=" + url.QueryEscape(`{"label":["a=b"],"status":{"dead":true}}`), "",
			"/v1.41/containers/json?all=1&" + narrowed(`{"label":{"a=b":true,"com.docker.compose.project=shop":true},"status":{"dead":true}}`, "&limit=5")[1:], ""},
		{"GET", "/v1.41/networks", "", "/v1.41/networks" + narrowed(`{"label":{"com.docker.compose.project=shop":true}}`, ""), ""},
		{"GET", "/v1.41/containers/users/json?size=1", "", own + "/json", ""},
		{"GET", "/v1.41/containers/users/logs?stdout=1&tail=5&attach=1", "", own + "/logs?stdout=1&tail=5", ""},
		{"GET", "/v1.41/containers/users/stats?stream=0&one-shot=1", "", own + "/stats?one-shot=1&stream=0", ""},
		{"POST", "/v1.41/containers/users/kill?signal=KILL", "", own + "/kill?signal=KILL", ""},
		{"POST", "/v1.41/containers/users/stop?t=3&x=y", `{"Cmd": ["sh"]}`, own + "/stop?t=3", ""},
		{"POST", "/v1.41/containers/" + ownID + "/start?detachKeys=a", `{"HostConfig": {"Privileged": true}}`, own + "/start", ""},
		{"POST", "/v1.41/containers/users/pause", "", own + "/pause", ""},
		{"POST", "/v1.41/containers/users/unpause", "", own + "/unpause", ""},
		{"GET", "/v1.41/networks/peers?verbose=1", "", net, ""},
		{"POST", "/v1.41/networks/peers/disconnect", `{"Container": "users", "Force": true, "More": 1}`, net + "/disconnect", `{"Container":"` + ownID + `","Force":true}`},
		{"POST", "/v1.41/networks/peers/connect", `{"Container": "users", "EndpointConfig": {"Aliases": ["u"], "IPAMConfig": {"IPv4Address": "10.0.0.1"}, "DriverOpts": {"a": "b"}}}`,
			net + "/connect", `{"Container":"` + ownID + `","EndpointConfig":{"Aliases":["u"]}}`},
	} {
		w := do(t, p, c.method, c.target, c.body)
		got := e.takeReached()
		if w.Code != http.StatusOK || len(got) != 1 || got[0] != (seen{c.method, c.uri, c.sent}) {
			t.Errorf("%s %s: %d %s, the engine was asked\n%v, want\n%v", c.method, c.target, w.Code, w.Body, got, c)
		}
		if h := w.Header().Get("Api-Version"); h != "1.41" {
			t.Errorf("%s %s: Api-Version %q", c.method, c.target, h)
		}
	}
}

// TestRefused: nothing of it reaches the engine.
func TestRefused(t *testing.T) {
	e := newEngine(t)
	p := e.proxy(t, "shop")
	for _, c := range []struct {
		method, target, body string
		status               int
		says                 string
	}{
		{"POST", "/v1.41/containers/create", `{"Image": "x"}`, 403, "allowed are GET _ping"},
		{"POST", "/containers/users/exec", `{}`, 403, "allowed are"},
		{"POST", "/v1.41/exec/abc/start", `{}`, 403, "allowed are"},
		{"POST", "/v1.41/containers/users/attach", "", 403, "allowed are"},
		{"POST", "/v1.41/containers/users/update", "{}", 403, "allowed are"},
		{"POST", "/v1.41/containers/users/restart", "", 403, "allowed are"},
		{"GET", "/v1.41/containers/users/archive?path=/", "", 403, "allowed are"},
		{"GET", "/v1.41/containers/users/export", "", 403, "allowed are"},
		{"GET", "/v1.41/containers/users/top", "", 403, "allowed are"},
		{"DELETE", "/v1.41/containers/users", "", 403, "allowed are"},
		{"GET", "/v1.41/containers/users/kill", "", 403, "allowed are"},
		{"POST", "/v1.41/containers/users/json", "", 403, "allowed are"},
		{"POST", "/v1.41/containers/json", "", 403, "allowed are"},
		{"GET", "/v1.41/images/json", "", 403, "allowed are"},
		{"POST", "/v1.41/build", "", 403, "allowed are"},
		{"GET", "/v1.41/info", "", 403, "allowed are"},
		{"GET", "/v1.41/secrets", "", 403, "allowed are"},
		{"GET", "/v1.41/volumes", "", 403, "allowed are"},
		{"POST", "/v1.41/networks/create", "{}", 403, "allowed are"},
		{"POST", "/v1.41/networks/prune", "", 403, "allowed are"},
		{"DELETE", "/v1.41/networks/peers", "", 403, "allowed are"},
		{"POST", "/v1.41/session", "", 403, "allowed are"},
		{"GET", "/", "", 403, "allowed are"},
		{"OPTIONS", "*", "", 403, "allowed are"},
		// paths that are not what they look like
		{"GET", "//containers/json", "", 403, "allowed are"},
		{"GET", "/v1.41/containers/users/json/", "", 403, "allowed are"},
		{"GET", "/v1.41/v1.41/version", "", 403, "allowed are"},
		{"GET", "/v1/version", "", 403, "allowed are"},
		{"GET", "/v1.41/containers/../info", "", 403, "allowed are"},
		{"GET", "/v1.41/containers/../json", "", 403, "allowed are"},
		{"GET", "/v1.41/containers/users%2F..%2F..%2Finfo%3F/json", "", 403, "allowed are"},
		{"GET", "/v1.41/containers/users%3Fx/json", "", 403, "allowed are"},
		{"GET", "/v1.41/containers/%75sers/json", "", 403, "allowed are"},
		{"GET", "/v1.41/containers/-a/json", "", 403, "allowed are"},
		{"GET", "/v1.41/containers/.users/json", "", 403, "allowed are"},
		{"GET", `/v1.41/containers/users\x/json`, "", 403, "allowed are"},
		// what is not the project's, or no node
		{"POST", "/v1.41/containers/foreign/kill", "", 403, "those of the compose project shop with the label io.stillup.node"},
		{"POST", "/v1.41/containers/" + foreignID + "/stop", "", 403, "compose project shop"},
		{"GET", "/v1.41/containers/foreign/json", "", 403, "compose project shop"},
		{"GET", "/v1.41/containers/foreign/logs?stdout=1", "", 403, "compose project shop"},
		{"GET", "/v1.41/containers/foreign/stats", "", 403, "compose project shop"},
		{"POST", "/v1.41/containers/viz/kill", "", 403, "with the label io.stillup.node"},
		{"POST", "/v1.41/containers/dddddddddddd/stop", "", 403, "with the label io.stillup.node"},
		{"POST", "/v1.41/containers/nobody/kill", "", 404, "No such thing"},
		{"GET", "/v1.41/networks/other", "", 403, "network other is not allowed"},
		{"POST", "/v1.41/networks/other/connect", `{"Container": "users"}`, 403, "network other is not allowed"},
		{"POST", "/v1.41/networks/peers/connect", `{"Container": "foreign"}`, 403, "container foreign is not allowed"},
		{"POST", "/v1.41/networks/peers/disconnect", `{"Container": "viz"}`, 403, "container viz is not allowed"},
		{"POST", "/v1.41/networks/peers/disconnect", `{"Container": "users", "container": "foreign"}`, 403, "container foreign is not allowed"},
		{"POST", "/v1.41/networks/peers/connect", `{"Container": "users/../foreign"}`, 400, "give the id or name"},
		{"POST", "/v1.41/networks/peers/connect", `{}`, 400, "give the id or name"},
		{"POST", "/v1.41/networks/peers/connect", `nonsense`, 400, "cannot be read"},
		{"POST", "/v1.41/networks/peers/connect", strings.Repeat(" ", maxBody+1), 413, "65536 bytes"},
		{"GET", "/v1.41/containers/json?filters=nonsense", "", 400, "cannot be read"},
		{"GET", "/v1.41/events?filters=" + url.QueryEscape(`{"type":["image"]}`), "", 403, "allowed are container and network"},
	} {
		w := do(t, p, c.method, c.target, c.body)
		var said struct{ Message string }
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || w.Code != c.status || !strings.Contains(said.Message, c.says) {
			t.Errorf("%s %s: %d %s; want %d and %q", c.method, c.target, w.Code, w.Body, c.status, c.says)
		}
		if got := e.takeReached(); len(got) > 0 {
			t.Errorf("%s %s: the engine was asked %v", c.method, c.target, got)
		}
	}
}

func TestNoUpgrade(t *testing.T) {
	e := newEngine(t)
	r := httptest.NewRequest("POST", "/v1.41/containers/users/start", nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "tcp")
	w := httptest.NewRecorder()
	e.proxy(t, "shop").ServeHTTP(w, r)
	if got := e.takeAll(); w.Code != http.StatusForbidden || len(got) > 0 {
		t.Errorf("%d, the engine was asked %v", w.Code, got)
	}
}

// mayReach is all that may reach the engine, said anew and not from the list of routes.
var mayReach = regexp.MustCompile(strings.NewReplacer("OWN", ownID, "NET", netID, "V", `(/v1\.[0-9]{1,3})?`, "ID", `[A-Za-z0-9][A-Za-z0-9_.-]*`, "SCOPED",
	`[^ ]*com\.docker\.compose\.project%3Dshop%22%3Atrue[^ ]*`).Replace(
	`^(GET V/(_ping|version)|HEAD V/_ping` +
		`|GET V/containers/json\?SCOPED|GET V/networks\?SCOPED|GET V/events\?[^ ]*type%22%3A%7B(%22(container|network)%22%3Atrue(%2C)?)+%7D[^ ]*` +
		`|GET /containers/ID/json|GET /networks/ID` + // look-ups
		`|GET V/containers/OWN/(json|logs|stats)(\?[^ ]*)?|POST V/containers/OWN/(kill|stop|start|pause|unpause)(\?[^ ]*)?` +
		`|GET V/networks/NET|POST V/networks/NET/(connect|disconnect)) $`))

// FuzzNothingElseReaches: whatever is asked for, the engine is asked for nothing that is not allowed.
func FuzzNothingElseReaches(f *testing.F) {
	for _, target := range []string{"/_ping", "/v1.41/containers/json?filters={}", "/v1.41/containers/users/kill?signal=9", "/containers/foreign/stop",
		"/v1.41/networks/peers/connect", "/v1.41/containers/users%2f..%2fx/json", "/v1.41/containers/create", "http://x/v1.41/info", "/v1.41/events"} {
		for _, method := range []string{"GET", "POST", "HEAD", "DELETE"} {
			f.Add(method, target, `{"Container": "users"}`)
		}
	}
	e := newEngine(f)
	p := e.proxy(f, "shop")
	f.Fuzz(func(t *testing.T, method, target, body string) {
		if strings.Contains(target, "events") || strings.Contains(target, "follow") {
			e.stream <- end
			defer func() {
				select {
				case <-e.stream:
				default:
				}
			}()
		}
		do(t, p, method, target, body)
		for _, s := range e.takeAll() {
			if line := s.method + " " + s.uri + " "; !mayReach.MatchString(line) {
				t.Errorf("%q %q: the engine was asked %s", method, target, line)
			}
			if s.body != "" && s.body != `{"Container":"`+ownID+`"}` && !strings.HasPrefix(s.body, `{"Container":"`+ownID+`",`) {
				t.Errorf("%q %q: the engine was sent %s", method, target, s.body)
			}
		}
	})
}
