package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/stillup/stillup/streams"
)

// position is what the relay knows of journal and stream on its connection.
type position struct {
	last    string // the highest entry id marked in the journal
	added   int64  // entries ever added to the stream when it was last looked at
	checked time.Time
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
		if s.journal.last, err = within(ctx, longTimeout, s.relay.Store.LastSent); err != nil {
			return err
		}
		s.out.log.Warn("outbox: the bus lost events, publishing them again", "after", after, "events", n)
	}
	s.journal.added, s.journal.checked = stream.Added, time.Now()
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
	last, err := parseEntryID(s.journal.last)
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
	if stream.Added < s.journal.added { // it began anew and was filled since
		return entryID{}.String(), true, nil
	}
	// A stream from which nothing was ever trimmed has to hold the journal's last; else it is another one.
	if stream.Added != stream.Length {
		return "", false, nil
	}
	entries, err := s.conn.XRangeN(ctx, s.relay.Stream, last.String(), last.String(), 1).Result()
	if err != nil {
		return "", false, fmt.Errorf("outbox: compare with the bus: %w", err)
	}
	return entryID{}.String(), len(entries) == 0, nil
}
