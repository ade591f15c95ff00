package outbox

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/stillup/stillup/streams"
)

// Record is one event in an owner's journal.
type Record struct {
	Key     string // the store's handle on it, opaque to the relay
	EntryID string // the bus's entry id once published, else empty
	Event   streams.Event
}

// Store is an owner's journal as the relay sees it. Three implementations, one conformance suite.
type Store interface {
	// Lead tries to become the one relay of this journal and reports whether it is. The lead holds until Resign, or until
	// the store is lost or Lead is not called again for a second; calling it again is cheap and renews it.
	Lead(ctx context.Context) (bool, error)
	// Resign gives up the lead, so that another may take it at once. Without the lead it does nothing.
	Resign(ctx context.Context) error
	// Unsent returns up to limit events that are not published yet, in commit order per subject.
	Unsent(ctx context.Context, limit int) ([]Record, error)
	// Sent marks records as published under their EntryID. They stay in the journal. recs are the first of what Unsent
	// returned, in its order.
	Sent(ctx context.Context, recs []Record) error
	// LastSent is the highest entry id ever marked, empty for none.
	LastSent(ctx context.Context) (string, error)
	// Rewind makes every record that was published under an id above after unsent again and returns how many.
	Rewind(ctx context.Context, after string) (int, error)
	// Prune drops published records beyond the newest keep.
	Prune(ctx context.Context, keep int) error
}

// entryID is a Redis entry id in numbers, for texts of different length do not compare as their numbers do. The zero
// value is before every entry.
type entryID struct{ ms, seq int64 }

// parseEntryID reads "1700000000000-0"; empty is zero.
func parseEntryID(s string) (entryID, error) {
	if s == "" {
		return entryID{}, nil
	}
	ms, seq, _ := strings.Cut(s, "-")
	m, err := strconv.ParseUint(ms, 10, 63)
	if err != nil {
		return entryID{}, fmt.Errorf("entry id %q: %w", s, err)
	}
	if seq == "" {
		return entryID{m2i(m), 0}, nil
	}
	n, err := strconv.ParseUint(seq, 10, 64)
	if err != nil {
		return entryID{}, fmt.Errorf("entry id %q: %w", s, err)
	}
	return entryID{m2i(m), m2i(n)}, nil
}

// m2i keeps a number that no signed column holds at the largest one; Redis makes such only by hand.
func m2i(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

func (e entryID) String() string { return fmt.Sprintf("%d-%d", e.ms, e.seq) }

func (e entryID) less(o entryID) bool { return e.ms < o.ms || e.ms == o.ms && e.seq < o.seq }

// parseEvent reads a journal's event. Own events do not fail; one that does stops the relay with this error, for to skip
// it would lose what the owner committed.
func parseEvent(key, text string) (Record, error) {
	e, err := streams.ParseEvent([]byte(text))
	if err != nil {
		return Record{}, fmt.Errorf("event %s of the journal: %w", key, err)
	}
	return Record{Key: key, Event: e}, nil
}
