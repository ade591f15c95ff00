package copies

import (
	"context"
	"errors"
	"fmt"
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
		if k, err = there(err); err != nil || !k.found {
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
		if k, err = there(failed); k.found {
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

// there is what a command's error tells of what was asked for: that nothing is there is no failure.
func there(err error) (kept, error) {
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
	_, _ = r.rdb.Pipelined(ctx, func(p redis.Pipeliner) error { // each answer tells by itself
		fields = p.HScan(ctx, key, 0, "", redisPart) // which of a hash of many fields gives some
		usage = p.MemoryUsage(ctx, key, redisSamples)
		return nil
	})
	list, _, err := fields.Result()
	if err != nil {
		return kept{}, err
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
