package outbox

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// advisory is a connection of the lead's own, beside the pool. Postgres lets go of its lock as soon as the connection
// ends, also when the process is killed.
type advisory struct {
	conn *pgx.Conn
	stop context.CancelFunc // set once it leads
	lost chan struct{}      // closed when the leading connection has ended; nil until it leads
}

// OnCommit sets what is called after each commit of events by any process, as long as this one leads. It has to be set
// before the first Lead, and must not block.
func (p *Postgres) OnCommit(wake func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake = wake
}

// Lead implements [Store].
func (p *Postgres) Lead(ctx context.Context) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lead != nil && p.lead.lost != nil {
		select {
		case <-p.lead.lost:
			p.lead.stop()
			p.lead = nil
		default:
			return true, nil
		}
	}
	if p.lead == nil {
		conf := p.pool.Config().ConnConfig.Copy()
		// A host that vanishes without a word loses the lead within three seconds.
		for _, name := range []string{"tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count"} {
			conf.RuntimeParams[name] = "1"
		}
		conn, err := pgx.ConnectConfig(ctx, conf)
		if err != nil {
			return false, fmt.Errorf("outbox: connect for the lead: %w", err)
		}
		p.lead = &advisory{conn: conn}
	}
	ok, err := p.lead.try(ctx)
	if err != nil {
		_ = p.lead.conn.Close(ctx)
		p.lead = nil
		return false, fmt.Errorf("outbox: lead: %w", err)
	}
	if ok {
		p.lead.watch(p.wake)
	}
	return ok, nil
}

func (a *advisory) try(ctx context.Context) (ok bool, err error) {
	if err := a.conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(advisoryLock)).Scan(&ok); err != nil || !ok {
		return false, err
	}
	_, err = a.conn.Exec(ctx, `LISTEN outbox`)
	return err == nil, err
}

// watch waits for notifications, and so notices at once when the connection breaks. Its goroutine ends with stop.
func (a *advisory) watch(wake func()) {
	ctx, stop := context.WithCancel(context.Background())
	lost := make(chan struct{})
	a.stop, a.lost = stop, lost
	conn := a.conn
	go func() {
		defer close(lost)
		defer conn.Close(context.Background()) // broken or cancelled: the close is local and does not wait
		for {
			if _, err := conn.WaitForNotification(ctx); err != nil {
				return
			}
			if wake != nil {
				wake()
			}
		}
	}()
}

// Resign implements [Store].
func (p *Postgres) Resign(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lead == nil {
		return nil
	}
	lead := p.lead
	p.lead = nil
	if lead.lost == nil {
		return lead.conn.Close(ctx)
	}
	lead.stop()
	<-lead.lost
	return nil
}
