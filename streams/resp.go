package streams

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Bounds on what a server may send, so that a hostile or broken one cannot exhaust memory.
const (
	maxBulk   = 64 << 20 // bytes of one string
	maxArray  = 1 << 20  // elements of one array
	maxLine   = 64 << 10 // bytes of one line: a status, an error or a number
	maxNested = 16       // arrays in arrays
	baseBuf   = 64 << 10 // bytes that a reader keeps
)

// errProtocol is wrapped by every error about bytes that are not RESP2, or not the reply that was asked for.
var errProtocol = errors.New("not the Redis protocol")

// replyError is an error that the server answered with: "ERR no such key".
type replyError string

func (e replyError) Error() string { return string(e) }

// respReader reads RESP2 replies. What it returns as bytes is a part of its buffer, valid until the next call.
type respReader struct {
	src  io.Reader
	buf  []byte
	r, w int // buf[r:w] is read from src and not yet consumed
}

func newRESPReader(src io.Reader) *respReader {
	return &respReader{src: src, buf: make([]byte, baseBuf)}
}

// fill reads more, making room first; buf[r:w] keeps its content and may move.
func (d *respReader) fill() error {
	switch {
	case d.r == d.w:
		d.r, d.w = 0, 0
		if len(d.buf) > 16*baseBuf {
			d.buf = make([]byte, baseBuf) // a large reply's room is not kept
		}
	case d.w == len(d.buf) && d.r > len(d.buf)/2:
		d.w = copy(d.buf, d.buf[d.r:d.w])
		d.r = 0
	case d.w == len(d.buf):
		grown := make([]byte, 2*len(d.buf))
		d.w = copy(grown, d.buf[d.r:d.w])
		d.r, d.buf = 0, grown
	}
	n, err := d.src.Read(d.buf[d.w:])
	d.w += n
	switch {
	case n > 0:
		return nil
	case err == nil:
		return io.ErrNoProgress
	case err == io.EOF && d.r < d.w:
		return io.ErrUnexpectedEOF
	}
	return err
}

// line returns the next line without its end.
func (d *respReader) line() ([]byte, error) {
	for from := 0; ; {
		if i := bytes.IndexByte(d.buf[d.r+from:d.w], '\n'); i >= 0 {
			line := d.buf[d.r : d.r+from+i]
			d.r += from + i + 1
			if len(line) < 2 || line[len(line)-1] != '\r' {
				return nil, fmt.Errorf("%w: line %.32q", errProtocol, line)
			}
			return line[:len(line)-1], nil
		}
		if from = d.w - d.r; from > maxLine {
			return nil, fmt.Errorf("%w: a line of more than %d bytes", errProtocol, maxLine)
		}
		if err := d.fill(); err != nil {
			return nil, err
		}
	}
}

// bulk returns the next reply, which has to be a string; nil for a null one.
func (d *respReader) bulk() ([]byte, error) {
	line, err := d.line()
	if err != nil {
		return nil, err
	}
	switch line[0] {
	case '$':
		return d.body(line)
	case '+':
		return line[1:], nil
	}
	return nil, unexpectedReply(line, "a string")
}

// body returns the bytes that a bulk string's line announces.
func (d *respReader) body(line []byte) ([]byte, error) {
	n, err := length(line, maxBulk)
	if n < 0 || err != nil {
		return nil, err
	}
	for d.w-d.r < n+2 {
		if err := d.fill(); err != nil {
			return nil, err
		}
	}
	b := d.buf[d.r : d.r+n+2]
	d.r += n + 2
	if b[n] != '\r' || b[n+1] != '\n' {
		return nil, fmt.Errorf("%w: a string longer than announced", errProtocol)
	}
	return b[:n:n], nil
}

// array returns how many elements follow in the next reply, which has to be an array; -1 for a null one.
func (d *respReader) array() (int, error) {
	line, err := d.line()
	if err != nil {
		return 0, err
	}
	if line[0] != '*' {
		return 0, unexpectedReply(line, "an array")
	}
	return length(line, maxArray)
}

// pair reads the head of an array that has to have two elements.
func (d *respReader) pair() error {
	n, err := d.array()
	if err == nil && n != 2 {
		err = fmt.Errorf("%w: %d elements where 2 are expected", errProtocol, n)
	}
	return err
}

// value returns the next reply of any kind as string, int64, []any, nil, or replyError.
func (d *respReader) value(depth int) (any, error) {
	line, err := d.line()
	if err != nil {
		return nil, err
	}
	switch line[0] {
	case '+':
		return string(line[1:]), nil
	case '-':
		return replyError(line[1:]), nil
	case ':':
		n, err := strconv.ParseInt(string(line[1:]), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%w: number %.32q", errProtocol, line)
		}
		return n, nil
	case '$':
		b, err := d.body(line)
		if b == nil || err != nil {
			return nil, err
		}
		return string(b), nil
	case '*':
		n, err := length(line, maxArray)
		if n < 0 || err != nil {
			return nil, err
		}
		if depth >= maxNested {
			return nil, fmt.Errorf("%w: arrays nest deeper than %d", errProtocol, maxNested)
		}
		list := make([]any, 0, min(n, 64)) // as much as really comes, not as was announced
		for range n {
			v, err := d.value(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	return nil, unexpectedReply(line, "a reply")
}

// length reads the number in the head of a string or an array: -1 for null, up to most.
func length(line []byte, most int) (int, error) {
	if string(line[1:]) == "-1" {
		return -1, nil
	}
	n := 0
	for _, c := range line[1:] {
		if c < '0' || c > '9' || n > most {
			return 0, fmt.Errorf("%w: length %.32q", errProtocol, line)
		}
		n = n*10 + int(c-'0')
	}
	if len(line) == 1 || n > most {
		return 0, fmt.Errorf("%w: length %.32q", errProtocol, line)
	}
	return n, nil
}

// unexpectedReply is the server's error where it sent one.
func unexpectedReply(line []byte, want string) error {
	if line[0] == '-' {
		return replyError(line[1:])
	}
	return fmt.Errorf("%w: %.32q where %s is expected", errProtocol, line, want)
}

// appendCommand appends a command's words in RESP.
func appendCommand(dst []byte, words ...string) []byte {
	dst = append(dst, '*')
	dst = strconv.AppendInt(dst, int64(len(words)), 10)
	dst = append(dst, '\r', '\n')
	for _, w := range words {
		dst = appendWord(dst, w)
	}
	return dst
}

func appendWord(dst []byte, w string) []byte {
	dst = append(dst, '$')
	dst = strconv.AppendInt(dst, int64(len(w)), 10)
	dst = append(dst, '\r', '\n')
	dst = append(dst, w...)
	return append(dst, '\r', '\n')
}
