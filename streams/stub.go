package streams

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// Tap reads every entry of every matching stream over one connection and takes no part: no group, no writes.
type Tap struct {
	URL string
	// Match says which streams to follow; nil follows all, dead letters included.
	Match func(stream string) bool
	// History is how many of each stream's last entries are handed over first, marked as history; default 100.
	History int
	Log     *slog.Logger
}

// Batch is what a tap hands over: entries in order per stream, or a change of the connection.
type Batch struct {
	At      time.Time
	Entries []Entry // the receiver owns them
	History bool    // entries from before the tap looked; not to be counted
	// Bases gives, for each stream that the tap just began to follow (or that began anew), how many entries were ever
	// added to it before the first counted one.
	Bases map[string]int64
	// Lost names the streams that the bus no longer has or that lost their tail since.
	Lost []string
	Down error // the bus does not answer; nil otherwise
}

// Run taps until ctx ends, calling handle from one goroutine. A slow handle slows the reading, nothing else; entries
// wait in Redis meanwhile.
func (t *Tap) Run(ctx context.Context, handle func(Batch)) error { panic("stub") }

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
