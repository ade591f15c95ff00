package streams

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// Stream is what Redis knows of one stream.
type Stream struct {
	Name    string
	Length  int64
	Added   int64 // entries ever added
	FirstID string
	LastID  string
	Groups  []Group // by name
}

// Group is what Redis knows of one consumer group of a stream.
type Group struct {
	Name      string
	Consumers int
	Pending   int64
	Lag       int64  // entries not yet delivered; -1 where unknown, never 0 for unknown
	Delivered string // last delivered entry id
	// Applied: every entry up to and including this id is delivered and acknowledged.
	Applied string
	// Oldest is the time of the oldest entry that is not applied; zero for none.
	Oldest time.Time
	// TrimmedUnread: entries were trimmed that the group had not read.
	TrimmedUnread bool
}

// Inspect reads what Redis knows of the named streams and their groups, in the order of names. Missing streams are left out.
func Inspect(ctx context.Context, rdb redis.Cmdable, names []string) ([]Stream, error) { panic("stub") }
