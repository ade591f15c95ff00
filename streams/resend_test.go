package streams_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// bury puts an entry away as a consumer does.
func bury(t testing.TB, rdb *redis.Client, stream string, own ...any) string {
	t.Helper()
	id, err := rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: stream + streams.DeadSuffix, Values: append(own,
		streams.DeadReason, "it is wrong", streams.DeadGroup, "g", streams.DeadStream, stream, streams.DeadEntry, "7-1",
		streams.DeadAttempts, 3, streams.DeadAt, "2026-01-02T03:04:05.678Z")}).Result()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func envelope(e streams.Event) string { return string(e.AppendJSON(nil)) }

// TestResentIsApplied: what a consumer gave up on is applied once it can be, after it was sent again.
func TestResentIsApplied(t *testing.T) {
	bus := streamstest.Start(t)
	rdb := bus.Client()
	var mended atomic.Bool
	var mu sync.Mutex
	var applied []string
	c := &streams.Consumer{Redis: rdb, Group: "g", Name: "a", Streams: []string{"x"}, Handle: func(_ context.Context, e streams.Entry) error {
		if !mended.Load() {
			return streams.Reject(errors.New("not yet"))
		}
		mu.Lock()
		defer mu.Unlock()
		applied = append(applied, e.Event.ID)
		return nil
	}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	publish(t, rdb, "x", event("s", 1), event("s", 2))
	eventually(t, "two dead letters", func() bool { return rdb.XLen(t.Context(), "x.dead").Val() == 2 })

	letters, total, err := streams.DeadLetters(t.Context(), rdb, 10, "x.dead", "none.dead")
	if err != nil || total != 2 || len(letters) != 2 {
		t.Fatalf("%d of %d dead letters: %v", len(letters), total, err)
	}
	l := letters[1]
	if l.Event.ID != "s/1" || l.Stream != "x.dead" || l.Of != "x" || l.Group != "g" || l.Reason != "not yet" || l.Attempts != 1 ||
		l.OfID == "" || time.Since(l.At) > time.Minute || len(l.Fields) != 0 {
		t.Errorf("the older is %+v", l)
	}

	if n, err := streams.Resend(t.Context(), rdb, "x.dead", l.ID); n != 1 || err != nil {
		t.Fatalf("sent %d, %v", n, err)
	}
	eventually(t, "it comes back", func() bool {
		return rdb.XLen(t.Context(), "x.dead").Val() == 2 && rdb.XLen(t.Context(), "x").Val() == 3
	})
	mended.Store(true)
	if n, err := streams.Resend(t.Context(), rdb, "x.dead"); n != 2 || err != nil {
		t.Fatalf("sent %d, %v", n, err)
	}
	eventually(t, "both are applied", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(applied) == 2 && slices.Contains(applied, "s/1") && slices.Contains(applied, "s/2")
	})
	if n := rdb.XLen(t.Context(), "x.dead").Val(); n != 0 {
		t.Errorf("%d dead letters are left", n)
	}
}

// TestResendKeepsTheEntry: what is put back is what was put away, to the byte, also where its own fields are called like
// those of a dead letter.
func TestResendKeepsTheEntry(t *testing.T) {
	bus := streamstest.Start(t)
	rdb := bus.Client()
	e := event("s", 1)
	for _, tc := range []struct {
		name string
		own  []any
	}{
		{"an envelope", []any{streams.Field, envelope(e)}},
		{"an envelope and fields besides", []any{streams.Field, envelope(e), "reason", "mine", "zone", "a"}},
		{"bare attributes", []any{"id", "1", "source", "cron", "type", "job.done", "group", "nightly"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			stream := streamstest.Name(t, "x")
			id := bury(t, rdb, stream, tc.own...)
			if n, err := streams.Resend(t.Context(), rdb, stream+streams.DeadSuffix, id); n != 1 || err != nil {
				t.Fatalf("sent %d, %v", n, err)
			}
			reply, err := rdb.Do(t.Context(), "XRANGE", stream, "-", "+").Slice()
			if err != nil || len(reply) != 1 {
				t.Fatal(reply, err)
			}
			if got := reply[0].([]any)[1].([]any); !slices.Equal(got, tc.own) {
				t.Errorf("put back %q, want %q", got, tc.own)
			}
		})
	}
}

