package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/growpanel/growpanel-mcp/billing"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

// Billing is a billing.Store.
type Billing struct{ db *sqldb.DB }

var _ billing.Store = (*Billing)(nil)

// Billing implements billing.Store.
func (s *Billing) Billing(ctx context.Context, account string) (r billing.Record, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		r, err = getBilling(ctx, tx, account)
		return err
	})
	return r, err
}

func getBilling(ctx context.Context, tx *sqldb.Tx, account string) (r billing.Record, err error) {
	var doc []byte
	err = tx.Get(ctx, "SELECT doc FROM billing WHERE account_id = ?", []any{account}, &doc)
	if errors.Is(err, sql.ErrNoRows) {
		return billing.Record{}, nil
	}
	if err != nil {
		return billing.Record{}, err
	}
	if err := json.Unmarshal(doc, &r); err != nil {
		return billing.Record{}, fmt.Errorf("read billing record: %w", err)
	}
	return r, nil
}

// ChangeBilling implements billing.Store.
func (s *Billing) ChangeBilling(ctx context.Context, account string, change func(*billing.Record) error) (r billing.Record, err error) {
	const put = "INSERT INTO billing (account_id, doc) VALUES (?1, ?2) ON CONFLICT (account_id) DO UPDATE SET doc = ?2"
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if r, err = getBilling(ctx, tx, account); err != nil {
			return err
		}
		if err := change(&r); err != nil {
			return err
		}
		doc, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("encode billing record: %w", err)
		}
		_, err = tx.Exec(ctx, put, account, string(doc))
		return err
	})
	if err != nil {
		return billing.Record{}, err
	}
	return r, nil
}
