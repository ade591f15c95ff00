package chassis

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stillup/stillup/streams"
)

const (
	// liveFor is how long ago a live member of a group asked for entries at most.
	liveFor = 3 * time.Second
	// seenEvery is how often one that rebuilds, and consumes nothing meanwhile, shows that it lives.
	seenEvery = time.Second
	// settleFor is how long a member that has just begun to consume may take to be seen by its group.
	settleFor = 500 * time.Millisecond
	// busTimeout bounds one look at the bus.
	busTimeout = 2 * time.Second

	askEvery = 250 * time.Millisecond // how often an owner that publishes again is asked how far it is
	// markerTimeout is how long the own consumer may take to come to the end of what an owner has published again.
	markerTimeout = 5 * time.Minute
)

// RepublishJob is the job of an owner that publishes again what it has.
const RepublishJob = "republish"

// groups looks at the streams of the copy: each as it is, and the own group of it.
func (rb *Rebuilder) groups(ctx context.Context) (logs []streams.Stream, groups []streams.Group, err error) {
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	found, err := streams.Inspect(ctx, rb.consumer.Redis, rb.Streams)
	if err != nil {
		return nil, nil, fmt.Errorf("look at the bus: %w", err)
	}
	for _, s := range found {
		for _, g := range s.Groups {
			if g.Name == rb.consumer.Group {
				logs, groups = append(logs, s), append(groups, g)
			}
		}
	}
	if len(logs) != len(rb.Streams) {
		return nil, nil, errors.New("the bus does not have all streams of the copy; wait until their owners have published something")
	}
	return logs, groups, nil
}

// alone says who else consumes for the group.
func (rb *Rebuilder) alone(ctx context.Context) error {
	_, groups, err := rb.groups(ctx)
	if err != nil {
		return err
	}
	if names := others(groups, rb.consumer.Name); len(names) > 0 {
		return Errorf(http.StatusConflict, "%s consumes too and would go on applying events; stop it for the time of the rebuild",
			strings.Join(names, ", "))
	}
	return nil
}

// point is where the held consumer stands: by stream, the last entry that it was delivered.
func (rb *Rebuilder) point(ctx context.Context) (map[string]string, error) {
	logs, groups, err := rb.groups(ctx)
	if err != nil {
		return nil, err
	}
	at := map[string]string{}
	for i, g := range groups {
		if g.Pending > 0 {
			return nil, fmt.Errorf("a member of the group that is away holds %d events of %s; start it, or wait until they are taken over",
				g.Pending, logs[i].Name)
		}
		at[logs[i].Name] = g.Delivered
	}
	return at, nil
}

// count is how many entries the log has up to a point that nobody has consumed beyond.
func (rb *Rebuilder) count(ctx context.Context, upTo map[string]string) (n int64, err error) {
	logs, groups, err := rb.groups(ctx)
	if err != nil {
		return 0, err
	}
	for i, s := range logs {
		switch {
		case upTo[s.Name] == "0-0":
		case groups[i].Lag >= 0:
			n += max(0, s.Length-groups[i].Lag)
		default: // it is far behind, and Redis does not know how far
			n += s.Length
		}
	}
	return n, nil
}

// complete sees to it that the log tells of every subject: where the beginning of a stream is trimmed, its owner publishes
// again what it has, and this waits until the own consumer has applied it. Nothing is wiped yet.
func (rb *Rebuilder) complete(ctx context.Context, report *Report) error {
	logs, _, err := rb.groups(ctx)
	if err != nil {
		return err
	}
	var owners []string // as their streams are called
	before := map[string]int{}
	incomplete := func(owner string, err error) error {
		return fmt.Errorf("nothing was changed: the beginning of the log of %s is gone, and its owner has to publish again what it has: %w; "+
			"start it again and then this job", owner, err)
	}
	for _, s := range logs {
		if s.Added <= s.Length {
			continue
		}
		owners, before[s.Name] = append(owners, s.Name), rb.marker(s.Name)
		if err := rb.svc.Client.Call(ctx, s.Name, http.MethodPost, JobsPath+RepublishJob, nil, nil); err != nil {
			return incomplete(s.Name, err)
		}
	}
	for _, owner := range owners {
		if err := rb.told(ctx, report, owner, before[owner]); err != nil {
			return incomplete(owner, err)
		}
	}
	return nil
}

// told waits until the owner has published all again and the event that says so, the one after before, is consumed here.
func (rb *Rebuilder) told(ctx context.Context, report *Report, owner string, before int) error {
	report.Say("the log of %s was trimmed: %s publishes again what it has", owner, owner)
	for done := false; !done; {
		if err := pause(ctx, askEvery); err != nil {
			return err
		}
		var p Progress
		err := rb.svc.Client.Call(ctx, owner, http.MethodGet, JobsPath+RepublishJob, nil, &p)
		switch {
		case err != nil:
			return err
		case p.State == JobFailed:
			return fmt.Errorf("%s could not: %s", owner, p.Said)
		case p.State == JobIdle:
			return fmt.Errorf("%s was started anew meanwhile", owner)
		case p.State == JobDone:
			done = true
		default:
			report.Say("the log of %s was trimmed: %s has published again %d of %d", owner, owner, p.Done, p.Total)
		}
	}
	report.Say("applying what %s has published again", owner)
	for end := time.Now().Add(markerTimeout); rb.marker(owner) == before; {
		if time.Now().After(end) {
			return fmt.Errorf("what %s has published again was not consumed here within %v", owner, markerTimeout)
		}
		if err := pause(ctx, askEvery); err != nil {
			return err
		}
	}
	return nil
}

// others are the live members of the group beside this one.
func others(groups []streams.Group, me string) (names []string) {
	for _, g := range groups {
		for _, m := range g.Members {
			if m.Name != me && m.Idle < liveFor && !slices.Contains(names, m.Name) {
				names = append(names, m.Name)
			}
		}
	}
	return names
}

// pause waits for d; its error is ctx's.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}
