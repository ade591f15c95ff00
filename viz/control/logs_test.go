package control_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

func TestLogs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	var r control.Logged
	p, err := control.NewProcesses([]control.Process{{ID: "a", Path: "/bin/sh", LogFile: path, Args: []string{"-c",
		`echo "time=2026-11-24T10:00:00.123+01:00 level=INFO msg=up"; echo; echo "time=soon"; printf 'caf\351\r\nlast'; exec sleep 300`},
		Ready: func(context.Context) error {
			if b, err := os.ReadFile(path); err != nil || !strings.HasSuffix(string(b), "last") {
				return errors.New("it has not written all")
			}
			return nil
		}}, {ID: "mute", Path: "/bin/true"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	r = p
	logs := func(node string, lines int) []control.LogLine {
		t.Helper()
		got, err := r.Logs(t.Context(), node, lines)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := logs("a", 10); len(got) != 0 {
		t.Errorf("before it was started: %+v", got)
	}
	if got := logs("mute", 10); len(got) != 0 {
		t.Errorf("without a log: %+v", got)
	}
	if err := p.Do(t.Context(), "a", control.Action{Verb: control.Start}); err != nil {
		t.Fatal(err)
	}
	all := []control.LogLine{{Text: "time=2026-11-24T10:00:00.123+01:00 level=INFO msg=up"}, {}, {Text: "time=soon"}, {Text: "caf\uFFFD"}, {Text: "last"}}
	got := logs("a", 10)
	if len(got) == 0 || !got[0].At.Equal(time.Date(2026, 11, 24, 9, 0, 0, 123_000_000, time.UTC)) {
		t.Fatalf("%+v", got)
	}
	got[0].At = time.Time{}
	if !reflect.DeepEqual(got, all) {
		t.Errorf("got %q, want %q", got, all)
	}
	if got := logs("a", 2); !reflect.DeepEqual(got, all[3:]) {
		t.Errorf("the newest two are %q", got)
	}
	var long []byte
	for i := range 40_000 {
		long = fmt.Appendf(long, "line %d\n", i)
	}
	if err := os.WriteFile(path, long, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := logs("a", 100_000); len(got) < 20_000 || len(got) > 30_000 || got[len(got)-1].Text != "line 39999" || got[0].Text != fmt.Sprintf("line %d", 40_000-len(got)) {
		t.Errorf("of a long log %d lines, from %+v", len(got), got[0])
	}
	if _, err := r.Logs(t.Context(), "nobody", 10); !errors.Is(err, control.ErrUnknownNode) {
		t.Errorf("of a node that is none: %v", err)
	}
}

// TestProcessesRunOnce: a process has no replicas, and can always be acted on.
func TestProcessesRunOnce(t *testing.T) {
	p, err := control.NewProcesses([]control.Process{{ID: "a", Path: "/bin/true"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	err = p.Do(t.Context(), "a", control.Action{Verb: control.Start, Replica: "2"})
	if !errors.Is(err, control.ErrBadAction) || !strings.Contains(err.Error(), `no replica "2"`) {
		t.Errorf("start of a replica: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var first world.Observation
	if err := p.Watch(ctx, func(o world.Observation) {
		if first == nil {
			first = o
		}
		cancel()
	}); err != nil {
		t.Fatal(err)
	}
	if c, ok := first.(world.ControlSeen); !ok || !c.Can || c.At.IsZero() {
		t.Errorf("the first that is told is %+v", first)
	}
}
