CREATE TABLE api_key (
    id             text COLLATE "C" PRIMARY KEY,
    account_id     text COLLATE "C" NOT NULL,
    livemode       boolean NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('secret', 'publishable', 'restricted')),
    scopes         text[] NOT NULL,
    name           text NOT NULL,
    -- Its first and last characters, for people: "sk_test_…a1B2".
    hint           text NOT NULL,
    -- HMAC-SHA256 with the pepper: the key itself is nowhere.
    hash           bytea NOT NULL UNIQUE,
    -- The request that made it, so that a repeated one makes no second key.
    request_id     text NOT NULL,
    rolled_from    text COLLATE "C" REFERENCES api_key,
    created_by     text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz,
    revoked_at     timestamptz,
    revoked_by     text,
    last_used_at   timestamptz,
    UNIQUE (account_id, request_id)
);
CREATE INDEX api_key_account ON api_key (account_id, created_at);
