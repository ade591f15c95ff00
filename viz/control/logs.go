package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// logTail is how much of a log is read at most, from its end.
const logTail = 256 << 10

// Logs is [Logged.Logs]: the end of the node's log, which is of all its runs since [NewProcesses]. Of a line the time is
// known where it begins as slog's text handler writes it.
func (p *Processes) Logs(ctx context.Context, node string, lines int) ([]LogLine, error) {
	n, ok := p.nodes[node]
	if !ok {
		return nil, fmt.Errorf("logs of %q: %w", node, ErrUnknownNode)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("logs of %s: %w", node, err)
	}
	if n.LogFile == "" {
		return nil, nil
	}
	end, err := tail(n.LogFile)
	if errors.Is(err, os.ErrNotExist) { // it was never started
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("logs of %s: %w", node, err)
	}
	var all []LogLine
	for line := range bytes.Lines(end) {
		text := strings.ToValidUTF8(strings.TrimRight(string(line), "\r\n"), "\uFFFD")
		all = append(all, LogLine{At: writtenAt(text), Text: text})
	}
	return all[max(0, len(all)-max(0, lines)):], nil
}

// tail is the end of a file in whole lines; of a line that is longer than that its end.
func tail(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	from := max(0, st.Size()-logTail)
	end, err := io.ReadAll(io.NewSectionReader(f, from, st.Size()-from))
	if err != nil {
		return nil, err
	}
	if from > 0 {
		if _, whole, ok := bytes.Cut(end, []byte("\n")); ok && len(whole) > 0 {
			end = whole
		}
	}
	return end, nil
}

// writtenAt is the time with which a line begins; zero where it begins with none.
func writtenAt(line string) time.Time {
	rest, ok := strings.CutPrefix(line, "time=")
	if !ok {
		return time.Time{}
	}
	stamp, _, _ := strings.Cut(rest, " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return time.Time{}
	}
	return at
}
