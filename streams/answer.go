package streams

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// mostAnswers is how many requests one answerer handles at once where nothing else is said.
	mostAnswers = 64
	// lateRequest is the age of requests from which on an answerer takes them to be past use and reads more at once, to
	// get over them.
	lateRequest = 2 * time.Second
	lateCount   = 512
)

// Answerer answers the request events whose subject is its group, with reply events that carry the request's id as their
// subject. Replicas in one group share the work.
//
// Requests are not acknowledged: one that a member took and died with is lost, and so is what is older than the group.
// Those whose deadline has passed are skipped, so that after an outage the group is at the end again at once.
type Answerer struct {
	Redis    *redis.Client
	Requests string // the stream that requests are read from
	Replies  string // the stream that replies are added to
	Group    string // the service that is asked, and its consumer group
	Name     string // unique among live members of the group
	// Answer makes the reply to a request; its Subject is set by the answerer. Many run at once (Most). Where it returns
	// an error or panics there is no reply and the asker waits in vain. Its context does not end with the request's
	// deadline, so that a reply may still say that there was no time; it outlives Run's by 700 ms.
	Answer func(ctx context.Context, request Event) (Event, error)
	// Most is how many requests are handled at once. When so many are, nothing is read, so that another member may, or
	// the rest expires on the stream. Default 64.
	Most int
	Log  *slog.Logger // default slog.Default()
}

// Run answers until ctx ends and returns nil then, within 1.6 s. It outlives the bus: it waits for it with back-off. An
// error is a fault in the answerer's own fields.
func (a *Answerer) Run(ctx context.Context) error {
	w := &answering{Answerer: *a}
	if err := w.validate(); err != nil {
		return err
	}
	left, end := outlive(ctx, handleGrace)
	defer end()
	defer w.work.Wait()
	w.left, w.slots = left, make(chan struct{}, w.Most)
	wait := backoff{most: askBackoff}
	for down := false; ; {
		err := w.consume(ctx, func() {
			if down {
				w.Log.Info("the bus is back; requests are read")
			}
			down = false
			wait.reset()
		})
		if ctx.Err() != nil {
			return nil
		}
		switch {
		case redis.HasErrorPrefix(err, "NOGROUP"):
			w.Log.Warn("the bus has forgotten the group; making it anew", "err", err)
		case !down:
			w.Log.Warn("the bus does not answer; requests cannot be read", "err", err)
			down = true
		}
		wait.sleep(ctx)
	}
}

// answering is an answerer at work.
type answering struct {
	Answerer
	left  context.Context // that of the handlers: it ends a grace later than Run's
	slots chan struct{}   // one for each request that is handled
	work  sync.WaitGroup
	known bool // the group was there once
}

func (w *answering) validate() error {
	switch {
	case w.Redis == nil:
		return errors.New("streams: answerer: Redis is not set")
	case w.Requests == "" || w.Replies == "":
		return errors.New("streams: answerer: Requests or Replies is empty")
	case w.Group == "" || w.Name == "":
		return errors.New("streams: answerer: Group or Name is empty")
	case w.Answer == nil:
		return fmt.Errorf("streams: answerer %s: Answer is not set", w.Group)
	case w.Most < 0:
		return fmt.Errorf("streams: answerer %s: Most is negative", w.Group)
	}
	if w.Most == 0 {
		w.Most = mostAnswers
	}
	if w.Log == nil {
		w.Log = slog.Default()
	}
	w.Log = w.Log.With("group", w.Group, "consumer", w.Name)
	return nil
}

// consume reads requests and has them handled until ctx ends or the bus fails. It calls up once the bus has answered.
func (w *answering) consume(ctx context.Context, up func()) error {
	if err := w.createGroup(ctx); err != nil {
		return err
	}
	up()
	for late := false; w.free(ctx); {
		count := w.Most - len(w.slots) // only this goroutine takes slots, so there are no fewer by now
		if late {
			count = lateCount
		}
		entries, err := w.read(ctx, count)
		if err != nil {
			return err
		}
		for _, e := range entries {
			w.take(e)
		}
		late = false
		if n := len(entries); n == count {
			last, _ := parseID(entries[n-1].ID)
			late = time.Since(last.time()) > lateRequest
		}
	}
	return ctx.Err()
}

// createGroup makes the group at the stream's end. One that was there and is gone went with the stream's past: then what
// the stream holds is new, and what is not has expired.
func (w *answering) createGroup(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	from := "$"
	if w.known {
		from = "0"
	}
	err := w.Redis.XGroupCreateMkStream(ctx, w.Requests, w.Group, from).Err()
	if err != nil && !redis.HasErrorPrefix(err, "BUSYGROUP") {
		return fmt.Errorf("create group %s: %w", w.Group, err)
	}
	w.known = true
	return nil
}

// free waits until one more request can be handled and reports whether ctx lives on.
func (w *answering) free(ctx context.Context) bool {
	select {
	case w.slots <- struct{}{}:
		<-w.slots
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

func (w *answering) read(ctx context.Context, count int) ([]Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, readBlock+readLate)
	defer cancel()
	read, err := w.Redis.XReadGroup(ctx, &redis.XReadGroupArgs{Group: w.Group, Consumer: w.Name,
		Streams: []string{w.Requests, ">"}, Count: int64(count), Block: readBlock, NoAck: true}).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("read %s as %s: %w", w.Requests, w.Group, err)
	}
	var entries []Entry
	for _, s := range read {
		for _, msg := range s.Messages {
			entries = append(entries, entryOf(s.Stream, msg))
		}
	}
	return entries, nil
}

// take has the request handled if it is for this service and still of use. It waits for a free slot.
func (w *answering) take(e Entry) {
	if e.Err != nil || e.Event.Subject != w.Group {
		return
	}
	if d := deadlineOf(e.Event); !d.IsZero() && time.Now().After(d) {
		w.Log.Debug("a request came too late to be answered", "id", e.Event.ID, "from", e.Event.Source)
		return
	}
	w.slots <- struct{}{}
	w.work.Go(func() {
		defer func() { <-w.slots }()
		if err := w.answer(e.Event); err != nil {
			level := slog.LevelWarn
			if errors.Is(err, ErrBusDown) {
				level = slog.LevelDebug // Run says it once
			}
			w.Log.Log(w.left, level, "a request is not answered", "id", e.Event.ID, "from", e.Event.Source, "err", err)
		}
	})
}

func (w *answering) answer(request Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the handler panicked: %v\n%s", p, debug.Stack())
		}
	}()
	reply, err := w.Answer(w.left, request)
	if err != nil {
		return err
	}
	reply.Subject = request.ID
	ctx, cancel := context.WithTimeout(w.left, ackTimeout)
	defer cancel()
	return exchange(ctx, w.Redis, w.Replies, reply)
}
