package copies

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/stillup/stillup/viz/world"
)

// countBelow is how large a table may be, in bytes, for its rows to be counted one by one; of larger ones the planner's estimate
// is told.
const countBelow = 8 << 20

func (p *postgres) totals(ctx context.Context, holds []world.Hold) ([]world.HeldSeen, error) {
	var all []world.HeldSeen
	for _, h := range holds {
		held, err := p.total(ctx, h.At)
		if err != nil && code(err) != noSuchTable {
			return nil, err
		}
		if err != nil {
			held.Why = "there is no table " + h.At.Table + " yet"
		}
		held.Kind = h.Kind
		all = append(all, held)
	}
	return all, nil
}

// total counts a small table's rows, in one statement with its size; of a large one it asks the planner, who knows what
// was counted last and how large the table has become since.
func (p *postgres) total(ctx context.Context, at *world.Place) (held world.HeldSeen, err error) {
	table := quoted(at.Table)
	for _, name := range at.With {
		rows, err := p.rows(ctx, "select coalesce(pg_total_relation_size(to_regclass($1)), 0)", quoted(name))
		if err != nil {
			return held, err
		}
		n, _ := strconv.ParseInt(rows[0][0].text, 10, 64)
		held.Bytes += n
	}
	rows, err := p.rows(ctx, "select pg_total_relation_size(c.oid), case when pg_relation_size(c.oid) <= "+
		fmt.Sprint(countBelow)+" then (select count(*) from "+table+") end from pg_class c where c.oid = to_regclass($1)", table)
	if err != nil || len(rows) == 0 {
		return held, err
	}
	n, _ := strconv.ParseInt(rows[0][0].text, 10, 64)
	held.Bytes += n
	if count := rows[0][1]; !count.null {
		held.Count, err = strconv.ParseInt(count.text, 10, 64)
		return held, err
	}
	rows, err = p.rows(ctx, "explain (format json) select from "+table)
	if err != nil {
		return held, err
	}
	var plan []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	if err := json.Unmarshal([]byte(rows[0][0].text), &plan); err != nil || len(plan) == 0 {
		return held, fmt.Errorf("a plan that cannot be read: %w", err)
	}
	held.Count, held.Estimated = int64(plan[0].Plan.Rows), true
	return held, nil
}
