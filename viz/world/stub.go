package world

import "time"

// ParseSystem reads and checks a system file; the error names what is wrong and where.
func ParseSystem(b []byte) (System, error) { panic("stub") }

// World is what is known now. It is not safe for concurrent use: its owner folds and reads in turn.
type World struct{}

// New is a world in which the system's nodes are unknown and nothing was seen.
func New(s System, at time.Time) *World { panic("stub") }

// Apply folds one observation.
func (w *World) Apply(o Observation) { panic("stub") }

// Rev is the revision: it grows with every change that a frame would show.
func (w *World) Rev() int64 { panic("stub") }

// Since is the frame from revision rev to now: only what changed. Since(0) is the full frame.
func (w *World) Since(rev int64) Frame { panic("stub") }

// Query selects events; zero fields select all.
type Query struct {
	Stream, Type, Subject, Node string
	Before                      int64 // only events with a lower Seq
	Limit                       int   // 1 to 1000
}

// Events are the newest events that match, newest first, with Raw, out of the newest 10,000.
func (w *World) Events(q Query) []Event { panic("stub") }

// Event is the newest event with that CloudEvents id or entry id.
func (w *World) Event(id string) (Event, bool) { panic("stub") }
