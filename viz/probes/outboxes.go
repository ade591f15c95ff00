package probes

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/stillup/stillup/viz/world"
)

const (
	outboxEvery  = 500 * time.Millisecond
	outboxWithin = 400 * time.Millisecond // less than outboxEvery: a node is asked once at a time
)

// Outboxes watches what services have committed and not published yet. All fields must be set.
type Outboxes struct {
	System world.System
	URL    func(node string) string // a node's base address; empty: not known yet, so it is not asked
}

// Run asks every node with an outbox twice a second, all at once, until ctx ends, and returns nil then. see gets an
// OutboxSeen from each as soon as it is known how it went, negative where the node does not say; it is called from many
// goroutines.
func (o *Outboxes) Run(ctx context.Context, see func(...world.Observation)) error {
	client := newClient(outboxWithin)
	tick := time.NewTicker(outboxEvery)
	defer tick.Stop()
	for {
		var asked sync.WaitGroup
		for _, n := range o.System.Nodes {
			if n.Outbox == "" {
				continue
			}
			base := o.URL(n.ID)
			if base == "" {
				continue
			}
			asked.Go(func() {
				seen := outboxOf(ctx, client, strings.TrimSuffix(base, "/")+n.Outbox)
				if ctx.Err() == nil { // the end of the visualizer is no failure of the system
					seen.At, seen.Node = time.Now(), n.ID
					see(seen)
				}
			})
		}
		asked.Wait()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// outboxOf asks a node; what it says is negative where it gives no answer that can be understood.
func outboxOf(ctx context.Context, client *http.Client, address string) world.OutboxSeen {
	unknown := world.OutboxSeen{Waiting: -1}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return unknown
	}
	req.Header.Set("User-Agent", "stillup-probe")
	status, body, err := exchange(client, req)
	if err != nil || status != http.StatusOK {
		return unknown
	}
	var said struct {
		Waiting *int64     `json:"waiting"`
		More    bool       `json:"more"`
		Oldest  *time.Time `json:"oldest"`

		Republished   int64      `json:"republished"`
		RepublishedAt *time.Time `json:"republished_at"`
	}
	if json.Unmarshal(body, &said) != nil || said.Waiting == nil || *said.Waiting < 0 {
		return unknown
	}
	seen := world.OutboxSeen{Waiting: *said.Waiting, More: said.More, Republished: max(0, said.Republished)}
	if said.RepublishedAt != nil {
		seen.RepublishedAt = *said.RepublishedAt
	}
	if said.Oldest != nil {
		seen.Oldest = *said.Oldest
	}
	return seen
}
