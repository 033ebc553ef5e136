CREATE TABLE accounts (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email         TEXT    NOT NULL CONSTRAINT accounts_email_key UNIQUE,
    name          TEXT    NOT NULL,
    role          TEXT    NOT NULL CHECK (role IN ('student', 'instructor', 'admin')),
    -- NULL: nobody signs in to it with a password (the local learner).
    password_hash TEXT,
    created_at    BIGINT  NOT NULL,
    last_seen_at  BIGINT
);

CREATE TABLE sessions (
    -- A hash of the session id: who reads the database cannot use what he finds.
    handle       TEXT   NOT NULL PRIMARY KEY,
    account_id   BIGINT REFERENCES accounts (id) ON DELETE CASCADE,
    user_agent   TEXT   NOT NULL,
    data         TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE lesson_reads (
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    lesson     TEXT   NOT NULL,
    first_at   BIGINT NOT NULL,
    last_at    BIGINT NOT NULL,
    PRIMARY KEY (account_id, lesson)
);

CREATE TABLE quiz_results (
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    lesson     TEXT   NOT NULL,
    -- JSON: the answers as they were given. Marks are derived from them and the course.
    answers    TEXT   NOT NULL,
    correct    BIGINT NOT NULL,
    total      BIGINT NOT NULL,
    -- Of any submission so far; once passed stays passed.
    passed     BIGINT NOT NULL CHECK (passed IN (0, 1)),
    at         BIGINT NOT NULL,
    PRIMARY KEY (account_id, lesson)
);

CREATE TABLE audit_log (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      BIGINT  NOT NULL,
    -- NULL: the command line.
    actor   BIGINT,
    action  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    -- JSON, never a secret.
    detail  TEXT    NOT NULL
);
CREATE INDEX audit_log_by_time ON audit_log (at);
