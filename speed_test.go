package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gorilla/websocket"

	"github.com/stillup/stillup/viz/world"
)

// TestSpeed measures the page and what it costs the server, over the demo: what is promised of the map. The browser
// draws in software.
func TestSpeed(t *testing.T) {
	if !*figures {
		t.Skip("measures for two minutes; make bench runs it")
	}
	t.Run("paint", firstPaint)
	t.Run("frames", frameTimes)
	t.Run("bytes", bytesPerPage)
	t.Run("cost", costPerPage)
}

// firstPaint is the time until something, and until every card, is on the page of a browser that never saw it before.
func firstPaint(t *testing.T) {
	d := startDemo(t, "calm")
	d.flows(t, 10)
	p := openPage(t, "about:blank")
	p.visit(d.url)
	cards := evaluate[float64](p, `new Promise((done) => {
		const look = () => document.querySelectorAll('[data-node]').length >= 16 ? done(performance.now()) : setTimeout(look, 1);
		look();
	})`)
	paint := evaluate[float64](p, `new Promise((done) => new PerformanceObserver((list) => {
		for (const e of list.getEntries()) if (e.name === 'first-contentful-paint') done(e.startTime);
	}).observe({ type: 'paint', buffered: true }))`)
	report(t, "first contentful paint", paint, 1000, "ms")
	report(t, "16 cards stand", cards, 1000, "ms")
}

// loop counts the frames of 10 s and gives how long each took, in milliseconds.
const loop = `new Promise((done) => {
	const took = [], begun = performance.now();
	let last = begun;
	const step = () => {
		const now = performance.now();
		took.push(now - last);
		last = now;
		if (now - begun < 10000) requestAnimationFrame(step); else done(took);
	};
	requestAnimationFrame(step);
})`

// frameTimes compares the busy page with an empty one, in the same tab.
func frameTimes(t *testing.T) {
	p := openPage(t, "about:blank")
	empty := evaluate[[]float64](p, loop)
	d := startDemo(t, "busy")
	d.flows(t, 9000)
	p.visit(d.url)
	p.until(10*time.Second, "the page stands", demoStands["busy"])
	busy := evaluate[[]float64](p, loop)
	for _, q := range []struct {
		name string
		at   float64
	}{{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}} {
		e, b := quantile(empty, q.at), quantile(busy, q.at)
		fmt.Printf("frame time %s: empty %.1f ms, busy %.1f ms\n", q.name, e, b)
		if q.name != "p99" {
			report(t, "frame time, "+q.name+", ratio", b/e, 1.5, "")
		}
	}
	report(t, "longest frame, busy", quantile(busy, 1), 100, "ms")
	fmt.Printf("longest frame, empty %.1f ms; frames in 10 s: empty %d, busy %d\n", quantile(empty, 1), len(empty), len(busy))
}

// bytesPerPage is what comes over the socket of a page, as compressed as a browser asks for.
func bytesPerPage(t *testing.T) {
	for _, c := range []struct {
		state string
		most  float64 // kB a second; 0: only told
	}{{"empty", 5}, {"idle", 5}, {"calm", 0}, {"busy", 0}} {
		d := startDemo(t, c.state)
		if c.state != "empty" {
			d.flows(t, 5)
		}
		rate := sentToPage(t, d.url)
		if c.most > 0 {
			report(t, "to a page, "+c.state, rate, c.most, "kB/s")
		} else {
			fmt.Printf("to a page, %s: %.1f kB/s\n", c.state, rate)
		}
		d.end()
	}
}

// sentToPage is how many kB a second come to a page of the dashboard at that address, over 10 s after the full frame.
func sentToPage(t *testing.T, url string) float64 {
	t.Helper()
	const measured = 10 * time.Second
	var read atomic.Int64
	conn := socket(t, url, &read)
	if _, _, err := conn.ReadMessage(); err != nil { // the full frame comes once
		t.Fatal(err)
	}
	before := read.Load()
	gone := drain(conn)
	<-time.After(measured)
	rate := float64(read.Load()-before) / measured.Seconds() / 1000
	conn.Close()
	<-gone
	return rate
}

// costPerPage compares what a connected page costs the server at two rates of events, over what the fold costs without.
func costPerPage(t *testing.T) {
	const pages = 50
	// Both at once, so that what else the machine does meets both.
	states := []string{"brisk", "busy"}
	var demos []*invented
	for i, state := range states {
		d := startDemo(t, state)
		d.flows(t, []float64{900, 9000}[i])
		demos = append(demos, d)
	}
	bare := usedBy(t, demos)
	var (
		read    atomic.Int64
		reading sync.WaitGroup
	)
	for range pages {
		for _, d := range demos {
			conn := socket(t, d.url, &read)
			gone := drain(conn)
			reading.Go(func() { <-gone })
		}
	}
	all := usedBy(t, demos)
	var cost [2]float64
	for i, state := range states {
		cost[i] = (all[i] - bare[i]) / pages
		fmt.Printf("server, %s: %.1f ms of CPU a second without a page, %.1f with %d: %.2f a page\n", state, 1000*bare[i], 1000*all[i], pages, 1000*cost[i])
		demos[i].end()
	}
	reading.Wait()
	report(t, "cost of a page, 10,000 to 1,000", cost[1]/cost[0], 1.3, "")
}

// usedBy is how many seconds of CPU each demo's process uses in a second, over 15.
func usedBy(t *testing.T, demos []*invented) []float64 {
	t.Helper()
	var before, rates []float64
	for _, d := range demos {
		before = append(before, d.used(t))
	}
	begun := time.Now()
	time.Sleep(15 * time.Second) // of measuring
	for i, d := range demos {
		rates = append(rates, (d.used(t)-before[i])/time.Since(begun).Seconds())
	}
	return rates
}

// used is how many seconds of CPU the demo's process has used.
func (d *invented) used(t *testing.T) float64 {
	t.Helper()
	b, err := os.ReadFile("/proc/" + strconv.Itoa(d.pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100 // USER_HZ on every Linux that Go runs on
}

// flows waits until so many events a second are seen.
func (d *invented) flows(t *testing.T, rate float64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := until(ctx, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"/api/v1/world", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		var w struct{ Bus world.BusState }
		if err := json.NewDecoder(resp.Body).Decode(&w); err != nil {
			return err
		}
		if w.Bus.Rate < rate {
			return fmt.Errorf("%v events a second", w.Bus.Rate)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// socket opens a page's socket at the dashboard of that address and counts what is read from it.
func socket(t *testing.T, url string, read *atomic.Int64) *websocket.Conn {
	t.Helper()
	dialer := websocket.Dialer{EnableCompression: true, NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return counted{conn, read}, err
	}}
	conn, _, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// drain reads messages, without looking at them, until the socket ends.
func drain(conn *websocket.Conn) <-chan struct{} {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			if _, _, err := conn.NextReader(); err != nil {
				return
			}
		}
	}()
	return gone
}

// counted counts what is read.
type counted struct {
	net.Conn
	read *atomic.Int64
}

// Read is [net.Conn.Read].
func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.read.Add(int64(n))
	return n, err
}

// evaluate is what a promise gives.
func evaluate[T any](p *page, promise string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](promise, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}
