-- Double entry: every movement of money is one transaction whose entries sum to zero in each currency. Debits are
-- positive, credits negative. Nothing is ever changed or deleted; a mistake is corrected by another transaction.

CREATE TABLE ledger_accounts (
    name        text PRIMARY KEY,
    description text NOT NULL
);
INSERT INTO ledger_accounts (name, description) VALUES
    ('psp_clearing', 'Asset: what the provider holds for us'),
    ('sales', 'Income: what was captured'),
    ('refunds', 'Contra income: what was given back');

CREATE TABLE ledger_transactions (
    id         uuid PRIMARY KEY,
    payment_id uuid NOT NULL REFERENCES payments,
    kind       text NOT NULL CONSTRAINT ledger_transactions_kind CHECK (kind IN ('capture', 'refund')),
    refund_id  uuid REFERENCES refunds CONSTRAINT ledger_transactions_one_a_refund UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ledger_transactions_refund CHECK ((kind = 'refund') = (refund_id IS NOT NULL))
);
CREATE UNIQUE INDEX ledger_transactions_one_capture ON ledger_transactions (payment_id) WHERE kind = 'capture';
CREATE INDEX ledger_transactions_by_payment ON ledger_transactions (payment_id);

CREATE TABLE ledger_entries (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id uuid NOT NULL REFERENCES ledger_transactions,
    account        text NOT NULL REFERENCES ledger_accounts,
    amount         bigint NOT NULL CONSTRAINT ledger_entries_amount CHECK (amount <> 0),
    currency       text NOT NULL CONSTRAINT ledger_entries_currency CHECK (currency ~ '^[A-Z]{3}$')
);
CREATE INDEX ledger_entries_by_transaction ON ledger_entries (transaction_id);
CREATE INDEX ledger_entries_by_account ON ledger_entries (account, currency) INCLUDE (amount);

CREATE FUNCTION ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    transaction uuid;
BEGIN
    IF TG_TABLE_NAME = 'ledger_entries' THEN transaction := NEW.transaction_id; ELSE transaction := NEW.id; END IF;
    IF NOT EXISTS (SELECT FROM ledger_entries WHERE transaction_id = transaction) THEN
        RAISE EXCEPTION 'ledger transaction % has no entries', transaction
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balances';
    END IF;
    IF EXISTS (SELECT FROM ledger_entries WHERE transaction_id = transaction GROUP BY currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'ledger transaction % does not balance', transaction
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balances';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_balances AFTER INSERT ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balances();
CREATE CONSTRAINT TRIGGER ledger_balances AFTER INSERT ON ledger_transactions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balances();

CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ledger_is_append_only';
END $$;
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
