CREATE TABLE transaction (
    id                      text COLLATE "C" PRIMARY KEY,
    account_id              text COLLATE "C" NOT NULL,
    livemode                boolean NOT NULL,
    reference               text COLLATE "C" NOT NULL,
    card_token              text COLLATE "C" NOT NULL,
    currency                text COLLATE "C" NOT NULL,
    created_at              timestamptz NOT NULL,
    expires_at              timestamptz NOT NULL,
    state                   text NOT NULL,
    -- Counts the changes: each one names the version it was computed from.
    version                 integer NOT NULL DEFAULT 1,
    amount                  bigint NOT NULL CHECK (amount >= 0),
    authorized              bigint NOT NULL DEFAULT 0,
    -- What of `authorized` may still be captured, captures under way included.
    held                    bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    capturing               bigint NOT NULL DEFAULT 0 CHECK (capturing >= 0),
    captured                bigint NOT NULL DEFAULT 0 CHECK (captured >= 0),
    refunding               bigint NOT NULL DEFAULT 0 CHECK (refunding >= 0),
    refunded                bigint NOT NULL DEFAULT 0 CHECK (refunded >= 0),
    disputed                bigint NOT NULL DEFAULT 0 CHECK (disputed >= 0),
    fee                     bigint NOT NULL DEFAULT 0 CHECK (fee >= 0),
    -- A void (or an expiry) is under way: nothing else may touch the hold.
    releasing               boolean NOT NULL DEFAULT false,
    -- Operations after the authorization whose outcome is unknown.
    in_doubt                integer NOT NULL DEFAULT 0 CHECK (in_doubt >= 0),
    decline_code            text NOT NULL DEFAULT '',
    error_code              text NOT NULL DEFAULT '',
    message                 text NOT NULL DEFAULT '',
    acquirer_reference      text NOT NULL DEFAULT '',
    authentication_url      text NOT NULL DEFAULT '',
    network_transaction_id  text NOT NULL DEFAULT '',
    CHECK (authorized <= amount),
    CHECK (capturing <= held),
    CHECK (captured + held <= authorized),
    CHECK (refunded + refunding + disputed <= captured)
) WITH (fillfactor = 80);
CREATE INDEX transaction_account ON transaction (account_id, id);
CREATE INDEX transaction_reference ON transaction (account_id, reference, id);
-- What the reconciler frees when its time is over.
CREATE INDEX transaction_expiring ON transaction (expires_at)
    WHERE NOT releasing AND (held > 0 OR state IN ('AUTHORIZED', 'REQUIRES_ACTION'));

-- What was asked for, once for each request id; its id is the key that the acquirer knows it by.
CREATE TABLE operation (
    id                  text COLLATE "C" PRIMARY KEY,
    transaction_id      text COLLATE "C" NOT NULL REFERENCES transaction,
    account_id          text COLLATE "C" NOT NULL,
    kind                text NOT NULL CHECK (kind IN ('authorize', 'capture', 'void', 'expire', 'refund', 'dispute')),
    request_id          text COLLATE "C" NOT NULL,
    -- Hash of the parameters: the same request id with others is a mistake.
    parameters          bytea NOT NULL,
    amount              bigint NOT NULL,
    -- What the acquirer is told besides the amount.
    capture             boolean NOT NULL DEFAULT false,
    final               boolean NOT NULL DEFAULT false,
    off_session         boolean NOT NULL DEFAULT false,
    authentication      text NOT NULL DEFAULT '',
    descriptor          text NOT NULL DEFAULT '',
    reference           text NOT NULL DEFAULT '',
    reason              text NOT NULL DEFAULT '',
    state               text NOT NULL CHECK (state IN ('pending', 'unknown', 'succeeded', 'failed')),
    failure             text NOT NULL DEFAULT '',
    acquirer_reference  text NOT NULL DEFAULT '',
    -- What the caller was told at the end; told again for the same request id.
    answer              bytea,
    created_at          timestamptz NOT NULL,
    settled_at          timestamptz,
    -- Whoever works on it now, until then; afterwards anybody may.
    lease_until         timestamptz NOT NULL,
    attempts            integer NOT NULL DEFAULT 1,
    UNIQUE (account_id, kind, request_id)
) WITH (fillfactor = 70);
CREATE INDEX operation_open ON operation (lease_until) WHERE state IN ('pending', 'unknown');
CREATE INDEX operation_transaction ON operation (transaction_id);

-- Every step of every transaction, along the graph of states.py.
CREATE TABLE history (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id  text COLLATE "C" NOT NULL,
    operation_id    text COLLATE "C" NOT NULL,
    source          text NOT NULL,
    target          text NOT NULL,
    at              timestamptz NOT NULL,
    CONSTRAINT history_follows_the_graph CHECK ((source, target) IN (
        ('', 'PENDING'),
        ('PENDING', 'UNKNOWN'), ('PENDING', 'REQUIRES_ACTION'), ('PENDING', 'AUTHORIZED'), ('PENDING', 'CAPTURED'),
        ('PENDING', 'DECLINED'),
        ('UNKNOWN', 'REQUIRES_ACTION'), ('UNKNOWN', 'AUTHORIZED'), ('UNKNOWN', 'CAPTURED'), ('UNKNOWN', 'DECLINED'),
        ('REQUIRES_ACTION', 'VOIDED'), ('REQUIRES_ACTION', 'EXPIRED'),
        ('AUTHORIZED', 'CAPTURED'), ('AUTHORIZED', 'VOIDED'), ('AUTHORIZED', 'EXPIRED')
    ))
);
CREATE INDEX history_transaction ON history (transaction_id, id);
CREATE TRIGGER history_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON history
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE dispute (
    id              text COLLATE "C" PRIMARY KEY,
    transaction_id  text COLLATE "C" NOT NULL REFERENCES transaction,
    account_id      text COLLATE "C" NOT NULL,
    amount          bigint NOT NULL CHECK (amount > 0),
    state           text NOT NULL CHECK (state IN ('open', 'won', 'lost')),
    reason          text NOT NULL,
    created_at      timestamptz NOT NULL
);
-- A card holder disputes a payment once at a time.
CREATE UNIQUE INDEX dispute_open ON dispute (transaction_id) WHERE state = 'open';

-- Captured money on its way from a merchant's pending to its available balance.
CREATE TABLE settlement (
    id              text COLLATE "C" PRIMARY KEY,
    transaction_id  text COLLATE "C" NOT NULL,
    account_id      text COLLATE "C" NOT NULL,
    livemode        boolean NOT NULL,
    currency        text NOT NULL,
    -- Net of fees.
    amount          bigint NOT NULL,
    available_at    timestamptz NOT NULL,
    done            boolean NOT NULL DEFAULT false
);
CREATE INDEX settlement_due ON settlement (available_at) WHERE NOT done;

-- How far the acquirer's list of events was read.
CREATE TABLE cursor (
    name      text PRIMARY KEY,
    position  bigint NOT NULL
);
