package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// directWithin bounds one question to a gate, or to a node about its faults.
const directWithin = 2 * time.Second

// nodeGate is a node's gate as the runtime knows it.
type nodeGate struct {
	url string     // empty: the node has none
	mu  sync.Mutex // held while the gate is told something, so that the last that is told stays
	now faults     // in force; guarded by the runtime's mu
}

// ownFaults are a node's as it takes and tells them itself.
type ownFaults struct {
	LatencyMS  int64   `json:"latency_ms"`
	ErrorShare float64 `json:"error_share"`
}

func newDirect() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	return &http.Client{Transport: t, Timeout: directWithin}
}

// ask sends in as JSON where there is any, and decodes the answer into out where that is wanted.
func (d *Docker) ask(ctx context.Context, method, url string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := d.direct.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", method, url, resp.Status, strings.TrimSpace(string(b)))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

// tellGate puts f in force at the node's gate, provided that still holds once the gate is free to be told.
func (d *Docker) tellGate(ctx context.Context, n *dockerNode, f faults, still func() bool) error {
	if n.gate.url == "" {
		return nil
	}
	n.gate.mu.Lock()
	defer n.gate.mu.Unlock()
	d.mu.Lock()
	holds := still()
	d.mu.Unlock()
	if !holds {
		return nil
	}
	in := GateFaults{f.latency.Milliseconds(), f.share, f.cut}
	if err := d.ask(ctx, http.MethodPut, n.gate.url, in, nil); err != nil {
		return fmt.Errorf("tell the gate of %s: %w", n.id, err)
	}
	d.mu.Lock()
	n.gate.now = f
	d.tell(n)
	d.mu.Unlock()
	return nil
}

// gateOpens asks until the node's gate is open, or is not; a node without a gate has what is wanted.
func (d *Docker) gateOpens(ctx context.Context, n *dockerNode, open bool) error {
	for n.gate.url != "" {
		var now GateState
		err := d.ask(ctx, http.MethodGet, n.gate.url, nil, &now)
		if err == nil && now.Open == open {
			return nil
		}
		if wait(ctx, readyEvery); ctx.Err() != nil {
			return fmt.Errorf("the gate of %s at %s: %w", n.id, n.gate.url, context.Cause(ctx))
		}
	}
	return nil
}
