package chassis

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

func TestUntilReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &journal{}
		logger := slog.New(slog.NewTextHandler(log, nil))
		began := time.Now()
		var tries []time.Duration
		made, ok := UntilReady(t.Context(), logger, func(ctx context.Context) (string, error) {
			tries = append(tries, time.Since(began))
			if len(tries) == 1 {
				<-ctx.Done() // a silent store
			}
			if len(tries) < 7 {
				return "", errors.New("away")
			}
			return "tables", nil
		})
		if !ok || made != "tables" {
			t.Errorf("%q, %v", made, ok)
		}
		after := prepareTimeout
		want := []time.Duration{0}
		for _, wait := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
			after += wait * time.Millisecond
			want = append(want, after)
		}
		for i := range want {
			if i >= len(tries) || tries[i] != want[i] {
				t.Fatalf("tried after %v, want %v", tries, want)
			}
		}
		if waits, ready := log.count("not ready"), log.count("store is ready"); waits != 1 || ready != 1 {
			t.Errorf("%d lines of failure and %d of success, want one each", waits, ready)
		}

		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began = time.Now()
		if _, ok := UntilReady(ctx, logger, func(context.Context) (int, error) { return 0, errors.New("away") }); ok {
			t.Error("it is ready without a store")
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("it gave up after %v", took)
		}
	})
}
