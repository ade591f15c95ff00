package streamstest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams/streamstest"
)

func TestServer(t *testing.T) {
	s := streamstest.Start(t)
	rdb := s.Client()
	ctx := t.Context()
	key := streamstest.Name(t, "key")
	if err := rdb.Set(ctx, key, "kept", 0).Err(); err != nil {
		t.Fatal(err)
	}

	s.Kill()
	s.Kill()
	began := time.Now()
	if err := rdb.Get(ctx, key).Err(); err == nil || errors.Is(err, redis.Nil) {
		t.Fatalf("a dead server answered: %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v to know that the server is dead", took)
	}

	s.Start()
	if v, err := rdb.Get(ctx, key).Result(); v != "kept" || err != nil {
		t.Errorf("after kill and start: %q, %v", v, err)
	}

	s.Pause()
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if err := rdb.Ping(short).Err(); err == nil {
		t.Error("a paused server answered")
	}
	s.Resume()
	if err := rdb.Ping(ctx).Err(); err != nil {
		t.Errorf("after resume: %v", err)
	}

	s.Wipe()
	if err := rdb.Get(ctx, key).Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("after wipe: %v", err)
	}
}
