package sqlstore

import (
	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// headsAtOnce bounds the customers whose histories are in memory together.
const headsAtOnce = 512

// writeHeads folds the histories of the customers that the transaction touched, a run
// of ids at a time, and writes their heads.
func (u *unit) writeHeads() error {
	for after := ""; ; {
		ids, err := u.touchedAfter(after)
		if err != nil || len(ids) == 0 {
			return err
		}
		after = ids[len(ids)-1]
		histories := make([]history, len(ids))
		index := make(map[string]*history, len(ids))
		for i, id := range ids {
			histories[i].customerID = id
			index[id] = &histories[i]
		}
		if err := u.load(index, ids[0], after); err != nil {
			return err
		}
		for i := range histories {
			if err := u.writeHead(&histories[i]); err != nil {
				return err
			}
		}
		if err := u.bulks[insertHeads].flush(u.ctx); err != nil {
			return err
		}
	}
}

func (u *unit) touchedAfter(after string) ([]string, error) {
	var ids []string
	err := each(u.ctx, u.tx.Stmtx(u.store.stmts[touchedCustomers]), func(rows *sqlx.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, int64(u.seq), after, headsAtOnce)
	return ids, err
}

// load reads the histories of the touched customers from first to last.
func (u *unit) load(index map[string]*history, first, last string) error {
	cells, purchases := u.tx.Stmtx(u.store.stmts[touchedCells]), u.tx.Stmtx(u.store.stmts[touchedPurchases])
	if err := eachCell(u.ctx, cells, func(c *features.Cell, seq uint64) error {
		return index[c.CustomerID].addCell(c, seq)
	}, int64(u.seq), first, last); err != nil {
		return err
	}
	return eachPurchase(u.ctx, purchases, func(p *features.CustomerPurchase, seq uint64) error {
		return index[p.CustomerID].addPurchase(p, seq)
	}, int64(u.seq), first, last)
}

func (u *unit) writeHead(h *history) error {
	from := features.Newest(h.cells, h.purchases, 0)
	p, err := h.asOf(from)
	if err != nil {
		return err
	}
	if err := features.CheckProfile(p); err != nil {
		return err
	}
	return u.bulks[insertHeads].add(u.ctx, h.customerID, int64(p.Revision), int64(from), fund.AppendProfile(nil, p))
}
