// Package tap watches the streams: it turns what the bus holds and says into observations, answers what is asked of it on
// demand, and takes no part in it but to send dead letters again and to do to it what a person wants to see it bear.
package tap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/viz/world"
)

// Tap watches all streams of one bus.
type Tap struct {
	URL string // redis:// of the bus
	// Streams are those of the system file. They and their dead letters are followed; where there are none, every stream
	// of the bus is.
	Streams []string
	Log     *slog.Logger // nil: slog.Default()
}

// Run watches until ctx ends and returns nil then. Entries are handed over as soon as they are read (EventsSeen), what
// Redis knows of streams and groups several times a second (StreamsSeen), and whether the bus answers as soon as that
// changes (BusSeen). see is called from two goroutines; a slow one slows the reading, and entries wait in Redis
// meanwhile. An error is a fault in URL.
func (t *Tap) Run(ctx context.Context, see func(...world.Observation)) error {
	rdb, err := streams.Open(t.URL)
	if err != nil {
		return fmt.Errorf("tap: %w", err)
	}
	defer rdb.Close()
	in := newInspector(rdb, t.Streams)
	reader := streams.Tap{URL: t.URL, Match: t.match(), Log: t.Log}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		down := true // the first word is owed in any case
		return reader.Run(ctx, func(b streams.Batch) {
			if b.Down != nil {
				down = true
				see(world.BusSeen{At: b.At, Down: words(b.Down)})
				return
			}
			if down {
				down = false
				see(world.BusSeen{At: b.At})
			}
			if len(b.Entries)+len(b.Bases)+len(b.Lost) > 0 {
				see(events(b))
			}
			in.flows(b)
		})
	})
	g.Go(func() error { in.run(ctx, see); return nil })
	return g.Wait()
}

// match says which streams to follow; nil for all.
func (t *Tap) match() func(string) bool {
	if len(t.Streams) == 0 {
		return nil
	}
	known := map[string]bool{}
	for _, s := range t.Streams {
		known[s] = true
	}
	return func(name string) bool { return known[strings.TrimSuffix(name, streams.DeadSuffix)] }
}

// events makes the observation of a batch.
func events(b streams.Batch) world.EventsSeen {
	o := world.EventsSeen{At: b.At, History: b.History, Bases: b.Bases, Lost: b.Lost}
	o.Events = make([]world.EventSeen, len(b.Entries))
	for i := range b.Entries {
		o.Events[i] = event(&b.Entries[i])
	}
	return o
}

func event(e *streams.Entry) world.EventSeen {
	o := world.EventSeen{Stream: e.Stream, EntryID: e.ID, ID: e.Event.ID, Source: e.Event.Source, Type: e.Event.Type,
		Subject: e.Event.Subject, Version: e.Event.Version, TraceParent: e.Event.TraceParent, Time: e.Event.Time, Raw: e.Raw}
	if o.Time.IsZero() {
		o.Time = takenIn(e.ID)
	}
	if e.Err != nil {
		o.Problem = e.Err.Error()
	}
	if strings.HasSuffix(e.Stream, streams.DeadSuffix) {
		if l := streams.LetterOf(*e); l.Group != "" {
			o.Dead = &world.DeadSeen{Group: l.Group, Entry: l.OfID, Reason: l.Reason, Attempts: l.Attempts}
		}
	}
	if e.Size > streams.MaxEvent {
		o.Size = int64(e.Size)
		return o // its payload is nowhere but on the bus
	}
	if e.Raw == nil || e.Err != nil && !json.Valid(e.Raw) {
		o.Raw = object(e)
	}
	if len(o.Raw) > streams.MaxEvent { // of a foreign shape, which nobody forbids
		o.Raw, o.Size = nil, int64(len(o.Raw))
	}
	return o
}

// object is an entry's fields as a JSON object, so that whatever stands in it can be shown.
func object(e *streams.Entry) []byte {
	fields := make(map[string]string, len(e.Fields)+1)
	for _, f := range e.Fields {
		fields[f[0]] = f[1]
	}
	if e.Raw != nil {
		fields[streams.Field] = string(e.Raw)
	}
	b, err := json.Marshal(fields)
	if err != nil {
		return []byte("{}") // unreachable: strings always marshal
	}
	return b
}

// takenIn is when Redis took an entry in, as its id says; zero where the id says nothing.
func takenIn(id string) time.Time {
	ms, _, _ := strings.Cut(id, "-")
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// words says in a newcomer's words why the bus is down.
func words(err error) string {
	var late net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "it refused the connection"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "it broke the connection off"
	case errors.As(err, &late) && late.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "it does not answer"
	}
	return err.Error()
}
