// Package chassistest stands in for the other services on the bus: those that the one under test asks, and who asks it.
package chassistest

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// patience is how long a service may take to be on the bus.
const patience = 10 * time.Second

// BusPeer runs a service called name that answers by h what it is asked over the bus, under /bus/, until the test ends.
// It returns once the bus knows it.
func BusPeer(t testing.TB, busURL, name string, h http.Handler) {
	t.Helper()
	bus := run(t, busURL, name, func(svc *chassis.Service, bus *redis.Client) {
		svc.Handle("/"+chassis.Bus+"/", func(w http.ResponseWriter, r *http.Request) error {
			h.ServeHTTP(w, r)
			return nil
		})
		svc.AnswerOverBus(bus)
	})
	await(t, bus, name)
}

// BusCaller is somebody who asks over the bus, until the test ends. It returns once the bus knows the peer that is to be
// asked.
func BusCaller(t testing.TB, busURL, peer string) chassis.Caller {
	t.Helper()
	var c chassis.Caller
	bus := run(t, busURL, "somebody", func(svc *chassis.Service, bus *redis.Client) { c = svc.AskOverBus(bus) })
	await(t, bus, peer)
	return c
}

// run runs a service until the test ends.
func run(t testing.TB, busURL, name string, setup func(*chassis.Service, *redis.Client)) *redis.Client {
	t.Helper()
	bus, err := streams.Open(busURL)
	if err != nil {
		t.Fatal(err)
	}
	svc, err := chassis.New(chassis.Config{Name: name, Addr: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	setup(svc, bus)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- svc.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_ = bus.Close()
	})
	return bus
}

// await waits until the service called name reads requests.
func await(t testing.TB, bus *redis.Client, name string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); ; {
		groups, _ := bus.XInfoGroups(t.Context(), shop.Requests).Result() // fails while there is no such stream
		for _, g := range groups {
			if g.Name == name {
				return
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("chassistest: %s is not on the bus after %v", name, patience)
		}
	}
}
