package world

import (
	"math"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	freshSpan = 1500 * time.Millisecond // what ended within it is judged before the rest of the window
	slowFrom  = 250 * time.Millisecond  // a median above it is slow
	staleFrom = time.Second             // an unread event older than it makes a copy stale
)

// CellKey names a cell of the matrix.
type CellKey struct{ Feature, Pattern string }

// cell is how a feature does in a pattern.
type cell struct {
	stamp
	key      CellKey
	spec     RequestSpec
	asked    bool // it has a request
	needs    []*node
	feeds    []*node
	tries    counter
	took     durations
	reason   string
	reasonAt time.Time
	lastTry  time.Time // when the newest began
	lastEnd  time.Time // when one was last answered or given up
	typical  typical
	shown    Cell
}

// route is a request by which a feature is used.
type route struct {
	method   string
	segments []string
	cell     *cell
}

func (w *World) declareCells() {
	for _, f := range w.system.Features {
		for _, p := range w.system.Patterns {
			k := CellKey{f.ID, p.ID}
			if w.cellBy[k] != nil {
				continue
			}
			c := &cell{key: k}
			c.spec, c.asked = f.Requests[p.ID]
			w.cells = append(w.cells, c)
			w.cellBy[k] = c
			if c.asked {
				w.declareCauses(c)
				w.routes[c.spec.Node] = append(w.routes[c.spec.Node],
					route{c.spec.Method, strings.Split(c.spec.Path, "/"), c})
			}
			w.touch(c)
		}
	}
}

func (r *route) matches(method, path string) bool {
	if method != r.method || strings.Count(path, "/") != len(r.segments)-1 {
		return false
	}
	for _, want := range r.segments {
		got, rest, _ := strings.Cut(path, "/")
		path = rest
		if brace := strings.HasPrefix(want, "{") && strings.HasSuffix(want, "}"); brace && got != "" {
			continue
		}
		if got != want {
			return false
		}
	}
	return true
}

// callTried takes a client's call as a try of the feature whose request it is, and as the root of its trace; it is false
// for a call that is no such request.
func (w *World) callTried(c *CallSeen) bool {
	routes := w.routes[c.Callee]
	i := slices.IndexFunc(routes, func(r route) bool { return r.matches(c.Method, c.Path) })
	if i < 0 {
		return false
	}
	cell := routes[i].cell
	ok := c.Status >= 200 && c.Status < 400 || slices.Contains(cell.spec.OK, c.Status)
	w.tried(cell, ok, c.Reason, c.Status, c.Start, c.Duration)
	w.rootPart(cell, ok, c)
	return true
}

func (w *World) triesSeen(o TriesSeen) {
	for i := range o.Tries {
		t := &o.Tries[i]
		c := w.cellBy[CellKey{t.Feature, t.Pattern}]
		if c == nil {
			continue
		}
		w.tried(c, t.OK, t.Reason, t.Status, t.Start, t.Duration)
		if t.Probe {
			root := &CallSeen{Callee: c.spec.Node, Method: c.spec.Method, Path: c.spec.Path, Status: t.Status, Failed: !t.OK,
				Reason: t.Reason, Start: t.Start, Duration: t.Duration, TraceID: t.TraceID, SpanID: t.SpanID}
			w.rootPart(c, t.OK, root)
			w.called(called, root, "", c.spec.Node)
		}
	}
}

// touchCells has all cells looked at: what a node is like explains them.
func (w *World) touchCells() {
	for _, c := range w.cells {
		w.touch(c)
	}
}

func (w *World) tried(c *cell, ok bool, reason string, status int, start time.Time, took time.Duration) {
	start = w.earlier(start)
	end := w.earlier(start.Add(took)) // a try is judged by when it was known how it went: one that hung is news too
	failed := int64(0)
	if !ok {
		failed = 1
		if !end.Before(c.reasonAt) {
			c.reason, c.reasonAt = why(reason, status), end
		}
	}
	c.tries.add(end, 1, failed)
	c.took.add(end, took)
	if end.After(c.lastEnd) {
		c.lastEnd = end
	}
	if start.After(c.lastTry) {
		c.lastTry = start
	}
	w.touch(c)
}

