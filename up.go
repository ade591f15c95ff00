package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stillup/stillup/services"
	"github.com/stillup/stillup/viz"
	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

// readyWithin bounds the wait for all nodes at start; initdb and slow disks have long had their turn by then.
const readyWithin = 60 * time.Second

type upOptions struct {
	addr, token, data string
	fresh             bool
	self              string // program that knows "service NAME"; empty: this one
	chapters          fs.FS  // what can be walked through; nil: the sample's
}

// stack is the lab ready to be run: folder locked, port taken, stores prepared, nothing started.
type stack struct {
	o      upOptions
	begun  time.Time
	out    io.Writer
	data   string
	system world.System
	ln     net.Listener
	nodes  []services.Node
	procs  *control.Processes
	unlock func()
	ready  chan struct{} // closed once all nodes are ready
}

// up runs the lab until ctx ends: the stores and services as child processes, the dashboard in this one.
func up(ctx context.Context, o upOptions, out io.Writer) error {
	s, err := prepare(ctx, o, out)
	if err != nil {
		return err
	}
	defer s.close()
	return s.run(ctx)
}

// prepare makes a stack; the caller closes it.
func prepare(ctx context.Context, o upOptions, out io.Writer) (_ *stack, err error) {
	s := &stack{o: o, begun: time.Now(), out: out, unlock: func() {}, ready: make(chan struct{})}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.o.chapters == nil {
		s.o.chapters = services.Chapters
	}
	if s.system, err = world.ParseSystem(services.System); err != nil {
		return nil, err
	}
	if s.data, err = dataFolder(o.data); err != nil {
		return nil, err
	}
	unlock, err := lock(s.data, o.addr)
	if err != nil {
		return nil, err
	}
	s.unlock = unlock
	if s.ln, err = listen(o.addr); err != nil {
		return nil, err
	}
	if o.fresh {
		if err := emptyFolder(s.data); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Join(s.data, "logs"), 0o755); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if o.self != "" {
		self = o.self
	}
	embedded := filepath.Join(filepath.Dir(self), "stillup-stores")
	fmt.Fprintf(out, "preparing stores in %s\n", s.data)
	lab := services.Lab{Data: s.data, Self: self, Embedded: embedded, OTLP: "http://" + s.ln.Addr().String(), Token: o.token}
	nodes, links, remarks, err := lab.Prepare(ctx)
	if err != nil {
		return nil, err
	}
	s.nodes = nodes
	for _, r := range remarks {
		fmt.Fprintln(out, "note:", r)
	}
	s.procs, err = control.NewProcesses(processes(nodes), controlLinks(links))
	return s, err
}

// close ends every node, services before the stores that they still write to, and gives folder and port back.
func (s *stack) close() {
	if s.procs != nil {
		s.procs.Close(serviceIDs(s.nodes))
	}
	if s.ln != nil {
		s.ln.Close()
	}
	s.unlock()
}

// run starts all nodes and serves the dashboard until ctx ends.
func (s *stack) run(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(s.data, "logs", "viz.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return viz.Serve(ctx, s.ln, viz.Options{System: s.system, BusURL: s.busURL(), StoreURLs: s.storeURLs(), Runtime: s.procs,
			Chapters: s.o.chapters, Addr: s.o.addr, Token: s.o.token, Log: newLog(log)})
	})
	g.Go(func() error {
		if err := startAll(ctx, s.procs, atFirst(s.nodes), s.out); err != nil {
			return err
		}
		close(s.ready)
		fmt.Fprintf(s.out, "all %d nodes are ready after %.1f s\n\n  %s\n\nCtrl-C ends everything; the data stays in %s\n",
			len(atFirst(s.nodes)), time.Since(s.begun).Seconds(), address(s.ln.Addr().String(), s.o.token), s.data)
		return nil
	})
	return g.Wait()
}

// startAll starts every node at once and says of each when it is ready. Services wait for their stores by themselves.
func startAll(ctx context.Context, r control.Runtime, nodes []services.Node, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	begun := time.Now()
	ready := make(chan string)
	g, gctx := errgroup.WithContext(ctx)
	for _, n := range nodes {
		g.Go(func() error {
			if err := r.Do(gctx, n.ID, control.Action{Verb: control.Start}); err != nil {
				return fmt.Errorf("%w (its log: %s)", err, n.LogFile)
			}
			if err := until(gctx, n.Ready); err != nil {
				return fmt.Errorf("%s runs but is not ready: %w (its log: %s)", n.ID, err, n.LogFile)
			}
			select {
			case ready <- n.ID:
				return nil
			case <-gctx.Done():
				return gctx.Err()
			}
		})
	}
	done := make(chan error, 1)
	go func() { done <- g.Wait(); close(ready) }()
	for id := range ready {
		fmt.Fprintf(out, "  %-13s ready  %5.1f s\n", id, time.Since(begun).Seconds())
	}
	return <-done
}

// atFirst are the nodes that are there from the start; the others join when they are told to.
func atFirst(nodes []services.Node) []services.Node {
	return slices.DeleteFunc(slices.Clone(nodes), func(n services.Node) bool { return n.Later })
}

// until asks check every 20 ms until it passes; its last error is given when ctx ends first.
func until(ctx context.Context, check func(context.Context) error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

func processes(nodes []services.Node) []control.Process {
	var all []control.Process
	for _, n := range nodes {
		all = append(all, control.Process{ID: n.ID, Path: n.Path, Args: n.Args, Env: n.Env, Dir: n.Dir, UID: n.UID,
			GID: n.GID, StopSignal: n.StopSignal, LogFile: n.LogFile, URL: n.URL, Engine: n.Engine,
			Volatile: n.Volatile, Ready: n.Alive, SetFaults: n.SetFaults, Client: n.Client})
	}
	return all
}

func controlLinks(links []services.Link) []control.Link {
	var all []control.Link
	for _, l := range links {
		all = append(all, control.Link(l))
	}
	return all
}

func serviceIDs(nodes []services.Node) []string {
	var ids []string
	for _, n := range nodes {
		if n.URL != "" {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

// busURL is the address of the Redis that carries the streams.
func (s *stack) busURL() string {
	for _, n := range s.nodes {
		if n.ID == services.Bus {
			return n.StoreURL
		}
	}
	return "" // unreachable: a plan always has a bus
}

// storeURLs are the addresses of the stores by node id, over the links of whoever is no node.
func (s *stack) storeURLs() map[string]string {
	urls := map[string]string{}
	for _, n := range s.nodes {
		if n.StoreURL != "" && n.ID != services.Bus {
			urls[n.ID] = n.StoreURL
		}
	}
	return urls
}

func address(hostport, token string) string {
	if token == "" {
		return "http://" + hostport
	}
	return "http://" + hostport + "/?token=" + token
}

// listen takes the dashboard's port; a busy one is an error that names it.
func listen(addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another program; end that one, or choose another port with --addr", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w; write --addr HOST:PORT, such as 127.0.0.1:7070", addr, err)
	}
	return ln, nil
}
