-- Everybody here has shown that the address is theirs; before that there is only a registration.
CREATE TABLE users (
    id             text COLLATE "C" PRIMARY KEY,
    email          text NOT NULL,
    -- The address without case and Unicode variants: what is unique.
    email_key      text COLLATE "C" NOT NULL UNIQUE,
    name           text NOT NULL,
    password_hash  text NOT NULL,
    roles          text[] NOT NULL DEFAULT '{user}',
    -- AES-256-GCM; set up but not yet in use while totp_enabled_at is null.
    totp_secret    bytea,
    totp_enabled_at timestamptz,
    -- The time step of the last code taken: a code is good once (RFC 6238, 5.2).
    totp_step      bigint NOT NULL DEFAULT 0,
    created_at     timestamptz NOT NULL DEFAULT now()
);

-- A password belongs to the registration whose link was followed, so nobody can register an address for its owner.
CREATE TABLE registration (
    token_hash     bytea PRIMARY KEY,
    email          text NOT NULL,
    email_key      text COLLATE "C" NOT NULL,
    name           text NOT NULL,
    password_hash  text NOT NULL,
    expires_at     timestamptz NOT NULL
);
CREATE INDEX registration_expiry ON registration (expires_at);

CREATE TABLE password_reset (
    token_hash     bytea PRIMARY KEY,
    user_id        text COLLATE "C" NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at     timestamptz NOT NULL
);
CREATE INDEX password_reset_user ON password_reset (user_id);

CREATE TABLE recovery_code (
    user_id        text COLLATE "C" NOT NULL REFERENCES users ON DELETE CASCADE,
    code_hash      bytea NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);

-- A session is a family of refresh tokens: each is exchanged once for its successor.
CREATE TABLE session (
    id             text COLLATE "C" PRIMARY KEY,
    user_id        text COLLATE "C" NOT NULL REFERENCES users ON DELETE CASCADE,
    methods        text[] NOT NULL,
    address        text NOT NULL,
    user_agent     text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    last_used_at   timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz,
    revoke_reason  text
);
CREATE INDEX session_user_id ON session (user_id, created_at);

CREATE TABLE refresh_token (
    hash           bytea PRIMARY KEY,
    session_id     text COLLATE "C" NOT NULL REFERENCES session ON DELETE CASCADE,
    used_at        timestamptz
);
CREATE INDEX refresh_token_session ON refresh_token (session_id);

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

CREATE TABLE audit (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at             timestamptz NOT NULL DEFAULT now(),
    -- Who did it: a user, a workload, or "" where nobody is known.
    actor          text NOT NULL,
    action         text NOT NULL,
    -- What it was done to: a user, session, key or account.
    subject        text NOT NULL,
    outcome        text NOT NULL CHECK (outcome IN ('granted', 'denied')),
    reason         text NOT NULL DEFAULT ''
);
CREATE INDEX audit_subject ON audit (subject, id);

-- The service's role has no such right anyway; this holds the owner too.
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit is append-only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
