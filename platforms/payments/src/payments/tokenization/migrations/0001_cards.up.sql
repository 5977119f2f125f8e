-- A number is stored once per account: tokens come and go, the card row holds the ciphertext.
CREATE TABLE card (
    id           text COLLATE "C" PRIMARY KEY,
    account_id   text COLLATE "C" NOT NULL,
    -- Keyed HMAC of the whole number; equal numbers in one account meet here.
    fingerprint  text COLLATE "C" NOT NULL,
    brand        text NOT NULL,
    last4        text NOT NULL CHECK (last4 ~ '^[0-9]{4}$'),
    bin          text NOT NULL CHECK (bin ~ '^[0-9]{6}$'),
    funding      text NOT NULL,
    -- AES-256-GCM under a data key of this row's own: 12 bytes nonce, ciphertext, 16 bytes tag.
    number       bytea NOT NULL,
    -- The data key, wrapped by the key-encryption key of this version.
    key_version  integer NOT NULL,
    wrapped_key  bytea NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, fingerprint)
);
-- Rotation looks for what is not on the newest version.
CREATE INDEX card_key_version ON card (key_version);

CREATE TABLE token (
    id           text COLLATE "C" PRIMARY KEY,
    account_id   text COLLATE "C" NOT NULL,
    card_id      text COLLATE "C" NOT NULL REFERENCES card,
    exp_month    integer NOT NULL CHECK (exp_month BETWEEN 1 AND 12),
    exp_year     integer NOT NULL,
    -- The holder's name under the card's data key; its associated data binds token, card, account and expiry,
    -- so a row that is pointed at another card does not open.
    holder       bytea NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX token_card ON token (card_id);

-- Every number handed out, and every refusal. The service's role may only add to it.
CREATE TABLE access (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT now(),
    account_id   text NOT NULL,
    token_id     text NOT NULL,
    caller       text NOT NULL,
    purpose      text NOT NULL,
    reference    text NOT NULL,
    outcome      text NOT NULL CHECK (outcome IN ('granted', 'not_found', 'unreadable')),
    cvc          boolean NOT NULL
);
CREATE INDEX access_token ON access (token_id);

CREATE FUNCTION access_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit of card access is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER access_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON access
    FOR EACH STATEMENT EXECUTE FUNCTION access_is_append_only();
