package streams

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// discover looks for streams that are not followed yet, in at most steps scans (a negative number: through to the end),
// and begins to follow them.
func (f *follower) discover(conn *tapConn, steps int) error {
	var found []string
	for ; steps != 0; steps-- {
		names, next, err := conn.scan(f.cursor)
		if err != nil {
			return fmt.Errorf("look for streams: %w", err)
		}
		for _, name := range names {
			if f.streams[name] == nil && (f.match == nil || f.match(name)) {
				found = append(found, name)
			}
		}
		if f.cursor = next; next == "" {
			break
		}
	}
	f.scanned = time.Now()
	slices.Sort(found)
	found = slices.Compact(found) // a scan may name a key twice
	if room := maxStreams - len(f.streams); len(found) > room {
		if !f.full {
			f.full = true
			f.log.Error("more streams than a tap follows; name fewer with Match", "followed", maxStreams)
		}
		found = found[:room]
	}
	if len(found) == 0 {
		return nil
	}
	return f.begin(conn, found)
}

// begin follows streams: at the tap's start from their end, later from their beginning. It changes nothing where it fails.
func (f *follower) begin(conn *tapConn, names []string) error {
	infos, err := conn.info(names)
	if err != nil {
		return fmt.Errorf("begin to follow: %w", err)
	}
	var begun []*position
	for i, name := range names {
		if !infos[i].exists {
			continue
		}
		p := &position{name: name, last: "0-0", seen: infos[i].added - infos[i].length}
		if !f.begun {
			p.last, p.seen = infos[i].last, infos[i].added
		}
		p.first = infos[i].first
		begun = append(begun, p)
	}
	if !f.begun && f.history > 0 {
		entries, err := conn.history(begun, f.history, &f.arena)
		if err != nil {
			return fmt.Errorf("read history: %w", err)
		}
		slices.SortStableFunc(entries, func(a, b Entry) int {
			p, _ := parseID(a.ID)
			q, _ := parseID(b.ID)
			return p.compare(q)
		})
		f.out.Entries, f.out.History = entries, true
	}
	for _, p := range begun {
		f.streams[p.name] = p
		f.base(p)
	}
	return nil
}

// base puts a stream's count into the next batch.
func (f *follower) base(p *position) {
	if f.out.Bases == nil {
		f.out.Bases = make(map[string]int64)
	}
	f.out.Bases[p.name] = p.seen
}

// check compares what was read of up to most streams with what the bus knows of them: streams that are gone are let go,
// those that lost their tail are read on, those that began anew from their beginning, and counts are put right where
// entries were trimmed or deleted before they were read. With deep it also sees a lost tail that new entries have covered since.
func (f *follower) check(conn *tapConn, deep bool, most int) error {
	names := slices.Sorted(maps.Keys(f.streams))
	if len(names) > most {
		from := f.checked % len(names)
		f.checked = from + most
		names = append(names, names...)[from : from+most]
	}
	if len(names) == 0 {
		return nil
	}
	infos, err := conn.info(names)
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	there := make([]bool, len(names))
	if deep {
		if there, err = conn.exist(f.streams, names); err != nil {
			return fmt.Errorf("check: %w", err)
		}
	}
	for i, name := range names {
		p, info := f.streams[name], infos[i]
		switch p.compare(info, deep, there[i]) {
		case gone:
			delete(f.streams, name)
			delete(f.out.Bases, name)
			f.out.Lost = append(f.out.Lost, name)
		case anew:
			if err := f.relocate(conn, p, info); err != nil {
				return fmt.Errorf("check: %w", err)
			}
			f.base(p)
			f.out.Lost = append(f.out.Lost, name)
		case skipped:
			p.seen = info.added - info.beyond(p.last)
			f.base(p)
			p.mark(info)
		case same:
			p.mark(info)
		}
	}
	return nil
}

