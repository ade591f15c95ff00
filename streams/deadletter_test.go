package streams_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

func TestDeadLetters(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	ctx := t.Context()
	good, poison, refused, panics := event("good", 1), event("poison", 1), event("refused", 1), event("panics", 1)
	ids := publish(t, rdb, "x", good, poison, refused, panics)
	for _, values := range [][]string{{streams.Field, "{}"}, {"a", "1", "b", "2"}} {
		id, err := rdb.XAdd(ctx, &redis.XAddArgs{Stream: "x", Values: values}).Result()
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	var mu sync.Mutex
	tries := make(map[string]int)
	run(t, &streams.Consumer{Redis: rdb, Group: "g", Name: "a", Streams: []string{"x"}, Attempts: 3,
		Handle: func(_ context.Context, e streams.Entry) error {
			mu.Lock()
			defer mu.Unlock()
			tries[e.Event.Subject]++
			switch e.Event.Subject {
			case "poison":
				return errors.New("cannot be applied")
			case "refused":
				return fmt.Errorf("handling: %w", streams.Reject(errors.New("is for ever wrong")))
			case "panics":
				panic("nil map")
			}
			return nil
		}})
	eventually(t, "five dead letters", func() bool { return rdb.XLen(ctx, "x.dead").Val() == 5 })
	eventually(t, "all are acknowledged", func() bool { return pending(t, rdb, "x", "g") == 0 })

	dead, err := rdb.XRange(ctx, "x.dead", "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]redis.XMessage)
	for _, m := range dead {
		got[m.Values[streams.DeadEntry].(string)] = m
	}
	for i, want := range []struct {
		attempts, reason, field, value string
	}{
		1: {"3", "cannot be applied", streams.Field, string(poison.AppendJSON(nil))},
		2: {"1", "handling: is for ever wrong", streams.Field, string(refused.AppendJSON(nil))},
		3: {"3", "the handler panicked: nil map", streams.Field, string(panics.AppendJSON(nil))},
		4: {"0", "not a CloudEvents event: specversion is missing", streams.Field, "{}"},
		5: {"0", "not a CloudEvents event: id is missing and there is no field \"ce\"", "b", "2"},
	} {
		if i == 0 {
			continue
		}
		v := got[ids[i]].Values
		if v == nil {
			t.Errorf("entry %d is not among the dead letters", i)
			continue
		}
		if v[streams.DeadAttempts] != want.attempts || v[streams.DeadReason] != want.reason || v[want.field] != want.value ||
			v[streams.DeadGroup] != "g" || v[streams.DeadStream] != "x" {
			t.Errorf("dead letter of entry %d: %v", i, v)
		}
		if _, err := time.Parse(time.RFC3339, v[streams.DeadAt].(string)); err != nil {
			t.Error(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if fmt.Sprint(tries) != "map[good:1 panics:3 poison:3 refused:1]" {
		t.Errorf("tries: %v", tries)
	}
}

func TestASickStoreIsNotTheEventsFault(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	var sick atomic.Bool
	sick.Store(true)
	var tries, checks atomic.Int32
	run(t, &streams.Consumer{Redis: rdb, Group: "g", Name: "a", Streams: []string{"x"}, Attempts: 1,
		Handle: func(context.Context, streams.Entry) error {
			tries.Add(1)
			if sick.Load() {
				return errors.New("connection refused")
			}
			return nil
		},
		Healthy: func(context.Context) error {
			checks.Add(1)
			if sick.Load() {
				return errors.New("connection refused")
			}
			return nil
		}})
	publish(t, rdb, "x", event("s", 1))
	eventually(t, "health is asked for", func() bool { return checks.Load() >= 4 })
	sick.Store(false)
	eventually(t, "it is applied", func() bool { return pending(t, rdb, "x", "g") == 0 && tries.Load() == 2 })
	if n := rdb.XLen(t.Context(), "x.dead").Val(); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}
