package control

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// maxLogs bounds what is read of one container's log, in bytes.
const maxLogs = 1 << 20

// Logs is [Logged.Logs].
func (d *Docker) Logs(ctx context.Context, node string, lines int) ([]LogLine, error) {
	d.mu.Lock()
	n := d.nodes[node]
	var replicas []*replica
	if n != nil {
		replicas = slices.Clone(n.replicas)
	}
	d.mu.Unlock()
	if len(replicas) == 0 {
		return nil, fmt.Errorf("logs of %q: %w", node, ErrUnknownNode)
	}
	var all []LogLine
	for _, r := range replicas {
		of, err := d.logsOf(ctx, r, lines)
		if err != nil {
			return nil, fmt.Errorf("logs of %s: %w", node, wrapped(err))
		}
		for i := range of {
			if len(replicas) > 1 {
				of[i].Replica = r.number
			}
		}
		all = append(all, of...)
	}
	slices.SortStableFunc(all, func(a, b LogLine) int { return a.At.Compare(b.At) })
	return all[max(0, len(all)-lines):], nil
}

// logsOf are the newest lines of one container.
func (d *Docker) logsOf(ctx context.Context, r *replica, lines int) ([]LogLine, error) {
	ctx, cancel := context.WithTimeout(ctx, askEngineWithin)
	defer cancel()
	got, err := d.engine.ContainerLogs(ctx, r.id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true,
		Tail: strconv.Itoa(lines)})
	if err != nil {
		return nil, err
	}
	defer got.Close()
	var text bytes.Buffer // both streams, line by line in the order in which they came
	if _, err := stdcopy.StdCopy(&text, &text, io.LimitReader(got, maxLogs)); err != nil && text.Len() == 0 {
		return nil, err
	}
	var all []LogLine
	for line := range strings.Lines(text.String()) {
		stamp, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		at, err := time.Parse(time.RFC3339Nano, stamp)
		if err != nil {
			rest = stamp + " " + rest
		}
		all = append(all, LogLine{At: at, Text: strings.ToValidUTF8(rest, "�")})
	}
	return all, nil
}
