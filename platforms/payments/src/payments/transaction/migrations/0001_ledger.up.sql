-- The ledger: entries are only ever added, and what is added sums to zero. Neither is left to the service.
CREATE TABLE entry (
    id              text COLLATE "C" PRIMARY KEY,
    posting_id      text COLLATE "C" NOT NULL,
    account_id      text COLLATE "C" NOT NULL,
    livemode        boolean NOT NULL,
    -- acquirer:receivable, merchant:acct_…:available, …; see ledger.py
    ledger_account  text COLLATE "C" NOT NULL,
    -- Minor units; debit positive, credit negative.
    amount          bigint NOT NULL CHECK (amount <> 0),
    currency        text COLLATE "C" NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    kind            text NOT NULL,
    transaction_id  text COLLATE "C" NOT NULL,
    created_at      timestamptz NOT NULL
);
CREATE INDEX entry_account ON entry (account_id, livemode, id);
CREATE INDEX entry_transaction ON entry (transaction_id) WHERE transaction_id <> '';

-- Balances are the fold of the entries, kept by the database itself. One account has several rows (shards), of which
-- each backend uses one: hundreds of transfers a second on one hot account do not queue for one row's lock.
CREATE TABLE balance (
    ledger_account  text COLLATE "C" NOT NULL,
    livemode        boolean NOT NULL,
    currency        text COLLATE "C" NOT NULL,
    shard           integer NOT NULL,
    amount          bigint NOT NULL,
    PRIMARY KEY (ledger_account, livemode, currency, shard)
) WITH (fillfactor = 50);

-- Each INSERT must balance by itself, per posting and currency; so the ledger is balanced at every moment.
-- It runs as the owner: the service's role needs no right to write balances.
CREATE FUNCTION entry_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM added GROUP BY posting_id, livemode, currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'entries of a posting do not sum to zero' USING ERRCODE = 'check_violation';
    END IF;
    -- Sorted, so that two backends on one shard cannot wait for each other.
    INSERT INTO balance AS b (ledger_account, livemode, currency, shard, amount)
    SELECT ledger_account, livemode, currency, pg_backend_pid() % 16, sum(amount) FROM added
    GROUP BY ledger_account, livemode, currency ORDER BY ledger_account, livemode, currency
    ON CONFLICT (ledger_account, livemode, currency, shard) DO UPDATE SET amount = b.amount + excluded.amount;
    RETURN NULL;
END $$;
CREATE TRIGGER entry_added AFTER INSERT ON entry REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION entry_added();

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: correct by a reversal', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION balance_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'balances follow entries and are written by nothing else' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER balance_follows BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON balance
    FOR EACH STATEMENT EXECUTE FUNCTION balance_follows();
