package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// MongoDB's wire protocol: a header of length, request id, answered request and opcode, 4 bytes each, little-endian; an
// OP_MSG goes on with flags and sections, of which kind 0 is the command.
const (
	headerSize = 16
	maxMessage = 48_000_000 // bytes, MongoDB's own maxMessageSizeBytes
	opMsg      = 2013
	moreToCome = 1 << 1 // flag: no answer is expected
)

// writes are the commands that FerretDB serves as a read and then a write, without a transaction around them: two at
// once on one document would lose one of them, which MongoDB never does.
var writes = map[string]bool{"insert": true, "update": true, "delete": true, "findAndModify": true, "create": true,
	"createIndexes": true, "drop": true, "dropDatabase": true}

// atomic stands in front of an engine and lets one write command at a time through to it.
type atomic struct {
	upstream string // path of the engine's Unix socket
	mu       sync.Mutex
	// written is called after each write command, under the lock, before the client has its answer.
	written func(ctx context.Context, command, db, collection string)
}

// serve serves ln's connections until ctx ends, and returns when they are all closed.
func (a *atomic) serve(ctx context.Context, ln net.Listener) error {
	var conns sync.WaitGroup
	defer conns.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	for {
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept: %w", err)
		}
		conns.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			engine, err := net.Dial("unix", a.upstream)
			if err != nil {
				return
			}
			defer engine.Close()
			defer context.AfterFunc(ctx, func() { engine.Close() })()
			_ = a.relay(ctx, conn, engine) // either side's end is this connection's end
		})
	}
}

// relay passes the client's commands to the engine, one after another, and the answers back, until either side ends.
func (a *atomic) relay(ctx context.Context, client, engine net.Conn) error {
	for {
		msg, err := readMessage(client)
		if err != nil {
			return err
		}
		name, db, collection, answered := command(msg)
		answer, err := func() ([]byte, error) {
			if writes[name] {
				a.mu.Lock()
				defer a.mu.Unlock()
			}
			if _, err := engine.Write(msg); err != nil || !answered {
				return nil, err
			}
			answer, err := readMessage(engine)
			if err == nil && writes[name] {
				a.written(ctx, name, db, collection)
			}
			return answer, err
		}()
		if err != nil {
			return err
		}
		if _, err := client.Write(answer); err != nil {
			return err
		}
	}
}

// readMessage reads one whole message, header included.
func readMessage(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(head[:])
	if size < headerSize || size > maxMessage {
		return nil, errors.New("not a MongoDB message")
	}
	msg := make([]byte, size)
	copy(msg, head[:])
	_, err := io.ReadFull(r, msg[4:])
	return msg, err
}

// command says what a message asks for; the name is empty where it is not a command.
func command(msg []byte) (name, db, collection string, answered bool) {
	if len(msg) < headerSize+5 || binary.LittleEndian.Uint32(msg[12:]) != opMsg {
		return "", "", "", true
	}
	answered = binary.LittleEndian.Uint32(msg[headerSize:])&moreToCome == 0
	// Drivers may send the documents (kind 1) before or after the command (kind 0).
	for rest := msg[headerSize+4:]; len(rest) > 5; {
		size := int(binary.LittleEndian.Uint32(rest[1:]))
		if size < 5 || size > len(rest)-1 {
			break
		}
		if rest[0] != 0 {
			rest = rest[1+size:]
			continue
		}
		doc := bson.Raw(rest[1 : 1+size])
		first, err := doc.IndexErr(0)
		if err != nil {
			break
		}
		collection, _ = first.Value().StringValueOK()
		db, _ = doc.Lookup("$db").StringValueOK()
		return first.Key(), db, collection, answered
	}
	return "", "", "", answered
}
