package streams

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// How a tap reads.
const (
	tapCount    = 500 // entries per stream and read
	tapBlock    = time.Second
	tapSilence  = 2 * time.Second        // how much later than asked a reply may come before the bus counts as down
	scanEvery   = time.Second            // how often new streams are looked for, and known ones checked
	scanEmpty   = 250 * time.Millisecond // the same while there are none
	tapBackoff  = 500 * time.Millisecond // the longest wait before the next try to connect
	breath      = 10 * time.Millisecond  // least time between reads under load
	breathAbove = 1000                   // entries a second that are load
	maxStreams  = 1000                   // that one tap follows
)

// Tap reads every entry of every matching stream over one connection and takes no part: no group, no writes.
type Tap struct {
	URL string
	// Match says which streams to follow; nil follows all, dead letters included. At most 1,000 are followed.
	Match func(stream string) bool
	// History is how many of each stream's last entries are handed over first, marked as history; default 100, negative
	// for none.
	History int
	Log     *slog.Logger // default slog.Default()
}

// Batch is what a tap hands over: entries in order per stream, or a change of the connection. The first batch, and the
// first after Down, comes as soon as the bus answers, even where it holds nothing.
type Batch struct {
	At      time.Time
	Entries []Entry // the receiver owns them
	History bool    // entries from before the tap looked; not to be counted
	// Bases gives, for each stream that the tap just began to follow (or that began anew, or whose count had to be put
	// right because entries were trimmed unseen), how many entries were ever added to it before the next counted one.
	Bases map[string]int64
	// Lost names the streams that the bus no longer has or that lost their tail since. Those that still exist have a new
	// base in the same batch: one that lost its tail is read on, and nothing that was read of it comes again; one that
	// began anew is read from its beginning, but for what was read of it before the tap saw that. Only where more than 4,096
	// entries of it were read by then do these come twice.
	Lost []string
	Down error // the bus does not answer; nil otherwise
}

// Run taps until ctx ends and returns nil then, calling handle from one goroutine. A slow handle slows the reading,
// nothing else; entries wait in Redis meanwhile. Streams that exist at the start are followed from their end, after
// their History; those that appear later from their beginning. While the bus is down it is tried again and again, and
// reading resumes where it stopped. An error is a fault in URL.
func (t *Tap) Run(ctx context.Context, handle func(Batch)) error {
	o, err := parseURL(t.URL)
	if err != nil {
		return fmt.Errorf("streams: tap: %w", err)
	}
	f := &follower{
		options: o, match: t.Match, history: t.History, log: t.Log, handle: handle,
		streams: make(map[string]*position),
	}
	if f.history == 0 {
		f.history = 100
	}
	if f.log == nil {
		f.log = slog.Default()
	}
	wait := backoff{most: tapBackoff}
	for down := false; ; {
		err := f.session(ctx, func() { down = false; wait.reset() })
		if ctx.Err() != nil {
			return nil
		}
		if !down {
			down = true
			f.log.Warn("the tap lost the bus; trying again", "err", err)
			handle(Batch{At: time.Now(), Down: err})
		}
		wait.sleep(ctx)
	}
}

// position is how far one stream was read.
type position struct {
	name string
	last string // id of the last entry read
	seen int64  // entries ever added up to that one
	// marks are ids of entries that were there: what it began with, then the last one read at each check, about one a
	// second. A stream that still has one of them is the same one.
	first string
	marks []string
	since []string // ids of what was read since the last check
	over  bool     // there were more than maxSince
}

const (
	maxMarks = 64   // checks for which a stream's marks are kept
	maxSince = 4096 // ids that are kept between two checks
)

// read takes one more entry as read.
func (p *position) read(id string) {
	p.last = id
	p.seen++
	if p.over = p.over || len(p.since) == maxSince; p.over {
		p.since = nil
		return
	}
	p.since = append(p.since, id)
}

// mark remembers what is there.
func (p *position) mark(info streamInfo) {
	p.first = info.first
	clear(p.since)
	p.since, p.over = p.since[:0], false
	if p.last == "0-0" || len(p.marks) > 0 && p.marks[len(p.marks)-1] == p.last {
		return
	}
	if len(p.marks) == maxMarks {
		p.marks = append(p.marks[:0], p.marks[1:]...)
	}
	p.marks = append(p.marks, p.last)
}

