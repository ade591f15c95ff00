package web

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
)

// TestModulesThatDoNotCome: a page of which a module was not loaded, since the browser's network changed say, loads again.
func TestModulesThatDoNotCome(t *testing.T) {
	l := newLab(t, "calm")
	to, err := url.Parse(l.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/static/js/world.js" && asked.Add(1) <= 2 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	defer s.Close()
	open(t, tab(t), s.URL, 1440, 900)
	if n := asked.Load(); n != 3 {
		t.Errorf("the module was asked for %d times, want 3", n)
	}
}
