package outbox_test

import (
	"testing"
	"time"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// BenchmarkRelay measures events relayed per second from a full journal, beside the same events published in the same
// batches with no journal at all, and the time from a commit to its entry on the bus.
func BenchmarkRelay(b *testing.B) {
	const n = 2000
	b.Run("bare", func(b *testing.B) {
		bus := streamstest.Start(b)
		rdb := bus.Client()
		events := history(n, 24)
		for b.Loop() {
			for at := 0; at < n; at += 200 {
				if _, err := streams.Publish(b.Context(), rdb, stream, events[at:at+200]...); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "events/s")
	})
	for _, o := range owners {
		b.Run(o.name, func(b *testing.B) {
			bus := streamstest.Start(b)
			rdb := bus.Client()
			own := o.make(b)
			var sum, wait time.Duration
			for b.Loop() {
				b.StopTimer()
				own.commit(b, history(n, 24)...)
				before := rdb.XLen(b.Context(), stream).Val()
				store := own.open(b)
				b.StartTimer()
				relay, stop := start(b, store, bus.URL())
				until(b, "all on the bus", func() bool { return rdb.XLen(b.Context(), stream).Val() >= before+n })
				b.StopTimer()
				until(b, "all marked", func() bool { return len(unsent(b, store)) == 0 })
				const single = 20
				for range single {
					e := history(1, 1)
					last := rdb.XRevRangeN(b.Context(), stream, "+", "-", 1).Val()[0].ID
					own.commit(b, e...)
					at := time.Now()
					relay.Wake()
					for len(rdb.XRangeN(b.Context(), stream, "("+last, "+", 1).Val()) == 0 {
					}
					wait += time.Since(at)
					until(b, "it is marked", func() bool { return len(unsent(b, store)) == 0 })
				}
				sum += wait / single
				wait = 0
				stop()
				b.StartTimer()
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(sum.Microseconds())/float64(b.N)/1000, "ms/wake-to-bus")
		})
	}
}
