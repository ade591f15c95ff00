package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/viz/world"
)

var figures = flag.Bool("figures", false, "measure the whole lab's speed and memory; make bench sets it")

// TestFigures measures the lab against what was promised of it: start, kill to page, commit to frame, memory, CPU.
func TestFigures(t *testing.T) {
	if !*figures {
		t.Skip("measures for a minute; make bench runs it")
	}
	data := dataDir(t)
	for _, start := range []struct {
		name string
		most time.Duration
	}{{"first start", 20 * time.Second}, {"warm start", 5 * time.Second}} {
		begun := time.Now()
		l := runLab(t, data)
		report(t, start.name, time.Since(begun).Seconds(), start.most.Seconds(), "s")
		if start.name == "warm start" {
			measure(t, l)
		}
		l.end()
	}
}

// report prints one figure beside what was promised, and fails when it is more.
func report(t *testing.T, name string, got, most float64, unit string) {
	t.Helper()
	fmt.Printf("%-28s %8.2f %-4s (at most %g)\n", name, got, unit, most)
	if got > most {
		t.Errorf("%s: %.2f %s, promised %g", name, got, unit, most)
	}
}

func measure(t *testing.T, l *lab) {
	frames := l.frames(t)
	l.eventually(10*time.Second, "shoppers are at work", func() error { return l.cell("browse", "copies", world.Works) })

	cpu, rss := l.usage(t)
	begun := time.Now()
	frames.drain(20 * time.Second)
	cpu2, _ := l.usage(t)
	report(t, "memory, resident in all", float64(rss)/(1<<30), 1.5, "GiB")
	report(t, "CPU at 5 journeys a second", (cpu2-cpu)/time.Since(begun).Seconds(), 0.6, "core")

	l.load(map[string]any{"per_second": 0})
	l.eventually(20*time.Second, "the lab is at rest", func() error {
		var w struct{ Bus world.BusState }
		if _, err := l.call(http.MethodGet, "/api/v1/world", nil, &w); err != nil || w.Bus.Rate > 20 {
			return fmt.Errorf("%v events a second, %v", w.Bus.Rate, err)
		}
		return nil
	})
	report(t, "to a page, lab at rest", sentToPage(t, l.base), 5, "kB/s")
	l.load(map[string]any{"per_second": 5})

	var kills []float64
	for range 11 {
		began := time.Now()
		go l.call(http.MethodPost, "/api/v1/nodes/catalog/kill", nil, nil)
		frames.until(t, func(f world.Frame) bool {
			return slices.ContainsFunc(f.Nodes, func(n world.Node) bool { return n.ID == "catalog" && n.State == world.Down })
		})
		kills = append(kills, float64(time.Since(began).Microseconds())/1000)
		l.do("catalog", "start")
	}
	report(t, "kill to page, median", quantile(kills, 0.5), 100, "ms")

	var delays []float64
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	product := shop.Products()[0].ID
	done := make(chan struct{})
	go func() { // an order makes three events: 67 a second are 200
		defer close(done)
		tick := time.NewTicker(15 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				go l.call(http.MethodPost, l.url("orders")+"/copies/orders", shop.NewOrder{UserID: "u-001", ProductID: product, Quantity: 1}, nil)
			}
		}
	}()
	for ctx.Err() == nil {
		f := frames.next(t)
		for _, e := range f.Events {
			if e.Type == shop.OrderPlaced || e.Type == shop.OrderConfirmed {
				delays = append(delays, float64(time.Since(e.Time).Microseconds())/1000)
			}
		}
	}
	<-done
	report(t, "commit to frame, p50", quantile(delays, 0.5), 10, "ms")
	report(t, "commit to frame, p99", quantile(delays, 0.99), 30, "ms")

	info, err := os.Stat(bin + "/stillup")
	if err != nil {
		t.Fatal(err)
	}
	report(t, "main binary", float64(info.Size())/1e6, 50, "MB")
}

// quantile is the q-quantile by nearest rank; NaN of none.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	return v[min(len(v)-1, int(q*float64(len(v))))]
}

// usage is what the lab has used: CPU seconds so far of its live processes, bytes resident now. The test's own process
// holds the dashboard, so it counts too.
func (l *lab) usage(t *testing.T) (cpu float64, rss uint64) {
	t.Helper()
	pids := []int{os.Getpid()}
	for _, pid := range l.procs.PIDs() {
		pids = append(pids, pid)
	}
	parents := map[int][]int{}
	stats := map[int][]string{}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		b, err := os.ReadFile(filepath.Join(d, "stat"))
		if err != nil {
			continue // it ended meanwhile
		}
		pid, _ := strconv.Atoi(filepath.Base(d))
		// "pid (name) state ppid ...": the name may hold anything, so look behind its last bracket.
		stats[pid] = strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		parent, _ := strconv.Atoi(stats[pid][1])
		parents[parent] = append(parents[parent], pid)
	}
	counted := map[int]bool{}
	for ; len(pids) > 0; pids = pids[1:] {
		pid := pids[0]
		if counted[pid] || stats[pid] == nil {
			continue
		}
		counted[pid] = true
		if pid != os.Getpid() {
			pids = append(pids, parents[pid]...)
		}
		ticks := func(field int) float64 { n, _ := strconv.ParseFloat(stats[pid][field], 64); return n }
		const hz = 100                                      // USER_HZ on every Linux that Go runs on
		cpu += (ticks(11) + ticks(12)) / hz                 // utime, stime
		rss += uint64(ticks(21)) * uint64(os.Getpagesize()) // pages resident; memory that processes share counts in each
	}
	return cpu, rss
}

// frameFeed is a page's socket.
type frameFeed struct{ frames chan world.Frame }

// frames opens a socket as the page does. It ends with the test.
func (l *lab) frames(t *testing.T) frameFeed {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(l.base, "http")+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	f := frameFeed{frames: make(chan world.Frame, 1024)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(f.frames)
		for {
			_, b, err := conn.ReadMessage()
			if err != nil {
				return
			}
			var fr world.Frame
			if err := json.Unmarshal(b, &fr); err != nil {
				t.Error(err)
				return
			}
			f.frames <- fr
		}
	}()
	t.Cleanup(func() { conn.Close(); f.drain(time.Second); <-done })
	return f
}

func (f frameFeed) next(t *testing.T) world.Frame {
	t.Helper()
	select {
	case fr, ok := <-f.frames:
		if !ok {
			t.Fatal("the socket ended")
		}
		return fr
	case <-time.After(5 * time.Second):
		t.Fatal("no frame for 5 s")
	}
	panic("unreachable")
}

func (f frameFeed) until(t *testing.T, ok func(world.Frame) bool) {
	t.Helper()
	for !ok(f.next(t)) {
	}
}

// drain reads frames for d, or until the socket ends.
func (f frameFeed) drain(d time.Duration) {
	end := time.After(d)
	for {
		select {
		case _, ok := <-f.frames:
			if !ok {
				return
			}
		case <-end:
			return
		}
	}
}
