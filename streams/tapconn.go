package streams

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// tapName is the tap's name in CLIENT LIST.
const tapName = "stillup-tap"

// pipelined is how many commands are sent before their replies are read.
const pipelined = 100

// tapConn is a tap's connection. Every error of its methods but a replyError leaves it unusable.
type tapConn struct {
	net    net.Conn
	in     *respReader
	out    []byte
	close  func()
	expect int // entries in the next reply, as far as that can be guessed
}

// dialTap connects, authenticates, selects the database and names the connection.
func dialTap(ctx context.Context, o *redis.Options) (*tapConn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, o.Network, o.Addr)
	if err != nil {
		return nil, err
	}
	if o.TLSConfig != nil {
		secure := tls.Client(conn, o.TLSConfig)
		hctx, cancel := context.WithTimeout(ctx, tapSilence)
		defer cancel()
		if err := secure.HandshakeContext(hctx); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("TLS with %s: %w", o.Addr, err)
		}
		conn = secure
	}
	c := &tapConn{net: conn, in: newRESPReader(conn), close: sync.OnceFunc(func() { _ = conn.Close() })}
	stop := context.AfterFunc(ctx, c.close)
	defer stop()
	if err := c.greet(o); err != nil {
		c.close()
		return nil, fmt.Errorf("connect to %s: %w", o.Addr, err)
	}
	return c, nil
}

func (c *tapConn) greet(o *redis.Options) error {
	var commands [][]string
	switch {
	case o.Username != "":
		commands = append(commands, []string{"AUTH", o.Username, o.Password})
	case o.Password != "":
		commands = append(commands, []string{"AUTH", o.Password})
	}
	if o.DB != 0 {
		commands = append(commands, []string{"SELECT", strconv.Itoa(o.DB)})
	}
	commands = append(commands, []string{"PING"}, []string{"CLIENT", "SETNAME", tapName})
	replies, err := c.ask(commands...)
	if err != nil {
		return err
	}
	for _, reply := range replies[:len(replies)-1] { // a name is not worth failing for
		if err, ok := reply.(replyError); ok {
			return err
		}
	}
	return nil
}

// send sends what is in c.out and gives the reply until then to come.
func (c *tapConn) send(wait time.Duration) error {
	err := c.net.SetDeadline(time.Now().Add(wait + tapSilence))
	if err == nil {
		_, err = c.net.Write(c.out)
	}
	c.out = c.out[:0]
	return err
}

// ask sends commands and returns their replies.
func (c *tapConn) ask(commands ...[]string) ([]any, error) {
	replies := make([]any, 0, len(commands))
	for part := range slices.Chunk(commands, pipelined) {
		for _, words := range part {
			c.out = appendCommand(c.out, words...)
		}
		if err := c.send(0); err != nil {
			return nil, err
		}
		for range part {
			v, err := c.in.value(0)
			if err != nil {
				return nil, err
			}
			replies = append(replies, v)
		}
	}
	return replies, nil
}

// scan returns the streams of the scan's next step; "" begins a scan and ends it.
func (c *tapConn) scan(cursor string) (names []string, next string, err error) {
	if cursor == "" {
		cursor = "0"
	}
	replies, err := c.ask([]string{"SCAN", cursor, "COUNT", "1000", "TYPE", "stream"})
	if err != nil {
		return nil, "", err
	}
	if err, ok := replies[0].(replyError); ok {
		return nil, "", err
	}
	list, _ := replies[0].([]any)
	if len(list) != 2 {
		return nil, "", errors.New("SCAN answered in an unknown form")
	}
	if next, _ = list[0].(string); next == "0" {
		next = ""
	}
	keys, _ := list[1].([]any)
	for _, k := range keys {
		if name, ok := k.(string); ok {
			names = append(names, name)
		}
	}
	return names, next, nil
}

// info asks about streams, in the order of names.
func (c *tapConn) info(names []string) ([]streamInfo, error) {
	commands := make([][]string, len(names))
	for i, name := range names {
		commands[i] = []string{"XINFO", "STREAM", name}
	}
	replies, err := c.ask(commands...)
	if err != nil {
		return nil, err
	}
	infos := make([]streamInfo, len(names))
	for i, reply := range replies {
		if infos[i], err = parseInfo(reply); err != nil {
			return nil, fmt.Errorf("%s: %w", names[i], err)
		}
	}
	return infos, nil
}

// exist says for each of names whether the last entry that was read of it still exists.
func (c *tapConn) exist(streams map[string]*position, names []string) ([]bool, error) {
	commands := make([][]string, len(names))
	for i, name := range names {
		last := streams[name].last
		commands[i] = []string{"XRANGE", name, last, last, "COUNT", "1"}
	}
	replies, err := c.ask(commands...)
	if err != nil {
		return nil, err
	}
	there := make([]bool, len(names))
	for i, reply := range replies {
		list, _ := reply.([]any) // an error means that it is no stream, which info tells too
		there[i] = len(list) > 0
	}
	return there, nil
}

// anyOf says whether the stream has an entry of any of these ids.
func (c *tapConn) anyOf(name string, ids []string) (bool, error) {
	commands := make([][]string, len(ids))
	for i, id := range ids {
		commands[i] = []string{"XRANGE", name, id, id, "COUNT", "1"}
	}
	replies, err := c.ask(commands...)
	return slices.ContainsFunc(replies, func(reply any) bool {
		list, _ := reply.([]any)
		return len(list) > 0
	}), err
}

