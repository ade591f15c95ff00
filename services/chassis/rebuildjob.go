package chassis

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/stillup/stillup/streams"
)

// run is the job: the whole of a rebuild, or the rest of one that was cut off.
func (rb *Rebuilder) run(ctx context.Context, report *Report) error {
	rb.mu.Lock()
	rb.busy = true
	rb.mu.Unlock()
	defer func() {
		rb.mu.Lock()
		rb.busy = false
		rb.mu.Unlock()
		select {
		case rb.wake <- struct{}{}:
		default: // it will look anyway
		}
	}()
	defer rb.beSeen(ctx)()
	m, text, err := rb.mark(ctx)
	if err != nil {
		return err
	}
	if err := rb.alone(ctx); err != nil {
		return err
	}
	if m != nil { // cut off: what has to be done stands in the mark
		if err := rb.hold(ctx); err != nil {
			return err
		}
		m.By = rb.svc.Instance
		if text, err = rb.swap(ctx, text, m); err != nil {
			return err
		}
		return rb.finish(ctx, report, m, text)
	}
	if err := rb.complete(ctx, report); err != nil {
		return err
	}
	if err := rb.hold(ctx); err != nil {
		return err
	}
	if m, text, err = rb.begin(ctx, report); err != nil {
		return fmt.Errorf("nothing was changed: %w", err)
	}
	return rb.finish(ctx, report, m, text)
}

// beSeen shows the group that this member lives, so that no other takes its rebuild over, until the function that it returns
// is called.
func (rb *Rebuilder) beSeen(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() {
		for pause(ctx, seenEvery) == nil {
			if err := rb.consumer.Seen(ctx); err != nil && ctx.Err() == nil {
				rb.svc.Log.Debug("rebuild", "err", err)
			}
		}
	})
	return func() { cancel(); work.Wait() }
}

// hold has the consumer stand still, if it does not yet. watch lets it go on when no mark stands after the job.
func (rb *Rebuilder) hold(ctx context.Context) error {
	rb.mu.Lock()
	held := rb.held
	rb.mu.Unlock()
	if held {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, holdTimeout)
	defer cancel()
	if err := rb.consumer.Hold.Take(ctx); err != nil {
		return fmt.Errorf("nothing was changed: the consumer did not come to rest within %v, as when the bus or the store is away", holdTimeout)
	}
	rb.mu.Lock()
	defer rb.mu.Unlock()
	rb.held = true
	return nil
}

// begin sets the mark. Nothing is wiped yet.
func (rb *Rebuilder) begin(ctx context.Context, report *Report) (*mark, string, error) {
	point, err := rb.point(ctx)
	if err != nil {
		return nil, "", err
	}
	report.Say("taking the fingerprint of the copy as it is")
	before, err := rb.digest(ctx)
	if err != nil {
		return nil, "", err
	}
	m := &mark{By: rb.svc.Instance, UpTo: point, Before: before.String()}
	text, err := rb.swap(ctx, "", m)
	if err != nil {
		return nil, "", err
	}
	// Requests that are under way read the copy as it is, those that come now are refused. Who began to consume before the
	// mark stood is seen after this.
	rb.building.Store(true)
	select {
	case <-time.After(settleFor):
	case <-ctx.Done():
	}
	if err := rb.alone(ctx); err != nil {
		if _, err := rb.swap(ctx, text, nil); err == nil {
			rb.building.Store(false)
		}
		return nil, "", err
	}
	return m, text, nil
}

// finish wipes, applies again, compares, and takes the mark away.
func (rb *Rebuilder) finish(ctx context.Context, report *Report, m *mark, text string) error {
	rb.building.Store(true)
	report.Before(m.Before)
	entries, err := rb.count(ctx, m.UpTo)
	if err != nil {
		return err
	}
	report.Say("wiping the copy")
	if err := within(ctx, wholeTimeout, rb.Copy.Wipe); err != nil {
		return fmt.Errorf("wipe the copy: %w", err)
	}
	report.Expect(entries)
	report.Say("applying again %d events from the log", entries)
	began := time.Now()
	skipped, err := rb.consumer.Replay(ctx, m.UpTo, rb.apply, func(n int) { report.Add(int64(n)) })
	if err != nil {
		return err
	}
	took := time.Since(began)
	// The count was taken while others published and trimmed; now it is known.
	report.change(func(p *Progress) { p.Total = p.Done; entries = p.Done })
	after, err := rb.digest(ctx)
	if err != nil {
		return err
	}
	report.After(after.String())
	if _, err := rb.swap(ctx, text, nil); err != nil {
		return err
	}
	rb.building.Store(false)
	if after.String() != m.Before {
		return fmt.Errorf("the copy is not what it was: the log has lost some of its events since they were applied, as when the bus was wiped "+
			"or trimmed meanwhile; have %s publish again what they have, which puts back what is missing", strings.Join(rb.Streams, ", "))
	}
	said := fmt.Sprintf("the copy equals what it was: %d records from %d events in %.1f s", after.Records(), entries, took.Seconds())
	if skipped > 0 {
		said += fmt.Sprintf("; %d that could not be applied were skipped, as at first", skipped)
	}
	report.Say("%s", said)
	return nil
}

// apply is what the consumer does with an entry, without a span: nobody waits for it, and its trace is long over.
func (rb *Rebuilder) apply(ctx context.Context, e streams.Entry) error {
	if take, known := rb.Takes[e.Event.Type]; known {
		return take(ctx, e.Event)
	}
	return nil
}

func (rb *Rebuilder) digest(ctx context.Context) (d *Digest, err error) {
	err = within(ctx, wholeTimeout, func(ctx context.Context) (err error) {
		d, err = rb.Copy.Digest(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("fingerprint of the copy: %w", err)
	}
	return d, nil
}

// swap replaces the mark's text by m's (nil: by none) and returns that.
func (rb *Rebuilder) swap(ctx context.Context, old string, m *mark) (text string, err error) {
	if m != nil {
		b, err := json.Marshal(m)
		if err != nil {
			return "", err
		}
		text = string(b)
	}
	ok, err := rb.Copy.SwapMark(ctx, old, text)
	if err != nil {
		return "", fmt.Errorf("mark the rebuild: %w", err)
	}
	if !ok {
		return "", Errorf(http.StatusConflict, "another replica rebuilds the copy")
	}
	return text, nil
}

// within calls f with a context that ends after d at the latest.
func within(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return f(ctx)
}
