// Package web is the dashboard's page: templ markup, ES modules and style sheets, and the handler that serves them.
package web

import "net/http"

// Options of the page.
type Options struct {
	// State gives the full frame (viz/world.Frame as JSON) that is put into the page, so that it is whole before its
	// socket is open.
	State func() ([]byte, error)
}

// Handler serves the page at / and its files below /static/.
func Handler(o Options) http.Handler { panic("stub") }
