// Package hub keeps the world and gives every browser a snapshot, then diffs.
package hub

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/stillup/stillup/viz/world"
)

// Hub owns a world: it folds observations from many goroutines and serves frames to many sockets. A slow browser's diffs
// coalesce (it gets one frame from the last revision that it has); nothing blocks the fold.
type Hub struct{}

// Options of a hub; the zero value works.
type Options struct {
	Log *slog.Logger
	// Origin says whether a socket's request may connect; nil: same host only.
	Origin func(*http.Request) bool
}

func New(w *world.World, o Options) *Hub { panic("stub") }

// Observe folds observations in order. It never waits for a browser.
func (h *Hub) Observe(obs ...world.Observation) { panic("stub") }

// View runs f with the world; f must not keep it.
func (h *Hub) View(f func(*world.World)) { panic("stub") }

// ServeHTTP upgrades to a WebSocket and sends frames until either side ends.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) { panic("stub") }

// Run ticks the world and ends all sockets when ctx ends; it returns when all are gone.
func (h *Hub) Run(ctx context.Context) error { panic("stub") }
