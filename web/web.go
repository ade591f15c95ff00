// Package web is the dashboard's page: templ markup, ES modules and style sheets, and the handler that serves them.
package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// policy lets the page load and connect to nothing but its own origin: no inline script, no inline style.
const policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

// Options of the page.
type Options struct {
	// State gives the full frame (viz/world.Frame as JSON) that is put into the page, so that it is whole before its
	// socket is open.
	State func() ([]byte, error)
	// Invented: the system is made up, and the page says so, for no number on it is measured.
	Invented bool
	// Chapters are the ids of the walkthrough's; none: the page offers no walkthrough.
	Chapters []string
}

// Handler serves the page at / and its files below /static/. Where there is a walkthrough the page also stands at
// /walkthrough, at /walkthrough/summary, at /walkthrough/ID of each chapter and at /follow/ID of a class; whether there is
// such a class is not looked at here.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	whole := func(w http.ResponseWriter, r *http.Request) { servePage(w, r, o) }
	mux.HandleFunc("GET /{$}", whole)
	if len(o.Chapters) > 0 {
		mux.HandleFunc("GET /walkthrough", whole)
		mux.HandleFunc("GET /walkthrough/{chapter}", func(w http.ResponseWriter, r *http.Request) {
			if c := r.PathValue("chapter"); c != "summary" && !slices.Contains(o.Chapters, c) {
				http.NotFound(w, r)
				return
			}
			whole(w, r)
		})
		mux.HandleFunc("GET /follow/{class}", whole)
	}
	mux.Handle("GET /static/", files())
	return mux
}

// servePage renders into memory first: a page is sent whole or not at all.
func servePage(w http.ResponseWriter, r *http.Request, o Options) {
	state, err := o.State()
	if err != nil {
		http.Error(w, fmt.Sprintf("the dashboard's state is not to be had: %v", err), http.StatusInternalServerError)
		return
	}
	var b bytes.Buffer
	if err := page(json.RawMessage(state), o.Invented, len(o.Chapters) > 0).Render(r.Context(), &b); err != nil {
		http.Error(w, fmt.Sprintf("the page cannot be made: %v", err), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(b.Bytes()) // the reader has gone: nobody is left to be told
}
