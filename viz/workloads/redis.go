package workloads

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

type rediss struct{ rdb *redis.Client }

func openRedis(url string) (engine, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("its address cannot be read")
	}
	o.PoolSize, o.DialTimeout, o.MaxRetries = workers, opWithin, -1 // one that is tried again would count twice
	o.ContextTimeoutEnabled = true
	return &rediss{redis.NewClient(o)}, nil
}

func (r *rediss) close() { _ = r.rdb.Close() }

func key(parts ...any) string {
	k := scratch
	for _, p := range parts {
		k += ":" + fmt.Sprint(p)
	}
	return k
}

func (r *rediss) clean(ctx context.Context) error {
	for cursor := uint64(0); ; {
		keys, next, err := r.rdb.Scan(ctx, cursor, scratch+":*", 5000).Result()
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			if err := r.rdb.Unlink(ctx, keys...).Err(); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// fields are a document as a hash: one field for each leaf, so that one can be changed alone.
func fields(p product) []any {
	f := []any{"name", p.Name, "text", p.Text}
	for i, t := range p.Tags {
		f = append(f, fmt.Sprintf("tags.%d", i), t)
	}
	for i, v := range p.Variants {
		at := fmt.Sprintf("variants.%d.", i)
		f = append(f, at+"colour", v.Colour, at+"size", v.Size, at+"units", v.Units)
	}
	for i, v := range p.Reviews {
		at := fmt.Sprintf("reviews.%d.", i)
		f = append(f, at+"by", v.By, at+"stars", v.Stars, at+"text", v.Text)
	}
	return f
}

func (r *rediss) prepare(ctx context.Context) error {
	if err := r.clean(ctx); err != nil {
		return err
	}
	_, err := r.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, key("counter"), 0, 0)
		for i := range subjects {
			p.HSet(ctx, key("document", i), fields(productOf(i))...)
			p.HSet(ctx, key("user", i), "name", userName(i))
			p.HSet(ctx, key("product", i), "name", productName(i))
		}
		return nil
	})
	return err
}

func (r *rediss) count(ctx context.Context) error { return r.rdb.Incr(ctx, key("counter")).Err() }

func (r *rediss) counted(ctx context.Context) (int64, error) {
	return r.rdb.Get(ctx, key("counter")).Int64()
}

func (r *rediss) document(ctx context.Context, doc, n int) error {
	all, err := r.rdb.HGetAll(ctx, key("document", doc)).Result()
	if err != nil {
		return err
	}
	p := product{Name: all["name"], Text: all["text"]}
	for i := 0; ; i++ {
		at := fmt.Sprintf("variants.%d.", i)
		units, err := strconv.Atoi(all[at+"units"])
		if err != nil {
			break
		}
		p.Variants = append(p.Variants, variant{all[at+"colour"], all[at+"size"], units})
	}
	for i := 0; ; i++ {
		at := fmt.Sprintf("reviews.%d.", i)
		stars, err := strconv.Atoi(all[at+"stars"])
		if err != nil {
			break
		}
		p.Reviews = append(p.Reviews, review{all[at+"by"], stars, all[at+"text"]})
	}
	if err := p.whole(); err != nil {
		return err
	}
	return r.rdb.HSet(ctx, key("document", doc), "variants.1.units", n).Err()
}

// joinScript stores an order whose user and product are there and returns both names; nil where one is not.
// KEYS: 1 order, 2 user, 3 product. ARGV: 1 user's id, 2 product's id.
var joinScript = redis.NewScript(`
local user, product = redis.call('HGET', KEYS[2], 'name'), redis.call('HGET', KEYS[3], 'name')
if not user or not product then return false end
redis.call('HSET', KEYS[1], 'user', ARGV[1], 'product', ARGV[2])
return {user, product}`)

func (r *rediss) insert(ctx context.Context, n int64, user, product int) ([]string, error) {
	return joinScript.Run(ctx, r.rdb, []string{key("order", n), key("user", user), key("product", product)}, user, product).StringSlice()
}

func (r *rediss) join(ctx context.Context, n int64, user, product int) error {
	names, err := r.insert(ctx, n, user, product)
	if err != nil {
		return err
	}
	if len(names) != 2 {
		return errors.New("the script answered without two names")
	}
	return rightNames(user, product, names[0], names[1])
}

func (r *rediss) refuses(ctx context.Context) error {
	_, err := r.insert(ctx, -1, -1, 0)
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return errors.Join(errors.New("an order of nobody was not refused"), err)
}

func (r *rediss) disk(ctx context.Context) (string, error) {
	said, err := r.rdb.ConfigGet(ctx, "append*").Result()
	switch {
	case err != nil:
		return "", err
	case said["appendonly"] != "yes":
		return "Changes are in memory only.", nil
	case said["appendfsync"] == "always":
		return "Every change waits for the disk, many at once.", nil
	}
	return fmt.Sprintf("Changes go to the disk later (appendfsync %s).", said["appendfsync"]), nil
}

func (r *rediss) words(workload string) (how, keeps string) {
	switch workload {
	case "counter":
		return "INCR: one command, in memory, one after another.",
			"Exact. How much a crash may take depends on its append-only file."
	case "document":
		return "A hash with a field for each leaf: HGETALL, put together by the caller, then HSET of one field.",
			"Nothing of a neighbour's change is lost; lists and types exist only in the caller's code."
	}
	return "A Lua script: checks both, stores, and reads both names in one step.",
		"The check holds inside the script alone: whoever removes a user elsewhere is not stopped."
}
