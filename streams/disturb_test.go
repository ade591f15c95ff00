package streams_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

func TestDisturb(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	disturb := func(how string) (string, string, error) { return streams.Disturb(t.Context(), rdb, "things", how) }
	for _, how := range []string{streams.Duplicate, streams.Old, streams.Huge} {
		if _, _, err := disturb(how); !errors.Is(err, streams.ErrNothingToDisturb) {
			t.Errorf("%s of an empty stream: %v", how, err)
		}
	}
	if _, _, err := disturb("loud"); err == nil || !strings.Contains(err.Error(), "none of malformed, duplicate, old, huge") {
		t.Errorf("loud: %v", err)
	}
	first, second, other := event("s-1", 1), event("s-1", 2), event("s-2", 1)
	other.Data = []byte(`[1]`) // no object
	publish(t, rdb, "things", first, other)
	if _, _, err := disturb(streams.Old); !errors.Is(err, streams.ErrNothingToDisturb) {
		t.Errorf("old without an older version: %v", err)
	}
	publish(t, rdb, "things", second)
	added := func(how, words string) streams.Entry {
		t.Helper()
		id, said, err := disturb(how)
		if err != nil || !strings.Contains(said, words) {
			t.Fatalf("%s: %q, %v; want %q", how, said, err, words)
		}
		got, err := rdb.XRange(t.Context(), "things", id, id).Result()
		if err != nil || len(got) != 1 {
			t.Fatalf("%s is not there: %v", how, err)
		}
		raw := got[0].Values[streams.Field].(string)
		e, err := streams.ParseEvent([]byte(raw))
		return streams.Entry{ID: id, Event: e, Raw: []byte(raw), Err: err}
	}
	if e := added(streams.Malformed, "ends in the middle"); !errors.Is(e.Err, streams.ErrNotEvent) {
		t.Errorf("malformed is %q", e.Raw)
	}
	if e := added(streams.Duplicate, "s-1 again, the same event"); e.Event.ID != second.ID || e.Event.Version != 2 {
		t.Errorf("the duplicate is %+v", e.Event)
	}
	if e := added(streams.Old, "version 1 of s-1 again, of which there is version 2"); e.Event.ID != first.ID {
		t.Errorf("the old one is %+v", e.Event)
	}
	e := added(streams.Huge, "of which an event may have 262144")
	if e.Err != nil || e.Event.Type != first.Type || e.Event.ID == first.ID || len(e.Raw) < 1<<20 || len(e.Raw) > 1<<20+1000 {
		t.Errorf("the huge one is of %d bytes: %v", len(e.Raw), e.Err)
	}
	if err := e.Event.Validate(); !errors.Is(err, streams.ErrTooLarge) || !errors.Is(err, streams.ErrNotEvent) {
		t.Errorf("Validate of it: %v", err)
	}
	if _, err := streams.Publish(t.Context(), rdb, "things", e.Event); !errors.Is(err, streams.ErrTooLarge) ||
		!strings.Contains(err.Error(), "bytes; one may have 262144") {
		t.Errorf("Publish of it: %v", err)
	}
}

// TestLimit: the largest event there may be is taken, one byte more is not.
func TestLimit(t *testing.T) {
	for _, text := range []string{"x", `\u0000`} {
		e := event("s", 1)
		fill := func(n int) streams.Event {
			e.Data = []byte(`"` + strings.Repeat("x", n) + `"`)
			return e
		}
		if text != "x" {
			e.Subject = strings.Repeat("\x00", 40_000) // six times as much in JSON
		}
		n := streams.MaxEvent - len(fill(0).AppendJSON(nil))
		if err := fill(n).Validate(); err != nil {
			t.Errorf("%d bytes: %v", len(e.AppendJSON(nil)), err)
		}
		if err := fill(n + 1).Validate(); !errors.Is(err, streams.ErrTooLarge) {
			t.Errorf("%d bytes: %v", len(e.AppendJSON(nil)), err)
		}
	}
}

// TestHugeIsPutAway: a consumer does not handle an event that is too large, nor does its letter hold it; a tap tells its
// size and what it is about, and keeps none of it.
func TestHugeIsPutAway(t *testing.T) {
	bus := streamstest.Start(t)
	rdb := bus.Client()
	r, _ := tap(t, &streams.Tap{URL: bus.URL(), History: -1})
	publish(t, rdb, "things", event("s-1", 1))
	id, _, err := streams.Disturb(t.Context(), rdb, "things", streams.Huge)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, rdb, "things", event("s-1", 2))
	handled := make(chan streams.Entry, 10)
	run(t, &streams.Consumer{Redis: rdb, Group: "g", Name: "a", Streams: []string{"things"}, Handle: func(_ context.Context, e streams.Entry) error {
		handled <- e
		return nil
	}})
	for want := int64(1); want <= 2; want++ {
		select {
		case e := <-handled:
			if e.Event.Version != want {
				t.Errorf("handled version %d, want %d", e.Event.Version, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("not handled")
		}
	}
	var letters []streams.DeadLetter
	eventually(t, "it is put away", func() bool {
		letters, _, err = streams.DeadLetters(t.Context(), rdb, 10, "things.dead")
		return err == nil && len(letters) == 1
	})
	l := letters[0]
	if l.OfID != id || l.Attempts != 0 || !strings.Contains(l.Reason, "bytes; one may have 262144") || l.Err == nil || len(l.Fields) != 1 ||
		!strings.Contains(l.Fields[0][1], "s-1") {
		t.Errorf("the letter is %+v", l)
	}
	if bytes, err := rdb.MemoryUsage(t.Context(), "things.dead").Result(); err != nil || bytes > 10_000 {
		t.Errorf("the letters take %d bytes, %v", bytes, err)
	}
	if _, err := streams.Resend(t.Context(), rdb, "things.dead"); !errors.Is(err, streams.ErrNotEvent) {
		t.Errorf("it was sent again: %v", err)
	}
	eventually(t, "the tap has all", func() bool { return r.count("things") == 3 })
	r.see(func(r *record) bool {
		e := r.entries["things"][1]
		if e.ID != id || e.Raw != nil || e.Size < 1<<20 || !errors.Is(e.Err, streams.ErrTooLarge) || e.Event.Subject != "s-1" || e.Event.Data != nil {
			t.Errorf("the tap has %+v", e)
		}
		return true
	})
}

// FuzzLarge: whatever is too large is told as such, and none of it is kept.
func FuzzLarge(f *testing.F) {
	f.Add([]byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","data":"`), []byte(`"}`))
	f.Add([]byte(`{"specversion":"1.0","id":"`), []byte(`","source":"s","type":"t"}`))
	f.Add([]byte("\xff"), []byte(`]`))
	f.Fuzz(func(t *testing.T, head, tail []byte) {
		raw := string(head) + strings.Repeat("x", streams.MaxEvent+1) + string(tail)
		e := streams.EntryOf("things", redis.XMessage{ID: "1-0", Values: map[string]any{streams.Field: raw}})
		if !errors.Is(e.Err, streams.ErrTooLarge) || e.Raw != nil || e.Size != len(raw) || e.Event.Data != nil ||
			len(e.Event.ID)+len(e.Event.Subject) > 16<<10 {
			t.Errorf("%d bytes: %v, %d kept, size %d, %q", len(raw), e.Err, len(e.Raw), e.Size, e.Event.Type)
		}
	})
}