// count counts the stream's entries after one id up to another.
func (c *tapConn) count(name, after, to string) (n int64, err error) {
	for {
		replies, err := c.ask([]string{"XRANGE", name, "(" + after, to, "COUNT", strconv.Itoa(tapCount)})
		if err != nil {
			return 0, err
		}
		list, _ := replies[0].([]any)
		n += int64(len(list))
		if len(list) < tapCount {
			return n, nil
		}
		entry, _ := list[len(list)-1].([]any)
		if len(entry) != 2 {
			return 0, fmt.Errorf("%w: an entry of %d parts", errProtocol, len(entry))
		}
		if after, _ = entry[0].(string); after == "" {
			return 0, fmt.Errorf("%w: an entry without an id", errProtocol)
		}
	}
}

// history returns up to n entries of each stream up to the position, oldest first.
func (c *tapConn) history(streams []*position, n int, a *arena) ([]Entry, error) {
	var entries []Entry
	for _, p := range streams {
		c.out = appendCommand(c.out, "XREVRANGE", p.name, p.last, "-", "COUNT", strconv.Itoa(n))
		if err := c.send(0); err != nil {
			return nil, err
		}
		count, err := c.in.array()
		if err != nil {
			return nil, err
		}
		from := len(entries)
		for range count {
			if entries, err = c.entry(entries, p.name, a); err != nil {
				return nil, err
			}
		}
		slices.Reverse(entries[from:])
	}
	decodeAll(entries, a)
	return entries, nil
}

// request asks for the entries after each stream's position, to be waited for for block at most.
func (c *tapConn) request(streams map[string]*position, block time.Duration) error {
	c.out = append(c.out, '*')
	c.out = strconv.AppendInt(c.out, int64(6+2*len(streams)), 10)
	c.out = append(c.out, "\r\n$5\r\nXREAD\r\n$5\r\nCOUNT\r\n"...)
	c.out = appendWord(c.out, strconv.Itoa(tapCount))
	c.out = append(c.out, "$5\r\nBLOCK\r\n"...)
	c.out = appendWord(c.out, strconv.FormatInt(max(block.Milliseconds(), 1), 10))
	c.out = append(c.out, "$7\r\nSTREAMS\r\n"...)
	order := make([]*position, 0, len(streams))
	for _, p := range streams {
		c.out = appendWord(c.out, p.name)
		order = append(order, p)
	}
	for _, p := range order {
		c.out = appendWord(c.out, p.last)
	}
	return c.send(block)
}

// reply reads what a request brought and moves the positions. The entries are not decoded yet. more says that there was
// more than one reply takes. Entries that came whole are returned with an error too.
func (c *tapConn) reply(streams map[string]*position, block time.Duration, a *arena) (entries []Entry, more bool, err error) {
	// The request may be older than block, where its reply was not read at once.
	if err := c.net.SetReadDeadline(time.Now().Add(block + tapSilence)); err != nil {
		return nil, false, err
	}
	n, err := c.in.array()
	if err != nil {
		return nil, false, err
	}
	entries = make([]Entry, 0, c.expect)
	c.expect = 0
	for range n { // -1 where nothing came
		if err := c.in.pair(); err != nil {
			return entries, more, err
		}
		name, err := c.in.bulk()
		if err != nil {
			return entries, more, err
		}
		p := streams[string(name)]
		if p == nil {
			return entries, more, fmt.Errorf("%w: entries of %.64q, which was not asked for", errProtocol, name)
		}
		count, err := c.in.array()
		if err != nil {
			return entries, more, err
		}
		entries = slices.Grow(entries, min(max(count, 0), tapCount))
		more = more || count >= tapCount
		for range count {
			if entries, err = c.entry(entries, p.name, a); err != nil {
				return entries, more, err
			}
			p.read(entries[len(entries)-1].ID)
		}
	}
	if more {
		c.expect = len(entries)
	}
	return entries, more, nil
}

// entry reads one entry and appends it, not decoded yet.
func (c *tapConn) entry(entries []Entry, stream string, a *arena) ([]Entry, error) {
	if err := c.in.pair(); err != nil {
		return entries, err
	}
	id, err := c.in.bulk()
	if err != nil {
		return entries, err
	}
	e := Entry{Stream: stream, ID: a.own(id)}
	n, err := c.in.array()
	if err == nil && n > 0 && n%2 != 0 {
		err = fmt.Errorf("%w: an entry of %d names and values", errProtocol, n)
	}
	if err != nil {
		return entries, err
	}
	for i := 0; i < n; i += 2 {
		name, err := c.in.bulk()
		if err != nil {
			return entries, err
		}
		envelope := e.Raw == nil && e.Size == 0 && string(name) == Field
		var field string
		if !envelope {
			field = a.shared(name)
		}
		value, err := c.in.bulk()
		switch {
		case err != nil:
			return entries, err
		case envelope && len(value) > MaxEvent:
			decodeLarge(&e, value) // here, so that no more than one is ever held
		case envelope:
			e.Raw = a.copy(value)
		default:
			e.Fields = append(e.Fields, [2]string{field, a.own(value)})
		}
	}
	return append(entries, e), nil
}
