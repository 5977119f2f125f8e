-- Objects. All tables have one shape: whose, id, version, state, the wire's shape as `body`, ours alone as `inner`.
-- What queries and constraints look at is generated from the body, so it cannot disagree with it. Ids sort by time.

-- Raised where a guard of a change did not hold: the whole statement is undone (SQLSTATE ST001 is ours).
CREATE FUNCTION all_or_nothing(wanted bigint, held bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF wanted <> held THEN
        RAISE EXCEPTION 'stale: % of % guards held', held, wanted USING ERRCODE = 'ST001';
    END IF;
    RETURN true;
END $$;

CREATE TABLE payment_intent (
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    id text COLLATE "C" NOT NULL,
    version integer NOT NULL DEFAULT 1,
    state text NOT NULL,
    body jsonb NOT NULL,
    inner_body jsonb NOT NULL,
    created bigint NOT NULL GENERATED ALWAYS AS ((body->>'created')::bigint) STORED,
    customer text GENERATED ALWAYS AS (body->>'customer') STORED,
    PRIMARY KEY (account_id, livemode, id),
    CHECK (state IN ('requires_payment_method', 'requires_confirmation', 'requires_action', 'processing',
                     'requires_capture', 'succeeded', 'canceled')),
    CHECK (state = body->>'status'),
    CHECK ((body->>'amount_received')::bigint + (body->>'amount_capturable')::bigint <= (body->>'amount')::bigint)
) WITH (fillfactor = 70);
CREATE INDEX payment_intent_customer ON payment_intent (account_id, livemode, customer, id) WHERE customer IS NOT NULL;

CREATE TABLE charge (
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    id text COLLATE "C" NOT NULL,
    version integer NOT NULL DEFAULT 1,
    state text NOT NULL,
    body jsonb NOT NULL,
    inner_body jsonb NOT NULL,
    created bigint NOT NULL GENERATED ALWAYS AS ((body->>'created')::bigint) STORED,
    customer text GENERATED ALWAYS AS (body->>'customer') STORED,
    payment_intent text COLLATE "C" GENERATED ALWAYS AS (body->>'payment_intent') STORED,
    PRIMARY KEY (account_id, livemode, id),
    CHECK (state IN ('authorized', 'captured', 'failed', 'refunded', 'released')),
    CHECK ((body->>'amount_captured')::bigint <= (body->>'amount')::bigint),
    -- A released hold counts as refunded in Stripe's shape; money taken never returns more than was taken.
    CHECK (state = 'released' OR (body->>'amount_refunded')::bigint <= (body->>'amount_captured')::bigint)
) WITH (fillfactor = 70);
CREATE INDEX charge_customer ON charge (account_id, livemode, customer, id) WHERE customer IS NOT NULL;
CREATE INDEX charge_payment_intent ON charge (account_id, livemode, payment_intent, id);

CREATE TABLE refund (
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    id text COLLATE "C" NOT NULL,
    version integer NOT NULL DEFAULT 1,
    state text NOT NULL,
    body jsonb NOT NULL,
    inner_body jsonb NOT NULL,
    created bigint NOT NULL GENERATED ALWAYS AS ((body->>'created')::bigint) STORED,
    charge text COLLATE "C" NOT NULL GENERATED ALWAYS AS (body->>'charge') STORED,
    payment_intent text COLLATE "C" GENERATED ALWAYS AS (body->>'payment_intent') STORED,
    PRIMARY KEY (account_id, livemode, id),
    FOREIGN KEY (account_id, livemode, charge) REFERENCES charge (account_id, livemode, id),
    CHECK (state IN ('pending', 'succeeded', 'failed'))
);
CREATE INDEX refund_charge ON refund (account_id, livemode, charge, id);
CREATE INDEX refund_payment_intent ON refund (account_id, livemode, payment_intent, id);

CREATE TABLE balance_transaction (
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    id text COLLATE "C" NOT NULL,
    version integer NOT NULL DEFAULT 1,
    state text NOT NULL,
    body jsonb NOT NULL,
    inner_body jsonb NOT NULL,
    created bigint NOT NULL GENERATED ALWAYS AS ((body->>'created')::bigint) STORED,
    source text COLLATE "C" NOT NULL GENERATED ALWAYS AS (body->>'source') STORED,
    type text NOT NULL GENERATED ALWAYS AS (body->>'type') STORED,
    currency text NOT NULL GENERATED ALWAYS AS (body->>'currency') STORED,
    PRIMARY KEY (account_id, livemode, id)
);
CREATE INDEX balance_transaction_source ON balance_transaction (account_id, livemode, source, id);

CREATE TABLE customer (
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    id text COLLATE "C" NOT NULL,
    version integer NOT NULL DEFAULT 1,
    state text NOT NULL CHECK (state IN ('active', 'deleted')),
    body jsonb NOT NULL,
    inner_body jsonb NOT NULL,
    created bigint NOT NULL GENERATED ALWAYS AS ((body->>'created')::bigint) STORED,
    email text GENERATED ALWAYS AS (body->>'email') STORED,
    PRIMARY KEY (account_id, livemode, id)
);
CREATE INDEX customer_email ON customer (account_id, livemode, email, id) WHERE email IS NOT NULL;

CREATE TABLE payment_method (
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    id text COLLATE "C" NOT NULL,
    version integer NOT NULL DEFAULT 1,
    state text NOT NULL CHECK (state IN ('loose', 'attached', 'detached')),
    body jsonb NOT NULL,
    inner_body jsonb NOT NULL,
    created bigint NOT NULL GENERATED ALWAYS AS ((body->>'created')::bigint) STORED,
    customer text GENERATED ALWAYS AS (body->>'customer') STORED,
    type text NOT NULL GENERATED ALWAYS AS (body->>'type') STORED,
    PRIMARY KEY (account_id, livemode, id)
);
CREATE INDEX payment_method_customer ON payment_method (account_id, livemode, customer, id) WHERE customer IS NOT NULL;

CREATE TABLE token (
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    id text COLLATE "C" NOT NULL,
    version integer NOT NULL DEFAULT 1,
    state text NOT NULL CHECK (state IN ('unused', 'used')),
    body jsonb NOT NULL,
    inner_body jsonb NOT NULL,
    created bigint NOT NULL GENERATED ALWAYS AS ((body->>'created')::bigint) STORED,
    PRIMARY KEY (account_id, livemode, id)
);

CREATE TABLE setup_intent (
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    id text COLLATE "C" NOT NULL,
    version integer NOT NULL DEFAULT 1,
    state text NOT NULL,
    body jsonb NOT NULL,
    inner_body jsonb NOT NULL,
    created bigint NOT NULL GENERATED ALWAYS AS ((body->>'created')::bigint) STORED,
    customer text GENERATED ALWAYS AS (body->>'customer') STORED,
    payment_method text COLLATE "C" GENERATED ALWAYS AS (body->>'payment_method') STORED,
    PRIMARY KEY (account_id, livemode, id),
    CHECK (state = body->>'status')
);

CREATE TABLE checkout_session (
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    id text COLLATE "C" NOT NULL UNIQUE,
    version integer NOT NULL DEFAULT 1,
    state text NOT NULL CHECK (state IN ('open', 'complete', 'expired')),
    body jsonb NOT NULL,
    inner_body jsonb NOT NULL,
    created bigint NOT NULL GENERATED ALWAYS AS ((body->>'created')::bigint) STORED,
    customer text GENERATED ALWAYS AS (body->>'customer') STORED,
    payment_intent text COLLATE "C" GENERATED ALWAYS AS (body->>'payment_intent') STORED,
    expires_at bigint NOT NULL GENERATED ALWAYS AS ((body->>'expires_at')::bigint) STORED,
    PRIMARY KEY (account_id, livemode, id)
);
CREATE INDEX checkout_session_open ON checkout_session (expires_at) WHERE state = 'open';

-- What every object went through; nobody changes it (the role has no right to).
CREATE TABLE history (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    kind text NOT NULL,
    object_id text COLLATE "C" NOT NULL,
    edge text NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX history_object ON history (object_id, number);

-- What will be asked outside: written before it is asked, deleted with its answer. The overdue ones are kept by
-- whoever finds them.
CREATE TABLE promise (
    id text COLLATE "C" PRIMARY KEY,
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    kind text NOT NULL,
    subject text COLLATE "C" NOT NULL,
    params jsonb NOT NULL,
    idempotency_key text NOT NULL,
    request_id text NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX promise_due ON promise (due_at);

CREATE TABLE idempotency_key (
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL,
    -- The kind of the promise that is open ('authorize', 'capture', …), or 'finished'.
    recovery_point text NOT NULL,
    leased_until timestamptz,
    status integer,
    response text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, livemode, key),
    CHECK ((recovery_point = 'finished') = (response IS NOT NULL AND status IS NOT NULL))
);
CREATE INDEX idempotency_key_age ON idempotency_key (created_at);