func TestResendRefuses(t *testing.T) {
	bus := streamstest.Start(t)
	rdb := bus.Client()
	no := bury(t, rdb, "x", "task", "mail")
	broken := bury(t, rdb, "x", streams.Field, "{oops")
	yes := bury(t, rdb, "x", streams.Field, envelope(event("s", 1)))
	for _, tc := range []struct {
		name, dead string
		ids        []string
		sent       int
		words      string
		noEvent    bool
	}{
		{"another stream", "x", nil, 0, `"x" holds no dead letters`, false},
		{"the suffix alone", streams.DeadSuffix, nil, 0, "holds no dead letters", false},
		{"no id", "x.dead", []string{yes, "first"}, 0, `"first" is no entry id`, false},
		{"one that is gone", "x.dead", []string{"1-1"}, 0, "", false},
		{"a stream that is not there", "y.dead", nil, 0, "", false},
		{"no event", "x.dead", []string{no}, 0, "only events can be sent again: entry " + no, true},
		{"an envelope that is none", "x.dead", []string{broken}, 0, "entry " + broken, true},
		{"two of three", "x.dead", nil, 1, "2 stay", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n, err := streams.Resend(t.Context(), rdb, tc.dead, tc.ids...)
			if n != tc.sent || (err == nil) != (tc.words == "") || err != nil && !strings.Contains(err.Error(), tc.words) ||
				errors.Is(err, streams.ErrNotEvent) != tc.noEvent {
				t.Errorf("sent %d: %v; want %d and %q", n, err, tc.sent, tc.words)
			}
		})
	}
	if dead, back := rdb.XLen(t.Context(), "x.dead").Val(), rdb.XLen(t.Context(), "x").Val(); dead != 2 || back != 1 {
		t.Errorf("%d stay and %d are back", dead, back)
	}
	if err := rdb.Set(t.Context(), "z", "no stream", 0).Err(); err != nil {
		t.Fatal(err)
	}
	bury(t, rdb, "z", streams.Field, envelope(event("s", 1)))
	if n, err := streams.Resend(t.Context(), rdb, "z.dead"); err == nil || n != 0 || rdb.XLen(t.Context(), "z.dead").Val() != 1 {
		t.Errorf("sent %d to what is no stream: %v", n, err)
	}
}

// TestResendLosesAndDoublesNone: through people who press the button at once and a bus that is killed, every dead letter
// ends in its stream, once.
func TestResendLosesAndDoublesNone(t *testing.T) {
	bus := streamstest.Start(t)
	rdb := bus.Client()
	const n = 1500
	var want []string
	pipe := rdb.Pipeline()
	for i := range int64(n) {
		e := event("s", i)
		want = append(want, e.ID)
		pipe.XAdd(t.Context(), &redis.XAddArgs{Stream: "x.dead", Values: []any{streams.Field, envelope(e)}})
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	for range 3 {
		work.Go(func() {
			for {
				if _, err := streams.Resend(t.Context(), rdb, "x.dead"); err == nil || t.Context().Err() != nil {
					return
				}
			}
		})
	}
	eventually(t, "some are sent", func() bool { return rdb.XLen(t.Context(), "x").Val() > 0 })
	bus.Kill()
	bus.Start()
	work.Wait()
	var got []string
	for _, m := range bus.Client().XRange(t.Context(), "x", "-", "+").Val() {
		var e struct{ ID string }
		if err := json.Unmarshal([]byte(m.Values[streams.Field].(string)), &e); err != nil {
			t.Fatal(err)
		}
		got = append(got, e.ID)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || rdb.XLen(t.Context(), "x.dead").Val() != 0 {
		t.Errorf("%d are back, %d stay, of %d", len(got), rdb.XLen(t.Context(), "x.dead").Val(), n)
	}
}

func TestRetriedAndEnds(t *testing.T) {
	bus := streamstest.Start(t)
	rdb := bus.Client()
	ids := publish(t, rdb, "x", event("s", 1), event("s", 2), event("s", 3))
	if err := rdb.XGroupCreate(t.Context(), "x", "g", "0").Err(); err != nil {
		t.Fatal(err)
	}
	read := func(from string) {
		t.Helper()
		if err := rdb.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: "g", Consumer: "a", Streams: []string{"x", from}, Count: 2, Block: -1}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	read(">")
	readers := []streams.Reader{{Stream: "x", Group: "g"}, {Stream: "x", Group: "none"}, {Stream: "y", Group: "g"}}
	if got, err := streams.Retried(t.Context(), rdb, readers...); err != nil || !slices.Equal(got, []int64{0, -1, -1}) {
		t.Errorf("%v, %v", got, err)
	}
	read("0")
	read(">")
	if got, err := streams.Retried(t.Context(), rdb, readers...); err != nil || !slices.Equal(got, []int64{2, -1, -1}) {
		t.Errorf("%v, %v", got, err)
	}
	if first, last, err := streams.Ends(t.Context(), rdb, "x"); err != nil || first != ids[0] || last != ids[2] {
		t.Errorf("%s to %s, %v", first, last, err)
	}
	if first, last, err := streams.Ends(t.Context(), rdb, "y"); err != nil || first != "" || last != "" {
		t.Errorf("%s to %s, %v", first, last, err)
	}
	bus.Kill()
	if _, err := streams.Retried(t.Context(), rdb, readers...); err == nil {
		t.Error("a dead bus tells of retries")
	}
	if _, _, err := streams.DeadLetters(t.Context(), rdb, 1, "x.dead"); err == nil {
		t.Error("a dead bus tells of dead letters")
	}
}
