package outbox

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
)

// RedisKey is the key of the outbox stream that an owner's script XADDs to: field "ce" with the event's JSON.
const RedisKey = "outbox"

// Keys beside the outbox stream. Redis runs one script at a time, so that the stream's order is the order of commits
// and a cursor skips nothing.
const (
	redisCursor = RedisKey + ":cursor" // the last published entry of the outbox
	redisSent   = RedisKey + ":sent"   // sorted set, score 0: bus entry id in hex, "|", outbox entry id
	redisLead   = RedisKey + ":lead"   // who relays, with a time to live
)

// Redis is a stream "outbox" in the owner's own Redis, written by the same Lua script that changes the data.
type Redis struct {
	rdb *redis.Client
	me  string

	mu    sync.Mutex
	until time.Time // the lead is renewed after this
}

// NewRedis returns the journal in rdb. It does no I/O.
func NewRedis(rdb *redis.Client) *Redis { return &Redis{rdb: rdb, me: uuid.NewString()} }

// How long a lead holds without being renewed, and when it is renewed.
const (
	leaseFor   = 1200 * time.Millisecond
	leaseRenew = 300 * time.Millisecond
)

var (
	//go:embed lua/lead.lua
	leadLua string
	//go:embed lua/resign.lua
	resignLua string
	//go:embed lua/sent.lua
	sentLua string
	//go:embed lua/rewind.lua
	rewindLua string
	//go:embed lua/prune.lua
	pruneLua string

	leadScript   = redis.NewScript(leadLua)
	resignScript = redis.NewScript(resignLua)
	sentScript   = redis.NewScript(sentLua)
	rewindScript = redis.NewScript(rewindLua)
	pruneScript  = redis.NewScript(pruneLua)

	journalKeys = []string{RedisKey, redisCursor, redisSent}
)

// Lead implements [Store].
func (r *Redis) Lead(ctx context.Context) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if now.Before(r.until) {
		return true, nil
	}
	ok, err := leadScript.Run(ctx, r.rdb, []string{redisLead}, r.me, leaseFor.Milliseconds()).Bool()
	if err != nil {
		return false, fmt.Errorf("outbox: lead: %w", err)
	}
	if ok {
		r.until = now.Add(leaseRenew)
	}
	return ok, nil
}

// Resign implements [Store].
func (r *Redis) Resign(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.until = time.Time{}
	if err := resignScript.Run(ctx, r.rdb, []string{redisLead}, r.me).Err(); err != nil {
		return fmt.Errorf("outbox: resign: %w", err)
	}
	return nil
}

// Unsent implements [Store].
func (r *Redis) Unsent(ctx context.Context, limit int) ([]Record, error) {
	cursor, err := r.rdb.Get(ctx, redisCursor).Result()
	from := "(" + cursor
	switch {
	case errors.Is(err, redis.Nil):
		from = "-"
	case err != nil:
		return nil, fmt.Errorf("outbox: unsent: %w", err)
	}
	entries, err := r.rdb.XRangeN(ctx, RedisKey, from, "+", int64(limit)).Result()
	if err != nil {
		return nil, fmt.Errorf("outbox: unsent: %w", err)
	}
	recs := make([]Record, len(entries))
	for i, e := range entries {
		text, _ := e.Values[streams.Field].(string)
		if recs[i], err = parseEvent(e.ID, text); err != nil {
			return nil, fmt.Errorf("outbox: unsent: %w", err)
		}
	}
	return recs, nil
}

// Sent implements [Store].
func (r *Redis) Sent(ctx context.Context, recs []Record) error {
	if len(recs) == 0 {
		return nil
	}
	args := make([]any, 0, 1+len(recs))
	args = append(args, recs[len(recs)-1].Key)
	for _, rec := range recs {
		e, err := parseEntryID(rec.EntryID)
		if err != nil {
			return fmt.Errorf("outbox: mark record %q: %w", rec.Key, err)
		}
		args = append(args, e.member()+rec.Key)
	}
	if err := sentScript.Run(ctx, r.rdb, journalKeys, args...).Err(); err != nil {
		return fmt.Errorf("outbox: mark %d records: %w", len(recs), err)
	}
	return nil
}

// member begins the sorted set's member of an entry: of fixed length, so that texts sort as numbers do.
func (e entryID) member() string { return fmt.Sprintf("%016x%016x|", e.ms, e.seq) }

// LastSent implements [Store].
func (r *Redis) LastSent(ctx context.Context) (string, error) {
	last, err := r.rdb.ZRevRange(ctx, redisSent, 0, 0).Result()
	if err != nil {
		return "", fmt.Errorf("outbox: last sent: %w", err)
	}
	if len(last) == 0 {
		return "", nil
	}
	var e entryID
	id, _, _ := strings.Cut(last[0], "|")
	if _, err := fmt.Sscanf(id, "%16x%16x", &e.ms, &e.seq); err != nil {
		return "", fmt.Errorf("outbox: last sent %q: %w", last[0], err)
	}
	return e.String(), nil
}

// Rewind implements [Store].
func (r *Redis) Rewind(ctx context.Context, after string) (int, error) {
	e, err := parseEntryID(after)
	if err != nil {
		return 0, fmt.Errorf("outbox: rewind: %w", err)
	}
	// "}" follows "|": above every member of that entry id.
	n, err := rewindScript.Run(ctx, r.rdb, journalKeys, "["+strings.TrimSuffix(e.member(), "|")+"}").Int()
	if err != nil {
		return 0, fmt.Errorf("outbox: rewind to %s: %w", e, err)
	}
	return n, nil
}

// Prune implements [Store].
func (r *Redis) Prune(ctx context.Context, keep int) error {
	if err := pruneScript.Run(ctx, r.rdb, journalKeys, keep).Err(); err != nil {
		return fmt.Errorf("outbox: prune: %w", err)
	}
	return nil
}
