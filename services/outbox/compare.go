package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/stillup/stillup/streams"
)

// maxSince is how many entries are published at most before the bus is looked at again.
const maxSince = 4000

// past is what the relay knows that the stream must hold, whatever became of its connections. Others may add to the stream,
// so there may be more.
type past struct {
	added int64    // entries ever added when the bus was last looked at, and published since
	last  string   // the stream's last id when it was
	since []string // ids of what was published after it
	owed  int      // events that were lost and are not published again yet
}

func (p *past) published(ids []string) {
	p.added += int64(len(ids))
	p.since = append(p.since, ids...)
}

// compare looks whether the bus still has what the journal says was published, and takes back what it lost.
func (s *session) compare(ctx context.Context) error {
	stream, err := s.look(ctx)
	if err != nil {
		return err
	}
	after, lost, err := s.lost(ctx, stream)
	if err != nil {
		return err
	}
	if lost {
		n, err := within(ctx, longTimeout, func(ctx context.Context) (int, error) { return s.relay.Store.Rewind(ctx, after) })
		if err != nil {
			return err
		}
		s.past.owed += n
		if s.last, err = within(ctx, longTimeout, s.relay.Store.LastSent); err != nil {
			return err
		}
		s.out.log.Warn("outbox: the bus lost events, publishing them again", "after", after, "events", n)
	}
	s.past.added, s.past.last, s.past.since = stream.Added, stream.LastID, s.past.since[:0]
	s.checked = time.Now()
	return nil
}

// look reads the stream's state; a missing stream is the zero one.
func (s *session) look(ctx context.Context) (streams.Stream, error) {
	found, err := streams.Inspect(ctx, s.conn, []string{s.relay.Stream})
	if err != nil {
		return streams.Stream{}, fmt.Errorf("outbox: compare with the bus: %w", err)
	}
	if len(found) == 0 {
		return streams.Stream{}, nil
	}
	stream := found[0]
	if stream.LastID == "" && stream.Length > 0 { // a Redis look-alike that does not tell
		entries, err := s.conn.XRevRangeN(ctx, s.relay.Stream, "+", "-", 1).Result()
		if err != nil {
			return streams.Stream{}, fmt.Errorf("outbox: compare with the bus: %w", err)
		}
		if len(entries) > 0 {
			stream.LastID = entries[0].ID
		}
	}
	return stream, nil
}

// lost says whether the bus lost published events, and after which entry.
func (s *session) lost(ctx context.Context, stream streams.Stream) (after string, lost bool, err error) {
	last, err := parseEntryID(s.last)
	if err != nil || last == (entryID{}) {
		return "", false, err
	}
	have, err := parseEntryID(stream.LastID)
	if err != nil {
		return "", false, err
	}
	if have.less(last) {
		return have.String(), true, nil
	}
	if stream.Counted && stream.Added < s.past.added { // and what was published since hides it
		after, err := s.cut(ctx)
		return after, true, err
	}
	// A stream from which nothing was ever trimmed has to hold the journal's last; else it is another one.
	if stream.Added != stream.Length {
		return "", false, nil
	}
	there, err := s.there(ctx, last.String())
	return entryID{}.String(), !there, err
}

// cut is the entry after which the stream lost some that were published, although it has newer ones.
func (s *session) cut(ctx context.Context) (string, error) {
	known, err := parseEntryID(s.past.last)
	if err != nil {
		return "", err
	}
	after := known.String()
	if there, err := s.there(ctx, after); err != nil || !there {
		// It was not among the last: the newest one that is older is where it was cut, if it was not begun anew.
		entries, err := s.conn.XRevRangeN(ctx, s.relay.Stream, after, "-", 1).Result()
		if err != nil {
			return "", fmt.Errorf("outbox: compare with the bus: %w", err)
		}
		if len(entries) == 0 {
			return entryID{}.String(), nil
		}
		return entries[0].ID, nil
	}
	for _, id := range s.past.since { // one that is there comes before all that were lost
		there, err := s.there(ctx, id)
		if err != nil {
			return "", err
		}
		if !there {
			break
		}
		after = id
	}
	return after, nil
}

// there says whether the stream holds an entry.
func (s *session) there(ctx context.Context, id string) (bool, error) {
	n, err := s.conn.XRangeN(ctx, s.relay.Stream, id, id, 1).Result()
	if err != nil {
		return false, fmt.Errorf("outbox: compare with the bus: %w", err)
	}
	return len(n) > 0, nil
}
