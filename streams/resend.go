package streams

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// resendCount is how many dead letters one transaction sends again.
const resendCount = 100

// moves puts entries to the end of a stream and takes them out of another, each once and all at once. KEYS: the dead
// letters, their stream; ARGV: MaxLen, then of each entry its id, how many texts follow, its fields and values.
var moves = redis.NewScript(`
local sent, i = 0, 2
while i <= #ARGV do
  local id, texts = ARGV[i], tonumber(ARGV[i + 1])
  if #redis.call('XRANGE', KEYS[1], id, id) == 1 then
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', unpack(ARGV, i + 2, i + 1 + texts))
    redis.call('XDEL', KEYS[1], id)
    sent = sent + 1
  end
  i = i + 2 + texts
end
return sent`)

// Resend puts dead letters back to the end of the stream that they came from and takes them out of the dead letters, and
// says how many. Ids are entry ids in dead, the stream of dead letters ("orders.dead"); without any, all that are there
// when it begins are sent. Each is moved in one transaction, with others: a crash of either side loses none and doubles
// none, and of two who resend the same only one does.
//
// What is sent is the event as it was, with its own id and a new place in the stream. All of its groups are given it
// again: those that applied it know its id, those that have gone on know its version. One that still cannot be applied
// comes back to the dead letters.
//
// Ids that are not there (any more) are passed over. Entries that are no events stay: the error then says so and wraps
// ErrNotEvent, and n counts the others, which are sent. After any other error n may be too low.
func Resend(ctx context.Context, rdb *redis.Client, dead string, ids ...string) (n int, err error) {
	of, ok := strings.CutSuffix(dead, DeadSuffix)
	if !ok || of == "" {
		return 0, fmt.Errorf("streams: resend: %q holds no dead letters; their streams end in %s", dead, DeadSuffix)
	}
	r := resend{rdb: rdb, dead: dead, of: of}
	if len(ids) > 0 {
		err = r.named(ctx, ids)
	} else {
		err = r.all(ctx)
	}
	if err == nil && r.refused > 0 {
		err = fmt.Errorf("%d stay, since only events can be sent again: entry %s is %w", r.refused, r.first.ID, r.first.Err)
	}
	if err != nil {
		err = fmt.Errorf("streams: resend %s: %w", dead, err)
	}
	return r.sent, err
}

// resend is a resending under way.
type resend struct {
	rdb      *redis.Client
	dead, of string
	sent     int
	refused  int
	first    Entry // of those refused
}

func (r *resend) named(ctx context.Context, ids []string) error {
	for _, id := range ids {
		if _, ok := parseID(id); !ok {
			return fmt.Errorf("%q is no entry id; write 1700000000000-0", id)
		}
	}
	for len(ids) > 0 {
		page := ids[:min(len(ids), resendCount)]
		ids = ids[len(page):]
		cmds := make([]*redis.Cmd, len(page))
		_, failed := r.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, id := range page {
				cmds[i] = p.Do(ctx, "XRANGE", r.dead, id, id)
			}
			return nil
		})
		if failed != nil {
			return failed
		}
		var letters []DeadLetter
		for _, cmd := range cmds {
			found, err := lettersOf(r.dead, cmd)
			if err != nil {
				return err
			}
			letters = append(letters, found...)
		}
		if err := r.move(ctx, letters); err != nil {
			return err
		}
	}
	return nil
}

// all goes no further than the last that is there now: what comes back meanwhile is not sent round and round.
func (r *resend) all(ctx context.Context) error {
	_, last, err := Ends(ctx, r.rdb, r.dead)
	if err != nil || last == "" {
		return err
	}
	for after := ""; ; {
		letters, err := lettersBetween(ctx, r.rdb, r.dead, after, last, resendCount)
		if err != nil || len(letters) == 0 {
			return err
		}
		if err := r.move(ctx, letters); err != nil {
			return err
		}
		after = letters[len(letters)-1].ID
	}
}

// move sends those that are events, in one transaction.
func (r *resend) move(ctx context.Context, letters []DeadLetter) error {
	args := []any{MaxLen}
	for _, l := range letters {
		if l.Err != nil {
			if r.refused == 0 {
				r.first = l.Entry
			}
			r.refused++
			continue
		}
		var texts []any
		if l.Raw != nil {
			texts = append(texts, Field, l.Raw)
		}
		for _, f := range l.Fields {
			texts = append(texts, f[0], f[1])
		}
		args = append(append(args, l.ID, len(texts)), texts...)
	}
	if len(args) == 1 {
		return nil
	}
	sent, err := moves.Run(ctx, r.rdb, []string{r.dead, r.of}, args...).Int()
	r.sent += sent
	return err
}
