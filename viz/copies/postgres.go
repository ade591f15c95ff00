package copies

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stillup/stillup/viz/world"
)

const (
	// storeConns is how many connections a store is kept at most: a guest takes few of them.
	storeConns = 3
	// Codes of errors of Postgres.
	noSuchText    = "22P02" // the id is no value of the column's type
	outOfRange    = "22003"
	noSuchTable   = "42P01"
	tookTooLong   = "57014"
	searchPatient = 500 * time.Millisecond // how long a search may go through a table, within callWithin
)

// postgres reads a Postgres, in sessions that cannot write.
type postgres struct {
	pool *pgxpool.Pool
	dialer
}

// openPostgres prepares without any I/O. An error is a fault in the address.
func openPostgres(url string) (store, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	p := &postgres{}
	c.MaxConns, c.MinConns = storeConns, 0
	c.ConnConfig.DialFunc = p.dial
	c.ConnConfig.ConnectTimeout = callWithin
	// Nothing is cached by statement: a table may get other columns at any time.
	c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	// GMT is the one zone that a server knows without files of time zones.
	for name, value := range map[string]string{"default_transaction_read_only": "on", "application_name": "stillup dashboard",
		"statement_timeout": fmt.Sprint(callWithin.Milliseconds()), "TimeZone": "GMT", "DateStyle": "ISO", "bytea_output": "hex"} {
		c.ConnConfig.RuntimeParams[name] = value
	}
	p.pool, err = pgxpool.NewWithConfig(context.Background(), c)
	return p, err
}

func (p *postgres) close() {
	p.dialer.close()
	p.pool.Close()
}

// quoted is a name, or several with points between, as SQL takes it.
func quoted(name string) string { return pgx.Identifier(strings.Split(name, ".")).Sanitize() }

func (p *postgres) read(ctx context.Context, at *world.Place, id string) (kept, error) {
	rows, err := p.rows(ctx, "select pg_column_size(t.*), t.* from "+quoted(at.Table)+" t where t."+quoted(idOf(at))+" = $1 limit 1", id)
	if err != nil || len(rows) == 0 {
		return kept{}, err
	}
	cells := rows[0]
	k := kept{found: true}
	k.bytes, _ = strconv.ParseInt(cells[0].text, 10, 64)
	widest := 0
	for _, c := range cells[1:] {
		widest = max(widest, len(c.name))
	}
	var raw strings.Builder
	for i, c := range cells[1:] {
		text := c.text
		if c.null {
			text = "NULL"
		} else {
			k.pairs = append(k.pairs, pair{c.name, c.plain()})
		}
		if i > 0 {
			raw.WriteByte('\n')
		}
		fmt.Fprintf(&raw, "%-*s %s", widest+1, c.name+":", text)
	}
	k.raw = raw.String()
	return k, nil
}

// search takes an exact id by its index first, and then goes through the table, for a while.
func (p *postgres) search(ctx context.Context, at *world.Place, text string, limit int) (found []Match, more bool, err error) {
	there, err := p.columns(ctx, at)
	if err != nil {
		return nil, false, err
	}
	table, id := quoted(at.Table), quoted(idOf(at))
	from := "select t.* from " + table + " t "
	var rows [][]cell
	if text != "" {
		if rows, err = p.rows(ctx, from+"where t."+id+" = $1 limit 1", text); err != nil {
			return nil, false, err
		}
	}
	where, args := "", []any{}
	if text != "" {
		where, args = "where t."+id+"::text ilike $1", []any{like(text) + "%"}
		if label := labelSQL(at, there); label != "" {
			where += " or " + label + " ilike $2"
			args = append(args, "%"+like(text)+"%")
		}
	}
	patient, cancel := context.WithTimeout(ctx, searchPatient)
	defer cancel()
	walked, err := p.rows(patient, from+where+fmt.Sprintf(" order by t.%s limit %d", id, limit+1), args...)
	switch {
	case err != nil && ctx.Err() == nil && (patient.Err() != nil || code(err) == tookTooLong):
		more = true // it was not gone through to the end
	case err != nil:
		return nil, false, err
	}
	for _, r := range slices.Concat(rows, walked) {
		m, pairs := Match{}, []pair{}
		for _, c := range r {
			if c.name == idOf(at) {
				m.ID = c.text
			}
			if !c.null {
				pairs = append(pairs, pair{c.name, c.plain()})
			}
		}
		if slices.ContainsFunc(found, func(had Match) bool { return had.ID == m.ID }) {
			continue
		}
		if len(found) == limit {
			return found, true, nil
		}
		_, m.Version = logical(at, pairs)
		m.Label = labelled(at, pairs)
		found = append(found, m)
	}
	return found, more, nil
}

// columns are the names of the table's columns.
func (p *postgres) columns(ctx context.Context, at *world.Place) (map[string]bool, error) {
	rows, err := p.pool.Query(ctx, "select * from "+quoted(at.Table)+" limit 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	there := map[string]bool{}
	for _, f := range rows.FieldDescriptions() {
		there[f.Name] = true
	}
	rows.Close()
	return there, rows.Err()
}

// labelSQL is the label of a row t with these columns; empty where there is none.
func labelSQL(at *world.Place, there map[string]bool) string {
	for _, parts := range labelSources(at) {
		if slices.ContainsFunc(parts, func(name string) bool { return !there[name] }) {
			continue
		}
		var sql []string
		for _, name := range parts {
			sql = append(sql, "t."+quoted(name)+"::text")
		}
		return "(" + strings.Join(sql, " || ' ' || ") + ")"
	}
	return ""
}

var like = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace

// cell is one value of a row as Postgres writes it.
type cell struct {
	name, text string
	null       bool
	oid        uint32
}

// rows runs a query to its end. An id that is no value of its column's type finds nothing.
func (p *postgres) rows(ctx context.Context, sql string, args ...any) ([][]cell, error) {
	rows, err := p.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all [][]cell
	for rows.Next() {
		var row []cell
		fields := rows.FieldDescriptions()
		for i, v := range rows.RawValues() {
			row = append(row, cell{fields[i].Name, string(v), v == nil, fields[i].DataTypeOID})
		}
		all = append(all, row)
	}
	rows.Close()
	if err := rows.Err(); code(err) != noSuchText && code(err) != outOfRange {
		return all, err
	}
	return nil, nil
}

// code is that of an error of Postgres; empty for another error.
func code(err error) string {
	if said := new(pgconn.PgError); errors.As(err, &said) {
		return said.Code
	}
	return ""
}

// plain is the value as it compares between engines: times in UTC to the millisecond, truth in words.
func (c cell) plain() string {
	var layout string
	switch c.oid {
	case pgtype.BoolOID:
		return map[string]string{"t": "true", "f": "false"}[c.text]
	case pgtype.TimestamptzOID:
		layout = "2006-01-02 15:04:05.999999999Z07"
	case pgtype.TimestampOID:
		layout = "2006-01-02 15:04:05.999999999"
	case pgtype.NumericOID, pgtype.Float8OID, pgtype.Float4OID:
		if f, err := strconv.ParseFloat(c.text, 64); err == nil {
			return number(f)
		}
		return c.text
	default:
		return c.text
	}
	if t, err := time.Parse(layout, c.text); err == nil {
		return moment(t)
	}
	return c.text
}

// moment is a time as it compares between engines.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
