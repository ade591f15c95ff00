package streams_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestSlowAnswer: one slow answer delays no other.
func TestSlowAnswer(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	release := make(chan struct{})
	entered := make(chan struct{})
	runUntilEnd(t, answerer(rdb, "users", "r", func(ctx context.Context, q streams.Event) (streams.Event, error) {
		if q.Type == "slow" {
			close(entered)
			<-release
		}
		return echo("users")(ctx, q)
	}).Run)
	joined(t, rdb, 1)
	a := asker(t, rdb)
	slow := make(chan error, 1)
	go func() {
		q := question("users", 10*time.Second)
		q.Type = "slow"
		_, err := a.Ask(t.Context(), q)
		slow <- err
	}()
	<-entered
	for range 10 {
		if _, err := ask(t, a, "users", 2*time.Second); err != nil {
			t.Error(err)
		}
	}
	close(release)
	if err := <-slow; err != nil {
		t.Errorf("the slow one: %v", err)
	}
}

// TestMost: no more asks wait and no more requests are handled than is allowed; what is not read goes to another replica.
func TestMost(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	entered, release := make(chan struct{}, 10), make(chan struct{})
	full := answerer(rdb, "users", "full", func(ctx context.Context, q streams.Event) (streams.Event, error) {
		entered <- struct{}{}
		<-release
		return echo("full")(ctx, q)
	})
	full.Most = 2
	runUntilEnd(t, full.Run)
	joined(t, rdb, 1)
	a := &streams.Asker{Redis: rdb, Requests: "requests", Replies: "replies", Group: "asker", Most: 3, Log: slog.New(slog.DiscardHandler)}
	runUntilEnd(t, a.Run)
	replies := make(chan string, 3)
	send := func() {
		go func() {
			e, err := ask(t, a, "users", 10*time.Second)
			if err != nil {
				t.Error(err)
			}
			replies <- e.Source
		}()
	}
	send()
	send()
	<-entered
	<-entered
	send()
	eventually(t, "the third is on the bus", func() bool { return rdb.XLen(t.Context(), "requests").Val() == 3 })
	if _, err := ask(t, a, "users", 10*time.Second); !errors.Is(err, streams.ErrTooManyAsks) || errors.Is(err, streams.ErrBusDown) {
		t.Errorf("the fourth: %v", err)
	}
	runUntilEnd(t, answerer(rdb, "users", "free", echo("free")).Run)
	if by := <-replies; by != "free" {
		t.Errorf("the third was answered by %q", by)
	}
	close(release)
	<-replies
	<-replies
	if n := len(entered); n != 0 {
		t.Errorf("%d more were handled by the full one", n)
	}
}

// TestExpired: a service that was dead answers nothing that is past use, and comes to the end at once.
func TestExpired(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	var answered atomic.Int32
	answer := func(ctx context.Context, q streams.Event) (streams.Event, error) {
		answered.Add(1)
		return echo("users")(ctx, q)
	}
	stop := runUntilEnd(t, answerer(rdb, "users", "r", answer).Run)
	joined(t, rdb, 1)
	stop()
	past := make([]streams.Event, 3000)
	for i := range past {
		past[i] = question("users", -time.Second)
	}
	publish(t, rdb, "requests", past...)
	good := question("users", time.Minute)
	good.Data = json.RawMessage(`{"no deadline":true}`) // is for whoever answers to judge
	publish(t, rdb, "requests", good, question("users", time.Minute))
	runUntilEnd(t, answerer(rdb, "users", "r", answer).Run)
	noLag(t, rdb, "requests", "users")
	eventually(t, "what is of use is answered", func() bool { return rdb.XLen(t.Context(), "replies").Val() == 2 })
	if n := answered.Load(); n != 2 {
		t.Errorf("%d were answered, want the two that are of use", n)
	}
}

// TestRepliesStayBounded: adding takes away what is older than a minute, about.
func TestRepliesStayBounded(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	const old, node = 2000, 100 // Redis trims whole nodes of a stream
	_, err := rdb.Pipelined(t.Context(), func(p redis.Pipeliner) error {
		for i := range old {
			id := fmt.Sprintf("%d-%d", time.Now().Add(-2*time.Minute).UnixMilli(), i+1)
			for _, stream := range []string{"requests", "replies"} {
				p.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, ID: id, Values: []any{streams.Field, order(int64(i + 1)).AppendJSON(nil)}})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	runUntilEnd(t, answerer(rdb, "users", "r", echo("users")).Run)
	joined(t, rdb, 1)
	a := asker(t, rdb)
	const asks = 10
	for range asks {
		if _, err := ask(t, a, "users", 5*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	for _, stream := range []string{"requests", "replies"} {
		if n := rdb.XLen(t.Context(), stream).Val(); n < asks || n > asks+node {
			t.Errorf("%s holds %d entries", stream, n)
		}
	}
	noLag(t, rdb, "requests", "users")
	noLag(t, rdb, "replies", "asker")
}
