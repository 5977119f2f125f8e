-- The outbox: what happened, who wants to hear of it, what came of telling them. webhook-sender sees these alone.

-- inner_body holds the signing secrets: several while one is rolled.
CREATE TABLE webhook_endpoint (
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    id text COLLATE "C" NOT NULL UNIQUE,
    version integer NOT NULL DEFAULT 1,
    state text NOT NULL CHECK (state IN ('enabled', 'disabled', 'deleted')),
    body jsonb NOT NULL,
    inner_body jsonb NOT NULL,
    created bigint NOT NULL GENERATED ALWAYS AS ((body->>'created')::bigint) STORED,
    living boolean NOT NULL GENERATED ALWAYS AS (state <> 'deleted') STORED,
    PRIMARY KEY (account_id, livemode, id)
);

CREATE TABLE outbox_event (
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    id text COLLATE "C" NOT NULL,
    type text NOT NULL,
    object_id text COLLATE "C" NOT NULL,
    -- The event as JSON text without pending_webhooks, which changes.
    body json NOT NULL,
    created bigint NOT NULL,
    PRIMARY KEY (account_id, livemode, id)
);

CREATE TABLE outbox_delivery (
    event_id text COLLATE "C" NOT NULL,
    endpoint_id text COLLATE "C" NOT NULL,
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'given_up')),
    tries integer NOT NULL DEFAULT 0,
    -- When it is due; while somebody sends it, when his lease ends.
    due_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_id, endpoint_id)
) WITH (fillfactor = 80);
CREATE INDEX outbox_delivery_due ON outbox_delivery (endpoint_id, due_at) WHERE state = 'pending';

CREATE TABLE outbox_attempt (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id text COLLATE "C" NOT NULL,
    endpoint_id text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    -- The answer's status; null when there was none.
    status integer,
    error text NOT NULL DEFAULT '',
    milliseconds integer NOT NULL
);
CREATE INDEX outbox_attempt_event ON outbox_attempt (event_id, number);
CREATE INDEX outbox_attempt_endpoint ON outbox_attempt (endpoint_id, number);
