package copies

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/stillup/stillup/viz/world"
)

const (
	redisPart    = 1000 // most fields or members that are read of one key
	redisSamples = 20   // members of a key by which Redis measures it
)

// redisDB reads a Redis: its commands are those that change nothing.
type redisDB struct {
	rdb *redis.Client
	mu  sync.Mutex // guards walk
	walk
}

// openRedis prepares without any I/O. An error is a fault in the address.
func openRedis(url string) (store, error) {
	silence()
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	o.Protocol = 2
	o.PoolSize = storeConns
	o.MaxRetries = -1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = callWithin, callWithin, callWithin
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &redisDB{rdb: redis.NewClient(o)}, nil
}

// silence takes go-redis' process-wide log away: whatever it reports comes back as an error too.
var silence = sync.OnceFunc(func() { redis.SetLogger(mute{}) })

type mute struct{}

func (mute) Printf(context.Context, string, ...any) {}

func (r *redisDB) close() { _ = r.rdb.Close() } // nothing was left to be written

// keyOf is the key of one thing.
func keyOf(pattern, id string) string { return strings.ReplaceAll(pattern, "{id}", id) }

func (r *redisDB) read(ctx context.Context, at *world.Place, id string) (k kept, err error) {
	switch {
	case at.Key != "":
		k, err = r.readKey(ctx, keyOf(at.Key, id))
	case at.Hash != "":
		text, err := r.rdb.HGet(ctx, at.Hash, id).Result()
		if k, err = member(text, err); err != nil || !k.found {
			return k, err
		}
		k.pairs = []pair{{"value", text}}
		k.raw, k.bytes = id+": "+text, int64(len(id)+len(text))
	case at.Set != "":
		k.found, err = r.rdb.SIsMember(ctx, at.Set, id).Result()
		k.raw, k.bytes = id, int64(len(id))
	default:
		score, failed := r.rdb.ZScore(ctx, at.Sorted, id).Result()
		text := number(score)
		if k, err = member(text, failed); k.found {
			k.pairs = []pair{{"score", text}}
			k.raw, k.bytes = id+"  score "+text, int64(len(id)+len(text))
		}
	}
	if err != nil {
		return kept{}, err
	}
	for _, pattern := range at.Keys {
		key := keyOf(pattern, id)
		value, err := r.show(ctx, key)
		if err != nil {
			return kept{}, err
		}
		k.keys = append(k.keys, Key{key, value})
	}
	return k, nil
}

// member is what a command said of a member: nothing is no error.
func member(_ string, err error) (kept, error) {
	if errors.Is(err, redis.Nil) {
		return kept{}, nil
	}
	return kept{found: err == nil}, err
}

// readKey reads a hash and how much of Redis' memory it needs, in one round trip.
func (r *redisDB) readKey(ctx context.Context, key string) (kept, error) {
	var (
		fields *redis.ScanCmd
		usage  *redis.IntCmd
	)
	_, failed := r.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		fields = p.HScan(ctx, key, 0, "", redisPart) // which of a hash of many fields gives some
		usage = p.MemoryUsage(ctx, key, redisSamples)
		return nil
	})
	list, _, err := fields.Result()
	if err != nil {
		return kept{}, err
	}
	if failed != nil && usage.Err() == nil {
		return kept{}, failed
	}
	k := kept{found: len(list) > 0}
	var raw strings.Builder
	for i := 0; i+1 < len(list); i += 2 {
		k.pairs = append(k.pairs, pair{list[i], list[i+1]})
		if i > 0 {
			raw.WriteByte('\n')
		}
		fmt.Fprintf(&raw, "%s: %s", list[i], list[i+1])
	}
	k.raw = raw.String()
	if k.bytes = usage.Val(); usage.Err() != nil { // a server that does not count
		k.bytes = int64(len(k.raw))
	}
	return k, nil
}

// show is a key's value for people, whatever its type; empty where it is not there.
func (r *redisDB) show(ctx context.Context, key string) (string, error) {
	kind, err := r.rdb.Type(ctx, key).Result()
	if err != nil {
		return "", err
	}
	var list []string
	switch kind {
	case "string":
		return r.rdb.GetRange(ctx, key, 0, maxRawText-1).Result()
	case "hash":
		k, err := r.readKey(ctx, key)
		return k.raw, err
	case "list":
		list, err = r.rdb.LRange(ctx, key, 0, redisPart-1).Result()
	case "set":
		list, _, err = r.rdb.SScan(ctx, key, 0, "", redisPart).Result()
	case "zset":
		var members []redis.Z
		members, err = r.rdb.ZRangeWithScores(ctx, key, 0, redisPart-1).Result()
		for _, z := range members {
			list = append(list, fmt.Sprintf("%v  score %s", z.Member, number(z.Score)))
		}
	case "none":
	default:
		return "a " + kind, nil
	}
	return strings.Join(list, "\n"), err
}

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

// integer is a reply that may be absent.
func integer(c *redis.IntCmd) (int64, error) {
	n, err := c.Result()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	return n, err
}
