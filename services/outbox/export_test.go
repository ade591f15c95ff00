package outbox

import (
	"context"
	"testing"
)

// KillLead ends the leading connection from the server's side, as the death of the process ends it from the other.
func (p *Postgres) KillLead(t testing.TB) {
	p.mu.Lock()
	pid := p.lead.conn.PgConn().PID()
	p.mu.Unlock()
	if _, err := p.pool.Exec(context.Background(), `SELECT pg_terminate_backend($1)`, int64(pid)); err != nil {
		t.Fatal(err)
	}
}
