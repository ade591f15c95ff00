package storestest

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Exec runs SQL on the Postgres at url, over a connection of its own: one statement with its args, or several without.
func Exec(t testing.TB, url, sql string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("storestest: %v", err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("storestest: %v", err)
	}
}

// ExecFile is [Exec] of a file, such as another service's schema.
func ExecFile(t testing.TB, url, path string) {
	t.Helper()
	sql, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("storestest: %v", err)
	}
	Exec(t, url, string(sql))
}
