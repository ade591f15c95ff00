// Package probes watches what works by trying it: it uses the features that nobody used for a while, and asks what
// traffic is set and what waits in outboxes.
package probes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/stillup/stillup/viz/world"
)

const (
	askEvery    = 50 * time.Millisecond   // how often quiet cells are looked for
	spread      = 8                       // looks over which the tries of all cells begin: all at once would find each other slow
	tryWithin   = 1200 * time.Millisecond // how long one try may take
	triesAtOnce = 64                      // one more waits for the next look; more than a matrix has cells that one outage may hang
	answerMost  = 64 << 10                // bytes of an answer that are read
)

// Probes tries the cells of the matrix that nobody used. Quiet and URL must be set.
type Probes struct {
	System world.System
	Quiet  func() []world.CellKey   // cells that nobody tried for a while
	URL    func(node string) string // a node's base address; empty: not known yet, so it is not tried
	// ReadOnly leaves out all requests but GET and HEAD, for a system that is only to be looked at.
	ReadOnly bool
	Log      *slog.Logger // nil: slog.Default()
}

// Run tries quiet cells until ctx ends, then waits for the tries under way and returns nil. A cell has one try under way
// at most, all cells together 64; where all are quiet, their tries begin one after another within 0.4 s.
// see gets one TriesSeen as soon as each is answered; it is called from many goroutines.
func (p *Probes) Run(ctx context.Context, see func(...world.Observation)) error {
	log := p.Log
	if log == nil {
		log = slog.Default()
	}
	client := newClient(tryWithin)
	var (
		running  sync.WaitGroup
		mu       sync.Mutex
		inFlight = map[world.CellKey]bool{}
		hopeless = map[world.CellKey]bool{} // cannot be asked; told once
	)
	defer running.Wait()
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	var last world.CellKey // that was tried: those after it come first
	for {
		begun, most := 0, p.atOneLook()
		quiet := p.Quiet()
		next := slices.Index(quiet, last) + 1
		for _, cell := range slices.Concat(quiet[next:], quiet[:next]) {
			if begun == most {
				break
			}
			spec, ok := p.spec(cell)
			if !ok || hopeless[cell] {
				continue
			}
			base := p.URL(spec.Node)
			if base == "" {
				continue
			}
			mu.Lock()
			busy := inFlight[cell] || len(inFlight) >= triesAtOnce
			if !busy {
				inFlight[cell] = true
			}
			mu.Unlock()
			if busy {
				continue
			}
			req, id, err := request(ctx, base, spec, p.System.Vars)
			if err != nil {
				log.Error("a cell cannot be probed", "feature", cell.Feature, "pattern", cell.Pattern, "error", err)
				hopeless[cell] = true
				mu.Lock()
				delete(inFlight, cell)
				mu.Unlock()
				continue
			}
			begun, last = begun+1, cell
			running.Go(func() {
				try := ask(client, req, spec)
				mu.Lock()
				delete(inFlight, cell)
				mu.Unlock()
				if ctx.Err() != nil {
					return // the end of the visualizer is no failure of the system
				}
				try.Feature, try.Pattern, try.Probe = cell.Feature, cell.Pattern, true
				try.TraceID, try.SpanID = id.trace, id.span
				see(world.TriesSeen{At: time.Now(), Tries: []world.TrySeen{try}})
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// atOneLook is how many tries begin at one look at most.
func (p *Probes) atOneLook() int {
	cells := 0
	for _, f := range p.System.Features {
		cells += len(f.Requests)
	}
	return max(1, (cells+spread-1)/spread)
}

// spec is the request of a cell; ok is false where there is none that may be sent.
func (p *Probes) spec(cell world.CellKey) (spec world.RequestSpec, ok bool) {
	i := slices.IndexFunc(p.System.Features, func(f world.FeatureSpec) bool { return f.ID == cell.Feature })
	if i < 0 {
		return spec, false
	}
	spec, ok = p.System.Features[i].Requests[cell.Pattern]
	if p.ReadOnly && spec.Method != http.MethodGet && spec.Method != http.MethodHead {
		ok = false
	}
	return spec, ok
}

// newClient makes a client for requests to nodes that may die any time: no connection is kept, so that none is found
// dead, and redirects are answers.
func newClient(within time.Duration) *http.Client {
	return &http.Client{
		Timeout:       within,
		Transport:     &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: within}).DialContext},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask sends the request and judges the answer.
func ask(client *http.Client, req *http.Request, spec world.RequestSpec) world.TrySeen {
	try := world.TrySeen{Start: time.Now()}
	status, body, err := exchange(client, req)
	try.Duration = time.Since(try.Start)
	try.Status = status
	switch {
	case err != nil:
		try.Reason = words(spec.Node, err)
	case status < 400, slices.Contains(spec.OK, status):
		try.OK = true
	default:
		try.Reason = problem(spec.Node, status, body)
	}
	return try
}

// exchange sends req and reads the answer, at most answerMost of it.
func exchange(client *http.Client, req *http.Request) (status int, body []byte, err error) {
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, answerMost))
	if err != nil {
		return 0, nil, err // it broke off: not an answer
	}
	return resp.StatusCode, body, nil
}

// problem is the detail of a problem document, else the status in words.
func problem(node string, status int, body []byte) string {
	var doc struct{ Title, Detail string }
	if json.Unmarshal(bytes.TrimSpace(body), &doc) == nil {
		switch {
		case doc.Detail != "":
			return doc.Detail
		case doc.Title != "":
			return fmt.Sprintf("%s answered %d: %s", node, status, doc.Title)
		}
	}
	return fmt.Sprintf("%s answered %d", node, status)
}

// words says in a newcomer's words why node gave no answer.
func words(node string, err error) string {
	var late net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return node + " refused the connection"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late) && late.Timeout():
		return node + " did not answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return node + " broke the connection off"
	}
	return node + " did not answer: " + err.Error()
}
