package streams

import (
	"cmp"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// maxMembers is how many consumers of a group Inspect tells of.
const maxMembers = 64

// Member is what Redis knows of one consumer of a group.
type Member struct {
	Name    string
	Pending int64         // entries delivered to it and not acknowledged
	Idle    time.Duration // since it last asked for entries, claimed or acknowledged any
}

// membersOf are the consumers that Redis lists, by name; of too many those that asked last.
func membersOf(listed []redis.XInfoConsumer) []Member {
	members := make([]Member, 0, len(listed))
	for _, c := range listed {
		members = append(members, Member{c.Name, c.Pending, c.Idle})
	}
	if len(members) > maxMembers {
		slices.SortStableFunc(members, func(a, b Member) int { return cmp.Compare(a.Idle, b.Idle) })
		members = slices.Clone(members[:maxMembers])
	}
	slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })
	return members
}
