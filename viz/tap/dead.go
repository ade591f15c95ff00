package tap

import (
	"context"
	"maps"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
)

// countPage is how many dead letters of a stream are read for counting at one inspection.
const countPage = 1000

// deadCounts are the dead letters by stream, counted for each group. Each letter is read once; where some were taken out,
// all that are left are read again.
type deadCounts map[string]*deadCount

type deadCount struct {
	by    map[string]int64 // by consumer group
	n     int64            // all of them
	after string           // the last one read
	last  string           // the stream's last id when all were counted
}

// count goes on counting and says how many each group has; nil where it is not through yet.
func (c deadCounts) count(ctx context.Context, rdb *redis.Client, s *streams.Stream) map[string]int64 {
	d := c[s.Name]
	if d == nil || d.n > s.Length {
		d = &deadCount{by: map[string]int64{}}
		c[s.Name] = d
	}
	if d.n == s.Length && d.last == s.LastID {
		return maps.Clone(d.by)
	}
	page, err := streams.LettersAfter(ctx, rdb, s.Name, d.after, countPage)
	if err != nil {
		return nil
	}
	for _, l := range page {
		d.by[l.Group]++
		d.n++
		d.after = l.ID
	}
	switch {
	case d.n == s.Length:
		d.last = s.LastID
		return maps.Clone(d.by)
	case d.n < s.Length && len(page) < countPage: // another stream of that name
		delete(c, s.Name)
	}
	return nil
}

// forget drops the counts of streams that are gone.
func (c deadCounts) forget(found []streams.Stream) {
	for name := range c {
		if !slices.ContainsFunc(found, func(s streams.Stream) bool { return s.Name == name }) {
			delete(c, name)
		}
	}
}
