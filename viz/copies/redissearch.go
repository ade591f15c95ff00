package copies

import (
	"context"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/viz/world"
)

// search goes through keys or members from the beginning, for a while, after a look at the id itself.
func (r *redisDB) search(ctx context.Context, at *world.Place, text string, limit int) (found []Match, more bool, err error) {
	if text != "" {
		k, err := r.read(ctx, &world.Place{Key: at.Key, Hash: at.Hash, Set: at.Set, Sorted: at.Sorted}, text)
		if err != nil {
			return nil, false, err
		}
		if k.found {
			found = append(found, matchOf(at, text, k))
		}
	}
	ids, more, err := r.begin(ctx, at, strings.ToLower(text))
	if err != nil {
		return nil, false, err
	}
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return len(found) > 0 && id == text })
	if room := limit - len(found); len(ids) > room {
		ids, more = ids[:room], true
	}
	matches, err := r.labels(ctx, at, ids)
	return append(found, matches...), more, err
}

// begin are the ids that begin with a text in small letters, or whose label holds it; more says that not all were looked at.
func (r *redisDB) begin(ctx context.Context, at *world.Place, text string) (ids []string, more bool, err error) {
	var cursor uint64
	for range walkPages {
		page, next, err := r.page(ctx, at, cursor)
		if err != nil {
			return nil, false, err
		}
		var others []string
		for _, id := range page {
			if strings.HasPrefix(strings.ToLower(id), text) {
				ids = append(ids, id)
			} else if at.Key != "" && at.Label != "" {
				others = append(others, id)
			}
		}
		labelled, err := r.labels(ctx, at, others)
		if err != nil {
			return nil, false, err
		}
		for _, m := range labelled {
			if strings.Contains(strings.ToLower(m.Label), text) {
				ids = append(ids, m.ID)
			}
		}
		if cursor = next; cursor == 0 {
			return ids, false, nil
		}
	}
	return ids, true, nil
}

func matchOf(at *world.Place, id string, k kept) Match {
	m := Match{ID: id, Label: labelled(at, k.pairs)}
	_, m.Version = logical(at, k.pairs)
	return m
}

// labels are the things of these ids, with what they are called and their versions where they are hashes of their own.
func (r *redisDB) labels(ctx context.Context, at *world.Place, ids []string) ([]Match, error) {
	all := make([]Match, len(ids))
	for i, id := range ids {
		all[i].ID = id
	}
	if at.Key == "" || len(ids) == 0 {
		return all, nil
	}
	fields := make([]*redis.ScanCmd, len(ids))
	_, err := r.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			fields[i] = p.HScan(ctx, keyOf(at.Key, id), 0, "", redisPart)
		}
		return nil
	})
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil, err
	}
	for i, id := range ids {
		list, _ := fields[i].Val()
		var pairs []pair
		for j := 0; j+1 < len(list); j += 2 {
			pairs = append(pairs, pair{list[j], list[j+1]})
		}
		all[i] = matchOf(at, id, kept{pairs: pairs})
	}
	return all, nil
}

// page are some ids of a place from a cursor on, and the next cursor: 0 at the end.
func (r *redisDB) page(ctx context.Context, at *world.Place, cursor uint64) (ids []string, next uint64, err error) {
	step := 1
	switch {
	case at.Key != "":
		keys, next, err := r.rdb.Scan(ctx, cursor, "", walkPage).Result()
		for _, key := range keys {
			if id, ok := idIn(at.Key, key); ok {
				ids = append(ids, id)
			}
		}
		return ids, next, err
	case at.Set != "":
		return r.rdb.SScan(ctx, at.Set, cursor, "", walkPage).Result()
	case at.Hash != "":
		step = 2
		ids, next, err = r.rdb.HScan(ctx, at.Hash, cursor, "", walkPage).Result()
	default:
		step = 2
		ids, next, err = r.rdb.ZScan(ctx, at.Sorted, cursor, "", walkPage).Result()
	}
	var names []string
	for i := 0; i < len(ids); i += step {
		names = append(names, ids[i])
	}
	return names, next, err
}

// idIn is the id in a key of that pattern; false for another key.
func idIn(pattern, key string) (id string, ok bool) {
	before, after, _ := strings.Cut(pattern, "{id}")
	if id, ok = strings.CutPrefix(key, before); ok {
		id, ok = strings.CutSuffix(id, after)
	}
	return id, ok && id != ""
}