// relocate finds where to read on in a stream whose past is not what was read.
func (f *follower) relocate(conn *tapConn, p *position, info streamInfo) error {
	marks := p.marks
	if p.first != "" && p.first != "0-0" {
		marks = append([]string{p.first}, marks...)
	}
	left, err := conn.anyOf(p.name, marks)
	if err != nil {
		return err
	}
	left = left || slices.Contains(p.since, info.first) // it began anew, and was read from there on
	read, _ := parseID(p.last)
	last, _ := parseID(info.last)
	p.marks, p.since, p.over, p.first = nil, nil, false, info.first
	switch {
	case !left: // another stream
		p.last, p.seen = "0-0", info.added-info.length
	case last.compare(read) <= 0: // what is left was read
		p.last, p.seen = info.last, info.added
	default: // and more came since
		beyond, err := conn.count(p.name, p.last, info.last)
		if err != nil {
			return err
		}
		p.seen = info.added - beyond
	}
	return nil
}

// What became of a stream since it was read.
type fate int

const (
	same    fate = iota
	gone         // the bus has it no more
	anew         // what was read is not its past
	skipped      // entries went before they were read
)

// compare says what became of the stream of which the bus knows info. there says whether the last entry read still
// exists, where deep asked for it.
func (p *position) compare(info streamInfo, deep, there bool) fate {
	if !info.exists {
		return gone
	}
	read, _ := parseID(p.last)
	last, _ := parseID(info.last)
	first, _ := parseID(info.first)
	deleted, _ := parseID(info.deleted)
	switch c := last.compare(read); {
	case c < 0 || info.added < p.seen:
		return anew
	case info.length == 0 || first.compare(read) > 0:
		// Nothing of what was read is left: all that is there was added after it.
		switch before := info.added - info.length; {
		case before < p.seen && p.last != "0-0":
			return anew
		case before > p.seen:
			return skipped
		}
	case info.beyond(p.last) == 0 && info.added > p.seen:
		return skipped
	case c == 0:
		return same
	case deep && !there && p.last != "0-0" && deleted.compare(read) < 0: // else it may have been deleted by hand
		return anew
	}
	return same
}

// streamInfo is what a tap asks about a stream.
type streamInfo struct {
	exists      bool
	length      int64
	added       int64  // entries ever added
	first, tail string // ids of the first and the last entry; first is 0-0 for none
	last        string // of the entry added last, also where that is gone
	deleted     string // the highest id that was deleted by hand
}

// beyond is how many of the stream's entries come after the id, where those are all or none.
func (s streamInfo) beyond(id string) int64 {
	read, _ := parseID(id)
	if tail, _ := parseID(s.tail); tail.compare(read) <= 0 {
		return 0
	}
	return s.length
}

// parseInfo reads the reply of XINFO STREAM. A key that is no stream (any more) is one that does not exist.
func parseInfo(reply any) (streamInfo, error) {
	var s streamInfo
	if err, ok := reply.(replyError); ok {
		if strings.HasPrefix(string(err), "WRONGTYPE") || strings.HasPrefix(string(err), "ERR no such key") {
			return s, nil
		}
		return s, err
	}
	list, ok := reply.([]any)
	if !ok || len(list)%2 != 0 {
		return s, errors.New("XINFO STREAM answered in an unknown form")
	}
	s.exists, s.added, s.first = true, -1, "0-0"
	for i := 0; i < len(list); i += 2 {
		switch list[i] {
		case "length":
			s.length, _ = list[i+1].(int64)
		case "entries-added":
			s.added, _ = list[i+1].(int64)
		case "last-generated-id":
			s.last, _ = list[i+1].(string)
		case "max-deleted-entry-id":
			s.deleted, _ = list[i+1].(string)
		case "first-entry":
			if entry, ok := list[i+1].([]any); ok && len(entry) == 2 {
				s.first, _ = entry[0].(string)
			}
		case "last-entry":
			if entry, ok := list[i+1].([]any); ok && len(entry) == 2 {
				s.tail, _ = entry[0].(string)
			}
		}
	}
	if _, ok := parseID(s.last); !ok {
		return s, errors.New("XINFO STREAM did not tell the last id")
	}
	if s.added < 0 {
		s.added = s.length // Redis before 7 does not count
	}
	return s, nil
}
