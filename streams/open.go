package streams

import (
	"context"
	"errors"
	"fmt"
	neturl "net/url"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// How long the bus may take. A dead server refuses at once; a silent one (stopped, cut off) is known by these.
const (
	dialTimeout = 500 * time.Millisecond
	ioTimeout   = 2 * time.Second
)

// Open returns a client for the Redis at url (redis://[user:pass@]host:port[/db]), tuned so that a dead server is known
// in well under a second and a silent one after two: it dials and sends once, without retries of its own, and obeys the
// deadline of a call's context. It does no I/O. The caller closes it.
//
// The first call replaces go-redis' process-wide logger by a silent one: every failure that it reports comes back as an
// error too, and a dead server would fill the log.
func Open(url string) (*redis.Client, error) {
	silence()
	o, err := parseURL(url)
	if err != nil {
		return nil, fmt.Errorf("streams: open: %w", err)
	}
	o.Protocol = 2
	o.MaxRetries = -1
	o.DialTimeout = dialTimeout
	o.DialerRetries = 1
	o.ReadTimeout = ioTimeout
	o.WriteTimeout = ioTimeout
	o.ContextTimeoutEnabled = true
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(o), nil
}

// parseURL reads a redis:// address. Its error does not tell the password.
func parseURL(url string) (*redis.Options, error) {
	o, err := redis.ParseURL(url)
	if parse, ok := errors.AsType[*neturl.Error](err); ok {
		err = parse.Err // the parser's error quotes the whole URL
	}
	if err != nil {
		return nil, fmt.Errorf("address of Redis: %w", err)
	}
	return o, nil
}

var silence = sync.OnceFunc(func() { redis.SetLogger(mute{}) })

type mute struct{}

func (mute) Printf(context.Context, string, ...any) {}
