package viz

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/stillup/stillup/viz/tour"
)

// TestFollow: the page is served to whoever follows; also where the class is not there, for its presenter may come back.
func TestFollow(t *testing.T) {
	a := serveTour(t, system, newFake(), "", twoSteps())
	c := a.class("look")
	for _, path := range []string{c.Follow, strings.ToUpper(c.Follow[8:]), "zzzzzzzz"} {
		resp, b := a.do("GET", "/follow/"+strings.TrimPrefix(path, "/follow/"), "")
		if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || !strings.Contains(string(b), "purchases") || len(resp.Cookies()) > 0 {
			t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
		}
	}
	a.expect(405, "use GET", "POST", c.Follow, "")
	a.expect(404, "nothing at", "GET", "/follow/", "")
	none := serveTour(t, system, newFake(), "", &tour.Tour{})
	none.expect(404, "this system has no chapters", "GET", "/follow/zzzzzzzz", "")
	none.expect(404, "this system has no chapters", "POST", "/api/v1/class", `{"chapter":"","step":""}`)
}

// TestFollowWithToken: the link of a class lets its holder look on and guess, and nothing else, for as long as there is the class.
func TestFollowWithToken(t *testing.T) {
	a := serveTour(t, system, newFake(), "s3cret", twoSteps())
	bearer := []string{"Authorization", "Bearer s3cret"}
	a.expect(401, "token", "POST", "/api/v1/class", `{"chapter":"copies","step":"stop"}`)
	c := a.class("stop", bearer...)
	a.expect(401, "token", "GET", "/api/v1/class/"+c.ID+"/live?who=ada", "")
	a.expect(403, "no class at this link now", "GET", "/follow/zzzzzzzz", "")
	a.expect(403, "no class at this link now", "GET", "/follow/", "")
	a.expect(401, "token", "POST", c.Follow, "")
	resp, b := a.do("GET", c.Follow, "", "Sec-Fetch-Site", "cross-site") // from a chat
	if resp.StatusCode != 200 || !strings.Contains(string(b), "purchases") || len(resp.Cookies()) != 1 {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	k := resp.Cookies()[0]
	if !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Path != "/" || strings.Contains(k.Value, "s3cret") || k.Name == a.guard.cookie {
		t.Errorf("cookie %+v", k)
	}
	cookie := []string{"Cookie", k.Name + "=" + k.Value}
	looks := []string{"/", "/api/v1/world", "/api/v1/features", "/api/v1/features/buy/sync", "/walkthrough", "/walkthrough/copies",
		"/api/v1/copies", "/api/v1/workloads", "/api/v1/actions", "/api/v1/walkthrough", "/api/v1/walkthrough/copies"}
	for _, path := range append(looks, c.Follow, "/static/js/main.js") {
		a.expect(200, "", "GET", path, "", cookie...)
		a.expect(200, "", "HEAD", path, "", cookie...)
	}
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(a.url, "http")+"/ws", http.Header{"Cookie": {cookie[1]}})
	if err != nil {
		t.Fatalf("a follower's socket: %v", err)
	}
	conn.Close()
	a.expect(200, "", "HEAD", "/api/v1/class/"+c.ID+"/live?who=ada", "", cookie...)
	a.expect(200, "", "HEAD", "/api/v1/walkthrough/copies/look/live", "", cookie...)
	guess := `{"who":"ada","chapter":"copies","step":"stop","guess":{"buy in sync":true}}`
	a.expect(200, "guess", "POST", "/api/v1/class/"+c.ID+"/guess", guess, cookie...)
	refused := [][2]string{{"POST", "/api/v1/class"}, {"PUT", "/api/v1/class/" + c.ID}, {"DELETE", "/api/v1/class/" + c.ID}}
	for _, rt := range a.routes() { // and every other one
		r, err := http.NewRequest(rt.method, "http://x"+strings.NewReplacer("{", "", "}", "", "...", "").Replace(rt.path), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !lists(followable, r) && !lists(alwaysFollowable, r) && !strings.HasPrefix(rt.path, "/follow/") && rt.path != "/healthz" {
			refused = append(refused, [2]string{rt.method, r.URL.Path})
		}
	}
	refused = append(refused, [2]string{"POST", "/api/v1/nodes/orders/kill"}, [2]string{"GET", "/api/v1/nodes/orders/logs"}, [2]string{"GET", "/api/v1/events"},
		[2]string{"GET", "/api/v1/copies/orders"}, [2]string{"POST", "/api/v1/walkthrough/copies/stop/do"}, [2]string{"POST", "/api/v1/restore"},
		[2]string{"POST", "/api/v1/load"}, [2]string{"GET", "/metrics"}, [2]string{"GET", "/api/v1/walkthrough/copies/%2e%2e/%2e%2e/nodes/orders/logs"},
		[2]string{"GET", "/api/v1%2Fnodes/orders/logs"}, [2]string{"POST", "/api/v1/world"}, [2]string{"GET", "/nowhere"})
	if len(refused) < 25 {
		t.Errorf("only %v are tried", refused)
	}
	for _, r := range refused {
		resp, b := a.do(r[0], r[1], `{"key":"`+c.Key+`"}`, cookie...)
		if resp.StatusCode != 403 || !strings.Contains(string(b), "this link only follows") {
			t.Errorf("%s %s: %d %s", r[0], r[1], resp.StatusCode, b)
		}
	}
	a.expect(403, "elsewhere", "POST", "/api/v1/class/"+c.ID+"/guess", guess, append(cookie, "Origin", "http://evil.example")...)
	a.expect(421, "not called", "GET", "/api/v1/world", "", append(cookie, "Host", "evil.example")...)
	// Nobody makes a cookie, nor one for another class out of theirs.
	id, proof, _ := strings.Cut(k.Value, ".")
	for _, value := range []string{"", id, id + ".", "." + proof, "zzzzzzzz." + proof, id + "." + proof[1:], k.Value + "0", "s3cret", strings.ToUpper(id) + "." + proof} {
		a.expect(401, "token", "GET", "/api/v1/world", "", "Cookie", k.Name+"="+value)
	}
	a.expect(401, "token", "GET", "/api/v1/world", "", "Cookie", a.guard.cookie+"="+k.Value)
	// Who has the token does all, with or without the other cookie.
	a.expect(200, "", "GET", "/metrics", "", append(bearer, cookie...)...)
	if resp, _ := a.do("GET", c.Follow, "", bearer...); resp.StatusCode != 200 || len(resp.Cookies()) > 0 {
		t.Errorf("with the token: %d %v", resp.StatusCode, resp.Cookies())
	}

	a.expect(200, "ended", "DELETE", "/api/v1/class/"+c.ID, `{"key":"`+c.Key+`"}`, bearer...)
	for _, path := range looks {
		a.expect(403, "is over, or its presenter is not back yet", "GET", path, "", cookie...)
	}
	a.expect(403, "no class at this link now", "GET", c.Follow, "", cookie...)
	a.expect(404, "no class", "GET", "/api/v1/class/"+c.ID+"/live?who=ada", "", cookie...)
	a.expect(404, "no class", "POST", "/api/v1/class/"+c.ID+"/guess", guess, cookie...)
	a.expect(200, "", "GET", "/static/js/main.js", "", cookie...)
	a.expect(200, c.ID, "POST", "/api/v1/class", `{"id":"`+c.ID+`","key":"`+c.Key+`","chapter":"copies","step":"look"}`, bearer...)
	a.expect(200, "nodes", "GET", "/api/v1/world", "", cookie...) // the presenter is back
}
