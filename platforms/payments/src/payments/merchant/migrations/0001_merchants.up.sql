CREATE TABLE merchant (
    id             text COLLATE "C" PRIMARY KEY,
    state          text NOT NULL DEFAULT 'draft'
                   CHECK (state IN ('draft', 'submitted', 'verified', 'active', 'suspended', 'closed')),
    -- Why the platform last decided as it did.
    reason         text NOT NULL DEFAULT '',
    name           text NOT NULL,
    email          text NOT NULL,
    country        text,
    business_type  text,
    website        text,
    description    text,
    -- What the hosted payment page looks like: {"name", "colour", "logo_url"}.
    branding       jsonb NOT NULL DEFAULT '{}',
    -- Which API keys are still to be revoked because of the state; written with the state, cleared when it is done.
    revoking       text CHECK (revoking IN ('live', 'all')),
    -- Head of the audit log's chain: locked, read and moved on with each change.
    audit_count    bigint NOT NULL DEFAULT 0,
    audit_head     bytea NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX merchant_state ON merchant (state, id);
CREATE INDEX merchant_revoking ON merchant (id) WHERE revoking IS NOT NULL;

CREATE TABLE member (
    merchant_id    text COLLATE "C" NOT NULL REFERENCES merchant,
    user_id        text COLLATE "C" NOT NULL,
    role           text NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer')),
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, user_id)
);
CREATE INDEX member_user ON member (user_id, merchant_id);

CREATE TABLE invitation (
    id             text COLLATE "C" PRIMARY KEY,
    merchant_id    text COLLATE "C" NOT NULL REFERENCES merchant,
    email          text NOT NULL,
    role           text NOT NULL CHECK (role IN ('admin', 'developer', 'viewer')),
    token_hash     bytea NOT NULL UNIQUE,
    invited_by     text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL
);
CREATE INDEX invitation_merchant ON invitation (merchant_id, id);

CREATE TABLE mail (
    id             text COLLATE "C" PRIMARY KEY,
    recipient      text NOT NULL,
    subject        text NOT NULL,
    body           text NOT NULL,
    attempts       integer NOT NULL DEFAULT 0,
    due_at         timestamptz NOT NULL DEFAULT now(),
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX mail_due ON mail (due_at);

-- Each line carries the hash of the one before: what is changed or taken out later shows.
CREATE TABLE audit (
    merchant_id    text COLLATE "C" NOT NULL,
    number         bigint NOT NULL,
    at             timestamptz NOT NULL,
    actor          text NOT NULL,
    action         text NOT NULL,
    detail         jsonb NOT NULL,
    hash           bytea NOT NULL,
    PRIMARY KEY (merchant_id, number)
);

-- The service's role has no such right anyway; this holds the owner too.
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit is append-only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
