package streams

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// countMost is how many undelivered entries Inspect counts one by one where Redis' own number cannot be trusted.
const countMost = 2000

// Stream is what Redis knows of one stream.
type Stream struct {
	Name    string
	Length  int64
	Added   int64   // entries ever added
	Counted bool    // the server counts what was added; else Added is the length
	FirstID string  // of the oldest entry; empty where the stream is empty
	LastID  string  // of the entry added last, also where that is gone
	Groups  []Group // by name
}

// Group is what Redis knows of one consumer group of a stream.
type Group struct {
	Name      string
	Consumers int
	Pending   int64 // entries delivered and not acknowledged
	// Lag is how many entries are not yet delivered; -1 where unknown, never 0 for unknown. Up to 2,000 it is exact.
	// Beyond, on a stream that was trimmed, it is as Redis reports it: too large where entries went that the group had
	// not read.
	Lag       int64
	Delivered string // last delivered entry id
	// Applied: every entry up to and including this id is delivered and acknowledged.
	Applied string
	// Oldest is the time of the oldest entry that is not applied; zero for none.
	Oldest time.Time
	// TrimmedUnread: entries between the last delivered and the stream's first were trimmed before the group read them.
	// It is true too where Redis cannot tell: the group's count of reads is unknown, or unread entries were deleted by
	// hand. Once the group reads on, it is false again.
	TrimmedUnread bool
	// Missed is how many were: known for a group that had read none, or whose reads Redis counts; else 0.
	Missed int64
	// Members are its consumers by name, where there is more than one; else nil. Of more than 64 they are those that asked
	// last. A consumer that is never deleted stays for ever, long after its process.
	Members []Member
}

// Inspect reads what Redis knows of the named streams and their groups, in the order of names. Missing streams, and keys
// that are no streams, are left out. It takes two round trips at most, changes nothing, and needs no more rights than XINFO,
// XPENDING and XRANGE.
func Inspect(ctx context.Context, rdb redis.Cmdable, names []string) ([]Stream, error) {
	if len(names) == 0 {
		return nil, nil
	}
	infos := make([]*redis.XInfoStreamCmd, len(names))
	groups := make([]*redis.XInfoGroupsCmd, len(names))
	_, failed := rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, name := range names {
			// Groups first: a stream's last id that is older than a group's would make the group look caught up.
			groups[i] = p.XInfoGroups(ctx, name)
			infos[i] = p.XInfoStream(ctx, name)
		}
		return nil
	})
	if failed != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("streams: inspect: %w", ctx.Err())
	}
	var all []Stream
	var asked []*question
	for i, name := range names {
		info, err := infos[i].Result()
		if err == nil {
			err = groups[i].Err()
		}
		switch {
		case redis.HasErrorPrefix(err, "no such key"), redis.HasErrorPrefix(err, "WRONGTYPE"):
			continue
		case err != nil:
			return nil, fmt.Errorf("streams: inspect %s: %w", name, err)
		}
		s := Stream{
			Name: name, Length: info.Length, Added: info.EntriesAdded,
			FirstID: info.FirstEntry.ID, LastID: info.LastGeneratedID,
		}
		s.Counted = s.Added > 0
		counts := s.Counted || s.Length == 0
		if !counts {
			s.Added = s.Length // Redis before 7 does not count
		}
		for _, g := range groups[i].Val() {
			asked = append(asked, newQuestion(len(all), s, info.MaxDeletedEntryID, g, counts))
		}
		all = append(all, s)
	}
	if err := ask(ctx, rdb, all, asked); err != nil {
		return nil, err
	}
	for i := range all {
		slices.SortFunc(all[i].Groups, func(a, b Group) int { return cmp.Compare(a.Name, b.Name) })
	}
	return all, nil
}

// question is a group of which something is still to be asked.
type question struct {
	stream   int // index in what Inspect returns
	group    Group
	reported int64 // lag as Redis knows it, or -1
	settled  bool  // the group's lag is exact
	count    int64 // undelivered entries to look at: 0 for none

	pending *redis.XPendingCmd
	next    *redis.XMessageSliceCmd
	members *redis.XInfoConsumersCmd
}

// open says whether the XINFO replies leave something to be asked.
func (q *question) open() bool { return q.count > 0 || q.group.Pending > 0 || q.group.Consumers > 1 }

