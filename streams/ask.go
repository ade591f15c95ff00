package streams

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// mostAsks is how many asks of one process may wait where nothing else is said.
	mostAsks = 1024
	// askBackoff is the longest that the reader of replies waits for a bus that is away. It is short because nothing can
	// be asked before the reader is back.
	askBackoff = 200 * time.Millisecond
)

// Asker asks others by request events and waits for the reply events that carry the request's id as their subject. One
// serves a whole process. Every replica of a service reads every reply and takes those that it waits for.
//
// A request that was sent is sent once and kept by nobody: where it or its reply is lost with the bus, the ask ends with
// its context.
//
// So that its position can be seen from outside, the asker keeps a consumer group named after the service on the stream
// of replies, and moves it to the last entry that it has read. The group delivers nothing, and no ask fails for it.
type Asker struct {
	Redis    *redis.Client
	Requests string // the stream that requests are added to
	Replies  string // the stream that replies are read from
	Group    string // name of the group that marks the position: the service's
	// Most is how many asks may wait at once; one more fails with ErrTooManyAsks, for a queue would only make it late.
	// Default 1024.
	Most int
	Log  *slog.Logger // default slog.Default()

	once  sync.Once
	tried chan struct{} // closed once the reader has found its position, or failed to, for the first time
	most  int
	log   *slog.Logger

	mu      sync.Mutex
	waiting map[string]chan<- Event // by id of the request; each takes one reply without blocking
	down    error                   // why the reader cannot read now; nil while it can
	at      string                  // id of the last reply read, empty until the reader knows where to begin
}

func (a *Asker) init() {
	a.once.Do(func() {
		a.tried = make(chan struct{})
		a.waiting = make(map[string]chan<- Event)
		a.most, a.log = a.Most, a.Log // Run and Ask may come at once, so the caller's fields stay as they are
		if a.most == 0 {
			a.most = mostAsks
		}
		if a.log == nil {
			a.log = slog.Default()
		}
	})
}

// Ask adds the request to the bus and waits until ctx ends for the event that replies to it. The request's ID is unique,
// its Subject is whom it is for, and its Data is an object that says as "deadline" (RFC 3339) until when an answer is of
// use.
//
// An error wraps ErrBusDown where the bus does not take the request, at once where that is known, or could not be read
// while the reply was awaited; ErrTooManyAsks; else ctx's own error where no reply came. Run has to run.
func (a *Asker) Ask(ctx context.Context, request Event) (Event, error) {
	a.init()
	if err := ctx.Err(); err != nil {
		return Event{}, fmt.Errorf("streams: ask %s: %w", request.Subject, err)
	}
	reply := make(chan Event, 1)
	if err := a.expect(request.ID, reply); err != nil {
		return Event{}, fmt.Errorf("streams: ask %s: %w", request.Subject, err)
	}
	defer a.forget(request.ID)
	// A reply that came before the reader knows where to begin would be missed.
	select {
	case <-a.tried:
	case <-ctx.Done():
		return Event{}, fmt.Errorf("streams: ask %s: %w: %w", request.Subject, ErrBusDown, ctx.Err())
	}
	if at, down := a.state(); at == "" {
		return Event{}, fmt.Errorf("streams: ask %s: %w: %w", request.Subject, ErrBusDown, down)
	}
	if err := exchange(ctx, a.Redis, a.Requests, request); err != nil {
		return Event{}, fmt.Errorf("streams: ask %s: %w", request.Subject, err)
	}
	select {
	case e := <-reply:
		return e, nil
	case <-ctx.Done():
	}
	select {
	case e := <-reply: // in the same moment
		return e, nil
	default:
	}
	if _, down := a.state(); down != nil {
		return Event{}, fmt.Errorf("streams: ask %s: %w: %w", request.Subject, ErrBusDown, down)
	}
	return Event{}, fmt.Errorf("streams: ask %s: %w", request.Subject, ctx.Err())
}

func (a *Asker) expect(id string, reply chan<- Event) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) >= a.most {
		return ErrTooManyAsks
	}
	if _, twice := a.waiting[id]; twice {
		return fmt.Errorf("a request with the id %q waits already; give each one of its own", id)
	}
	a.waiting[id] = reply
	return nil
}

func (a *Asker) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, id)
}

func (a *Asker) state() (at string, down error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.at, a.down
}

// set notes where the reader is (empty: no news) and whether it can read.
func (a *Asker) set(at string, down error) (was error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at != "" {
		a.at = at
	}
	was, a.down = a.down, down
	return was
}

