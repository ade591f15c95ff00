package viz

import (
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

func TestHosts(t *testing.T) {
	a := serve(t, newFake(), "")
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(a.url, "http://"))
	for _, host := range []string{"localhost:" + port, "LOCALHOST:" + port, "127.0.0.1:" + port, "[::1]:" + port} {
		a.expect(200, "nodes", "GET", "/api/v1/world", "", "Host", host)
	}
	for _, host := range []string{"evil.example", "evil.example:" + port, "localhost", "127.0.0.1", "localhost:1", "127.0.0.1.evil.example:" + port,
		"192.168.1.9:" + port, "localhost:" + port + ".evil.example"} {
		a.expect(421, "not called", "GET", "/api/v1/world", "", "Host", host)
		a.expect(421, "not called", "POST", "/api/v1/nodes/orders/kill", "", "Host", host)
		a.expect(421, "not called", "GET", "/", "", "Host", host)
	}
	a.expect(200, "up", "GET", "/healthz", "", "Host", "10.0.0.7")
}

func TestOrigins(t *testing.T) {
	a := serve(t, newFake(), "")
	for _, headers := range [][]string{
		{"Origin", "http://evil.example"},
		{"Origin", "null"},
		{"Origin", "http://127.0.0.1:1"},
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "cross-site", "Origin", a.url},
	} {
		for _, path := range []string{"/api/v1/nodes/orders/kill", "/api/v1/restore", "/api/v1/load", "/v1/traces"} {
			a.expect(403, "elsewhere", "POST", path, "{}", headers...)
		}
	}
	if n, _ := a.node("orders"); n.State != world.Up {
		t.Errorf("orders is %s", n.State)
	}
	a.expect(200, "down", "POST", "/api/v1/nodes/orders/kill", "", "Origin", a.url, "Sec-Fetch-Site", "same-origin")

	ws := "ws" + strings.TrimPrefix(a.url, "http") + "/ws"
	for origin, want := range map[string]int{a.url: 101, "": 101, "http://evil.example": 403, "null": 403, "http://127.0.0.1:1": 403,
		"https" + strings.TrimPrefix(a.url, "http"): 403} {
		h := http.Header{}
		if origin != "" {
			h.Set("Origin", origin)
		}
		conn, resp, err := websocket.DefaultDialer.Dial(ws, h)
		if err == nil {
			conn.Close()
		}
		if resp == nil || resp.StatusCode != want {
			t.Errorf("a socket from %q: %v %v, want %d", origin, resp, err, want)
		}
	}
	// A name that was made to point here is both Host and Origin.
	d := websocket.Dialer{}
	_, resp, err := d.Dial(ws, http.Header{"Origin": {"http://evil.example"}, "Host": {"evil.example"}})
	if err == nil || resp.StatusCode != 421 {
		t.Errorf("a rebound name: %v %v, want 421", resp, err)
	}
}

