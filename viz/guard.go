package viz

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// guard decides who may ask. It never changes.
type guard struct {
	hosts  map[string]bool // the Host headers that are ours
	port   string
	anyIP  bool   // listens on all addresses: its names cannot be listed
	inner  string // port inside the network of containers, where it is published from one; else empty
	token  string
	cookie string // name of the cookie that stands for the token; with the port, since cookies are shared by ports
	cross  *http.CrossOriginProtection
	// isClass says whether there is a class of that id, whose followers are let in without the token; nil: there are none.
	isClass func(id string) bool
}

// newGuard makes the guard of a listener on addr that was asked for as asked, host:port, which may be empty. Without a
// token both must be loopback.
func newGuard(addr net.Addr, asked, token string) (*guard, error) {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return nil, fmt.Errorf("address %s of the dashboard: %w", addr, err)
	}
	hosts := []string{"localhost", "127.0.0.1", "::1", host}
	if asked != "" {
		name, _, err := net.SplitHostPort(asked)
		if err != nil {
			return nil, fmt.Errorf("address %q of the dashboard: %w; write HOST:PORT, such as 127.0.0.1:7070", asked, err)
		}
		hosts = append(hosts, name)
	}
	ips := []netip.Addr{}
	for _, h := range hosts[3:] {
		ip, err := netip.ParseAddr(h)
		if h == "" {
			ip, err = netip.IPv6Unspecified(), nil
		}
		if err == nil {
			ips = append(ips, ip.Unmap())
		}
	}
	g := &guard{hosts: map[string]bool{}, port: port, token: token, cookie: "stillup_" + port, cross: http.NewCrossOriginProtection()}
	for _, ip := range ips {
		if !ip.IsLoopback() && token == "" {
			return nil, fmt.Errorf("the dashboard can kill processes, so on %s, which others can reach, it needs a token: "+
				"set --token or STILLUP_TOKEN, or listen on 127.0.0.1", net.JoinHostPort(ip.String(), port))
		}
		g.anyIP = g.anyIP || ip.IsUnspecified()
	}
	if g.anyIP {
		if name, err := os.Hostname(); err == nil { // else it is only not known by that name
			hosts = append(hosts, name)
		}
	}
	for _, h := range hosts {
		if h == "" {
			continue
		}
		h = strings.ToLower(h)
		g.hosts[net.JoinHostPort(h, port)] = true
		if port == "80" { // which browsers leave out
			g.hosts[h] = true
			g.hosts["["+h+"]"] = true
		}
	}
	return g, nil
}

// newPublishedGuard makes the guard of a dashboard in a container that listens on addr and is published by the engine as
// host:port. Browsers reach it under that name alone, so that is what must be loopback without a token; services in its
// network send their traces to it by a name of theirs.
func newPublishedGuard(addr net.Addr, published, token string) (*guard, error) {
	host, port, err := net.SplitHostPort(published)
	number, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || bad != nil || host == "" {
		return nil, fmt.Errorf("the address %q that the dashboard is published under is not one; write HOST:PORT, such as 127.0.0.1:7070", published)
	}
	ip := net.ParseIP(host)
	if host == "localhost" {
		ip = net.IPv4(127, 0, 0, 1)
	}
	g, err := newGuard(&net.TCPAddr{IP: ip, Port: int(number)}, published, token)
	if err != nil {
		return nil, err
	}
	_, g.inner, err = net.SplitHostPort(addr.String())
	return g, err
}

// setHeaders sets what every answer carries.
func setHeaders(h http.Header, path string) {
	h.Set("Content-Security-Policy", "default-src 'self'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if !strings.HasPrefix(path, "/static/") {
		h.Set("Cache-Control", "no-store")
	}
}

// check lets a request pass (done is false), answers it itself (done is true), or returns the problem to answer.
// /healthz is open, for whoever watches the process.
func (g *guard) check(w http.ResponseWriter, r *http.Request) (done bool, err error) {
	if r.URL.Path == "/healthz" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		return false, nil
	}
	if !g.ours(r.Host) && !(r.URL.Path == "/v1/traces" && g.within(r.Host)) {
		return false, refuse(http.StatusMisdirectedRequest, "the dashboard is not called %q; open it under the address that it printed", r.Host)
	}
	if err := g.cross.Check(r); err != nil {
		return false, refuse(http.StatusForbidden, "a page from elsewhere may not act here")
	}
	if g.token == "" {
		return false, nil
	}
	if given := r.URL.Query().Get("token"); given != "" && r.URL.Path == "/" && r.Method == http.MethodGet && same(given, g.token) {
		http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.secret(), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		http.Redirect(w, r, "/", http.StatusSeeOther) // so that the token leaves the address bar
		return true, nil
	}
	if g.known(r) {
		return false, nil
	}
	if met, err := g.follow(w, r); met {
		return false, err
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="stillup"`)
	return false, refuse(http.StatusUnauthorized, "the dashboard needs its token: open /?token=..., or send Authorization: Bearer ...")
}

// ours says whether host, as in the Host header, names this dashboard. A page that had its own name point here
// (DNS rebinding) is known by it.
func (g *guard) ours(host string) bool {
	if g.hosts[strings.ToLower(host)] {
		return true
	}
	if !g.anyIP {
		return false
	}
	name, port, err := net.SplitHostPort(host)
	if err != nil || port != g.port {
		return false
	}
	_, err = netip.ParseAddr(name) // an address cannot be rebound
	return err == nil
}

// within says whether host names this dashboard within the network of its container. Such names have one label, so nobody
// outside can make one of theirs point here.
func (g *guard) within(host string) bool {
	name, port, err := net.SplitHostPort(host)
	return err == nil && g.inner != "" && port == g.inner && name != "" && !strings.ContainsAny(name, ".:")
}

// known says whether the request carries the token or the cookie that stands for it.
func (g *guard) known(r *http.Request) bool {
	if scheme, given, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") && same(given, g.token) {
		return true
	}
	c, err := r.Cookie(g.cookie)
	return err == nil && same(c.Value, g.secret())
}

// secret is the cookie's value: it proves the token and does not tell it.
func (g *guard) secret() string {
	sum := sha256.Sum256([]byte("stillup cookie\x00" + g.token))
	return hex.EncodeToString(sum[:])
}

// sameOrigin says whether a socket's request comes from the dashboard's own page: same scheme and host. Browsers always
// send Origin with a socket, so one without comes from a program, which could send any.
func (g *guard) sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	u, err := url.Parse(origin)
	return err == nil && u.Scheme == scheme && strings.EqualFold(u.Host, r.Host)
}

// same compares in constant time, whatever the lengths.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
