package viz

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

// followable is all that a class's link opens where the dashboard has a token.
var followable = func() *http.ServeMux {
	mux := http.NewServeMux()
	for _, pattern := range []string{"GET /{$}", "GET /walkthrough", "GET /walkthrough/{chapter}", "GET /ws", "GET /api/v1/world",
		"GET /api/v1/features", "GET /api/v1/features/{feature}/{pattern}", "GET /api/v1/walkthrough", "GET /api/v1/walkthrough/{chapter}",
		"GET /api/v1/walkthrough/{chapter}/{step}/live",
		// What steps open beside them; what the stores hold is looked at, not searched.
		"GET /api/v1/copies", "GET /api/v1/copies/{kind}/{id}", "GET /api/v1/copies/{kind}/{id}/live", "GET /api/v1/workloads", "GET /api/v1/actions",
		"GET /api/v1/actions/{id}"} {
		mux.HandleFunc(pattern, http.NotFound) // it is only asked which would match
	}
	return mux
}()

// alwaysFollowable is what it opens even while there is no such class, be it over or its presenter not back yet: the page's
// files, and the class itself, so that a follower hears which of both it is.
var alwaysFollowable = func() *http.ServeMux {
	mux := http.NewServeMux()
	for _, pattern := range []string{"GET /static/", "GET /api/v1/class/{class}/live", "POST /api/v1/class/{class}/guess"} {
		mux.HandleFunc(pattern, http.NotFound)
	}
	return mux
}()

func lists(mux *http.ServeMux, r *http.Request) bool {
	_, pattern := mux.Handler(r)
	return pattern != ""
}

// follow judges a request without the token. Whoever opens the link of a class gets a cookie that stands for that link; it
// lets its holder look on for as long as there is the class, and guess, and nothing else. met is false for one that has
// nothing to do with a class.
func (g *guard) follow(w http.ResponseWriter, r *http.Request) (met bool, err error) {
	if id, is := strings.CutPrefix(r.URL.Path, "/follow/"); is && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		if g.isClass == nil || !g.isClass(id) {
			return true, refuse(http.StatusForbidden, "there is no class at this link now; ask its presenter for the link, or open the dashboard with its token")
		}
		http.SetCookie(w, &http.Cookie{Name: g.followCookie(), Value: g.followSecret(id), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		return true, nil
	}
	id, ok := g.followed(r)
	switch {
	case !ok:
		return false, nil
	case lists(alwaysFollowable, r):
		return true, nil
	case !lists(followable, r):
		return true, refuse(http.StatusForbidden, "this link only follows; whoever is to act opens the dashboard with its token")
	case g.isClass == nil || !g.isClass(id):
		return true, refuse(http.StatusForbidden, "the class that this link follows is over, or its presenter is not back yet")
	}
	return true, nil
}

// followed is the class whose link the request's cookie stands for; whether there still is one is not asked.
func (g *guard) followed(r *http.Request) (id string, ok bool) {
	c, err := r.Cookie(g.followCookie())
	if err != nil {
		return "", false
	}
	id, _, ok = strings.Cut(c.Value, ".")
	return id, ok && same(c.Value, g.followSecret(id))
}

func (g *guard) followCookie() string { return g.cookie + "_follow" }

// followSecret is the cookie's value: who has no token cannot make one, nor learn the token from it.
func (g *guard) followSecret(id string) string {
	id = strings.ToLower(id)
	mac := hmac.New(sha256.New, []byte(g.token))
	mac.Write([]byte("stillup follow\x00" + id))
	return id + "." + hex.EncodeToString(mac.Sum(nil))
}