// newQuestion settles what the two XINFO replies tell of a group. counts says that the server counts entries added.
func newQuestion(stream int, s Stream, deleted string, g redis.XInfoGroup, counts bool) *question {
	q := &question{stream: stream, reported: -1, group: Group{
		Name: g.Name, Consumers: int(g.Consumers), Pending: g.Pending,
		Delivered: g.LastDeliveredID, Applied: g.LastDeliveredID,
	}}
	if counts {
		q.reported = g.Lag
	}
	delivered, _ := parseID(g.LastDeliveredID)
	first, _ := parseID(s.FirstID)
	last, _ := parseID(s.LastID)
	removed := s.Added - s.Length // trimmed, or deleted by hand
	switch {
	case delivered.compare(last) >= 0:
		q.settled = true
	case s.Length == 0 || delivered.compare(first) < 0:
		// All that is there is undelivered, whatever Redis counts.
		q.settled = true
		q.group.Lag = s.Length
		q.group.TrimmedUnread = removed > g.EntriesRead // go-redis reads an unknown count as 0
		if q.group.TrimmedUnread && counts && (g.EntriesRead > 0 || delivered == entryID{}) {
			q.group.Missed = removed - g.EntriesRead
		}
		if s.Length > 0 {
			q.group.Oldest = first.time()
		}
	case q.reported >= 0 && removed == 0 && (deleted == "" || deleted == "0-0"):
		// Nothing ever went: Redis' number is right, and the entry after the last delivered one tells the time.
		q.settled = true
		q.group.Lag = q.reported
		q.count = 1
	default:
		q.group.Lag = -1
		q.count = countMost
	}
	return q
}

// ask asks for what the XINFO replies leave open and puts each group into its stream.
func ask(ctx context.Context, rdb redis.Cmdable, all []Stream, asked []*question) error {
	var failed error
	if slices.ContainsFunc(asked, (*question).open) {
		_, failed = rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, q := range asked {
				name := all[q.stream].Name
				if q.group.Pending > 0 {
					q.pending = p.XPending(ctx, name, q.group.Name)
				}
				if q.count > 0 {
					q.next = p.XRangeN(ctx, name, "("+q.group.Delivered, "+", q.count)
				}
				if q.group.Consumers > 1 {
					q.members = p.XInfoConsumers(ctx, name, q.group.Name)
				}
			}
			return nil
		})
	}
	if failed != nil && ctx.Err() != nil {
		return fmt.Errorf("streams: inspect: %w", ctx.Err())
	}
	for _, q := range asked {
		s := &all[q.stream]
		if q.next != nil {
			if err := q.next.Err(); err != nil {
				return fmt.Errorf("streams: inspect %s, group %s: %w", s.Name, q.group.Name, err)
			}
			q.answerNext(q.next.Val(), s.Length)
		}
		if q.pending != nil {
			switch p, err := q.pending.Result(); {
			case redis.HasErrorPrefix(err, "NOGROUP"):
				continue // the group went meanwhile
			case err != nil:
				return fmt.Errorf("streams: inspect %s, group %s: %w", s.Name, q.group.Name, err)
			default:
				q.answerPending(p)
			}
		}
		if q.members != nil {
			switch m, err := q.members.Result(); {
			case redis.HasErrorPrefix(err, "NOGROUP"), redis.HasErrorPrefix(err, "no such key"):
				continue // the group went meanwhile
			case err != nil:
				return fmt.Errorf("streams: inspect %s, group %s: %w", s.Name, q.group.Name, err)
			default:
				q.group.Members = membersOf(m)
			}
		}
		s.Groups = append(s.Groups, q.group)
	}
	return nil
}

// answerNext takes in the entries after the last delivered one, in a stream of that length.
func (q *question) answerNext(next []redis.XMessage, length int64) {
	if len(next) > 0 {
		first, _ := parseID(next[0].ID)
		q.group.Oldest = first.time()
	}
	switch n := int64(len(next)); {
	case q.settled:
	case n < q.count:
		q.group.Lag = n
	case q.reported >= n && q.reported < length:
		q.group.Lag = q.reported
	}
}

// answerPending takes in the summary of the pending entries, which may be younger than the group's last delivered id.
func (q *question) answerPending(p *redis.XPending) {
	q.group.Pending = p.Count
	lower, ok := parseID(p.Lower)
	if p.Count == 0 || !ok {
		return
	}
	if delivered, _ := parseID(q.group.Delivered); lower.compare(delivered) > 0 {
		return // delivered since; all up to the id that was asked for is applied
	}
	q.group.Applied = lower.before().String()
	q.group.Oldest = lower.time()
}
