//go:build containers

package main

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/stillup/stillup/services"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/streams"
)

// TestContainersImage: our image is small, runs as nobody on a file system that it cannot write to, and knows its version.
func TestContainersImage(t *testing.T) {
	image := ourImage(t)
	if size, err := strconv.ParseFloat(megabytes(t, image), 64); err != nil || size > 120 {
		t.Errorf("it has %v MB, more than 120: %v", size, err)
	}
	said := docker(t, "run", "--rm", "--read-only", "--cap-drop=ALL", "--network=none", image, "version")
	if !strings.HasPrefix(said, "stillup "+ourVersion+" go") {
		t.Errorf("version says %q", said)
	}
	got := docker(t, "image", "inspect", "-f",
		`{{.Config.User}} {{index .Config.Labels "org.opencontainers.image.title"}} {{index .Config.Labels "org.opencontainers.image.version"}}`, image)
	if want := "65532:65532 Stillup " + ourVersion; got != want {
		t.Errorf("user, title, version: %q, want %q", got, want)
	}
}

// TestContainersStores: whatever a store has acknowledged is there after docker kill and docker start.
func TestContainersStores(t *testing.T) {
	c := newComposed(t)
	c.up("users-db", "catalog-db", services.Bus)
	for _, s := range []struct {
		node, url string
		write     func(ctx context.Context, url string) error
		read      func(ctx context.Context, url string) (int, error)
	}{
		{"users-db", "postgres://shop:stillup@HOST:5432/shop?sslmode=disable", writePostgres, readPostgres},
		{"catalog-db", "mongodb://HOST:27017/shop?directConnection=true&journal=true", writeMongo, readMongo},
		{services.Bus, "redis://:stillup@HOST:6379/0", writeRedis, readRedis},
	} {
		t.Run(s.node, func(t *testing.T) {
			c := &composed{t: t, project: c.project}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			const kills = 3
			for n := 1; n <= kills; n++ {
				if err := s.write(ctx, c.address(s.node, s.url)); err != nil {
					t.Fatal(err)
				}
				id := c.containers(s.node)[0]
				docker(t, "kill", id)
				docker(t, "start", id)
				url := c.address(s.node, s.url)
				if err := until(ctx, func(ctx context.Context) error { return stores.Ping(ctx, url) }); err != nil {
					t.Fatal(err)
				}
				if got, err := s.read(ctx, url); err != nil || got != n {
					t.Fatalf("%d written and %d there: %v", n, got, err)
				}
			}
		})
	}
}

// address is url with the address of the node's container in its own network, as this machine reaches it.
func (c *composed) address(node, url string) string {
	c.t.Helper()
	ip := docker(c.t, "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", c.containers(node)[0])
	return strings.Replace(url, "HOST", ip, 1)
}

func writePostgres(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS kept (n serial); INSERT INTO kept DEFAULT VALUES")
	return err
}

func readPostgres(ctx context.Context, url string) (n int, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, "SELECT count(*) FROM kept").Scan(&n)
	return n, err
}

func kept(ctx context.Context, url string, use func(*mongo.Collection) error) error {
	client, err := mongo.Connect(options.Client().ApplyURI(url).SetServerSelectionTimeout(5 * time.Second))
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(ctx) }()
	return use(client.Database(stores.MongoDatabase).Collection("kept"))
}

func writeMongo(ctx context.Context, url string) error {
	return kept(ctx, url, func(c *mongo.Collection) error {
		_, err := c.InsertOne(ctx, bson.D{{Key: "at", Value: time.Now()}})
		return err
	})
}

func readMongo(ctx context.Context, url string) (int, error) {
	var n int64
	err := kept(ctx, url, func(c *mongo.Collection) (err error) {
		n, err = c.CountDocuments(ctx, bson.D{})
		return err
	})
	return int(n), err
}

func writeRedis(ctx context.Context, url string) error {
	rdb, err := streams.Open(url)
	if err != nil {
		return err
	}
	defer rdb.Close()
	return rdb.Incr(ctx, "kept").Err()
}

func readRedis(ctx context.Context, url string) (int, error) {
	rdb, err := streams.Open(url)
	if err != nil {
		return 0, err
	}
	defer rdb.Close()
	return rdb.Get(ctx, "kept").Int()
}
