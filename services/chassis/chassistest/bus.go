package chassistest

import (
	"log/slog"
	"net/http"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

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
	t.Cleanup(func() { _ = bus.Close() })
	svc, err := chassis.New(chassis.Config{Name: name, Addr: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	setup(svc, bus)
	background(t, name, svc.Run)
	return bus
}

// await waits until the service called name reads requests.
func await(t testing.TB, bus *redis.Client, name string) {
	t.Helper()
	Eventually(t, name+" is on the bus", func() bool {
		groups, _ := bus.XInfoGroups(t.Context(), shop.Requests).Result() // fails while there is no such stream
		return slices.ContainsFunc(groups, func(g redis.XInfoGroup) bool { return g.Name == name })
	})
}