// follower is a tap at work. It is used from one goroutine.
type follower struct {
	options *redis.Options
	match   func(string) bool
	history int
	log     *slog.Logger
	handle  func(Batch)

	begun   bool                 // the first batch was handed over: streams found from now on are new
	streams map[string]*position // those followed
	out     Batch                // what is found on the way to the next batch
	arena   arena
	full    bool // more streams match than are followed

	cursor  string    // of the scan under way
	scanned time.Time // when streams were last looked for
	checked int       // round robin over streams

	busy struct { // the rate of entries, to know load
		since   time.Time
		entries int
		rate    float64 // a second
	}
}

// session connects and reads until ctx ends or the connection fails; it calls up once it has caught up with what
// happened meanwhile.
func (f *follower) session(ctx context.Context, up func()) error {
	conn, err := dialTap(ctx, f.options)
	if err != nil {
		return err
	}
	defer conn.close()
	defer context.AfterFunc(ctx, conn.close)() // a read under way ends at once

	if err := f.check(conn, true, len(f.streams)); err != nil {
		return err
	}
	f.cursor = ""
	if err := f.discover(conn, -1); err != nil {
		return err
	}
	f.begun = true
	up()
	f.flush()

	for ctx.Err() == nil {
		every := scanEvery
		if len(f.streams) == 0 {
			every = scanEmpty
		}
		if time.Since(f.scanned) >= every {
			if err := f.look(conn); err != nil {
				return err
			}
		}
		if len(f.streams) == 0 {
			sleep(ctx, scanEmpty)
			continue
		}
		if err := f.read(ctx, conn); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// look looks for new streams and checks known ones, in bounded time, and hands over what it finds.
func (f *follower) look(conn *tapConn) error {
	if err := f.check(conn, false, 100); err != nil {
		return err
	}
	if err := f.discover(conn, 10); err != nil {
		return err
	}
	if len(f.out.Bases)+len(f.out.Lost)+len(f.out.Entries) > 0 {
		f.flush()
	}
	return nil
}

// flush hands over what was found.
func (f *follower) flush() {
	out := f.out
	out.At = time.Now()
	f.out = Batch{}
	f.handle(out)
}

// read reads what came since from all streams, waiting for it, and hands it over. Where there is more than one reply
// takes, it goes on until known streams are to be checked, and Redis writes the next reply while the last one is decoded
// and handled.
func (f *follower) read(ctx context.Context, conn *tapConn) error {
	block := f.block()
	if err := conn.request(f.streams, block); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	for {
		entries, more, err := conn.reply(f.streams, block, &f.arena)
		now := time.Now()
		ahead := err == nil && more && now.Sub(f.scanned) < scanEvery
		if ahead {
			block = f.block()
			err = conn.request(f.streams, block)
		}
		if len(entries) > 0 {
			decodeAll(entries, &f.arena)
			f.handle(Batch{At: now, Entries: entries})
		}
		if answer, ok := errors.AsType[replyError](err); ok {
			return f.dropped(conn, answer)
		}
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		loaded := f.load(now, len(entries))
		if ahead {
			continue
		}
		if loaded && !more {
			sleep(ctx, breath-time.Since(now))
		}
		return nil
	}
}

// block is how long to wait for entries: not past the next look for streams.
func (f *follower) block() time.Duration {
	return max(min(tapBlock, scanEvery-time.Since(f.scanned)), time.Millisecond)
}

// dropped lets go of the stream that is none any more, for which Redis answered a read with an error.
func (f *follower) dropped(conn *tapConn, answer replyError) error {
	before := len(f.streams)
	if err := f.check(conn, true, before); err != nil {
		return err
	}
	if len(f.streams) == before {
		return fmt.Errorf("read: %w", answer)
	}
	f.flush()
	return nil
}

// load counts entries and reports whether there are so many a second that reading at every single one would cost Redis
// more than the entries themselves.
func (f *follower) load(now time.Time, entries int) bool {
	b := &f.busy
	b.entries += entries
	if past := now.Sub(b.since); past >= 100*time.Millisecond {
		b.rate = float64(b.entries) / past.Seconds()
		b.since, b.entries = now, 0
	}
	return b.rate >= breathAbove && entries > 0
}