func TestToken(t *testing.T) {
	const token = "s3cret & more"
	a := serve(t, newFake(), token)
	bearer := []string{"Authorization", "Bearer " + token}
	for _, path := range []string{"/", "/api/v1/world", "/metrics", "/readyz", "/ws", "/static/x.js", "/nowhere", "/?token=wrong", "/api/v1/world?token=" + "s3cret+%26+more"} {
		a.expect(401, "token", "GET", path, "")
	}
	for _, header := range []string{"Bearer", "Bearer ", "Bearer wrong", "Basic " + token, token, "Bearer " + token + "x"} {
		a.expect(401, "token", "POST", "/api/v1/nodes/orders/kill", "", "Authorization", header)
	}
	a.expect(200, "up", "GET", "/healthz", "")
	a.expect(200, "nodes", "GET", "/api/v1/world", "", bearer...)
	a.expect(200, "down", "POST", "/api/v1/nodes/orders/kill", "", bearer...)

	resp, _ := a.do("GET", "/?token=s3cret+%26+more", "")
	if resp.StatusCode != 303 || resp.Header.Get("Location") != "/" || len(resp.Cookies()) != 1 {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	c := resp.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || strings.Contains(c.Value, "s3cret") {
		t.Errorf("cookie %+v", c)
	}
	a.expect(200, "up", "POST", "/api/v1/nodes/orders/start", "", "Cookie", c.Name+"="+c.Value)
	a.expect(401, "token", "GET", "/api/v1/world", "", "Cookie", c.Name+"="+token)
	// The token is no way around the other checks.
	a.expect(403, "elsewhere", "POST", "/api/v1/nodes/orders/kill", "", append(bearer, "Origin", "http://evil.example")...)
	a.expect(421, "not called", "GET", "/api/v1/world", "", append(bearer, "Host", "evil.example")...)
	if strings.Contains(a.log.String(), "s3cret") {
		t.Errorf("the log tells the token: %s", a.log)
	}
}

func TestPublished(t *testing.T) {
	all := &net.TCPAddr{IP: net.IPv6unspecified, Port: 7070}
	for published, ours := range map[string]string{"127.0.0.1:8080": "localhost:8080", "localhost:8080": "127.0.0.1:8080", "[::1]:8080": "[::1]:8080"} {
		g, err := newPublishedGuard(all, published, "")
		if err != nil || !g.ours(ours) || g.ours("127.0.0.1:7070") || g.ours("viz:7070") || g.ours("evil.example:8080") {
			t.Errorf("%s: %v, %s must be ours alone", published, err, ours)
			continue
		}
		for host, want := range map[string]bool{"viz:7070": true, "viz:8080": false, "viz": false, "evil.example:7070": false, "10.0.0.1:7070": false, "[::1]:7070": false} {
			if g.within(host) != want {
				t.Errorf("%s: %q is within: %v", published, host, !want)
			}
		}
	}
	for _, published := range []string{"0.0.0.0:8080", ":8080", "192.168.1.9:8080", "lab.example:8080", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:99999"} {
		if _, err := newPublishedGuard(all, published, ""); err == nil {
			t.Errorf("%q needs no token", published)
		}
	}
	if g, err := newPublishedGuard(all, "lab.example:8080", "t"); err != nil || !g.ours("lab.example:8080") {
		t.Errorf("with a token: %v", err)
	}
	if g, _ := newGuard(all, ":7070", "t"); g.within("viz:7070") {
		t.Error("within a container's network, without being in one")
	}
}

func TestAddressesAndTokens(t *testing.T) {
	lan := &net.TCPAddr{IP: net.IPv4(192, 168, 1, 9), Port: 7070}
	all := &net.TCPAddr{IP: net.IPv6unspecified, Port: 7070}
	loop := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7070}
	for _, tc := range []struct {
		addr         net.Addr
		asked, token string
		ours, alien  string // hosts; ours empty: refused
	}{
		{loop, "", "", "localhost:7070", "192.168.1.9:7070"},
		{loop, "localhost:7070", "", "127.0.0.1:7070", "localhost"},
		{lan, "192.168.1.9:7070", "", "", ""},
		{all, ":7070", "", "", ""},
		{loop, "0.0.0.0:7070", "", "", ""},
		{lan, "lab.example:7070", "", "", ""},
		{lan, "lab.example:7070", "t", "lab.example:7070", "192.168.1.10:7070"},
		{lan, "", "t", "192.168.1.9:7070", "evil.example:7070"},
		{all, "0.0.0.0:7070", "t", "192.168.1.9:7070", "evil.example:7070"},
		{all, ":7070", "t", "[fe80::1]:7070", "192.168.1.9:7071"},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}, "", "", "localhost", "evil.example"},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}, "", "", "[::1]", "localhost:8080"},
	} {
		g, err := newGuard(tc.addr, tc.asked, tc.token)
		if tc.ours == "" {
			if err == nil || !strings.Contains(err.Error(), "--token") {
				t.Errorf("%v asked as %q: %v, want an error that says what to do", tc.addr, tc.asked, err)
			}
			continue
		}
		if err != nil || !g.ours(tc.ours) || g.ours(tc.alien) {
			t.Errorf("%v asked as %q: %v, %q must be ours and %q not", tc.addr, tc.asked, err, tc.ours, tc.alien)
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var none control.Runtime
	if err := Serve(t.Context(), ln, Options{System: system, Runtime: none, Addr: "0.0.0.0:0", Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("Serve takes an open address without a token")
	}
}