// deliver hands a reply to who waits for it. One that nobody waits for is another replica's, or late.
func (a *Asker) deliver(e Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if reply, ok := a.waiting[e.Subject]; ok {
		delete(a.waiting, e.Subject) // whatever else replies to it is dropped, so this send never blocks
		reply <- e
	}
}

// Run reads replies until ctx ends and returns nil then, within 1.2 s. It outlives the bus: it goes on where it was, or
// from the beginning of what a wiped bus holds since. An error is a fault in the asker's own fields. It is called once.
func (a *Asker) Run(ctx context.Context) error {
	switch {
	case a.Redis == nil:
		return errors.New("streams: asker: Redis is not set")
	case a.Requests == "" || a.Replies == "" || a.Group == "":
		return errors.New("streams: asker: Requests, Replies or Group is empty")
	case a.Most < 0:
		return errors.New("streams: asker: Most is negative")
	}
	a.init()
	tried := sync.OnceFunc(func() { close(a.tried) })
	wait := backoff{most: askBackoff}
	for {
		err := a.follow(ctx, func(at string) {
			if a.set(at, nil) != nil {
				a.log.Info("the bus is back; replies are read")
			}
			wait.reset()
			tried()
		})
		if ctx.Err() != nil {
			return nil
		}
		if a.set("", err) == nil {
			a.log.Warn("the bus does not answer; replies cannot be read", "err", err)
		}
		tried()
		wait.sleep(ctx)
	}
}

// follow reads replies until ctx ends or the bus fails. It calls up once it knows where to begin.
func (a *Asker) follow(ctx context.Context, up func(at string)) error {
	at, err := a.locate(ctx)
	if err != nil {
		return err
	}
	up(at)
	a.mark(ctx, at)
	for moved := true; ctx.Err() == nil; {
		read, err := a.read(ctx, at, moved)
		if err != nil {
			return err
		}
		for _, msg := range read {
			if e := entryOf(a.Replies, msg); e.Err == nil {
				a.deliver(e.Event)
			}
			at = msg.ID
		}
		if moved = len(read) > 0; moved {
			a.set(at, nil)
		}
	}
	return ctx.Err()
}

// locate is the id after which replies are to be read: that of the last one read, the stream's last where none was yet,
// or the very beginning where the stream has lost its past and with it the last one read.
func (a *Asker) locate(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	info, err := a.Redis.XInfoStream(ctx, a.Replies).Result()
	last := "0-0"
	switch {
	case err == nil:
		last = info.LastGeneratedID
	case !redis.HasErrorPrefix(err, "no such key"):
		return "", fmt.Errorf("look at %s: %w", a.Replies, err)
	}
	at, _ := a.state()
	if at == "" {
		return last, nil
	}
	known, _ := parseID(at)
	if now, ok := parseID(last); ok && now.compare(known) < 0 {
		return "0-0", nil
	}
	return at, nil
}

// read waits for replies after the id at. Where that has moved it takes the group along, in the same round trip.
func (a *Asker) read(ctx context.Context, at string, moved bool) ([]redis.XMessage, error) {
	rctx, cancel := context.WithTimeout(ctx, readBlock+readLate)
	defer cancel()
	var mark *redis.StatusCmd
	var read *redis.XStreamSliceCmd
	_, failed := a.Redis.Pipelined(rctx, func(p redis.Pipeliner) error {
		if moved {
			mark = p.XGroupSetID(rctx, a.Replies, a.Group, at)
		}
		read = p.XRead(rctx, &redis.XReadArgs{Streams: []string{a.Replies, at}, Count: readCount, Block: readBlock})
		return nil
	})
	got, err := read.Result()
	if err == nil && got == nil {
		err = failed // the pipeline was not sent
	}
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("read %s: %w", a.Replies, err)
	}
	if moved && mark.Err() != nil {
		a.mark(ctx, at)
	}
	if len(got) == 0 {
		return nil, nil
	}
	return got[0].Messages, nil
}

// mark makes the group that shows the position; the stream too where it is not there.
func (a *Asker) mark(ctx context.Context, at string) {
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	err := a.Redis.XGroupCreateMkStream(ctx, a.Replies, a.Group, at).Err()
	if err != nil && !redis.HasErrorPrefix(err, "BUSYGROUP") {
		a.log.Debug("the position among the replies cannot be shown", "stream", a.Replies, "group", a.Group, "err", err)
	}
}
