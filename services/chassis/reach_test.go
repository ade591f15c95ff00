package chassis

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
)

// reached is an engine whose store a test reaches: good asks for something that is there, bad for what the store refuses.
type reached struct {
	engine, node, operation, system string
	refusal                         string // of bad, in the store's words
	prepare                         func(s *Service, node string) (good, bad func(context.Context) error, err error)
}

func do[C any](r *Reach[C], operation string, use func(context.Context, C) error) func(context.Context) error {
	return func(ctx context.Context) error { return r.Do(ctx, operation, use) }
}

var engines = []reached{
	{stores.Postgres, "users-db", "SELECT", "postgresql", `relation "nothing" does not exist`,
		func(s *Service, node string) (good, bad func(context.Context) error, err error) {
			r, err := s.ReachPostgres(node)
			ask := func(sql string) func(context.Context) error {
				return do(r, "SELECT", func(ctx context.Context, db *pgxpool.Pool) error {
					var n int
					return db.QueryRow(ctx, sql).Scan(&n)
				})
			}
			return ask("select 1"), ask("select count(*) from nothing"), err
		}},
	{stores.MongoDB, "catalog-db", "find", "mongodb", "no such command",
		func(s *Service, node string) (good, bad func(context.Context) error, err error) {
			r, err := s.ReachMongo(node)
			good = do(r, "find", func(ctx context.Context, db *mongo.Database) error {
				err := db.Collection("products").FindOne(ctx, bson.D{}).Err()
				if errors.Is(err, mongo.ErrNoDocuments) {
					return nil
				}
				return err
			})
			return good, do(r, "find", func(ctx context.Context, db *mongo.Database) error {
				return db.RunCommand(ctx, bson.D{{Key: "nothing", Value: 1}}).Err()
			}), err
		}},
	{stores.Redis, "stock-db", "GET", "redis", "ERR ",
		func(s *Service, node string) (good, bad func(context.Context) error, err error) {
			r, err := s.ReachRedis(node)
			good = do(r, "GET", func(ctx context.Context, rdb *redis.Client) error {
				if err := rdb.Get(ctx, "level:p-01").Err(); !errors.Is(err, redis.Nil) {
					return err
				}
				return nil
			})
			return good, do(r, "GET", func(ctx context.Context, rdb *redis.Client) error { return rdb.Do(ctx, "NOTHING").Err() }), err
		}},
}

// TestReach: another service's store is used past its owner; what fails is told in its name, in a span and to the caller;
// one that comes back is used again.
func TestReach(t *testing.T) {
	for _, e := range engines {
		t.Run(e.engine, func(t *testing.T) {
			t.Parallel()
			store := storestest.Start(t, e.engine)
			store.Kill()
			viz := newCollector(t)
			s := start(t, Config{Name: "orders", OTLPEndpoint: viz.URL, OtherStores: map[string]string{e.node: store.URL}}, func(s *Service) {
				good, bad, err := e.prepare(s, e.node)
				if err != nil {
					t.Fatal(err)
				}
				for path, ask := range map[string]func(context.Context) error{"/good": good, "/bad": bad} {
					s.Handle("GET "+path, func(w http.ResponseWriter, r *http.Request) error {
						if err := ask(r.Context()); err != nil {
							return err
						}
						return WriteJSON(w, 200, "good")
					})
				}
			})
			span := "orders " + e.operation + " " + e.node
			dead := func() {
				t.Helper()
				refused := e.node + " refused the connection"
				eventually(t, "it is refused", func() bool {
					began := time.Now()
					p := problemOf(t, "GET", s.url+"/good", "")
					if took := time.Since(began); took > ReachTimeout+time.Second {
						t.Errorf("it took %v", took)
					}
					return p.Status == 502 && p.Detail == refused
				})
				eventually(t, "the span says so", func() bool {
					got := viz.span(t, span).Status
					return got.GetCode() == tracepb.Status_STATUS_CODE_ERROR && got.GetMessage() == refused
				})
			}
			again := func() {
				t.Helper()
				began := time.Now()
				eventually(t, "it works", func() bool {
					status, _, _ := get(t, "GET", s.url+"/good", "")
					return status == 200
				})
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("it worked again %v after the store", took)
				}
			}
			dead()
			store.Start(t)
			again()
			eventually(t, "the span of a good use", func() bool { return viz.span(t, span).Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR })
			good := viz.span(t, span)
			if good.Kind != tracepb.Span_SPAN_KIND_CLIENT || attr(good, "peer.service") != e.node ||
				attr(good, "db.system.name") != e.system || attr(good, "db.operation.name") != e.operation ||
				len(good.ParentSpanId) == 0 {
				t.Errorf("span %v", good)
			}
			want := e.node + " refused the request: " + e.refusal
			if p := problemOf(t, "GET", s.url+"/bad", ""); p.Status != 502 || !strings.HasPrefix(p.Detail, want) {
				t.Errorf("what the store refuses: %+v, want %q", p, want)
			}
			store.Kill()
			dead()
			store.Start(t)
			again()
		})
	}
}

// TestReachSilent: a store that takes the connection and says nothing is told within the second, or within what the
// caller grants.
func TestReachSilent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	for _, e := range engines {
		t.Run(e.engine, func(t *testing.T) {
			t.Parallel()
			url := strings.ToLower(e.engine) + "://" + l.Addr().String() + "/0"
			s, err := New(Config{Name: "orders", OtherStores: map[string]string{e.node: url}})
			if err != nil {
				t.Fatal(err)
			}
			defer s.closeReaches()
			ask, _, err := e.prepare(s, e.node)
			if err != nil {
				t.Fatal(err)
			}
			for _, tt := range []struct {
				granted time.Duration
				text    string
			}{
				{2 * time.Second, " did not answer within 0.9 s"},
				{300 * time.Millisecond, " did not answer within 0.3 s"},
			} {
				ctx, cancel := context.WithTimeout(t.Context(), tt.granted)
				began := time.Now()
				err := ask(ctx)
				cancel()
				var call *CallError
				if !errors.As(err, &call) || call.Peer != e.node || call.Kind != kindTimeout || err.Error() != e.node+tt.text {
					t.Errorf("%v", err)
				}
				if took := time.Since(began); took > min(tt.granted, ReachTimeout)+time.Second {
					t.Errorf("it took %v", took)
				}
			}
		})
	}
}

// TestReachAddress: without an address each use is a 503 that says what to do, and a bad one is an error at once.
func TestReachAddress(t *testing.T) {
	for _, e := range engines {
		s, err := New(Config{Name: "orders"})
		if err != nil {
			t.Fatal(err)
		}
		ask, _, err := e.prepare(s, e.node)
		if err != nil {
			t.Fatal(err)
		}
		var p *Problem
		if err := ask(t.Context()); !errors.As(err, &p) || p.Status != 503 ||
			p.Detail != "orders has no address of "+e.node+"; give it one in STILLUP_OTHER_STORES" {
			t.Errorf("%v", err)
		}
		s.OtherStores = map[string]string{e.node: "ftp://x:secret@127.0.0.1:1/0"}
		if _, _, err := e.prepare(s, e.node); err == nil || !strings.Contains(err.Error(), e.node) || strings.Contains(err.Error(), "secret") {
			t.Errorf("of a bad address: %v", err)
		}
	}
}
