package copies

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"
)

// reason says in a newcomer's words why a store gave no answer. Of an error whose text is not the store's own nothing is
// quoted: it may hold an address.
func reason(node string, err error) string {
	var (
		postgres *pgconn.PgError
		said     redis.Error
		command  mongo.CommandError
		away     topology.ServerSelectionError
		late     net.Error
		lookup   *net.DNSError
		sentence plainly
	)
	if errors.As(err, &away) { // the driver waited for a server, and keeps to itself why none is there
		for _, server := range away.Desc.Servers {
			if server.LastError != nil {
				err = server.LastError
			}
		}
	}
	switch {
	case errors.As(err, &sentence):
		return string(sentence)
	case errors.As(err, &postgres) && postgres.Code == tookTooLong:
		return fmt.Sprintf("%s did not answer within %.1f s", node, callWithin.Seconds())
	case errors.As(err, &postgres):
		return node + " said: " + postgres.Message
	case errors.As(err, &said) && !errors.Is(err, redis.Nil):
		return node + " said: " + said.Error()
	case errors.As(err, &command) && !mongo.IsNetworkError(err) && !mongo.IsTimeout(err):
		return node + " said: " + command.Message
	case errors.Is(err, syscall.ECONNREFUSED):
		return node + " refused the connection"
	case errors.As(err, &lookup) && !lookup.IsTimeout:
		return node + " is not known by its name"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return node + " broke the connection off"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late) && late.Timeout(), mongo.IsTimeout(err):
		return fmt.Sprintf("%s did not answer within %.1f s", node, callWithin.Seconds())
	case errors.Is(err, context.Canceled):
		return node + " was not waited for"
	}
	return node + " did not answer in a way that can be read"
}
