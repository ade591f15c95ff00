package chassis

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

const (
	againBatch   = 100 // subjects at a time
	againTimeout = 5 * time.Second
	flushEvery   = 10 * time.Millisecond // how often the outbox is asked whether there is room in it
)

// Republish is how an owner publishes again the present state of all that it has, by the job RepublishJob: for those who
// come late or have lost what they had. It goes through the outbox, so that per subject it keeps its place among the
// changes that are made meanwhile.
type Republish struct {
	Stream string
	// Subjects is about how many there are.
	Subjects func(ctx context.Context) (int64, error)
	// Next puts the state of some subjects into the outbox, about limit: those that follow the cursor, which is empty at
	// first. It returns where it stopped, empty at the end, and how many it put in.
	Next func(ctx context.Context, cursor string, limit int) (next string, n int, err error)
	// Add puts one event, of no subject, into the outbox.
	Add func(ctx context.Context, e streams.Event) error
	// Waiting is as for [Service.Outbox].
	Waiting func(ctx context.Context) (n int, more bool, oldest time.Time, err error)
}

// Republish adds the job. Call it before Run.
func (s *Service) Republish(r Republish) { s.Job(RepublishJob, r.run) }

func (r Republish) run(ctx context.Context, report *Report) error {
	total, err := r.Subjects(ctx)
	if err != nil {
		return err
	}
	report.Expect(total)
	report.Say("publishing again what there is")
	var done int64
	for cursor := ""; ; {
		var n int
		err := within(ctx, againTimeout, func(ctx context.Context) (err error) {
			cursor, n, err = r.Next(ctx, cursor, againBatch)
			return err
		})
		if err != nil {
			return fmt.Errorf("after %d subjects: %w", done, err)
		}
		done += int64(n)
		report.Add(int64(n))
		// The outbox is never filled faster than it is emptied.
		if err := r.flush(ctx, func(_ int, more bool, _ time.Time) bool { return !more }); err != nil {
			return err
		}
		if cursor == "" {
			break
		}
	}
	// All of it is on the stream before the event that says so.
	if err := r.flushed(ctx, time.Now()); err != nil {
		return err
	}
	data, err := json.Marshal(shop.Subjects{Subjects: done})
	if err != nil {
		return err
	}
	marker := streams.Event{ID: uuid.NewString(), Source: r.Stream, Type: shop.Republished(r.Stream), Time: time.Now().UTC(), Data: data}
	if err := within(ctx, againTimeout, func(ctx context.Context) error { return r.Add(ctx, marker) }); err != nil {
		return err
	}
	if err := r.flushed(ctx, marker.Time); err != nil {
		return err
	}
	report.Say("published again %d", done)
	return nil
}

// flushed waits until all that happened up to a time is on the stream.
func (r Republish) flushed(ctx context.Context, upTo time.Time) error {
	return r.flush(ctx, func(n int, more bool, oldest time.Time) bool {
		return n == 0 || !more && oldest.After(upTo.Add(time.Millisecond)) // the journal keeps milliseconds
	})
}

// flush waits until enough of what waits in the outbox is published.
func (r Republish) flush(ctx context.Context, enough func(n int, more bool, oldest time.Time) bool) error {
	for {
		var done bool
		err := within(ctx, againTimeout, func(ctx context.Context) error {
			n, more, oldest, err := r.Waiting(ctx)
			done = err == nil && enough(n, more, oldest)
			return err
		})
		if err != nil {
			return err
		}
		if done {
			return nil
		}
		if err := pause(ctx, flushEvery); err != nil {
			return err
		}
	}
}
