package streams

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/lose_last.lua
var loseLastLua string

var loseLastScript = redis.NewScript(loseLastLua)

// Lost is how many entries of a stream were lost.
type Lost struct {
	Stream string
	N      int64
}

// LoseAll makes the bus forget the named streams with their groups, as a wiped disk does, and says what each had held, in
// their order. All of it is lost, what is transient and dead letters too: nobody publishes dead letters again. Consumers
// make their groups anew, and those who own the streams publish what their journals hold.
func LoseAll(ctx context.Context, rdb *redis.Client, names ...string) ([]Lost, error) {
	if len(names) == 0 {
		return nil, nil
	}
	lengths := make([]*redis.IntCmd, len(names))
	_, err := rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		for i, name := range names {
			lengths[i] = p.XLen(ctx, name)
		}
		p.Unlink(ctx, names...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("streams: lose %s: %w", strings.Join(names, ", "), err)
	}
	lost := make([]Lost, len(names))
	for i, name := range names {
		lost[i] = Lost{name, lengths[i].Val()}
	}
	return lost, nil
}

// LoseLast makes the bus forget what came to the named streams in the last d by the server's clock, as a fail-over to a
// replica that lagged so far does, and says how much of each went, in their order. Each stream is taken back in one
// transaction: its last id and count of entries are what they were then, and no group has been given anything newer. All
// are taken back to one moment. A stream without any entry left that old is there, empty, with its groups.
//
// Differences from a real fail-over: what was trimmed or acknowledged since then stays so, because nobody knows any more
// that it was not. Streams of dead letters are left as they are: what a real one loses of them it gives back to the groups
// as pending, which cannot be told here either, and nobody could publish it again.
//
// The stream is written anew, which holds the server up for about a second at 250,000 entries. Servers before Redis 7 do
// not count entries: there ids and groups are set back, and the count follows from what is left. One before Redis 6.2, or a
// look-alike without XSETID, refuses and nothing changes.
func LoseLast(ctx context.Context, rdb *redis.Client, d time.Duration, names ...string) ([]Lost, error) {
	if d <= 0 {
		return nil, fmt.Errorf("streams: lose the last %v: it has to be more than nothing", d)
	}
	now, err := rdb.Time(ctx).Result()
	if err != nil {
		return nil, fmt.Errorf("streams: lose the last %v: %w", d, err)
	}
	first := fmt.Sprintf("%d-0", max(1, now.Add(-d).UnixMilli()))
	lost := make([]Lost, 0, len(names))
	for _, name := range names {
		if strings.HasSuffix(name, DeadSuffix) {
			lost = append(lost, Lost{name, 0})
			continue
		}
		n, err := loseLastScript.Run(ctx, rdb, []string{name, "{" + name + "}:losing"}, first).Int64()
		if err != nil {
			return lost, fmt.Errorf("streams: lose the last %v of %s: %w", d, name, err)
		}
		lost = append(lost, Lost{name, n})
	}
	return lost, nil
}

// Trim trims a stream to its newest keep entries, exactly, whoever has read them or not, and says how many went. A group
// that had not read them can only be healed by their owner.
func Trim(ctx context.Context, rdb *redis.Client, name string, keep int64) (int64, error) {
	if keep < 0 {
		return 0, fmt.Errorf("streams: trim %s to %d entries: it has to be 0 or more", name, keep)
	}
	n, err := rdb.XTrimMaxLen(ctx, name, keep).Result()
	if err != nil {
		return 0, fmt.Errorf("streams: trim %s: %w", name, err)
	}
	return n, nil
}
