package streams_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

var asked atomic.Int64

// question is a request for who, that is of use for d.
func question(who string, d time.Duration) streams.Event {
	return streams.Event{ID: fmt.Sprint("q", asked.Add(1)), Source: "asker", Type: who + ".requested.v1", Subject: who,
		Time: time.Now(), Data: fmt.Appendf(nil, `{"deadline":%q}`, time.Now().Add(d).Format(time.RFC3339Nano))}
}

// runUntilEnd runs a part of the bus until the function returned is called, or the test ends.
func runUntilEnd(t testing.TB, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("Run does not end")
		}
	})
	t.Cleanup(stop)
	return stop
}

func asker(t testing.TB, rdb *redis.Client) *streams.Asker {
	t.Helper()
	a := &streams.Asker{Redis: rdb, Requests: "requests", Replies: "replies", Group: "asker", Log: slog.New(slog.DiscardHandler)}
	runUntilEnd(t, a.Run)
	return a
}

func answerer(rdb *redis.Client, who, name string, answer func(context.Context, streams.Event) (streams.Event, error)) *streams.Answerer {
	return &streams.Answerer{Redis: rdb, Requests: "requests", Replies: "replies", Group: who, Name: name, Answer: answer,
		Log: slog.New(slog.DiscardHandler)}
}

// echo replies with the request's id as payload, in the name of name.
func echo(name string) func(context.Context, streams.Event) (streams.Event, error) {
	return func(_ context.Context, request streams.Event) (streams.Event, error) {
		return streams.Event{ID: "re " + request.ID, Source: name, Type: "echoed.v1", Time: time.Now(),
			Data: []byte(strconv.Quote(request.ID))}, nil
	}
}

// joined waits until all the groups are on the requests.
func joined(t testing.TB, rdb *redis.Client, groups int) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		got, _ := rdb.XInfoGroups(t.Context(), "requests").Result()
		if len(got) == groups {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d groups on the requests, want %d", len(got), groups)
		}
	}
}

func ask(t testing.TB, a *streams.Asker, who string, within time.Duration) (streams.Event, error) {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return a.Ask(ctx, question(who, within))
}

// lag waits until the group has nothing left to read.
func noLag(t *testing.T, rdb *redis.Client, stream, group string) {
	t.Helper()
	eventually(t, group+" is at the end of "+stream, func() bool {
		all, err := streams.Inspect(t.Context(), rdb, []string{stream})
		if err != nil || len(all) != 1 {
			return false
		}
		for _, g := range all[0].Groups {
			if g.Name == group {
				return g.Lag == 0 && g.Pending == 0 && g.Delivered == all[0].LastID
			}
		}
		return false
	})
}

// TestAsk: many ask many at once through two replicas of each side, and each gets the reply to its own request.
func TestAsk(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	var by [2]atomic.Int32
	for i := range by {
		runUntilEnd(t, answerer(rdb, "catalog", fmt.Sprint("r", i), func(ctx context.Context, q streams.Event) (streams.Event, error) {
			by[i].Add(1)
			return echo("catalog")(ctx, q)
		}).Run)
	}
	runUntilEnd(t, answerer(rdb, "users", "r", echo("users")).Run)
	joined(t, rdb, 2)
	askers := [2]*streams.Asker{asker(t, rdb), asker(t, rdb)}
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			who := []string{"catalog", "users"}[i/2%2]
			q := question(who, 5*time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			e, err := askers[i%2].Ask(ctx, q)
			if err != nil || e.Source != who || e.Subject != q.ID || string(e.Data) != strconv.Quote(q.ID) {
				t.Errorf("%s of %s: %+v, %v", q.ID, who, e, err)
			}
		})
	}
	all.Wait()
	if a, b := by[0].Load(), by[1].Load(); a+b != 100 {
		t.Errorf("the replicas of catalog answered %d and %d, together not 100", a, b)
	}
	noLag(t, rdb, "requests", "catalog")
	noLag(t, rdb, "requests", "users")
	noLag(t, rdb, "replies", "asker")
}

// TestAskNobody: without an answer an ask ends with its context, and that is no fault of the bus.
func TestAskNobody(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	a := asker(t, rdb)
	runUntilEnd(t, answerer(rdb, "users", "r", func(ctx context.Context, q streams.Event) (streams.Event, error) {
		if q.Type == "panic" {
			panic("at the disco")
		}
		return streams.Event{}, errors.New("no answer today")
	}).Run)
	joined(t, rdb, 1)
	panics := question("users", time.Second)
	panics.Type = "panic"
	for name, q := range map[string]streams.Event{
		"nobody": question("nobody", time.Second), "error": question("users", time.Second), "panic": panics,
	} {
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := a.Ask(ctx, q)
		cancel()
		if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, streams.ErrBusDown) || took > 3*time.Second {
			t.Errorf("%s: %v after %v", name, err, took)
		}
	}
}

