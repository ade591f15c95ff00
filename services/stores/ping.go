package stores

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// Ping says whether the store at url answers, in its own protocol over a connection of its own, within ctx and 5 s. A
// Postgres that still recovers and a Redis that still loads do not answer yet.
func Ping(ctx context.Context, storeURL string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	u, err := url.Parse(storeURL)
	if err != nil {
		return errors.New("ping: not a store's URL") // the parser's error would quote the password
	}
	switch u.Scheme {
	case "postgres", "postgresql":
		err = pingPostgres(ctx, storeURL)
	case "redis":
		err = pingRedis(ctx, u)
	case "mongodb":
		err = pingMongo(ctx, u.Host)
	default:
		err = ErrUnknownEngine
	}
	if err != nil {
		return fmt.Errorf("ping %s at %s: %w", u.Scheme, u.Host, err)
	}
	return nil
}

func pingPostgres(ctx context.Context, storeURL string) error {
	conn, err := pgx.Connect(ctx, storeURL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return conn.Ping(ctx)
}

func pingRedis(ctx context.Context, u *url.URL) error {
	conn, err := dial(ctx, u.Host)
	if err != nil {
		return err
	}
	defer conn.Close()
	msg := "*1\r\n$4\r\nPING\r\n"
	answers := 1
	if secret, ok := u.User.Password(); ok {
		msg = fmt.Sprintf("*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n", len(secret), secret) + msg
		answers = 2
	}
	if _, err := io.WriteString(conn, msg); err != nil {
		return err
	}
	r := bufio.NewReaderSize(conn, 512)
	for range answers {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if line[0] != '+' {
			return errors.New(strings.Trim(string(line), "-\r\n"))
		}
	}
	return nil
}

// dial opens a connection that dies with ctx, which has a deadline.
func dial(ctx context.Context, host string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		conn.Close()
		return nil, err
	}
	context.AfterFunc(ctx, func() { conn.Close() }) // Ping cancels ctx when it returns
	return conn, nil
}

// pingMongo sends one OP_MSG by hand: a driver's client would start monitors for it.
func pingMongo(ctx context.Context, host string) error {
	conn, err := dial(ctx, host)
	if err != nil {
		return err
	}
	defer conn.Close()
	const opMsg, headerSize, prefix = 2013, 16, 5 // prefix: flag bits and the kind of the one section
	body, err := bson.Marshal(bson.D{{Key: "ping", Value: 1}, {Key: "$db", Value: "admin"}})
	if err != nil {
		return err
	}
	msg := binary.LittleEndian.AppendUint32(nil, uint32(headerSize+prefix+len(body)))
	msg = binary.LittleEndian.AppendUint32(msg, 1) // request id
	msg = binary.LittleEndian.AppendUint32(msg, 0)
	msg = binary.LittleEndian.AppendUint32(msg, opMsg)
	msg = append(append(msg, make([]byte, prefix)...), body...)
	if _, err := conn.Write(msg); err != nil {
		return err
	}
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(conn, header); err != nil {
		return err
	}
	size := binary.LittleEndian.Uint32(header)
	if size < headerSize+prefix || size > 1<<20 || binary.LittleEndian.Uint32(header[12:]) != opMsg {
		return errors.New("the answer is not MongoDB's")
	}
	reply := make([]byte, size-headerSize)
	if _, err := io.ReadFull(conn, reply); err != nil {
		return err
	}
	var answer struct {
		OK   float64 `bson:"ok"`
		Text string  `bson:"errmsg"`
	}
	if err := bson.Unmarshal(reply[prefix:], &answer); err != nil {
		return err
	}
	if answer.OK != 1 {
		return errors.New(answer.Text)
	}
	return nil
}