func (c *cell) settle(w *World, _ int64) bool {
	n, failed := c.tries.sum(w.now, windowSpan)
	judged, fresh, bad := w.now, int64(0), int64(0)
	if fresh, bad = c.tries.sum(judged, freshSpan); fresh == 0 {
		judged = c.lastEnd // a quiet cell stays as it was last found, until the window has slid past that
		fresh, bad = c.tries.sum(judged, freshSpan)
	}
	c.took.take(w.now, judged, freshSpan)
	now := Cell{Feature: c.key.Feature, Pattern: c.key.Pattern, State: Untried, Tries: int(n)}
	if n > 0 {
		now.Success = math.Round(float64(n-failed)/float64(n)*1000) / 1000
		now.P50MS, now.P99MS = ms(c.took.median), ms(c.took.last)
		if behind := w.behind(c); behind > staleFrom {
			now.StaleMS = behind.Truncate(100 * time.Millisecond).Milliseconds()
		}
		if failed > 0 {
			now.LastError = c.reason
		}
		switch {
		case 2*bad > fresh:
			now.State = Fails
		case c.took.fresh > slowFrom:
			now.State = Slow
		case now.StaleMS > 0:
			now.State = Stale
		default:
			now.State = Works
		}
		now.Because = c.because(now.State)
	}
	if t := c.typical.request; t != nil {
		now.Cost, now.Trace = &t.Cost, t.Trace
	}
	if !w.ticking && c.rev > 0 && now.State == c.shown.State && slices.Equal(now.Because, c.shown.Because) {
		return false
	}
	changed := !reflect.DeepEqual(now, c.shown) || c.rev == 0
	c.shown = now
	return changed
}

// behind is how far the copies that the cell's answers rest on are behind their owners: by what was not read yet, or not
// even published, or was trimmed before it was read and is not healed.
func (w *World) behind(c *cell) time.Duration {
	var most time.Duration
	for _, stream := range c.spec.Reads {
		if e := w.edgeBy[edgeKey{Take, stream, c.spec.Node}]; e != nil {
			most = max(most, e.group.age(w.now), e.group.hole.age(w.now))
		}
		for _, n := range w.emitters[stream] {
			most = max(most, n.unpublished(w.now))
		}
	}
	return most
}

// Cell is one cell as known now; the zero value where there is none of that name.
func (w *World) Cell(k CellKey) Cell {
	if c := w.cellBy[k]; c != nil {
		return c.shown
	}
	return Cell{}
}

// Untried are the cells that can be asked and of which no try started within that time before at, in the file's order.
func (w *World) Untried(at time.Time, within time.Duration) []CellKey {
	var keys []CellKey
	for _, c := range w.cells {
		if c.asked && (c.lastTry.IsZero() || c.lastTry.Before(at.Add(-within))) {
			keys = append(keys, c.key)
		}
	}
	return keys
}

// Calm says whether nothing is known to be wrong: every node that a runtime tells of is up with
// all its replicas and has no fault, and every cell
// that was tried works.
func (w *World) Calm() bool {
	for _, n := range w.nodes {
		if n.told && !n.hidden(w) && (n.state != Up || len(n.faults) > 0 || !n.replicas.up()) {
			return false
		}
	}
	for _, c := range w.cells {
		if c.asked && c.shown.State != Works && c.shown.State != Untried {
			return false
		}
	}
	return true
}

// why is a failure in words.
func why(reason string, status int) string {
	switch {
	case reason != "":
		return clip(reason)
	case status == 0:
		return "no answer"
	case http.StatusText(status) != "":
		return strconv.Itoa(status) + " " + http.StatusText(status)
	}
	return "status " + strconv.Itoa(status)
}
