package streams

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestRESPValue(t *testing.T) {
	long := strings.Repeat("x", 3*baseBuf)
	for in, want := range map[string]any{
		"+OK\r\n":                              "OK",
		"+\r\n":                                "",
		"-ERR no such key\r\n":                 replyError("ERR no such key"),
		":-12\r\n":                             int64(-12),
		"$5\r\na\r\nbc\r\n":                    "a\r\nbc",
		"$0\r\n\r\n":                           "",
		"$-1\r\n":                              nil,
		"*-1\r\n":                              nil,
		"*0\r\n":                               []any{},
		"*3\r\n$1\r\na\r\n*1\r\n:1\r\n-no\r\n": []any{"a", []any{int64(1)}, replyError("no")},
		"$196608\r\n" + long + "\r\n":          long,
		"*2\r\n$196608\r\n" + long + "\r\n:1\r\n": []any{long, int64(1)},
	} {
		for name, src := range map[string]io.Reader{
			"at once":     strings.NewReader(in),
			"by the byte": iotest.OneByteReader(strings.NewReader(in)),
		} {
			d := newRESPReader(src)
			got, err := d.value(0)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%.40q %s: %.40v, %v", in, name, got, err)
			}
			if _, err := d.value(0); err != io.EOF {
				t.Errorf("%.40q %s: then %v, want the end", in, name, err)
			}
		}
	}
}

func TestRESPRefuses(t *testing.T) {
	for _, in := range []string{
		"\r\n", "\n", "x\r\n", "+OK\n", ":\r\n", ":x\r\n", ":1 \r\n", ":99999999999999999999\r\n",
		"$\r\n", "$-2\r\n", "$1x\r\n", "$67108865\r\n", "$99999999999999999999\r\n", "$1\r\nabc\r\n",
		"*\r\n", "*-2\r\n", "*1048577\r\n", "+" + strings.Repeat("x", maxLine+baseBuf),
		strings.Repeat("*1\r\n", maxNested+2) + ":1\r\n",
	} {
		if v, err := newRESPReader(strings.NewReader(in)).value(0); !errors.Is(err, errProtocol) {
			t.Errorf("%.40q: %v, %v", in, v, err)
		}
	}
	for _, in := range []string{"+O", "+OK\r", "$5\r\nab", "$2\r\nab", "*2\r\n:1\r\n:"} {
		if v, err := newRESPReader(strings.NewReader(in)).value(0); err != io.ErrUnexpectedEOF {
			t.Errorf("%.40q: %v, %v", in, v, err)
		}
	}
	d := newRESPReader(strings.NewReader("-NOPERM no\r\n:1\r\n*3\r\n"))
	if _, err := d.bulk(); err != replyError("NOPERM no") {
		t.Errorf("an error where a string is expected: %v", err)
	}
	if _, err := d.array(); !errors.Is(err, errProtocol) {
		t.Errorf("a number where an array is expected: %v", err)
	}
	if err := d.pair(); !errors.Is(err, errProtocol) {
		t.Errorf("three elements where two are expected: %v", err)
	}
}

// FuzzRESP: whatever comes, the reader ends, says the same however the bytes are cut, and reads back what it read.
func FuzzRESP(f *testing.F) {
	f.Add([]byte("*2\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n"))
	f.Add([]byte("+OK\r\n-ERR\r\n*-1\r\n"))
	f.Add(appendCommand(nil, "XREAD", "", "\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		whole, cut := newRESPReader(bytes.NewReader(b)), newRESPReader(iotest.OneByteReader(bytes.NewReader(b)))
		for {
			v, err := whole.value(0)
			w, again := cut.value(0)
			if (err == nil) != (again == nil) || !reflect.DeepEqual(v, w) {
				t.Fatalf("at once: %v, %v; by the byte: %v, %v", v, err, w, again)
			}
			if err != nil {
				return
			}
			out := appendReply(nil, v)
			if w, err := newRESPReader(bytes.NewReader(out)).value(0); err != nil || !reflect.DeepEqual(v, w) {
				t.Fatalf("%v comes back as %v, %v", v, w, err)
			}
		}
	})
}

// appendReply is the inverse of value.
func appendReply(dst []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendWord(dst, v)
	case replyError:
		return append(append(append(dst, '-'), v...), '\r', '\n')
	case int64:
		return append(appendInt(append(dst, ':'), v), '\r', '\n')
	case []any:
		dst = append(appendInt(append(dst, '*'), int64(len(v))), '\r', '\n')
		for _, e := range v {
			dst = appendReply(dst, e)
		}
		return dst
	}
	return append(dst, "$-1\r\n"...)
}

// FuzzEntry: no reply to XREAD, however broken, makes the tap's connection panic or hand over what is not whole.
func FuzzEntry(f *testing.F) {
	f.Add([]byte("*2\r\n$3\r\n1-1\r\n*2\r\n$2\r\nce\r\n$2\r\n{}\r\n"))
	f.Add([]byte("*2\r\n$3\r\n1-1\r\n*-1\r\n"))
	f.Add([]byte("*2\r\n$-1\r\n*4\r\n$2\r\nce\r\n$-1\r\n$1\r\na\r\n$1\r\nb\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &tapConn{in: newRESPReader(bytes.NewReader(b))}
		entries, err := c.entry(nil, "s", new(arena))
		if (err == nil) != (len(entries) == 1) {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		decodeAll(entries, new(arena))
		if err == nil && entries[0].Err != nil && !errors.Is(entries[0].Err, ErrNotEvent) {
			t.Fatalf("%v", entries[0].Err)
		}
	})
}