// TestAskDeadBus: that the bus is down is said at once, before and after it was ever seen, and all goes on once it is back.
func TestAskDeadBus(t *testing.T) {
	srv := streamstest.Start(t)
	srv.Kill()
	rdb := srv.Client()
	a := asker(t, rdb)
	runUntilEnd(t, answerer(rdb, "users", "r", echo("users")).Run)
	dead := func(when string) {
		t.Helper()
		begun := time.Now()
		_, err := ask(t, a, "users", 5*time.Second)
		if took := time.Since(begun); !errors.Is(err, streams.ErrBusDown) || took > 3*time.Second {
			t.Errorf("%s: %v after %v", when, err, took)
		}
	}
	works := func(when string) {
		t.Helper()
		eventually(t, "asks are answered "+when, func() bool {
			_, err := ask(t, a, "users", 500*time.Millisecond)
			return err == nil
		})
		noLag(t, rdb, "replies", "asker")
		noLag(t, rdb, "requests", "users")
	}
	dead("before it was there")
	srv.Start()
	works("from the start")
	srv.Kill()
	dead("killed")
	srv.Start()
	works("after a kill")
	srv.Wipe()
	works("after a wipe")
	srv.Pause()
	if _, err := ask(t, a, "users", 500*time.Millisecond); !errors.Is(err, streams.ErrBusDown) {
		t.Errorf("silent: %v", err)
	}
	srv.Resume()
	works("after a silence")
	if err := rdb.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	works("after all was deleted")
}

// TestAskWhileTheBusIsKilled: an ask that is under way when the bus dies says so in the end, or is answered.
func TestAskWhileTheBusIsKilled(t *testing.T) {
	srv := streamstest.Start(t)
	rdb := srv.Client()
	a := asker(t, rdb)
	entered := make(chan struct{}, 1)
	runUntilEnd(t, answerer(rdb, "users", "r", func(ctx context.Context, q streams.Event) (streams.Event, error) {
		entered <- struct{}{}
		<-ctx.Done()
		return streams.Event{}, ctx.Err()
	}).Run)
	joined(t, rdb, 1)
	failed := make(chan error, 1)
	go func() {
		_, err := ask(t, a, "users", 1500*time.Millisecond)
		failed <- err
	}()
	<-entered
	srv.Kill()
	if err := <-failed; !errors.Is(err, streams.ErrBusDown) {
		t.Errorf("got %v", err)
	}
}

// TestBookmark: the group of an asker that was dead is at the end again once it is back, whoever else was replied to.
func TestBookmark(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	runUntilEnd(t, answerer(rdb, "users", "r", echo("users")).Run)
	joined(t, rdb, 1)
	a := &streams.Asker{Redis: rdb, Requests: "requests", Replies: "replies", Group: "first", Log: slog.New(slog.DiscardHandler)}
	stop := runUntilEnd(t, a.Run)
	if _, err := ask(t, a, "users", 5*time.Second); err != nil {
		t.Fatal(err)
	}
	noLag(t, rdb, "replies", "first")
	stop()
	other := asker(t, rdb)
	for range 5 {
		if _, err := ask(t, other, "users", 5*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	noLag(t, rdb, "replies", "asker")
	all, err := streams.Inspect(t.Context(), rdb, []string{"replies"})
	if err != nil || all[0].Groups[1].Name != "first" || all[0].Groups[1].Lag != 5 {
		t.Errorf("while it is dead: %+v, %v", all, err)
	}
	again := &streams.Asker{Redis: rdb, Requests: "requests", Replies: "replies", Group: "first", Log: slog.New(slog.DiscardHandler)}
	runUntilEnd(t, again.Run)
	noLag(t, rdb, "replies", "first")
}

func TestAskRefuses(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	a := asker(t, rdb)
	if _, err := a.Ask(t.Context(), streams.Event{ID: "1", Source: "s"}); !errors.Is(err, streams.ErrNotEvent) {
		t.Errorf("a request without a type: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	q, done := question("nobody", time.Minute), make(chan error)
	go func() { _, err := a.Ask(ctx, q); done <- err }()
	eventually(t, "it is asked", func() bool { return rdb.XLen(t.Context(), "requests").Val() == 1 })
	if _, err := a.Ask(t.Context(), q); err == nil || errors.Is(err, streams.ErrBusDown) {
		t.Errorf("the same request twice: %v", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	for name, run := range map[string]func(context.Context) error{
		"asker without Redis":      (&streams.Asker{Requests: "a", Replies: "b", Group: "g"}).Run,
		"asker without a stream":   (&streams.Asker{Redis: rdb, Requests: "a", Group: "g"}).Run,
		"asker with less than 0":   (&streams.Asker{Redis: rdb, Requests: "a", Replies: "b", Group: "g", Most: -1}).Run,
		"answerer without Redis":   answerer(nil, "g", "n", echo("g")).Run,
		"answerer without a name":  answerer(rdb, "g", "", echo("g")).Run,
		"answerer without answers": answerer(rdb, "g", "n", nil).Run,
	} {
		if err := run(t.Context()); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
